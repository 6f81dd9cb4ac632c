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

// census counts the resources that exist, by what becomes of them.
type census struct{ Warm, Leased, Resetting, Checking, Building, Destroying, InUse, Waiting int }

func censusOf(p *pool.Pool[*thing]) census {
	synctest.Wait()
	s := p.Stats()
	return census{s.Warm, s.Leased, s.Resetting, s.Checking, s.Building, s.Destroying, s.InUse, s.Waiting}
}

func TestStatsFollowAResourceThroughItsLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func() { time.Sleep(time.Second) }
		cfg := sized(1)
		cfg.Health.Check = func(context.Context, *thing) error { slow(); return nil }
		cfg.Health.KeepAlive = 2 * time.Second
		cfg.Tenancy.Prepare = func(context.Context, *thing, pool.Handover) error { slow(); return nil }
		cfg.Tenancy.Reset = func(context.Context, *thing) error { slow(); return nil }
		f := &factory{
			build: func(context.Context, int) error { slow(); return nil },
			end:   func(*thing) { slow() },
		}
		p := newPool(t, f, cfg)
		next := func(want census) {
			t.Helper()
			time.Sleep(500 * time.Millisecond)
			require.Equal(t, want, censusOf(p))
			time.Sleep(500 * time.Millisecond)
		}
		require.Equal(t, census{}, censusOf(p))
		w := begin(background, p, "a")
		next(census{Building: 1, Waiting: 1})
		next(census{Leased: 1, InUse: 1}) // it is prepared
		l := w.granted(t)
		next(census{Leased: 1, InUse: 1})
		l.Release()
		next(census{Resetting: 1, InUse: 1})
		next(census{Warm: 1})
		next(census{Warm: 1})
		next(census{Checking: 1})
		next(census{Warm: 1})
		l = acquire(t, p, "a")
		l.Destroy()
		next(census{Destroying: 1, InUse: 1})
		require.Equal(t, census{}, censusOf(p))

		stats := p.Stats()
		require.EqualValues(t, 1, stats.Built)
		require.EqualValues(t, 1, stats.Destroyed)
		require.Equal(t, time.Second, stats.BuildTime)
		require.Equal(t, map[pool.Retirement]uint64{pool.Destroyed: 1}, stats.Retired)
		require.EqualValues(t, 2, stats.Acquired)
		require.Equal(t, time.Second, stats.WaitTime)
		require.EqualValues(t, 2, stats.TimedHolds)
		require.Equal(t, 6*time.Second, stats.HoldTime, "prepared, held and reset; checked, prepared and destroyed")
	})
}

func TestStatsCountFailuresByKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		var failing string
		fails := func(what string) error {
			if failing == what {
				failing = ""
				return broken
			}
			return nil
		}
		cfg := sized(2)
		cfg.DestroyTimeout = time.Second
		cfg.Health.Check = func(context.Context, *thing) error { return fails("check") }
		cfg.Health.MarkBad = func(err error) bool { return err == broken && fails("generation") != nil }
		cfg.Tenancy.Prepare = func(context.Context, *thing, pool.Handover) error { return fails("prepare") }
		cfg.Tenancy.Reset = func(context.Context, *thing) error { return fails("reset") }
		f := &factory{
			build: func(context.Context, int) error { return fails("build") },
			end: func(*thing) {
				if fails("destroy") != nil {
					time.Sleep(2 * time.Second)
					panic(broken)
				}
			},
		}
		p := newPool(t, f, cfg)
		use := func(what string) pool.Stats {
			failing = what
			if l, err := p.Acquire(background, "a"); err == nil {
				l.Release()
			}
			time.Sleep(time.Second) // a backoff too
			return p.Stats()
		}
		failing = "build"
		_, err := p.Acquire(background, "a")
		require.ErrorIs(t, err, broken)
		stats := p.Stats()
		require.EqualValues(t, 1, stats.BuildFailures)
		require.Equal(t, broken, stats.BuildErr)
		require.Zero(t, stats.Built)
		stats = use("prepare")
		require.EqualValues(t, 1, stats.PrepareFailures)
		require.NoError(t, stats.BuildErr, "the last one succeeded")
		require.EqualValues(t, 1, stats.BuildFailures)
		require.EqualValues(t, 1, use("check").CheckFailures)
		require.EqualValues(t, 1, use("reset").ResetFailures)

		failing = "destroy"
		acquire(t, p, "a").Destroy()
		time.Sleep(time.Second)
		synctest.Wait()
		require.EqualValues(t, 1, p.Stats().DestroyHangs)
		require.Zero(t, p.Stats().DestroyFailures)
		time.Sleep(time.Minute)
		stats = p.Stats()
		require.EqualValues(t, 1, stats.DestroyFailures)
		require.ErrorContains(t, stats.DestroyErr, "broken")

		failing = "generation"
		_ = p.Do(background, "a", func(context.Context, *thing) error { return broken })
		stats = p.Stats()
		require.EqualValues(t, 1, stats.Condemned)
		f.hijack(acquire(t, p, "a"))
		stats = p.Stats()
		require.EqualValues(t, 1, stats.Hijacked)
		synctest.Wait()
		require.Equal(t, map[pool.Retirement]uint64{
			pool.PrepareFailed: 1, pool.CheckFailed: 1, pool.ResetFailed: 1, pool.Destroyed: 1, pool.Replaced: 1,
		}, p.Stats().Retired)
		require.Equal(t, p.Stats().Built, p.Stats().Destroyed+p.Stats().Hijacked+uint64(p.Stats().Warm))
	})
}

