package pool_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

var errBroken = errors.New("broken")

// checked is the configuration of a pool whose things check is asked about.
func checked(maxSize int, check func(context.Context, *thing) error) pool.Config[*thing] {
	cfg := sized(maxSize)
	cfg.Health.Check = check
	return cfg
}

func TestAResourceIsCheckedOnlyAfterItWasIdleForCheckAfter(t *testing.T) {
	for name, after := range map[string]time.Duration{"default": 0, "set": 3 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				checks := 0
				cfg := checked(1, func(context.Context, *thing) error { checks++; return nil })
				cfg.Health.CheckAfter = after
				if after == 0 {
					after = 500 * time.Millisecond
				}
				p := newPool(t, &factory{}, cfg)
				l := acquire(t, p, "a")
				require.Zero(t, checks, "it is new")
				time.Sleep(time.Hour)
				waiting := begin(background, p, "b")
				l.Release()
				waiting.granted(t).Release()
				require.Zero(t, checks, "it was in use until now")
				time.Sleep(after)
				acquire(t, p, "a").Release()
				require.Zero(t, checks)
				time.Sleep(after + 1)
				acquire(t, p, "a").Release()
				require.Equal(t, 1, checks)
				time.Sleep(after + 1)
				synctest.Wait()
				l, ok := p.TryAcquire("a")
				require.True(t, ok)
				l.Release()
				require.Equal(t, 2, checks)
			})
		})
	}
}

func TestAFailedCheckCostsTheCallerNothingButTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{end: func(*thing) { time.Sleep(time.Minute) }}
		cfg := checked(3, func(_ context.Context, th *thing) error {
			time.Sleep(10 * time.Millisecond)
			if th.id > 1 {
				return errBroken
			}
			return nil
		})
		p := newPool(t, f, cfg)
		first, second, third := acquire(t, p, "a"), acquire(t, p, "a"), acquire(t, p, "a")
		first.Release() // the last to be taken again
		second.Release()
		third.Release()
		time.Sleep(time.Second)
		w := begin(background, p, "b")
		l := w.granted(t)
		synctest.Wait()
		require.Equal(t, 1, l.Value().id)
		require.Equal(t, 20*time.Millisecond, w.waited, "the others are checked side by side")
		stats := p.Stats()
		require.EqualValues(t, 2, stats.CheckFailures)
		require.EqualValues(t, 2, stats.Retired[pool.CheckFailed])
		require.Equal(t, 2, stats.Destroying)
		require.Equal(t, 1, stats.InUse, "nobody pays for the end of a broken one")
		require.Equal(t, 3, f.buildCount())
		l.Release()
	})
}

func TestAFailedCheckIsFollowedByABuildIfNothingIsWarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := checked(1, func(context.Context, *thing) error { return errBroken })
		p := newPool(t, &factory{}, cfg)
		acquire(t, p, "a").Release()
		time.Sleep(time.Second)
		l := acquire(t, p, "a")
		require.Equal(t, 2, l.Value().id)
		l.Release()
	})
}

// The caller of a failed check had its turn: it keeps its place before the
// other callers of its tenant, whatever their number.
func TestTheCallerOfAFailedCheckIsTheNextOfItsTenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		cfg := checked(1, func(context.Context, *thing) error {
			time.Sleep(10 * time.Millisecond)
			return errBroken
		})
		cfg.Sharing.Default.MaxWaiting = 2 // it may exceed that, too
		p := newPool(t, f, cfg)
		acquire(t, p, "a").Release()
		f.build = func(context.Context, int) error { time.Sleep(time.Second); return nil }
		time.Sleep(time.Second)
		first, second, third := begin(background, p, "a"), begin(background, p, "a"), begin(background, p, "a")
		l := first.granted(t)
		require.False(t, second.over() || third.over())
		require.Equal(t, 1010*time.Millisecond, first.waited)
		l.Release()
		second.granted(t).Release()
		third.granted(t).Release()
	})
}

func TestTheWaitAfterAFailedCheckEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, checked(1, func(context.Context, *thing) error { return errBroken }))
		acquire(t, p, "a").Release()
		f.build = func(context.Context, int) error { time.Sleep(time.Second); return nil }
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(background, 100*time.Millisecond)
		defer cancel()
		e := begin(ctx, p, "a").failed(t)
		require.ErrorIs(t, e, context.DeadlineExceeded)
		require.Equal(t, fairshare.Building, e.Reason)
		require.Equal(t, 100*time.Millisecond, e.Waited, "since the first attempt")
		acquire(t, p, "b").Release()
	})
}

