package pool_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// keeping is the configuration of a pool that keeps resources warm.
func keeping(maxSize, minIdle int) pool.Config[*thing] {
	return pool.Config[*thing]{MaxSize: maxSize, Sizes: pool.Sizes{MinIdle: minIdle}}
}

// stock leases n things at once and returns them, so that as many are warm.
func stock(t *testing.T, p *pool.Pool[*thing], n int) {
	t.Helper()
	var leases []pool.Lease[*thing]
	for range n {
		leases = append(leases, acquire(t, p, "stock"))
	}
	for _, l := range leases {
		l.Release()
	}
	synctest.Wait()
}

// switchTo has the factory build like this from now on.
func (f *factory) switchTo(build func(context.Context, int) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.build = build
}

// atOnce is the most builds there have been at once.
func (f *factory) atOnce() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mostBuilding
}

// warmNow is the number of warm resources when all that takes no time is over.
func warmNow(p *pool.Pool[*thing]) int {
	synctest.Wait()
	return p.Stats().Warm
}

func TestMinIdleIsBuiltOneAtATimeInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: takes(time.Second)}
		p := newPool(t, f, keeping(5, 3))
		synctest.Wait()
		require.Equal(t, 1, p.Stats().Building, "New does not wait")
		time.Sleep(10 * time.Second)
		require.Equal(t, 3, warmNow(p))
		require.Equal(t, 1, f.atOnce())
		require.Equal(t, 3, f.buildCount())
	})
}

func TestMinIdleComesOnTopOfTheLeases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, keeping(6, 2))
		synctest.Wait()
		a := acquire(t, p, "a")
		require.Equal(t, 2, warmNow(p))
		b, c, d := acquire(t, p, "a"), acquire(t, p, "a"), acquire(t, p, "a")
		require.Equal(t, 2, warmNow(p))
		e := acquire(t, p, "a")
		require.Equal(t, 1, warmNow(p), "as far as the capacity goes")
		for _, l := range []pool.Lease[*thing]{a, b, c, d, e} {
			l.Release()
		}
		require.Equal(t, 6, warmNow(p))
		require.Equal(t, 6, f.buildCount())
	})
}

func TestMinIdleIsRefilledAfterEveryLoss(t *testing.T) {
	for name, lose := range map[string]func(*testing.T, *factory, *pool.Pool[*thing]){
		"destroy": func(t *testing.T, _ *factory, p *pool.Pool[*thing]) {
			for range 4 {
				acquire(t, p, "a").Destroy()
			}
		},
		"hijack": func(t *testing.T, f *factory, p *pool.Pool[*thing]) {
			for range 4 {
				f.hijack(acquire(t, p, "a"))
			}
		},
		"bad resource": func(t *testing.T, _ *factory, p *pool.Pool[*thing]) {
			err := p.Do(background, "a", func(context.Context, *thing) error { return pool.ErrBadResource })
			require.ErrorIs(t, err, pool.ErrBadResource)
		},
		"reset": func(_ *testing.T, _ *factory, p *pool.Pool[*thing]) {
			p.Reset()
			synctest.Wait()
			p.Reset()
		},
		"resize to 0 and back": func(t *testing.T, _ *factory, p *pool.Pool[*thing]) {
			require.NoError(t, p.Resize(0))
			require.Zero(t, warmNow(p))
			require.NoError(t, p.Resize(4))
		},
		"failed builds": func(t *testing.T, f *factory, p *pool.Pool[*thing]) {
			f.switchTo(failsUntil(time.Now().Add(time.Minute)))
			for range 3 {
				acquire(t, p, "a").Destroy()
			}
			time.Sleep(2 * time.Second)
			require.Zero(t, p.Stats().Warm)
			time.Sleep(2 * time.Minute)
		},
		"panicking builds": func(t *testing.T, f *factory, p *pool.Pool[*thing]) {
			f.switchTo(func(_ context.Context, n int) error {
				if n < 6 {
					panic("no more paper")
				}
				return nil
			})
			acquire(t, p, "a").Destroy()
			time.Sleep(time.Minute)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &factory{end: func(*thing) { time.Sleep(time.Second) }}
				p := newPool(t, f, keeping(4, 3))
				require.Equal(t, 3, warmNow(p))
				lose(t, f, p)
				time.Sleep(10 * time.Second)
				require.Equal(t, 3, warmNow(p))
				builds := f.buildCount()
				time.Sleep(time.Hour)
				require.Equal(t, builds, f.buildCount(), "it stays as it is")
			})
		})
	}
}

