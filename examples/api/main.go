// Api shows what a fair proxy changes for the users of an API that allows only so
// many requests a second. Ten tenants call it through a proxy: one sends as much
// as it can, without heeding what it is told, nine send a few requests a second.
// The same load runs twice, through a proxy that passes everything on and through
// one whose requests to the API take turns; a table at the end compares what each
// tenant got.
//
//	go run ./examples/api
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// config is the size of the demonstration.
type config struct {
	duration time.Duration // of each of the two runs
	rate     int           // requests a second that the API allows
	latency  time.Duration // of the API
	slots    int           // of the fair proxy, at first
	flooders int           // clients of the tenant that floods
}

// defaults has an API that bears 8 requests at a time, which the fair proxy has to
// find out.
func defaults() config {
	return config{duration: 10 * time.Second, rate: 200, latency: 40 * time.Millisecond, slots: 12, flooders: 40}
}

// run puts the same load on the two proxies, one after the other, shows what goes on,
// as a picture in a terminal and else as a line each second, and prints the result.
func run(ctx context.Context, cfg config, out io.Writer) error {
	var tallies []*tally
	for _, contender := range []struct {
		name string
		open func(cfg config, api string) (proxy, error)
	}{
		{"plain proxy", newPlainProxy},
		{"fair proxy", newFairProxy},
	} {
		t, err := compete(ctx, cfg, contender.name, contender.open, viewFor(cfg, out))
		if err != nil {
			return err
		}
		tallies = append(tallies, t)
	}
	printResult(out, tallies)
	return nil
}

// compete starts an API and a proxy, and has all tenants call the API for a while.
func compete(ctx context.Context, cfg config, name string, open func(config, string) (proxy, error), show view) (*tally, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	upstream := newAPI(cfg)
	api, err := serve(upstream)
	if err != nil {
		return nil, err
	}
	defer api.close()
	p, err := open(cfg, api.url)
	if err != nil {
		return nil, err
	}
	defer p.close()
	front, err := serve(p.handler)
	if err != nil {
		return nil, err
	}
	defer front.close()

	t := newTally(name, upstream)
	shown := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(shown)
		show(t, p, ended, stop)
	}()
	err = sendLoad(ctx, cfg, front.url, t)
	close(ended)
	<-shown
	return t, err
}

func main() {
	cfg := defaults()
	flag.DurationVar(&cfg.duration, "duration", cfg.duration, "of each of the two runs")
	flag.Parse()
	if cfg.duration < 100*time.Millisecond || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "api: takes no arguments, and a -duration of at least 100ms")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch err := run(ctx, cfg, os.Stdout); {
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "api: stopped")
		os.Exit(130)
	case err != nil:
		fmt.Fprintln(os.Stderr, "api:", err)
		os.Exit(1)
	}
}
