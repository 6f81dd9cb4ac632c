// Command explore runs a fairshare.Semaphore in every order in which goroutines
// may use it. It is of use only if built with the overlay that the test of
// package interleave makes, in which the Semaphore takes turns.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/fairpool/fairpool/fairshare/verify/interleave/turns"
)

func main() {
	only := flag.String("only", "", "the scenario to explore, all by default")
	more := flag.Int("more", 0, "so many interruptions more")
	flag.Parse()
	for _, sc := range scenarios {
		if *only != "" && *only != sc.name {
			continue
		}
		o := turns.Explore(sc.bound+*more, sc.run)
		if o.Wrong != "" {
			fmt.Printf("%s: %s, in the %dth run, after\n  %s\n", sc.name, o.Wrong, o.Runs, strings.Join(o.Trace, "\n  "))
			os.Exit(1)
		}
		fmt.Printf("%s: up to %d interruptions, %d runs, %d steps\n", sc.name, sc.bound+*more, o.Runs, o.Points)
	}
}
