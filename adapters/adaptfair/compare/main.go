// Compare puts the same overload on an HTTP server behind each of several limiters, and
// prints a table of what the tenants got. The server has 8 places, which the limiters
// are not told of, and the time that it works on a request doubles and halves again
// during the run. One tenant floods with 80 clients, nine small ones send ten requests
// a second each. Everything goes over the loopback.
//
//	go run ./adapters/adaptfair/compare
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	phase := flag.Duration("phase", 10*time.Second, "of which a run has three; the first `duration` is 20 ms of work, the second 40, the third 20 again")
	svg := flag.String("svg", "", "`file` to which the limits, goodput and waits over time are drawn")
	flag.Parse()
	if *phase < 2*time.Second || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "compare: takes no arguments, and a -phase of at least 2s")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *phase, *svg, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, phase time.Duration, svg string, out io.Writer) error {
	var runs []*tally
	for _, l := range limiters {
		t, err := measure(ctx, l, phase)
		if err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
		runs = append(runs, t)
		fmt.Fprintf(out, "%s: done\n", l.name)
	}
	printTable(out, runs, phase)
	if svg == "" {
		return nil
	}
	return draw(svg, runs, phase)
}
