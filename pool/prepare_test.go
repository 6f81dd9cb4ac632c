package pool_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// prepared is the configuration of a pool whose things prepare makes ready.
func prepared(maxSize int, prepare func(context.Context, *thing, pool.Handover) error) pool.Config[*thing] {
	cfg := sized(maxSize)
	cfg.Tenancy.Prepare = prepare
	return cfg
}

func TestEveryHandOutIsPreparedBeforeItIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []pool.Handover
		cfg := prepared(1, func(_ context.Context, _ *thing, h pool.Handover) error {
			told = append(told, h)
			return nil
		})
		p := newPool(t, &factory{}, cfg)
		next := func(want pool.Handover) {
			t.Helper()
			require.Equal(t, []pool.Handover{want}, told)
			told = nil
		}
		acquire(t, p, "a").Release()
		next(pool.Handover{Tenant: "a", Fresh: true})

		acquire(t, p, "a").Release()
		next(pool.Handover{Tenant: "a", Previous: "a"})

		l, ok := p.TryAcquire("b")
		require.True(t, ok)
		next(pool.Handover{Tenant: "b", Previous: "a"})
		waiting := begin(background, p, "c")
		l.Release()
		waiting.granted(t).Release()
		next(pool.Handover{Tenant: "c", Previous: "b"})

		member := p.Join("d")
		l, err := member.Acquire(background)
		require.NoError(t, err)
		l.Release()
		member.Leave()
		next(pool.Handover{Tenant: "d", Previous: "c"})

		require.NoError(t, p.Do(fairshare.WithTenant(background, "e"), "", func(context.Context, *thing) error {
			next(pool.Handover{Tenant: "e", Previous: "d"})
			return nil
		}))
		l, err = p.Acquire(background, "")
		require.NoError(t, err)
		next(pool.Handover{Previous: "e"})
		l.Destroy()
		synctest.Wait()
		_, ok = p.TryAcquire("a")
		require.False(t, ok, "there is one to be built")
		synctest.Wait()
		l, ok = p.TryAcquire("a")
		require.True(t, ok)
		next(pool.Handover{Tenant: "a", Fresh: true})
		l.Release()
	})
}

func TestATenantsOwnResourceIsHandedOverFromItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told pool.Handover
		cfg := prepared(2, func(_ context.Context, _ *thing, h pool.Handover) error { told = h; return nil })
		cfg.Tenancy.OwnFirst = true
		p := newPool(t, &factory{}, cfg)
		a, b := acquire(t, p, "a"), acquire(t, p, "b")
		a.Release()
		b.Release()
		acquire(t, p, "a").Release()
		require.Equal(t, pool.Handover{Tenant: "a", Previous: "a"}, told)
		acquire(t, p, "b").Release()
		require.Equal(t, pool.Handover{Tenant: "b", Previous: "b"}, told)
	})
}

// It fails closed: nobody gets to see a resource that was not prepared, the
// caller is served with another, and its tenant pays for the end of the first.
func TestAResourceThatCannotBePreparedIsDestroyedForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{end: func(*thing) { time.Sleep(time.Minute) }}
		cfg := prepared(3, func(_ context.Context, th *thing, _ pool.Handover) error {
			if th.id < 3 {
				return errBroken
			}
			return nil
		})
		p := newPool(t, f, cfg)
		l := acquire(t, p, "a")
		require.Equal(t, 3, l.Value().id)
		stats := p.Stats()
		require.EqualValues(t, 2, stats.PrepareFailures)
		require.EqualValues(t, 2, stats.Retired[pool.PrepareFailed])
		require.Equal(t, 3, stats.InUse)
		l.Release()
	})
}

