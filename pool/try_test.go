package pool_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

func TestTryAcquireStartsABuildButNotOneForEachPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: func(context.Context, int) error { time.Sleep(time.Second); return nil }}
		p := newPool(t, f, sized(8))
		for range 100 {
			_, ok := p.TryAcquire("a")
			require.False(t, ok)
			time.Sleep(time.Millisecond)
		}
		require.Equal(t, 1, f.buildCount())

		time.Sleep(time.Second)
		l, ok := p.TryAcquire("a")
		require.True(t, ok)
		require.Equal(t, "a", l.Tenant())
		require.Equal(t, 1, l.Value().id)
		l.Release()
	})
}

func TestTryAcquireWithoutANameIsForTheAnonymousTenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sized(1))
		acquire(t, p, "a").Release()
		l, ok := p.TryAcquire("")
		require.True(t, ok)
		require.Empty(t, l.Tenant())
		l.Release()
	})
}

// What TryAcquire has set off does not come out of what the waiters need.
func TestTryAcquireBuildsForItselfBesideTheWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: func(context.Context, int) error { time.Sleep(time.Second); return nil }}
		p := newPool(t, f, sized(8))
		waiting := begin(background, p, "a")
		_, ok := p.TryAcquire("b")
		require.False(t, ok)
		_, ok = p.TryAcquire("b")
		require.False(t, ok)
		synctest.Wait()
		require.Equal(t, 2, f.buildCount())

		l := waiting.granted(t)
		synctest.Wait()
		m, ok := p.TryAcquire("b")
		require.True(t, ok)
		m.Release()
		l.Release()
	})
}

func TestTryAcquireBuildsNothingForATenantThatCouldNotHaveIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sharing(4, fairshare.Config{Default: fairshare.Share{Max: 1}}))
		l := acquire(t, p, "a")
		_, ok := p.TryAcquire("a")
		require.False(t, ok, "at its cap")
		require.NoError(t, p.Resize(1))
		_, ok = p.TryAcquire("b")
		require.False(t, ok, "no capacity left")
		synctest.Wait()
		require.Equal(t, 1, f.buildCount())
		l.Release()
	})
}

func TestTryAcquireDoesNotOvertakeAWaiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sized(1))
		l := acquire(t, p, "a")
		waiting := begin(background, p, "a")
		l.Release() // to the waiter, though it has not run yet
		_, ok := p.TryAcquire("b")
		require.False(t, ok)
		waiting.granted(t).Release()
	})
}

// Invariant 3. The context that a trace returns counts, as it does for Acquire.
func TestTryAcquireGivesUpWhereATraceHasEndedItsContext(t *testing.T) {
	for name, inline := range map[string]bool{"inline": true, "not inline": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := prepared(1, func(context.Context, *thing, pool.Handover) error {
					time.Sleep(time.Second)
					return nil
				})
				cfg.Tenancy.PrepareInline = inline
				cfg.Trace.AcquireStart = func(ctx context.Context, e pool.Event) context.Context {
					ctx, cancel := context.WithCancel(ctx)
					if e.Tenant == "ended" {
						cancel()
					}
					context.AfterFunc(ctx, cancel)
					return ctx
				}
				cfg.Trace.AcquireDone = func(_ context.Context, e pool.Event) {
					if e.Err != nil {
						runtime.Goexit()
					}
				}
				p := newPool(t, &factory{}, cfg)
				acquire(t, p, "a").Release()
				over := make(chan struct{})
				go func() {
					defer close(over)
					p.TryAcquire("ended")
				}()
				<-over
				synctest.Wait()
				require.Equal(t, !inline, p.Stats().InUse == 1, "until the Prepare is over")
				time.Sleep(time.Second)
				synctest.Wait()
				require.Zero(t, p.Stats().InUse)
				l := acquire(t, p, "b")
				require.Equal(t, 1, l.Value().id)
				l.Release()
			})
		})
	}
}

func TestTryAcquireRespectsTheBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: func(context.Context, int) error { return errors.New("no route") }}
		p := newPool(t, f, sized(8))
		for range 1000 {
			_, ok := p.TryAcquire("a")
			require.False(t, ok)
			time.Sleep(10 * time.Millisecond)
		}
		// 10 s of exponential backoff from 50 ms to 1 s, half of it at random.
		require.LessOrEqual(t, f.buildCount(), 26)
		require.GreaterOrEqual(t, f.buildCount(), 10)
		require.ErrorContains(t, p.Stats().BuildErr, "no route")
	})
}
