package pool_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// takes is a constructor that takes so long.
func takes(d time.Duration) func(context.Context, int) error {
	return func(ctx context.Context, _ int) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(d):
			return nil
		}
	}
}

func TestACancelEndsTheWaitAndNotTheBuild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: takes(time.Second)}
		p := newPool(t, f, sized(4))
		ctx, cancel := context.WithTimeout(background, 10*time.Millisecond)
		defer cancel()
		w := begin(ctx, p, "a")
		require.ErrorIs(t, w.failed(t), context.DeadlineExceeded)
		require.Equal(t, 10*time.Millisecond, w.waited, "Acquire waits for its ctx, not for the constructor")
		require.Equal(t, 1, p.Stats().Building)

		time.Sleep(time.Second)
		require.Equal(t, 1, p.Stats().Warm)
		l := acquire(t, p, "b")
		require.Equal(t, 1, l.Value().id)
		require.Equal(t, 1, f.buildCount())
		l.Release()
	})
}

func TestABuildKnowsNothingOfTheCallerThatSetItOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: func(ctx context.Context, _ int) error {
			if fairshare.TenantFrom(ctx) != "" {
				t.Error("the resource is for everybody, but its constructor sees a tenant")
			}
			if at, ok := ctx.Deadline(); !ok || time.Until(at) != 10*time.Second {
				t.Error("a deadline other than BuildTimeout's")
			}
			return nil
		}}
		p := newPool(t, f, sized(1))
		ctx, cancel := context.WithTimeout(fairshare.WithTenant(background, "a"), time.Second)
		defer cancel()
		l, err := p.Acquire(ctx, "")
		require.NoError(t, err)
		l.Release()
	})
}

func TestTheResourceOfAWaiterThatGaveUpGoesToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{build: takes(time.Second)}, sized(1))
		ctx, cancel := context.WithCancel(background)
		first, second := begin(ctx, p, "a"), begin(background, p, "b")
		cancel()
		require.ErrorIs(t, first.failed(t), context.Canceled)
		second.granted(t).Release()
		require.Equal(t, time.Second, second.waited)
	})
}

// The build for the second wait of a ends when b, which holds nothing, waits
// too.
func TestABuiltResourceGoesToTheFairestOfTheWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: takes(time.Second)}
		p := newPool(t, f, sized(2))
		held := begin(background, p, "a").granted(t)
		again := begin(background, p, "a")
		time.Sleep(time.Second / 2)
		other := begin(background, p, "b")

		l := other.granted(t)
		require.Equal(t, time.Second/2, other.waited)
		require.False(t, again.over())
		l.Release()
		again.granted(t).Release()
		held.Release()
	})
}

func TestAWaiterInASlowBuildTakesAResourceReleasedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		f.build = func(ctx context.Context, n int) error {
			if n == 1 {
				return nil
			}
			return takes(500*time.Millisecond)(ctx, n)
		}
		p := newPool(t, f, sized(2))
		l := acquire(t, p, "a")
		waiting := begin(background, p, "b")
		require.Equal(t, 1, p.Stats().Building)
		time.Sleep(20 * time.Millisecond)
		l.Release()
		got := waiting.granted(t)
		require.Equal(t, 20*time.Millisecond, waiting.waited)
		require.Equal(t, 1, got.Value().id)

		time.Sleep(time.Second)
		require.Equal(t, 1, p.Stats().Warm, "the one being built is kept for the next")
		got.Release()
	})
}

func TestAsManyBuildsRunAsWaitersNeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: takes(time.Second)}
		cfg := sized(5)
		cfg.Sizes.MaxConcurrentBuilds = 5
		p := newPool(t, f, cfg)
		var waiting []*pending
		for i := range 7 {
			waiting = append(waiting, begin(background, p, fmt.Sprint(i)))
		}
		require.Equal(t, 5, p.Stats().Building)
		time.Sleep(time.Second)
		for _, w := range waiting[:5] {
			require.True(t, w.over())
		}
		require.False(t, waiting[5].over())
		for _, w := range waiting {
			w.granted(t).Release()
		}
		require.Equal(t, 5, f.buildCount())
	})
}

func TestBuildTimeoutEndsTheContextOfTheConstructor(t *testing.T) {
	for name, c := range map[string]struct{ set, want time.Duration }{
		"set":       {3 * time.Second, 3 * time.Second},
		"by itself": {0, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &factory{build: takes(time.Hour)}
				cfg := sized(1)
				cfg.BuildTimeout = c.set
				p := newPool(t, f, cfg)
				w := begin(background, p, "a")
				e := w.failed(t)
				require.ErrorIs(t, e, pool.ErrBuildTimeout)
				require.NotErrorIs(t, e, context.DeadlineExceeded, "it is not the caller's")
				require.Equal(t, fairshare.BuildFailing, e.Reason)
				require.Equal(t, c.want, w.waited)
				require.Equal(t, c.want, e.Waited)
			})
		})
	}
}

func TestAConstructorThatDoesNotReturnAResourceIsAFailedBuild(t *testing.T) {
	for name, c := range map[string]struct {
		build func(context.Context, int) error
		says  []string
	}{
		"panic": {
			func(context.Context, int) error { panic("no more paper") },
			[]string{"Constructor panicked", "no more paper"},
		},
		"nil panic": {
			func(context.Context, int) error { panic(nil) }, //nolint:govet // on purpose
			[]string{"Constructor panicked"},
		},
		"Goexit": {
			func(context.Context, int) error { runtime.Goexit(); return nil },
			[]string{"Constructor", "runtime.Goexit"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &factory{build: func(ctx context.Context, n int) error {
					if n > 1 {
						return nil
					}
					return c.build(ctx, n)
				}}
				p := newPool(t, f, sized(1))
				e := begin(background, p, "a").failed(t)
				require.Equal(t, fairshare.BuildFailing, e.Reason)
				for _, part := range c.says {
					require.ErrorContains(t, e, part)
				}
				stats := p.Stats()
				require.EqualValues(t, 1, stats.BuildFailures)
				require.Error(t, stats.BuildErr)

				// Nothing is lost: the only slot is built again.
				begin(background, p, "b").granted(t).Release()
				require.NoError(t, p.Stats().BuildErr)
			})
		})
	}
}

func TestANilInterfaceIsAFailedBuild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		builds := 0
		p, err := pool.New(pool.Config[fmt.Stringer]{
			MaxSize: 1,
			Constructor: func(context.Context) (fmt.Stringer, error) {
				if builds++; builds == 1 {
					return nil, nil
				}
				return time.Second, nil
			},
		})
		require.NoError(t, err)
		_, err = p.Acquire(background, "a")
		require.ErrorContains(t, err, "Constructor returned nil")
		l, err := p.Acquire(background, "a")
		require.NoError(t, err)
		require.Equal(t, "1s", l.Value().String())
		l.Release()
		require.NoError(t, p.Shutdown(background))
	})
}