func TestStatsTellTheStateOfThePool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := sharing(3, fairshare.Config{Capacity: 2, Default: fairshare.Share{MaxWaiting: 1}})
		p := newPool(t, &factory{}, cfg)
		stats := p.Stats()
		require.Equal(t, 3, stats.MaxSize)
		require.Equal(t, 2, stats.Capacity)
		p.Suspend()
		require.True(t, p.Stats().Suspended)
		p.Resume()
		require.False(t, p.Stats().Suspended)

		all := []pool.Lease[*thing]{acquire(t, p, "a"), acquire(t, p, "b")}
		start := time.Now()
		first := begin(background, p, "a")
		time.Sleep(time.Minute)
		begin(background, p, "a").failed(t)
		second := begin(background, p, "b")
		time.Sleep(time.Minute)
		stats = p.Stats()
		require.Equal(t, 2, stats.ActiveTenants)
		require.Equal(t, 2, stats.Waiting)
		require.Equal(t, time.Since(start), stats.OldestWait)
		require.EqualValues(t, 1, stats.Rejected)
		p.ResetGradually()
		require.Equal(t, 2, p.Stats().Stale)
		releaseAll(all)
		first.granted(t).Release()
		second.granted(t).Release()
		synctest.Wait()
		require.Zero(t, p.Stats().Stale)
		require.False(t, p.Stats().Closed)
		p.Close()
		require.True(t, p.Stats().Closed)
	})
}

func TestStatsAreACopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sized(1))
		acquire(t, p, "a").Destroy()
		p.Stats().Retired[pool.Destroyed] = 100
		require.EqualValues(t, 1, p.Stats().Retired[pool.Destroyed])
	})
}

func TestTenantsTellWhoIsOwedWhat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := sharing(4, fairshare.Config{Tenants: map[string]fairshare.Share{"heavy": {Weight: 3}}})
		p := newPool(t, &factory{}, cfg)
		all := grab(t, p, "light", 4)
		w := begin(background, p, "heavy")
		more := []*pending{begin(background, p, "heavy"), begin(background, p, "heavy")}
		time.Sleep(time.Minute)
		tenants := make(map[string]fairshare.TenantStats)
		for name, s := range p.Tenants() {
			tenants[name] = s
		}
		heavy, light := tenants["heavy"], tenants["light"]
		require.Equal(t, 3.0, heavy.Entitled)
		require.Equal(t, 1.0, light.Entitled)
		require.Equal(t, 3, heavy.Waiting)
		require.Equal(t, 4, light.Held)
		require.Equal(t, time.Minute, heavy.OldestWait)
		require.Equal(t, 4*time.Minute, light.Service)
		require.Zero(t, heavy.Service)
		require.Positive(t, light.Debt)
		releaseAll(all)
		for _, w := range append(more, w) {
			w.granted(t).Release()
		}
	})
}
