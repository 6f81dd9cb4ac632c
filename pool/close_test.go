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
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// Invariant 10.
func TestCloseWakesEveryWaiterAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sized(1))
		l := acquire(t, p, "a")
		var waiting []*pending
		for i := range 200 {
			waiting = append(waiting, begin(background, p, fmt.Sprint(i%20)))
		}
		time.Sleep(time.Second)
		p.Close()
		for _, w := range waiting {
			e := w.failed(t)
			require.ErrorIs(t, e, pool.ErrClosed)
			require.Equal(t, fairshare.Closed, e.Reason)
			require.Equal(t, time.Second, w.waited)
			require.Equal(t, time.Second, e.Waited)
		}
		require.Zero(t, p.Stats().Waiting)
		l.Release()
	})
}

func TestNothingIsHandedOutAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sized(2))
		member := p.Join("a")
		acquire(t, p, "a").Release()
		p.Close()

		_, err := p.Acquire(background, "a")
		require.ErrorIs(t, err, pool.ErrClosed)
		_, err = member.Acquire(background)
		require.ErrorIs(t, err, pool.ErrClosed)
		_, ok := p.TryAcquire("a")
		require.False(t, ok)
		require.ErrorIs(t, p.Do(background, "a", nil), pool.ErrClosed)
		synctest.Wait()
		require.Equal(t, 1, f.buildCount())

		// The rest still answers.
		member.Leave()
		p.Reset()
		require.NoError(t, p.Resize(1))
		require.NoError(t, p.SetShare("a", fairshare.Share{Weight: 2}))
		p.Join("b").Leave()
		for range p.Tenants() {
			break
		}
		require.Zero(t, p.Stats().Warm)
	})
}

func TestCloseWaitsForTheWarmResourcesAndNotForLeases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{end: func(*thing) { time.Sleep(time.Second) }}
		p := newPool(t, f, sized(3))
		leased, idle, idle2 := acquire(t, p, "a"), acquire(t, p, "b"), acquire(t, p, "c")
		idle.Release()
		idle2.Release()

		start := time.Now()
		p.Close()
		require.Equal(t, time.Second, time.Since(start))
		require.Equal(t, 2, f.endCount())
		require.Equal(t, 1, leased.Value().id, "a lease outlives Close")

		leased.Release()
		synctest.Wait()
		require.Equal(t, 3, f.endCount())
	})
}

func TestCloseEndsTheContextOfTheBuilds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: takes(30 * time.Second)}
		p := newPool(t, f, sized(2))
		waiting := begin(background, p, "a")
		p.Close()
		require.ErrorIs(t, waiting.failed(t), pool.ErrClosed)
		require.Zero(t, waiting.waited)
		synctest.Wait()
		require.Zero(t, p.Stats().Building)
		require.Zero(t, p.Stats().BuildFailures, "a build that Close has ended is no failure")
		require.NoError(t, p.Shutdown(background))
	})
}

func TestAResourceThatIsBuiltAfterCloseIsDestroyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: func(context.Context, int) error { time.Sleep(time.Second); return nil }}
		p := newPool(t, f, sized(1))
		begin(background, p, "a")
		start := time.Now()
		p.Close()
		require.Zero(t, time.Since(start), "Close does not wait for a constructor that ignores its context")

		require.NoError(t, p.Shutdown(background))
		require.Equal(t, time.Second, time.Since(start), "Shutdown does")
		require.Equal(t, 1, f.endCount())
	})
}

func TestNoBuildStartsAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: failsUntil(time.Now().Add(time.Hour))}
		p := newPool(t, f, sized(2))
		begin(background, p, "a").failed(t)
		waiting := begin(background, p, "a") // for the end of the backoff
		p.Close()
		require.ErrorIs(t, waiting.failed(t), pool.ErrClosed)
		builds := f.buildCount()
		time.Sleep(2 * time.Hour)
		require.Equal(t, builds, f.buildCount())
	})
}

func TestShutdownWaitsForTheLeases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{end: func(*thing) { time.Sleep(time.Second) }}
		p := newPool(t, f, sized(2))
		l := acquire(t, p, "a")
		go func() {
			time.Sleep(10 * time.Second)
			l.Release()
		}()
		start := time.Now()
		require.NoError(t, p.Shutdown(background))
		require.Equal(t, 11*time.Second, time.Since(start))
		require.Equal(t, 1, f.endCount())
	})
}

func TestShutdownEndsWithItsContextAndSaysWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{end: func(*thing) { time.Sleep(time.Minute) }}
		f.build = func(_ context.Context, n int) error {
			if n == 4 {
				time.Sleep(time.Minute)
			}
			return nil
		}
		p := newPool(t, f, sized(4))
		first, second, third := acquire(t, p, "a"), acquire(t, p, "a"), acquire(t, p, "a")
		building := begin(background, p, "b")
		first.Destroy()
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		start := time.Now()
		err := p.Shutdown(ctx)
		require.Equal(t, time.Second, time.Since(start))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		for _, part := range []string{"2 leases", "1 resource being built", "1 being destroyed"} {
			require.ErrorContains(t, err, part)
		}
		require.ErrorIs(t, building.failed(t), pool.ErrClosed)

		second.Release()
		third.Destroy()
		require.NoError(t, p.Shutdown(background), "one more Shutdown waits for what was left")
		require.Zero(t, p.Stats().Destroying)
	})
}

func TestShutdownOfAPoolThatIsGoneSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sized(1))
		acquire(t, p, "a").Release()
		require.NoError(t, p.Shutdown(background))
		dead, cancel := context.WithCancel(background)
		cancel()
		for range 20 { // a select between the two would choose at random
			require.NoError(t, p.Shutdown(dead))
		}
	})
}

func TestClosingTwiceIsHarmless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{end: func(*thing) { time.Sleep(time.Second) }}
		p := newPool(t, f, sized(2))
		l := acquire(t, p, "a")
		acquire(t, p, "b").Release()
		var all sync.WaitGroup
		for range 5 {
			all.Go(p.Close)
			all.Go(func() {
				if err := p.Shutdown(background); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		l.Release()
		all.Wait()
		p.Close()
		require.NoError(t, p.Shutdown(background))
		require.Equal(t, 2, f.endCount())
	})
}

func TestCloseMayBeCalledFromTheConstructor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sized(2))
		f.build = func(_ context.Context, n int) error {
			if n == 2 {
				p.Close()
			}
			return nil
		}
		idle := acquire(t, p, "a")
		waiting := begin(background, p, "b")
		require.ErrorIs(t, waiting.failed(t), pool.ErrClosed)
		idle.Release()
		require.NoError(t, p.Shutdown(background))
		require.Equal(t, 2, f.endCount())
	})
}

func TestCloseMayBeCalledFromTheDestructor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sized(3))
		f.end = func(*thing) { p.Close() }
		bad, idle := acquire(t, p, "a"), acquire(t, p, "b")
		idle.Release()
		bad.Destroy()
		synctest.Wait()
		_, err := p.Acquire(background, "a")
		require.ErrorIs(t, err, pool.ErrClosed)
		require.NoError(t, p.Shutdown(background))
		require.Equal(t, 2, f.endCount())
	})
}

func TestNothingIsBuiltAfterCloseHoweverLongTheTraceTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		cfg := sized(1)
		cfg.Trace.BuildStart = func(ctx context.Context, _ pool.Event) context.Context {
			time.Sleep(time.Minute)
			return ctx
		}
		p := newPool(t, f, cfg)
		w := begin(background, p, "a")
		p.Close()
		require.ErrorIs(t, w.failed(t), pool.ErrClosed)
		require.NoError(t, p.Shutdown(background))
		require.Zero(t, f.buildCount())
	})
}

// Invariant 9.
func TestNoGoroutineIsLeftAfterShutdown(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	failing := errors.New("every third fails")
	f := &factory{build: func(_ context.Context, n int) error {
		if n%3 == 0 {
			return failing
		}
		return nil
	}}
	p, err := pool.New(pool.Config[*thing]{Constructor: f.construct, Destructor: f.destroy, MaxSize: 4})
	require.NoError(t, err)
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(background, 20*time.Millisecond)
			defer cancel()
			for ctx.Err() == nil {
				if l, err := p.Acquire(ctx, fmt.Sprint(i%5)); err == nil {
					if l.Value().id%2 == 0 {
						l.Destroy()
					}
					l.Release()
				}
			}
		})
	}
	all.Wait()
	require.NoError(t, p.Shutdown(background))
}
