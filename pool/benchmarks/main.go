// Command benchmarks measures what an acquire and a release cost, beside what
// they cost in the pools and semaphores that know no tenants, and prints a
// Markdown table:
//
//	go run ./pool/benchmarks
//
// The sides of a row are measured in turn, in many short rounds of the same
// amount of work; a figure is the median of its rounds, a ratio the median of
// the ratios of each round. Losses are shown like wins. The same cases are
// ordinary benchmarks too:
//
//	go test -bench . ./pool/benchmarks
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"time"
)

func main() {
	log.SetFlags(0)
	rounds := flag.Int("rounds", 11, "measured rounds of each side")
	quick := flag.Bool("short", false, "do less in each round")
	flag.Parse()
	if *rounds < 1 {
		log.Fatalf("-rounds is %d, must be at least 1", *rounds)
	}
	size := full
	if *quick {
		size = short
	}
	start := time.Now()
	fmt.Printf("%s %s/%s, %d processors, medians of %d rounds, or fewer where they are long\n\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), *rounds)
	t := table{os.Stdout}
	t.head()
	for _, c := range size.comparisons() {
		o, err := c.run(*rounds)
		if err != nil {
			log.Fatal(err)
		}
		t.row(o)
	}
	fmt.Printf("\nmeasured in %v\n", time.Since(start).Round(time.Second))
}