func TestOneAcquireWrecksAtMostThreeResources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		cfg := prepared(10, func(_ context.Context, th *thing, _ pool.Handover) error {
			time.Sleep(time.Second)
			return fmt.Errorf("no login on %d: %w", th.id, errBroken)
		})
		p := newPool(t, f, cfg)
		w := begin(background, p, "a")
		e := w.failed(t)
		require.ErrorIs(t, e, errBroken)
		require.ErrorContains(t, e, "no login on 3")
		require.Equal(t, fairshare.NotPrepared, e.Reason)
		require.Equal(t, "a", e.Tenant)
		require.Equal(t, 3*time.Second, e.Waited)
		require.Equal(t, 3, f.buildCount())
		synctest.Wait()
		require.Equal(t, 3, f.endCount())
		require.Zero(t, p.Stats().InUse)
	})
}

func TestTryAcquireGivesUpWhenPrepareFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		cfg := prepared(1, func(context.Context, *thing, pool.Handover) error { return errBroken })
		cfg.Sizes.MinIdle = 1
		p := newPool(t, f, cfg)
		synctest.Wait()
		l, ok := p.TryAcquire("a")
		require.False(t, ok)
		require.Empty(t, l.Tenant())
		synctest.Wait()
		require.EqualValues(t, 1, p.Stats().Retired[pool.PrepareFailed])
		require.Equal(t, 1, p.Stats().Warm, "MinIdle")
	})
}

func TestFailuresOfTheCheckDoNotCountAsThoseOfPrepare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 6
		cfg := checked(size, func(context.Context, *thing) error { return errBroken })
		cfg.Tenancy.Prepare = func(_ context.Context, th *thing, _ pool.Handover) error {
			if th.id > size && th.id < size+3 {
				return errBroken
			}
			return nil
		}
		p := newPool(t, &factory{}, cfg)
		var leases []pool.Lease[*thing]
		for range size {
			leases = append(leases, acquire(t, p, "a"))
		}
		for _, l := range leases {
			l.Release()
		}
		time.Sleep(time.Second)
		l := acquire(t, p, "a")
		require.GreaterOrEqual(t, l.Value().id, size+3, "six fail the check, two cannot be prepared")
		synctest.Wait()
		stats := p.Stats()
		require.GreaterOrEqual(t, stats.CheckFailures, uint64(size))
		require.EqualValues(t, 2, stats.PrepareFailures)
		l.Release()
	})
}

// The time of Prepare is the caller's, and its ctx may end it.
func TestACallerThatGivesUpInPrepareLeavesThePreparedResourceBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []pool.Handover
		cfg := prepared(1, func(_ context.Context, _ *thing, h pool.Handover) error {
			time.Sleep(time.Second)
			told = append(told, h)
			return nil
		})
		p := newPool(t, &factory{}, cfg)
		ctx, cancel := context.WithTimeout(background, 100*time.Millisecond)
		defer cancel()
		begin(ctx, p, "a").failed(t)
		next := begin(background, p, "b")
		require.Equal(t, 1, next.granted(t).Value().id)
		require.Equal(t, 1900*time.Millisecond, next.waited)
		require.Equal(t, []pool.Handover{{Tenant: "a", Fresh: true}, {Tenant: "b", Previous: "a"}}, told)
		next.lease.Release()
	})
}

// A grant that came to nothing before the resource was prepared does not count:
// a Prepare that relies on what it was told would skip what it never did.
func TestAHandOverThatNeverHappenedIsNotTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []pool.Handover
		cfg := checked(1, func(context.Context, *thing) error { time.Sleep(time.Second); return nil })
		cfg.Tenancy.Prepare = func(_ context.Context, _ *thing, h pool.Handover) error {
			told = append(told, h)
			return nil
		}
		cfg.Sizes.MinIdle = 1
		p := newPool(t, &factory{}, cfg)
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(background, 100*time.Millisecond)
		defer cancel()
		begin(ctx, p, "a").failed(t)
		require.Empty(t, told)
		acquire(t, p, "a").Release()
		require.Equal(t, []pool.Handover{{Tenant: "a", Fresh: true}}, told)
		begin(ctx, p, "b").failed(t)
		acquire(t, p, "b").Release()
		require.Equal(t, pool.Handover{Tenant: "b", Previous: "a"}, told[1])
	})
}
