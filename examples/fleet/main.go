// Fleet shows one capacity shared by many processes. It starts a server with
// 40 seats, which counts who sits there, and eight worker processes: tenant A
// asks in all of them, tenant B in one. Then it kills a worker with -9, stops
// another with SIGSTOP for longer than its grant lasts, and tells what the
// server has seen.
//
//	go run ./examples/fleet                      the state of the fleet in this process
//	go run ./examples/fleet -redis addr          in Redis or Valkey
//	go run ./examples/fleet -postgres dsn        in PostgreSQL; installs schema "fairpool"
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/fairpool/fairpool/adapters/fleet"
	"github.com/fairpool/fairpool/adapters/fleet/seats"
)

// The terms of the fleet. They are shorter than one would have them, so that
// the demonstration does not take long.
var terms = fleet.Terms{
	Version: 1, Capacity: 40, Fence: true,
	TTL: 3 * time.Second, Quarantine: 1500 * time.Millisecond, Refresh: 300 * time.Millisecond,
}

const workers = 8

func main() {
	worker := flag.String("worker", "", "what a worker is told; the program starts them itself")
	redis := flag.String("redis", "", "address of a Redis or Valkey that keeps the state of the fleet")
	postgres := flag.String("postgres", "", "connection string of a PostgreSQL that keeps it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := error(nil)
	if *worker != "" {
		err = work(ctx, *worker)
	} else {
		err = show(ctx, os.Stdout, 5*time.Second, *redis, *postgres)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

// show is the demonstration. It lets the fleet work for a while before and after
// each thing that happens.
func show(ctx context.Context, out io.Writer, while time.Duration, redis, postgres string) error {
	server, err := seats.Listen()
	if err != nil {
		return err
	}
	defer server.Close()
	engine := place{Kind: "http", Fleet: fmt.Sprint("example-", os.Getpid())}
	switch {
	case redis != "":
		engine.Kind, engine.Addr = "redis", redis
	case postgres != "":
		engine.Kind, engine.Addr = "postgres", postgres
		if err := migrate(ctx, postgres); err != nil {
			return err
		}
	default:
		addr, end, err := serveMemory()
		if err != nil {
			return err
		}
		defer end()
		engine.Addr = addr
	}
	c := &crew{server: server, out: out, while: while}
	defer c.end()
	fmt.Fprintf(out, "%d seats, %d worker processes; A asks in all of them, B in worker 1. State of the fleet: %s.\n\n", terms.Capacity, workers, engine.Kind)
	fmt.Fprintln(out, "         seats taken  A in use  B in use   grants of the workers")
	for i := range workers {
		t := task{Server: server.Addr(), Engine: engine, Fresh: i == 0, Ask: map[string]int{"A": 12}}
		if i == 0 {
			t.Ask["B"] = 40
		}
		if err := c.hire(t); err != nil {
			return err
		}
		if i == 0 { // the others have to find the fleet
			time.Sleep(500 * time.Millisecond)
		}
	}
	if err := c.watch(ctx, while); err != nil {
		return err
	}
	server.Forget() // the shares are those of the settled fleet
	calm := func() string {
		tenants, _ := server.Sums()
		sum := tenants["A"] + tenants["B"]
		return fmt.Sprintf("A %.1f%%, B %.1f%% of the slot-time", 100*tenants["A"]/sum, 100*tenants["B"]/sum)
	}
	if err := c.watch(ctx, while); err != nil {
		return err
	}
	shares := calm()
	if err := c.accidents(ctx); err != nil {
		return err
	}
	_, peak, total := server.Open()
	fmt.Fprintf(out, "\nAt most %d of %d seats were taken at any instant; %d connections were made.\n", peak, terms.Capacity, total)
	fmt.Fprintf(out, "Shares while nothing happened: %s.\nShares from then on, accidents included: %s.\n", shares, calm())
	if peak > terms.Capacity {
		return fmt.Errorf("the capacity was exceeded")
	}
	return nil
}

// accidents are what the fleet has to bear.
func (c *crew) accidents(ctx context.Context) error {
	fmt.Fprintln(c.out, "kill -9 of worker 3: what it had is used by others when its grant and the quarantine are over")
	if err := c.hands[2].kill(); err != nil {
		return err
	}
	if err := c.watch(ctx, terms.TTL+terms.Quarantine+c.while/2); err != nil {
		return err
	}
	if err := c.hands[4].suspend(); errors.Is(err, errors.ErrUnsupported) {
		fmt.Fprintln(c.out, "(a process cannot be stopped here: that part is left out)")
		return nil
	} else if err != nil {
		return err
	}
	fmt.Fprintln(c.out, "SIGSTOP of worker 5: it keeps its seats until others fence it")
	if err := c.watch(ctx, terms.TTL+terms.Quarantine+c.while/2); err != nil {
		return err
	}
	fmt.Fprintln(c.out, "SIGCONT of worker 5: it finds its grant gone, and joins again")
	if err := c.hands[4].resume(); err != nil {
		return err
	}
	return c.watch(ctx, c.while)
}

// watch prints a line a second.
func (c *crew) watch(ctx context.Context, d time.Duration) error {
	end := time.After(d)
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-end:
			return nil
		case <-ticker.C:
		}
		open, _, _ := c.server.Open()
		in := c.server.InUse()
		var grants strings.Builder
		for _, h := range c.hands {
			fmt.Fprintf(&grants, "%5s", h.status())
		}
		c.seconds++
		fmt.Fprintf(c.out, "%4d s   %4d of %2d   %8d  %8d   %s\n", c.seconds, open, terms.Capacity, in["A"], in["B"], grants.String())
	}
}
