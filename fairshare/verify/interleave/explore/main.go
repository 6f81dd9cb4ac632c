// Command explore runs a fairshare.Semaphore, and a pool.Pool, in every order in
// which goroutines may use it. It is of use only if built with the overlay that
// the test of package interleave makes, in which these take turns.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/fairpool/fairpool/fairshare/verify/interleave/turns"
)

// A program is what is run again and again.
type program struct {
	name    string
	bound   int
	explore func(bound int, run func() func() string) turns.Outcome
	run     func() (check func() string)
}

func main() {
	only := flag.String("only", "", "the scenario to explore, all by default")
	more := flag.Int("more", 0, "so much more than its bound")
	flag.Parse()
	var programs []program
	for _, sc := range scenarios {
		programs = append(programs, program{sc.name, sc.bound, turns.Explore, sc.run})
	}
	for _, sc := range poolScenarios {
		programs = append(programs, program{sc.name, sc.bound, turns.ExploreNarrowly, sc.run})
	}
	for _, p := range programs {
		if *only != "" && *only != p.name {
			continue
		}
		o := p.explore(p.bound+*more, p.run)
		if o.Wrong != "" {
			fmt.Printf("%s: %s, in the %dth run, after\n  %s\n", p.name, o.Wrong, o.Runs, strings.Join(o.Trace, "\n  "))
			os.Exit(1)
		}
		fmt.Printf("%s: bound %d, %d runs, %d steps\n", p.name, p.bound+*more, o.Runs, o.Points)
	}
}
