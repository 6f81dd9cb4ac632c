package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/fairpool/fairpool/fairshare/verify/interleave/turns"
	"github.com/fairpool/fairpool/pool"
)

// A poolScenario is who uses a pool at the same time.
type poolScenario struct {
	name     string
	bound    int
	size     int
	tenants  []string // of those that acquire a thing and end the lease, one each
	canceled int      // so many of them, the first ones, may be cancelled
	destroys int      // so many of them, the last ones, destroy the thing
	failures int      // so many builds, the first ones, fail
	closes   bool
}

var poolScenarios = []poolScenario{
	{name: "pool: 3 callers, 2 slots, 2 cancels, Close, a failing build", bound: 2, size: 2, tenants: []string{"a", "b", "a"}, canceled: 2, failures: 1, closes: true},
	{name: "pool: 3 callers, 1 slot, a cancel, two failing builds, Destroy", bound: 2, size: 1, tenants: []string{"a", "b", "a"}, canceled: 1, failures: 2, destroys: 1},
	{name: "pool: 3 callers, 2 slots, Destroy", bound: 2, size: 2, tenants: []string{"a", "b", "a"}, destroys: 2},
	{name: "pool: 2 callers, 1 slot, Destroy, Close", bound: 2, size: 1, tenants: []string{"a", "b"}, destroys: 1, closes: true},
}

// A thing is what the pool is of.
type thing struct{ held, ended bool }

// A site counts what there is.
type site struct{ built, failed, alive int }

var errRefused = errors.New("refused")

func (sc poolScenario) open(at *site) *pool.Pool[*thing] {
	p, err := pool.New(pool.Config[*thing]{
		MaxSize: sc.size,
		Constructor: func(context.Context) (*thing, error) {
			turns.Pause("is built")
			if at.failed < sc.failures {
				at.failed++
				return nil, errRefused
			}
			at.built++
			at.alive++
			return &thing{}, nil
		},
		Destructor: func(th *thing) {
			if th.held || th.ended {
				turns.Fail("a thing is destroyed under its holder, or twice")
			}
			th.ended = true
			turns.Pause("is destroyed")
			at.alive--
		},
	})
	if err != nil {
		turns.Fail(err.Error())
	}
	return p
}

// run is one run: everybody does what they do once, and in the end everything is
// back.
func (sc poolScenario) run() func() string {
	at := &site{}
	p := sc.open(at)
	for i, tenant := range sc.tenants {
		ctx := context.Background()
		if i < sc.canceled {
			var cancel context.CancelFunc
			ctx, cancel = context.WithCancel(ctx)
			turns.Later(fmt.Sprint("the context of caller ", i), cancel)
		}
		turns.Go(fmt.Sprint("caller ", i, " for ", tenant), func() {
			l, err := p.Acquire(ctx, tenant)
			if err != nil {
				sc.refused(ctx, err)
				return
			}
			th := l.Value()
			if th.held || th.ended {
				turns.Fail("a thing has two holders, or has ended")
			}
			th.held = true
			turns.Pause("has its thing")
			th.held = false
			if i >= len(sc.tenants)-sc.destroys {
				l.Destroy()
			}
			l.Release()
		})
	}
	if sc.closes {
		turns.Later("Close", p.Close)
	}
	return func() string { return sc.check(p, at) }
}

// refused fails if there is no reason for an Acquire to.
func (sc poolScenario) refused(ctx context.Context, err error) {
	switch {
	case errors.Is(err, pool.ErrClosed) && sc.closes:
	case errors.Is(err, errRefused) && sc.failures > 0:
	case errors.Is(err, pool.ErrBuildTimeout): // the others may take as long as they like
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
	default:
		turns.Fail(fmt.Sprintf("an Acquire fails with %v", err))
	}
}

func (sc poolScenario) check(p *pool.Pool[*thing], at *site) string {
	s := p.Stats()
	switch {
	case s.InUse+s.Waiting+s.Building+s.Destroying != 0:
		return fmt.Sprintf("in the end %d slots are in use, %d wait, %d are built and %d destroyed", s.InUse, s.Waiting, s.Building, s.Destroying)
	case s.Warm != at.alive:
		return fmt.Sprintf("in the end %d things are warm and %d alive", s.Warm, at.alive)
	case sc.closes && at.alive > 0:
		return fmt.Sprintf("in the end %d things are left", at.alive)
	}
	for n := range s.Warm {
		if _, ok := p.TryAcquire(fmt.Sprint("new ", n)); !ok {
			return fmt.Sprintf("in the end %d of %d things can be had", n, s.Warm)
		}
	}
	return ""
}
