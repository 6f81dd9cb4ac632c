// Quickstart shows what a fair pool changes. Five tenants share eight SQLite
// connections: one submits several hundred slow queries at once, the others
// send quick ones all the time. The same load runs through a pool that serves
// first come, first served, and through fairpool, in several rounds that begin
// with either in turn: whatever else the machine has to do meets both. A table at
// the end compares how long each tenant waited.
//
//	go run ./examples/quickstart
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/jackc/puddle/v2"
)

// fairPool is fairpool at work: a pool.Pool of connections. New takes how to
// build a resource, how to end one, and how many there may be.
type fairPool struct{ *pool.Pool[*sql.Conn] }

func newFairPool(db *sql.DB, size int) (acquirer, error) {
	p, err := pool.New(pool.Config[*sql.Conn]{
		Constructor: db.Conn,
		Destructor:  func(c *sql.Conn) { c.Close() },
		MaxSize:     size,
	})
	return fairPool{p}, err
}

// acquire names the tenant on whose behalf it asks. That is all there is to
// it: tenants need not be declared, and while only one asks it may have every
// connection.
func (p fairPool) acquire(ctx context.Context, tenant string) (*sql.Conn, func(), error) {
	lease, err := p.Acquire(ctx, tenant)
	if err != nil {
		return nil, nil, err // says who held the connections meanwhile
	}
	return lease.Value(), lease.Release, nil
}

func (p fairPool) close() { p.Close() }

// puddlePool is the same with puddle alone, which knows no tenants.
type puddlePool struct{ *puddle.Pool[*sql.Conn] }

func newPuddlePool(db *sql.DB, size int) (acquirer, error) {
	p, err := puddle.NewPool(&puddle.Config[*sql.Conn]{
		Constructor: db.Conn,
		Destructor:  func(c *sql.Conn) { c.Close() },
		MaxSize:     int32(size),
	})
	return puddlePool{p}, err
}

func (p puddlePool) acquire(ctx context.Context, _ string) (*sql.Conn, func(), error) {
	resource, err := p.Acquire(ctx)
	if err != nil {
		return nil, nil, err
	}
	return resource.Value(), resource.Release, nil
}

func (p puddlePool) close() { p.Close() }

// config is the size of the demonstration.
type config struct {
	rounds      int           // of a run of each pool
	duration    time.Duration // of each run
	seed        uint64        // of the load
	connections int
	orders      int // in the database
	queries     int // of the batch
}

// contenders are the pools, in the order of the table.
var contenders = []struct {
	name string
	open func(db *sql.DB, size int) (acquirer, error)
}{
	{"puddle alone", newPuddlePool},
	{"fairpool", newFairPool},
}

// compare puts the same load on the pools, one after the other, in each round in
// the order opposite to the last. It returns what happened, by contender and
// round. The stage shows it to whoever watches.
func compare(ctx context.Context, cfg config, st *stage) (tallies [][]*tally, err error) {
	dir, err := os.MkdirTemp("", "fairpool-quickstart-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	// To the Go scheduler a query of this SQLite is a computation, which keeps
	// a processor for up to 10 ms at a time. With a virtual one for each
	// connection the operating system shares them out, as it would with a
	// SQLite in C, and the waits are those for a connection, not for Go.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(max(cfg.connections+2, runtime.NumCPU())))

	st.prepare(fmt.Sprintf("creating a database of %d orders", cfg.orders))
	db, err := createOrders(ctx, dir, cfg.connections, cfg.orders)
	if err != nil {
		return nil, err
	}
	defer db.Close()

	// The batch gets as much to read as takes about three quarters of a run on
	// this machine, whatever its speed: a first guess, which also warms up the
	// connections, and a better one with queries of that size.
	st.prepare("measuring how fast it is read")
	reading := max(1, cfg.orders/100)
	for range 2 {
		rate, err := readingRate(ctx, db, cfg.connections, reading)
		if err != nil {
			return nil, err
		}
		reading = int(rate * cfg.duration.Seconds() * 3 / 4 / float64(cfg.queries))
		reading = min(max(reading, 1), cfg.orders)
	}
	load := planLoad(cfg.seed, cfg.duration, cfg.queries, reading, cfg.orders)

	tallies = make([][]*tally, len(contenders))
	for round := range cfg.rounds {
		for k := range contenders {
			if round%2 == 1 {
				k = len(contenders) - 1 - k
			}
			p, err := contenders[k].open(db, cfg.connections)
			if err != nil {
				return nil, err
			}
			t := newTally(contenders[k].name, load)
			st.begin(t)
			err = load.run(ctx, p, t)
			p.close()
			if err != nil {
				return nil, err
			}
			tallies[k] = append(tallies[k], t)
		}
	}
	return tallies, nil
}

// run compares the pools while the view shows it, and prints the result.
func run(ctx context.Context, cfg config, show view, out io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	st := newStage(cfg)
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		show(st, stop)
	}()
	tallies, err := compare(ctx, cfg, st)
	st.end()
	<-shown
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err() // whatever it has become on its way through the database
	case err != nil:
		return err
	}
	return printResult(out, tallies)
}

// start runs the program until it ends or is told to, and returns its exit code.
func start(cfg config) int {
	// A reader of the output that goes away, as in "| head", also ends it in
	// order: the temporary folder is to be removed.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	defer stop()
	switch err := run(ctx, cfg, viewFor(os.Stdin, os.Stdout), os.Stdout); {
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "quickstart: stopped")
		return 130
	case err != nil:
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		return 1
	}
	return 0
}

func main() {
	cfg := config{connections: 8, orders: 300_000, queries: 400}
	flag.IntVar(&cfg.rounds, "rounds", 3, "of a run of each pool")
	flag.DurationVar(&cfg.duration, "duration", 3*time.Second, "of each run")
	flag.Uint64Var(&cfg.seed, "seed", 1, "of the load")
	flag.Parse()
	if cfg.duration < 100*time.Millisecond || cfg.rounds < 1 || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "quickstart: takes no arguments, a -duration of at least 100ms and at least one of -rounds")
		os.Exit(2)
	}
	os.Exit(start(cfg))
}