func TestTheAcquireTimeoutCountsFromTheFirstAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		cfg := checked(1, func(context.Context, *thing) error {
			time.Sleep(100 * time.Millisecond)
			return errBroken
		})
		cfg.Sharing.AcquireTimeout = 300 * time.Millisecond
		p := newPool(t, f, cfg)
		acquire(t, p, "a").Release()
		f.build = func(context.Context, int) error { time.Sleep(time.Second); return nil }
		time.Sleep(time.Second)
		w := begin(background, p, "a")
		require.ErrorIs(t, w.failed(t), pool.ErrAcquireTimeout)
		require.Equal(t, 300*time.Millisecond, w.waited)
		time.Sleep(time.Second)
	})
}

// A check that was abandoned goes on alone, and what becomes of its resource
// costs the tenant nothing.
func TestACheckThatFailsWithoutItsCallerCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{end: func(*thing) { time.Sleep(time.Minute) }}
		p := newPool(t, f, checked(1, func(context.Context, *thing) error {
			time.Sleep(time.Second)
			return errBroken
		}))
		acquire(t, p, "a").Release()
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(background, 100*time.Millisecond)
		defer cancel()
		e := begin(ctx, p, "a").failed(t)
		require.Equal(t, fairshare.NotPrepared, e.Reason)
		require.Equal(t, 100*time.Millisecond, e.Waited)
		require.Equal(t, 1, p.Stats().InUse, "the check is still running")
		time.Sleep(time.Second)
		synctest.Wait()
		stats := p.Stats()
		require.Equal(t, 1, stats.Destroying)
		require.Zero(t, stats.InUse)
		require.EqualValues(t, 1, stats.Retired[pool.CheckFailed])
	})
}

func TestTheCauseOfACancelDuringAHookIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, checked(1, func(context.Context, *thing) error {
			time.Sleep(time.Second)
			return nil
		}))
		acquire(t, p, "a").Release()
		time.Sleep(time.Second)
		ctx, cancel := context.WithCancelCause(background)
		w := begin(ctx, p, "a")
		cancel(errBroken)
		e := w.failed(t)
		require.ErrorIs(t, e, context.Canceled)
		require.Equal(t, errBroken, e.Cause)
		require.Equal(t, "a", e.Tenant)
		time.Sleep(time.Second)
	})
}

// It had its turn. Whatever its tenant was charged for the check, and however
// long the others have waited meanwhile, the next resource is its own.
func TestTheCallerOfAFailedCheckIsNextBeforeOtherTenants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: func(context.Context, int) error { time.Sleep(10 * time.Millisecond); return nil }}
		p := newPool(t, f, checked(1, func(context.Context, *thing) error {
			time.Sleep(100 * time.Millisecond)
			return errBroken
		}))
		acquire(t, p, "a").Release()
		time.Sleep(time.Second)
		first := begin(background, p, "a")
		others := []*pending{begin(background, p, "b"), begin(background, p, "c")}
		time.Sleep(time.Second)
		synctest.Wait()
		require.True(t, first.over())
		require.Equal(t, 110*time.Millisecond, first.waited)
		first.granted(t).Release()
		for _, w := range others {
			w.granted(t).Release()
		}
	})
}

func TestACallerThatWasNextAndGaveUpLeavesTheTurnToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, checked(1, func(context.Context, *thing) error {
			time.Sleep(100 * time.Millisecond)
			return errBroken
		}))
		acquire(t, p, "a").Release()
		f.build = func(context.Context, int) error { time.Sleep(time.Second); return nil }
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(background, 500*time.Millisecond)
		defer cancel()
		first, second := begin(ctx, p, "a"), begin(background, p, "a")
		b := begin(background, p, "b")
		first.failed(t)
		l := b.granted(t) // a was charged for the check, so b comes before its second caller
		require.False(t, second.over())
		l.Release()
		second.granted(t).Release()
	})
}

func TestTryAcquireDoesNotPayForABrokenResource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{end: func(*thing) { time.Sleep(time.Minute) }}
		p := newPool(t, f, checked(1, func(context.Context, *thing) error { return errBroken }))
		acquire(t, p, "a").Release()
		time.Sleep(time.Second)
		synctest.Wait()
		_, ok := p.TryAcquire("a")
		require.False(t, ok)
		stats := p.Stats()
		require.Zero(t, stats.InUse)
		require.EqualValues(t, 1, stats.Retired[pool.CheckFailed])
	})
}
