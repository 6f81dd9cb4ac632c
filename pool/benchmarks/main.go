// Command benchmarks measures what an acquire and a release cost, beside what
// they cost in other pools and semaphores, and prints Markdown tables:
//
//	go run ./pool/benchmarks
//
// The first table has what matters most, with targets. The tables that follow have
// all peers, the latency of a hand-off, the scheduler by itself, and what each
// option of a pool costs.
//
//	go run ./pool/benchmarks -write README.md
//
// also writes all tables to pool/benchmarks/results, and a few rows of the first one
// between the two <!-- benchmarks --> markers of that file.
//
// The sides of a trial are measured in turn, in many short rounds of the same
// amount of work; a figure is the median of its rounds, a ratio the median of
// the ratios of each round. Losses are shown like wins. The same cases, smaller,
// are ordinary benchmarks too:
//
//	go test -bench . ./pool/benchmarks
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"time"
)

func main() {
	log.SetFlags(0)
	var c command
	flag.IntVar(&c.rounds, "rounds", 11, "measured rounds of each side")
	flag.StringVar(&c.write, "write", "", "`file` whose block of benchmarks is replaced; the full tables are written too")
	flag.StringVar(&c.results, "results", filepath.Join("pool", "benchmarks", "results"), "`folder` for the full tables, with -write")
	quick := flag.Bool("short", false, "do less in each round")
	flag.Parse()
	c.pages, c.size = full.pages(), "full"
	if *quick {
		c.pages, c.size = short.pages(), "short"
	}
	if err := c.run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// A command is what was asked for.
type command struct {
	rounds  int
	size    string
	pages   []page
	write   string // "": nothing
	results string
}

func (c command) run(out io.Writer) error {
	if c.rounds < 1 {
		return fmt.Errorf("-rounds is %d, must be at least 1", c.rounds)
	}
	if c.write != "" { // before minutes are spent in vain
		if err := updatable(c.write); err != nil {
			return err
		}
		if err := os.MkdirAll(c.results, 0o755); err != nil {
			return err
		}
	}
	start := time.Now()
	machine := describe(c.rounds, c.size)
	fmt.Fprintf(out, "%s\n\n", machine)
	var first, all bytes.Buffer
	t := table{io.MultiWriter(out, &all), &first}
	t.head()
	files := make(map[string]string)
	var order []string
	for _, p := range c.pages {
		results, err := p.measure(c.rounds, t)
		if err != nil {
			return err
		}
		var text bytes.Buffer
		p.write(&text, machine, results)
		files[p.file] = text.String()
		order = append(order, p.file)
	}
	for _, file := range order {
		fmt.Fprintf(out, "\n%s", files[file])
	}
	fmt.Fprintf(out, "\nmeasured in %v\n", time.Since(start).Round(time.Second))
	if c.write == "" {
		return nil
	}
	files[mainFile] = "# What an acquire and a release cost\n\n" + aboutMain + "\n" + all.String() + "\n" + machine + "\n"
	order = append(order, mainFile)
	for _, file := range order {
		if err := overwrite(filepath.Join(c.results, file), files[file], 0o644); err != nil {
			return err
		}
	}
	return updateFile(c.write, first.String()+"\n"+machine)
}

const mainFile = "main.md"

const aboutMain = `An Acquire and Release with nobody else about reads no clock, where puddle's reads
three. Once tenants wait, no goroutine queues for the lock to ask for a slot or to
return one. The heap of a waiter leaves out its stack and what the runtime needs to
block it. With other work on the machine the ratios move.
`

// measure runs the trials of the page and writes the rows of the main table.
func (p page) measure(rounds int, t table) (results []result, err error) {
	for _, trial := range p.trials {
		r, err := trial.run(rounds)
		if err != nil {
			return nil, err
		}
		for _, row := range r.rows {
			t.row(r.outcome(row))
		}
		results = append(results, r)
	}
	return results, nil
}
