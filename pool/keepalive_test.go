package pool_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

func TestKeepAliveChecksEveryIdleResourceOncePerPeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		checks := make(map[int]int)
		running := 0
		cfg := checked(4, func(_ context.Context, th *thing) error {
			running++
			if running > 1 {
				t.Error("two checks at once")
			}
			time.Sleep(time.Second)
			running--
			checks[th.id]++
			return nil
		})
		cfg.Health.KeepAlive = time.Minute
		p := newPool(t, &factory{}, cfg)
		var leases []pool.Lease[*thing]
		for range 4 {
			leases = append(leases, acquire(t, p, "a"))
		}
		for _, l := range leases[:3] {
			l.Release()
		}
		time.Sleep(10*time.Minute + 30*time.Second)
		synctest.Wait()
		require.Len(t, checks, 3, "the leased one is left alone")
		for id, n := range checks {
			require.InDelta(t, 10, n, 1, "thing %d", id)
		}
		leases[3].Release()
	})
}

func TestUseCountsAsAKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		checks := 0
		cfg := checked(1, func(context.Context, *thing) error { checks++; return nil })
		cfg.Health.CheckAfter = time.Hour
		cfg.Health.KeepAlive = time.Minute
		p := newPool(t, &factory{}, cfg)
		for range 20 {
			acquire(t, p, "a").Release()
			time.Sleep(50 * time.Second)
		}
		require.Zero(t, checks)
	})
}

// A resource that was kept alive just now is trusted.
func TestAKeepAliveSparesTheNextCallerTheCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		checks := 0
		cfg := checked(1, func(context.Context, *thing) error { checks++; return nil })
		cfg.Health.KeepAlive = time.Minute
		p := newPool(t, &factory{}, cfg)
		acquire(t, p, "a").Release()
		time.Sleep(time.Minute + time.Millisecond)
		synctest.Wait()
		require.Equal(t, 1, checks)
		acquire(t, p, "a").Release()
		require.Equal(t, 1, checks)
	})
}

func TestACheckOfKeepAliveIsChargedToNobodyAndEndsInTheNextLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := checked(1, func(context.Context, *thing) error { time.Sleep(time.Second); return nil })
		cfg.Health.KeepAlive = time.Minute
		p := newPool(t, &factory{}, cfg)
		acquire(t, p, "a").Release()
		time.Sleep(time.Minute + 100*time.Millisecond)
		synctest.Wait()
		stats := p.Stats()
		require.Equal(t, 1, stats.Checking)
		require.Zero(t, stats.InUse+stats.Warm+stats.Leased)
		w := begin(background, p, "b")
		w.granted(t).Release()
		require.Equal(t, 900*time.Millisecond, w.waited, "no second check")
		require.Zero(t, p.Stats().Checking)
	})
}

// A failed one gives up its place at once: what is built there, and whether
// anything is, is decided by who needs it.
func TestAFailedKeepAliveReleasesThePlaceBeforeAnythingIsRepaired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		cfg := checked(1, func(context.Context, *thing) error { return errBroken })
		cfg.Health.KeepAlive = time.Minute
		p := newPool(t, f, cfg)
		acquire(t, p, "a").Release()
		time.Sleep(time.Hour)
		synctest.Wait()
		stats := p.Stats()
		require.EqualValues(t, 1, stats.Retired[pool.CheckFailed])
		require.Zero(t, stats.Warm+stats.Building+stats.Destroying)
		require.Equal(t, 1, f.buildCount(), "nobody asked for another")
		acquire(t, p, "b").Release()
		require.Equal(t, 2, f.buildCount())
	})
}

func TestAResourceThatFailsItsKeepAliveIsReplacedForMinIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{end: func(*thing) { time.Sleep(time.Minute) }}
		cfg := checked(2, func(_ context.Context, th *thing) error {
			if th.id == 1 {
				return errBroken
			}
			return nil
		})
		cfg.Health.KeepAlive = 10 * time.Second
		cfg.Sizes.MinIdle = 1
		p := newPool(t, f, cfg)
		time.Sleep(11 * time.Second)
		synctest.Wait()
		stats := p.Stats()
		require.Equal(t, 1, stats.Destroying)
		require.Equal(t, 1, stats.Warm)
		require.Equal(t, 2, f.buildCount())
	})
}

func TestAWaiterGetsThePlaceOfAResourceThatFailsItsKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := checked(1, func(context.Context, *thing) error { time.Sleep(time.Second); return errBroken })
		cfg.Health.KeepAlive = time.Minute
		p := newPool(t, &factory{}, cfg)
		acquire(t, p, "a").Release()
		time.Sleep(time.Minute)
		w := begin(background, p, "b")
		require.Equal(t, 2, w.granted(t).Value().id)
		require.Equal(t, time.Second, w.waited)
		w.lease.Release()
	})
}

// Whatever happens to a resource while KeepAlive has it.
func TestAResourceIsRetiredAfterItsKeepAliveIfItIsNotWantedAnyMore(t *testing.T) {
	for why, meanwhile := range map[pool.Retirement]func(*pool.Pool[*thing]){
		pool.Stopped:  func(p *pool.Pool[*thing]) { p.Close() },
		pool.Replaced: func(p *pool.Pool[*thing]) { p.Reset() },
		pool.Resized:  func(p *pool.Pool[*thing]) { _ = p.Resize(0) },
	} {
		t.Run(string(why), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := checked(1, func(context.Context, *thing) error { time.Sleep(50 * time.Millisecond); return nil })
				cfg.Health.KeepAlive = time.Minute
				p := newPool(t, &factory{}, cfg)
				acquire(t, p, "a").Release()
				time.Sleep(time.Minute + time.Millisecond)
				synctest.Wait()
				require.Equal(t, 1, p.Stats().Checking)
				meanwhile(p)
				time.Sleep(50 * time.Millisecond)
				synctest.Wait()
				require.Equal(t, map[pool.Retirement]uint64{why: 1}, p.Stats().Retired)
				require.Zero(t, p.Stats().Checking)
			})
		})
	}
}
