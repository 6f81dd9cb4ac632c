package pool_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// A server goes away without a word: each idle resource hangs in its Check. One
// caller must not wait for one after the other.
func TestIdleResourcesThatDiedTogetherAreFoundTogether(t *testing.T) {
	for _, c := range []struct {
		size      int
		keepAlive time.Duration
	}{{5, 0}, {20, 0}, {100, 0}, {100, time.Minute}} {
		t.Run(fmt.Sprint(c.size, c.keepAlive), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const timeout = 3 * time.Second
				dead := c.size // things up to this one
				var gone atomic.Bool
				f := &factory{}
				cfg := checked(c.size, func(ctx context.Context, th *thing) error {
					if gone.Load() && th.id <= dead {
						<-ctx.Done()
						return ctx.Err()
					}
					return nil
				})
				cfg.Health.CheckTimeout, cfg.Health.KeepAlive = timeout, c.keepAlive
				p := newPool(t, f, cfg)
				stock(t, p, c.size)
				gone.Store(true)
				if c.keepAlive > 0 {
					time.Sleep(c.keepAlive)
				} else {
					time.Sleep(time.Second)
				}
				w := begin(background, p, "a")
				w.granted(t).Release()
				require.LessOrEqual(t, w.waited, 2*timeout)

				rounds := time.Duration((c.size + 31) / 32)
				time.Sleep((rounds + 1) * timeout)
				require.EqualValues(t, c.size, p.Stats().CheckFailures, "the dead are found out")
			})
		})
	}
}

func TestTheLastTryOfAnAcquireIsANewResource(t *testing.T) {
	for _, size := range []int{3, 10, 30} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gone := false
				cfg := prepared(size, func(_ context.Context, th *thing, _ pool.Handover) error {
					if gone && th.id <= size {
						return errBroken
					}
					return nil
				})
				f := &factory{}
				p := newPool(t, f, cfg)
				stock(t, p, size)
				gone = true
				for i := range size {
					w := begin(background, p, fmt.Sprint(i))
					l := w.granted(t)
					require.Greater(t, l.Value().id, size)
					require.LessOrEqual(t, p.Stats().PrepareFailures, uint64(2*(i+1)))
					l.Release()
				}
			})
		})
	}
}

// The last try waits for a build, and its caller may give up.
func TestACallerMayGiveUpWhileItsLastTryIsBuilt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := false
		cfg := prepared(4, func(_ context.Context, th *thing, _ pool.Handover) error {
			if gone && th.id <= 4 {
				return errBroken
			}
			return nil
		})
		f := &factory{}
		p := newPool(t, f, cfg)
		stock(t, p, 4)
		gone = true
		f.switchTo(takes(time.Second))
		ctx, cancel := context.WithTimeout(background, 100*time.Millisecond)
		defer cancel()
		w := begin(ctx, p, "a")
		require.ErrorIs(t, w.failed(t), context.DeadlineExceeded)
		require.Equal(t, 100*time.Millisecond, w.waited)
		time.Sleep(time.Minute)
		require.Zero(t, p.Stats().InUse)
	})
}

// A last try waits neither for a slow build nor for a slow destructor, and Close ends
// it.
func TestALastTryWaitsNotForLong(t *testing.T) {
	const hour = 30 * time.Minute
	for what, c := range map[string]struct {
		build, end time.Duration
		limit      time.Duration // AcquireTimeout
		close      bool
		fails      error
		within     time.Duration
	}{
		"closed":              {build: hour, close: true, fails: pool.ErrClosed, within: time.Second},
		"a slow build":        {build: hour, within: 2 * time.Second},
		"a slow destructor":   {end: hour, within: 2 * time.Second},
		"the caller's limit":  {build: hour, limit: 500 * time.Millisecond, fails: pool.ErrAcquireTimeout, within: 500 * time.Millisecond},
		"limit, slow removal": {end: hour, limit: 500 * time.Millisecond, fails: pool.ErrAcquireTimeout, within: 500 * time.Millisecond},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gone := false
				cfg := prepared(3, func(_ context.Context, th *thing, _ pool.Handover) error {
					if gone && th.id <= 2 {
						return errBroken
					}
					return nil
				})
				cfg.Sharing.AcquireTimeout = c.limit
				f := &factory{end: func(th *thing) {
					if th.id <= 2 {
						time.Sleep(c.end)
					}
				}}
				p := newPool(t, f, cfg)
				dead, dead2, well := acquire(t, p, "a"), acquire(t, p, "a"), acquire(t, p, "a")
				dead.Release()
				dead2.Release()
				gone = true
				f.switchTo(func(context.Context, int) error { time.Sleep(c.build); return nil })
				w := begin(background, p, "a")
				require.False(t, w.over())
				time.AfterFunc(time.Second, func() {
					if c.close {
						p.Close()
					}
					well.Release()
				})
				<-w.done
				require.LessOrEqual(t, w.waited, c.within)
				if c.fails != nil {
					require.ErrorIs(t, w.err, c.fails)
				} else {
					require.NoError(t, w.err)
				}
				w.lease.Release()
			})
		})
	}
}