func TestMinIdleIsRefilledWhenTheCapacityGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keeping(5, 4)
		cfg.Sharing.Capacity = 1
		p := newPool(t, &factory{}, cfg)
		require.Equal(t, 1, warmNow(p))
		require.NoError(t, p.Resize(3))
		require.Equal(t, 3, warmNow(p))
		require.NoError(t, p.Resize(5))
		require.Equal(t, 4, warmNow(p))
	})
}

// The build that the waiter had set off is as good as any.
func TestAWaiterThatGivesUpLeavesNoBuildTooMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: takes(time.Second)}
		p := newPool(t, f, keeping(4, 2))
		ctx, cancel := context.WithTimeout(background, time.Second/2)
		defer cancel()
		begin(ctx, p, "a").failed(t)
		time.Sleep(10 * time.Second)
		require.Equal(t, 2, warmNow(p))
		require.Equal(t, 2, f.buildCount())
	})
}

func TestMaxConcurrentBuildsHoldsForEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: takes(time.Second)}
		cfg := keeping(8, 3)
		cfg.Sizes.MaxConcurrentBuilds = 2
		p := newPool(t, f, cfg)
		var waiting []*pending
		for i := range 5 {
			waiting = append(waiting, begin(background, p, fmt.Sprint(i)))
		}
		require.NoError(t, p.Warm(background))
		p.ResetGradually()
		var leases []pool.Lease[*thing]
		for _, w := range waiting {
			leases = append(leases, w.granted(t))
		}
		for _, l := range leases {
			l.Destroy()
		}
		time.Sleep(time.Minute)
		require.Equal(t, 2, f.atOnce())
		require.GreaterOrEqual(t, warmNow(p), 3)
		require.Zero(t, p.Stats().Stale)
	})
}

func TestEveryWaiterIsServedWithOneBuildAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: takes(time.Second)}
		cfg := sized(3)
		cfg.Sizes.MaxConcurrentBuilds = 1
		p := newPool(t, f, cfg)
		a, b, c := begin(background, p, "a"), begin(background, p, "b"), begin(background, p, "c")
		a.granted(t)
		b.granted(t)
		c.granted(t)
		require.Equal(t, []time.Duration{time.Second, 2 * time.Second, 3 * time.Second}, []time.Duration{a.waited, b.waited, c.waited})
		for _, w := range []*pending{a, b, c} {
			w.lease.Release()
		}
	})
}

func TestWarmReturnsWhenMinIdleIsReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: takes(time.Second)}
		cfg := keeping(8, 6)
		cfg.Sizes.MaxConcurrentBuilds = 6
		p := newPool(t, f, cfg)
		start := time.Now()
		require.NoError(t, p.Warm(background))
		require.Equal(t, time.Second, time.Since(start), "it builds them side by side")
		require.Equal(t, 6, warmNow(p))
		require.NoError(t, p.Warm(background))
		require.Equal(t, time.Second, time.Since(start), "nothing is left to do")
		require.Equal(t, 6, f.buildCount())

		leases := []pool.Lease[*thing]{acquire(t, p, "a"), acquire(t, p, "a"), acquire(t, p, "a")}
		time.Sleep(time.Minute)
		require.Equal(t, 5, warmNow(p))
		for _, l := range leases {
			l.Release()
		}
	})
}

func TestWarmBuildsBesideWhatTheWaitersGet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{build: takes(time.Second)}, keeping(8, 2))
		waiting := begin(background, p, "a")
		require.NoError(t, p.Warm(background))
		l := waiting.granted(t)
		require.Equal(t, 2, warmNow(p))
		l.Release()
	})
}

func TestWarmOfAPoolWithoutMinIdleHasNothingToDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sized(2))
		require.NoError(t, p.Warm(background))
		require.Zero(t, f.buildCount())
	})
}

