package pool_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

var errNoRoute = errors.New("no route to host")

// failsUntil is a constructor that fails at once until the time has come.
func failsUntil(ok time.Time) func(context.Context, int) error {
	return func(_ context.Context, n int) error {
		if time.Now().Before(ok) {
			return fmt.Errorf("build %d: %w", n, errNoRoute)
		}
		return nil
	}
}

// While something is alive it may come free, so nobody is told of a build that
// fails, but by the error of a wait that ends in vain anyway.
func TestAFailedBuildEndsNoWaitWhileAResourceIsAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: func(ctx context.Context, n int) error {
			if n == 1 {
				return nil
			}
			time.Sleep(time.Second)
			return errNoRoute
		}}
		p := newPool(t, f, sized(2))
		held := acquire(t, p, "holder")
		first := begin(background, p, "a")
		ctx, cancel := context.WithTimeout(background, 1040*time.Millisecond)
		defer cancel()
		second := begin(ctx, p, "b")

		e := second.failed(t)
		require.ErrorIs(t, e, context.DeadlineExceeded)
		require.ErrorIs(t, e, errNoRoute)
		require.Equal(t, fairshare.BuildFailing, e.Reason)
		stats := p.Stats()
		require.EqualValues(t, 1, stats.BuildFailures)
		require.ErrorIs(t, stats.BuildErr, errNoRoute)

		time.Sleep(time.Minute)
		require.False(t, first.over())
		held.Release()
		first.granted(t).Release()
	})
}

func TestWhenABuildFailsAndNothingIsAliveEverybodyLearnsItAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: func(ctx context.Context, n int) error {
			time.Sleep(time.Second + time.Duration(n)*time.Millisecond)
			return errNoRoute
		}}
		p := newPool(t, f, sized(2))
		var waiting []*pending
		for range 5 {
			waiting = append(waiting, begin(background, p, "a"))
		}
		time.Sleep(time.Second + time.Millisecond)
		synctest.Wait()
		for _, w := range waiting {
			require.False(t, w.over(), "another build is under way")
		}
		time.Sleep(time.Millisecond)
		for _, w := range waiting {
			require.True(t, w.over())
			e := w.failed(t)
			require.Equal(t, fairshare.BuildFailing, e.Reason)
			require.ErrorIs(t, e, errNoRoute)
		}
		// Whoever comes then waits for the next attempt, not for ever.
		require.Less(t, begin(background, p, "b").failed(t).Waited, 4*time.Second)
	})
}

func TestAWaiterWhoseDeadlinePassesLearnsWhyBuildsFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{build: failsUntil(time.Now().Add(time.Hour))}, sized(1))
		begin(background, p, "a").failed(t)

		ctx, cancel := context.WithTimeout(background, 10*time.Millisecond)
		defer cancel()
		e := begin(ctx, p, "b").failed(t)
		require.Equal(t, fairshare.BuildFailing, e.Reason)
		require.Equal(t, context.DeadlineExceeded, e.Err)
		require.ErrorIs(t, e.BuildErr, errNoRoute)
		require.EqualError(t, e, `pool: acquire for tenant "b": context deadline exceeded after 10ms: `+
			`the Constructor fails: build 1: no route to host; the tenant holds 0, 0 more waiting`)
	})
}

// The figures of the error are those of the build that the waiter had set
// off, not of one before it.
func TestTheErrorOfAFailedBuildNamesThatBuildAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{build: failsUntil(time.Now().Add(time.Hour))}, sized(1))
		for n := range 3 {
			time.Sleep(2 * time.Second) // after the longest pause, another is built
			e := begin(background, p, "a").failed(t)
			require.EqualError(t, e.Err, fmt.Sprintf("build %d: no route to host", p.Stats().BuildFailures))
			for before := range n {
				require.NotContains(t, e.Error(), fmt.Sprintf("build %d:", before+1))
			}
		}
	})
}

// A slice as an error cannot be compared, and must not be.
type violations []string

func (v violations) Error() string { return fmt.Sprint([]string(v)) }

func TestAConstructorErrorOfAnUncomparableTypeIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: func(context.Context, int) error { return violations{"no name", "no port"} }}
		p := newPool(t, f, sized(1))
		for range 3 {
			e := begin(background, p, "a").failed(t)
			var got violations
			require.ErrorAs(t, e, &got)
			require.Equal(t, violations{"no name", "no port"}, got)
		}
	})
}

