package main

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// An acquirer is all that the load knows of a pool.
type acquirer interface {
	// acquire waits for a connection on behalf of the tenant. The caller calls
	// release when it is done with it.
	acquire(ctx context.Context, tenant string) (conn *sql.Conn, release func(), err error)
	close()
}

// A request is one query of the load.
type request struct {
	tenant int           // index in tenants
	due    time.Duration // since the start of the run
	sql    string
	args   []any
}

// The first of the tenants submits slow queries, all at once; each of the
// others sends a quick one every few tens of milliseconds.
const batch = 0

var tenants = []string{"batch", "web-1", "web-2", "web-3", "web-4"}

// A load is what one run asks of a pool: the same requests at the same times,
// whatever the pool.
type load struct {
	duration time.Duration // in which requests are sent
	requests []request     // in the order in which they are due
}

// planLoad makes a load of so many batch queries that read so many orders on
// average. Equal seeds give equal loads.
func planLoad(seed uint64, duration time.Duration, queries, reading, orders int) load {
	rng := rand.New(rand.NewPCG(seed, seed))
	l := load{duration: duration}
	for range queries {
		some := min(reading/2+1+rng.IntN(reading), orders)
		first := 1 + rng.IntN(orders-some+1)
		l.requests = append(l.requests, request{batch, 0, slowSQL, []any{first, first + some - 1}})
	}
	for tenant := batch + 1; tenant < len(tenants); tenant++ {
		pause := func() time.Duration { return time.Duration(20+rng.IntN(41)) * time.Millisecond }
		for due := pause(); due < duration; due += pause() {
			l.requests = append(l.requests, request{tenant, due, quickSQL, []any{rng.IntN(customers)}})
		}
	}
	slices.SortStableFunc(l.requests, func(a, b request) int { return cmp.Compare(a.due, b.due) })
	return l
}

// run sends every request when it is due, whether or not earlier ones have
// been served, and returns when all of them have. Those that take longer than
// half as long again as the load are given up.
func (l load) run(parent context.Context, pool acquirer, t *tally) error {
	ctx, cancel := context.WithTimeout(parent, l.duration*3/2)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	for i := range l.requests {
		r := &l.requests[i]
		select {
		case <-time.After(time.Until(t.begin.Add(r.due))):
		case <-ctx.Done():
		}
		t.waits(r)
		if ctx.Err() != nil { // it was never sent
			t.givesUp(r)
			continue
		}
		g.Go(func() error { return r.serve(ctx, pool, t) })
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("%s: %w", t.pool, err)
	}
	return parent.Err()
}

// serve waits for a connection, runs the query on it and gives it back.
func (r *request) serve(ctx context.Context, pool acquirer, t *tally) error {
	conn, release, err := pool.acquire(ctx, tenants[r.tenant])
	if err != nil {
		t.givesUp(r)
		return unlessOver(ctx, err)
	}
	defer release()
	since := t.holds(r)
	err = runQuery(ctx, conn, r.sql, r.args...)
	t.returns(r, since, err == nil)
	return unlessOver(ctx, err)
}

// unlessOver passes on the errors that are not due to the end of the run.
func unlessOver(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