func TestWarmRespectsMaxConcurrentBuilds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: takes(time.Second)}
		cfg := keeping(6, 6)
		cfg.Sizes.MaxConcurrentBuilds = 3
		p := newPool(t, f, cfg)
		start := time.Now()
		require.NoError(t, p.Warm(background))
		require.Equal(t, 2*time.Second, time.Since(start))
		require.Equal(t, 3, f.atOnce())
	})
}

func TestWarmEndsWithTheErrorOfABuild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("no more paper")
		f := &factory{build: func(_ context.Context, n int) error {
			time.Sleep(time.Second)
			if n == 2 {
				time.Sleep(time.Second)
				return broken
			}
			return nil
		}}
		p := newPool(t, f, keeping(4, 4))
		err := p.Warm(background)
		require.ErrorIs(t, err, broken)
		require.ErrorContains(t, err, "3 resources alive of the 4 of MinIdle")

		// It does not blame itself for failures of the past.
		time.Sleep(time.Minute)
		require.NoError(t, p.Warm(background))
	})
}

// Of two builds that end together, the other one succeeds.
func TestWarmNeverEndsWithoutAReason(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			f := &factory{build: func(_ context.Context, n int) error {
				time.Sleep(time.Second)
				if n == 2 {
					return errBroken
				}
				return nil
			}}
			p := newPool(t, f, keeping(4, 4))
			if err := p.Warm(background); err != nil {
				require.ErrorIs(t, err, errBroken)
			} else {
				require.Equal(t, 4, warmNow(p))
			}
		})
	}
}

func TestWarmDuringABackoffWaitsForTheNextAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: failsUntil(time.Now().Add(10 * time.Millisecond))}
		p := newPool(t, f, keeping(2, 2))
		time.Sleep(20 * time.Millisecond)
		require.EqualValues(t, 1, p.Stats().BuildFailures)
		require.NoError(t, p.Warm(background))
		require.Equal(t, 2, warmNow(p))
	})
}

func TestWarmEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: takes(time.Hour)}
		cfg := keeping(4, 2)
		cfg.BuildTimeout = 2 * time.Hour
		p := newPool(t, f, cfg)
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		start := time.Now()
		err := p.Warm(ctx)
		require.Equal(t, time.Second, time.Since(start))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "with 0 resources alive of the 2 of MinIdle, and 2 being built")
		time.Sleep(time.Hour)
		require.Equal(t, 2, warmNow(p), "the builds go on")

		p.Reset()
		require.ErrorIs(t, p.Warm(ctx), context.DeadlineExceeded, "of a context that had ended before")
	})
}

func TestWarmEndsWhenThePoolIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: func(context.Context, int) error { time.Sleep(time.Minute); return nil }}
		p := newPool(t, f, keeping(4, 2))
		ended := make(chan error, 1)
		go func() { ended <- p.Warm(background) }()
		synctest.Wait()
		start := time.Now()
		p.Close()
		require.ErrorIs(t, <-ended, pool.ErrClosed)
		require.Zero(t, time.Since(start))
		require.ErrorIs(t, p.Warm(background), pool.ErrClosed)
	})
}

func TestWarmEndsWhenTheCapacityIsTooSmall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keeping(4, 3)
		cfg.Sharing = fairshare.Config{Capacity: 2}
		p := newPool(t, &factory{build: takes(time.Second)}, cfg)
		require.ErrorContains(t, p.Warm(background), "MinIdle is 3, more than the capacity of 2")
		require.NoError(t, p.Resize(4))
		ended := make(chan error, 1)
		go func() { ended <- p.Warm(background) }()
		synctest.Wait()
		require.NoError(t, p.Resize(1))
		require.ErrorContains(t, <-ended, "the capacity of 1")
	})
}

// A destructor that takes its time has a place that MinIdle wants.
func TestWarmWaitsForPlacesThatAreTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{end: func(*thing) { time.Sleep(time.Second) }}
		p := newPool(t, f, keeping(2, 2))
		require.NoError(t, p.Warm(background))
		p.Reset()
		start := time.Now()
		require.NoError(t, p.Warm(background))
		require.Equal(t, time.Second, time.Since(start))
	})
}
