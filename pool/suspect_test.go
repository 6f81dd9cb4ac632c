package pool_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
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
				gone := false
				f := &factory{}
				cfg := checked(c.size, func(ctx context.Context, th *thing) error {
					if gone && th.id <= dead {
						<-ctx.Done()
						return ctx.Err()
					}
					return nil
				})
				cfg.Health.CheckTimeout, cfg.Health.KeepAlive = timeout, c.keepAlive
				p := newPool(t, f, cfg)
				stock(t, p, c.size)
				gone = true
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

func TestATenantThatNothingCanBePreparedForIsPutOff(t *testing.T) {
	for _, try := range []bool{false, true} {
		t.Run(fmt.Sprint("TryAcquire ", try), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var works atomic.Bool
				f := &factory{build: takes(time.Millisecond)}
				cfg := prepared(4, func(_ context.Context, _ *thing, h pool.Handover) error {
					if h.Tenant == "bad" && !works.Load() {
						return errors.New("unknown role")
					}
					return nil
				})
				p := newPool(t, f, cfg)
				ask := func() error {
					if try {
						if l, ok := p.TryAcquire("bad"); ok {
							l.Release()
							return nil
						}
						return errors.New("no")
					}
					l, err := p.Acquire(background, "bad")
					l.Release()
					return err
				}
				ctx, cancel := context.WithTimeout(background, time.Minute)
				defer cancel()
				for range 5 {
					go func() {
						for ctx.Err() == nil {
							if ask() == nil {
								t.Error("prepared")
							}
							time.Sleep(time.Millisecond)
						}
					}()
				}
				for ctx.Err() == nil {
					start := time.Now()
					l, err := p.Acquire(background, "good")
					require.NoError(t, err)
					require.LessOrEqual(t, time.Since(start), 20*time.Millisecond)
					l.Release()
					time.Sleep(50 * time.Millisecond)
				}
				time.Sleep(2 * time.Second)
				require.LessOrEqual(t, f.buildCount(), 400, "three for each try in a minute, with a pause of a second at most, half of it chance")

				works.Store(true)
				for !try {
					l, err := p.Acquire(background, "bad")
					if err == nil {
						l.Release()
						break
					}
					var e *pool.AcquireError
					require.ErrorAs(t, err, &e)
					require.Equal(t, fairshare.NotPrepared, e.Reason)
					require.LessOrEqual(t, e.Estimate, time.Second)
					require.ErrorContains(t, err, "unknown role")
					time.Sleep(e.Estimate)
				}
			})
		})
	}
}