func TestFailingWaitersDoNotHammerTheConstructor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size, minutes = 8, 5
		f := &factory{}
		cfg := sized(size)
		cfg.Sizes.MaxConcurrentBuilds = size
		p := newPool(t, f, cfg)
		probing := 0
		f.build = func(_ context.Context, n int) error {
			if n > size {
				if probing++; probing > 1 {
					t.Error("two probes at a time")
				}
				defer func() { probing-- }()
			}
			time.Sleep(10 * time.Millisecond)
			return errNoRoute
		}
		ctx, cancel := context.WithTimeout(background, minutes*time.Minute)
		defer cancel()
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				// Callers like these ask again after each error.
				for ctx.Err() == nil {
					_, err := p.Acquire(ctx, fmt.Sprint(i%50))
					if err == nil {
						t.Error("out of nothing")
					}
					time.Sleep(100 * time.Millisecond)
				}
			})
		}
		all.Wait()

		// The first builds start at once. Then there is one after each pause,
		// which is 50 ms at first and one second at most, and half of it chance.
		probes := f.starts[size:]
		require.GreaterOrEqual(t, len(probes), minutes*60)
		require.LessOrEqual(t, len(probes), minutes*120+10)
		for i := 1; i < len(f.starts)-size; i++ {
			gap := probes[i].Sub(probes[i-1])
			require.GreaterOrEqual(t, gap, 25*time.Millisecond)
			require.LessOrEqual(t, gap, 1100*time.Millisecond)
		}
		late := probes[len(probes)-1].Sub(probes[len(probes)-2])
		require.GreaterOrEqual(t, late, 500*time.Millisecond)
	})
}

// Who was refused may come again, so that is tried out once.
func TestNobodyAskingNobodyProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: failsUntil(time.Now().Add(24 * time.Hour))}
		p := newPool(t, f, sized(4))
		begin(background, p, "a").failed(t)
		time.Sleep(time.Hour)
		require.Equal(t, 2, f.buildCount())
	})
}

func TestTheFirstSuccessEndsTheBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const outage = time.Minute
		start := time.Now()
		f := &factory{build: failsUntil(start.Add(outage))}
		p := newPool(t, f, sized(8))
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				for {
					l, err := p.Acquire(background, fmt.Sprint(i%10))
					if err != nil {
						time.Sleep(10 * time.Millisecond)
						continue
					}
					time.Sleep(time.Millisecond)
					l.Release()
					return
				}
			})
		}
		all.Wait()
		require.Less(t, time.Since(start), outage+1100*time.Millisecond)
		stats := p.Stats()
		require.NoError(t, stats.BuildErr)
		require.Equal(t, 8, stats.Warm, "after the first success builds run side by side again")

		// A later failure starts from the shortest delay.
		p.Reset()
		synctest.Wait()
		f.build = failsUntil(time.Now().Add(time.Millisecond))
		begin(background, p, "a").failed(t)
		again := begin(background, p, "a")
		again.granted(t).Release()
		require.LessOrEqual(t, again.waited, 50*time.Millisecond)
		require.GreaterOrEqual(t, again.waited, 25*time.Millisecond)
	})
}

func TestAFailedBuildLosesNoWakeUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		f.build = func(_ context.Context, n int) error {
			if n == 1 {
				return nil
			}
			time.Sleep(time.Second)
			if n == 2 {
				return errNoRoute
			}
			return nil
		}
		p := newPool(t, f, sized(2))
		defer acquire(t, p, "holder").Release()
		first, second, third := begin(background, p, "a"), begin(background, p, "b"), begin(background, p, "c")
		first.granted(t).Release()
		second.granted(t).Release()
		third.granted(t).Release()
		require.Less(t, third.waited, 2200*time.Millisecond)
	})
}

func TestAResourceReleasedDuringTheBackoffIsHandedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		f.build = func(_ context.Context, n int) error {
			if n == 1 {
				return nil
			}
			return errNoRoute
		}
		p := newPool(t, f, sized(2))
		l := acquire(t, p, "a")
		waiting := begin(background, p, "b")
		require.EqualValues(t, 1, p.Stats().BuildFailures)
		time.Sleep(time.Millisecond)
		l.Release()
		waiting.granted(t).Release()
		require.Equal(t, time.Millisecond, waiting.waited)
	})
}

// There is room, there is demand, and the last build that ended has failed.
// That another one hangs is no reason not to try again.
func TestAHangingBuildDoesNotHoldUpTheProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		f.build = func(ctx context.Context, n int) error {
			switch n {
			case 1:
				<-ctx.Done()
				return ctx.Err()
			case 2:
				return errNoRoute
			}
			return nil
		}
		p := newPool(t, f, sized(3))
		first := begin(background, p, "a")
		second := begin(background, p, "b")
		first.granted(t).Release() // the probe's
		second.granted(t).Release()
		require.LessOrEqual(t, second.waited, 100*time.Millisecond)
	})
}

// Whoever has set off a build need not be there when it fails.
func TestAFailedBuildOfAWaiterThatLeftHurtsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		f.build = func(_ context.Context, n int) error {
			if n == 1 {
				return nil
			}
			time.Sleep(time.Second)
			if n == 2 {
				return errNoRoute
			}
			return nil
		}
		p := newPool(t, f, sized(2))
		defer acquire(t, p, "holder").Release()
		ctx, cancel := context.WithTimeout(background, time.Millisecond)
		defer cancel()
		begin(ctx, p, "a").failed(t)
		// The next request of the same tenant may well reuse the record of the
		// one before; it must not get its error.
		again := begin(background, p, "a")
		again.granted(t).Release()
		require.NoError(t, again.err)
	})
}
