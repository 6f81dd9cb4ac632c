package main

import (
	"context"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

func TestEveryOptionChangesTheConfigAndCanBeUsedInBothManners(t *testing.T) {
	for _, o := range configOptions() {
		before := pool.Config[*int]{MaxSize: slots}
		after := before
		o.set(&after)
		require.False(t, reflect.DeepEqual(before, after), o.name)
		for _, m := range []manner{acquiring, doing} {
			s := o.side(o.name, m, 200)
			l, err := s.prepare()
			require.NoError(t, err, o.name)
			measured, err := l.Round()
			require.NoError(t, err, o.name)
			require.Equal(t, 200, measured.ops)
			l.Close()
		}
	}
}

func optionNamed(t *testing.T, name string) option {
	for _, o := range configOptions() {
		if o.name == name {
			return o
		}
	}
	require.FailNow(t, "no option", name)
	return option{}
}

// What is said to be called is called once in each cycle, or never.
func TestHooksOfTheOptionsAreCalled(t *testing.T) {
	const cycles = 100
	var calls atomic.Int64
	call := func(context.Context, *int) error { calls.Add(1); return nil }
	for name, tc := range map[string]struct {
		count func(*pool.Config[*int])
		want  int64
	}{
		"Health.Check, called each time": {func(c *pool.Config[*int]) { c.Health.Check = call }, cycles},
		"Health.Check, resource trusted": {func(c *pool.Config[*int]) { c.Health.Check = call }, 0},
		"Tenancy.Reset":                  {func(c *pool.Config[*int]) { c.Tenancy.Reset = call }, cycles},
		"Tenancy.Prepare": {func(c *pool.Config[*int]) {
			c.Tenancy.Prepare = func(context.Context, *int, pool.Handover) error { calls.Add(1); return nil }
		}, cycles},
		"Trace.AcquireDone": {func(c *pool.Config[*int]) {
			c.Trace.AcquireDone = func(context.Context, pool.Event) { calls.Add(1) }
		}, cycles},
		"Trace.Release": {func(c *pool.Config[*int]) {
			c.Trace.Release = func(pool.Event) { calls.Add(1) }
		}, cycles},
	} {
		o := optionNamed(t, name)
		set := o.set
		o.set = func(c *pool.Config[*int]) {
			set(c)
			tc.count(c)
		}
		for _, m := range []manner{acquiring, doing} {
			l, err := o.side(name, m, cycles).prepare()
			require.NoError(t, err)
			rest(t, l)
			calls.Store(0)
			_, err = l.Round()
			require.NoError(t, err)
			rest(t, l)
			require.Equal(t, tc.want, calls.Load(), "%s, %s", name, m.name)
			l.Close()
		}
	}
}

// rest returns when nothing of the pool's is going on any more.
func rest(t *testing.T, l load) {
	var p *pool.Pool[*int]
	switch used := l.(*alone).lender.(type) {
	case fairpoolLender:
		p = used.pool
	case doLender:
		p = used.pool
	}
	require.Eventually(t, func() bool {
		s := p.Stats()
		return s.Resetting == 0 && s.InUse == 0
	}, 10*time.Second, time.Millisecond)
}

func TestACallerThatHoldsALeaseIsKnownToHoldIt(t *testing.T) {
	o := optionNamed(t, "Guard.ForbidNested, ctx of a holder")
	for _, m := range []manner{acquiring, doing} {
		l, err := o.open(0, m) // no slot beside the one that is held
		require.NoError(t, err)
		require.ErrorIs(t, l.Cycle(context.Background(), "tenant-0"), pool.ErrNested)
		l.Close()
	}
}
