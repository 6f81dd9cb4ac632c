package pool_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

type tracer string

// trace has every function of a Trace note its name and that of the tracer, and
// the start functions leave the tracer's name in the context. Waits are left out:
// whether a wait or a build is told first is a matter of luck.
func (n tracer) trace(told *record[string]) (t pool.Trace) {
	for name, f := range starts(&t) {
		*f = func(ctx context.Context, _ pool.Event) context.Context {
			told.add(string(n) + " " + name + " in " + path(ctx))
			return context.WithValue(ctx, tracer("path"), path(ctx)+string(n))
		}
	}
	for name, f := range dones(&t) {
		*f = func(ctx context.Context, _ pool.Event) { told.add(string(n) + " " + name + " in " + path(ctx)) }
	}
	t.WaitStart, t.WaitDone = nil, nil
	t.Release = func(pool.Event) { told.add(string(n) + " Release") }
	t.Revoke = func(pool.Event) { told.add(string(n) + " Revoke") }
	t.Leak = func(pool.Leak) { told.add(string(n) + " Leak") }
	t.Nested = func(pool.Event) { told.add(string(n) + " Nested") }
	return t
}

// path is the names of the tracers whose start functions made the context.
func path(ctx context.Context) string {
	s, _ := ctx.Value(tracer("path")).(string)
	return s
}

func TestJoinedTracesNest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told record[string]
		cfg := everything()
		cfg.Trace = pool.Traces(tracer("a").trace(&told), pool.Trace{}, tracer("b").trace(&told))
		seen := ""
		cfg.Tenancy.Prepare = func(ctx context.Context, _ *thing, _ pool.Handover) error {
			seen = path(ctx)
			return nil
		}
		p := newPool(t, &factory{}, cfg)
		acquire(t, p, "a").Release()
		require.Equal(t, "abab", seen, "Prepare is within both of theirs, within both Acquires")
		require.Equal(t, []string{
			"a AcquireStart in ", "b AcquireStart in a",
			"a BuildStart in ", "b BuildStart in a", "b BuildDone in ab", "a BuildDone in a",
			"a PrepareStart in ab", "b PrepareStart in aba", "b PrepareDone in abab", "a PrepareDone in aba",
			"b AcquireDone in ab", "a AcquireDone in a",
			"a Release", "b Release",
		}, told.list()[:14])
	})
}

func TestEachOfTheJoinedTracesIsToldEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alone, joined := map[string]int{}, map[string]int{}
		for said, traces := range map[*map[string]int]func(pool.Trace) pool.Trace{
			&alone:  func(own pool.Trace) pool.Trace { return own },
			&joined: func(own pool.Trace) pool.Trace { return pool.Traces(traceAll(func(string) {}), own, pool.Traces(own)) },
		} {
			var told record[string]
			cfg := everything()
			cfg.Trace = traces(traceAll(told.add))
			p := newPool(t, &factory{}, cfg)
			provoke(p)
			for _, name := range told.list() {
				(*said)[name]++
			}
		}
		for name, n := range alone {
			require.Equal(t, 2*n, joined[name], name)
		}
		require.Len(t, joined, reflect.TypeFor[pool.Trace]().NumField())
	})
}

// A function that nobody gave stays nil, so that it costs nothing.
func TestJoiningTracesAddsNoFunctions(t *testing.T) {
	require.Equal(t, pool.Trace{}, pool.Traces())
	require.Equal(t, pool.Trace{}, pool.Traces(pool.Trace{}, pool.Trace{}))
	done := func(context.Context, pool.Event) {}
	start := func(ctx context.Context, _ pool.Event) context.Context { return ctx }
	set := func(tr pool.Trace) (names []string) {
		v := reflect.ValueOf(tr)
		for i := range v.NumField() {
			if !v.Field(i).IsNil() {
				names = append(names, v.Type().Field(i).Name)
			}
		}
		return names
	}
	one := pool.Trace{AcquireDone: done, BuildStart: start}
	require.Equal(t, []string{"AcquireDone", "BuildStart"}, set(pool.Traces(one)))
	require.Equal(t, []string{"AcquireDone", "BuildStart"}, set(pool.Traces(one, one)))
}

// A trace without a start function gets the context of those around it, and
// never one that was made for another step.
func TestJoinedTracesKeepTheContextsOfTheStepsApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told record[string]
		all, half := tracer("a").trace(&told), tracer("b").trace(&told)
		half.AcquireStart, all.PrepareStart, half.PrepareStart = nil, nil, nil
		half.BuildStart = func(context.Context, pool.Event) context.Context { return nil }
		cfg := everything()
		cfg.Trace = pool.Traces(half, all)
		p := newPool(t, &factory{}, cfg)
		acquire(t, p, "a").Release()
		require.Equal(t, []string{
			"a AcquireStart in ", "a BuildStart in ", "a BuildDone in a", "b BuildDone in ",
			"a PrepareDone in a", "b PrepareDone in a", "a AcquireDone in a", "b AcquireDone in ",
		}, told.list()[:8])
	})
}

// A panic in a start function loses the contexts of all, but nothing else.
func TestAPanicInOneOfTheJoinedTracesLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told record[string]
		a, b := tracer("a").trace(&told), tracer("b").trace(&told)
		b.AcquireStart = func(context.Context, pool.Event) context.Context { panic("the trace broke") }
		cfg := sized(1)
		cfg.Trace = pool.Traces(a, b)
		p := newPool(t, &factory{}, cfg)
		for range 3 {
			acquire(t, p, "a").Release()
		}
		require.Equal(t, []string{"b AcquireDone in ", "a AcquireDone in ", "a Release", "b Release"}, told.list()[5:9])
		require.Zero(t, p.Stats().InUse)
	})
}

func TestTheErrorReachesEachOfTheJoinedTraces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		var errs record[error]
		took := pool.Trace{BuildDone: func(_ context.Context, e pool.Event) {
			if e.Took != time.Second {
				t.Error(e.Took)
			}
			errs.add(e.Err)
		}}
		cfg := sized(1)
		cfg.Trace = pool.Traces(took, took)
		f := &factory{build: func(context.Context, int) error { time.Sleep(time.Second); return broken }}
		p := newPool(t, f, cfg)
		_, err := p.Acquire(background, "a")
		require.ErrorIs(t, err, broken)
		require.Equal(t, []error{broken, broken}, errs.list())
	})
}
