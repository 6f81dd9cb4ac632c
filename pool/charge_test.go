package pool_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// A wreck is what a tenant does with its resources, and the slot-time that each
// of its leases costs the pool in the end.
type wreck struct {
	cfg  func(*pool.Config[*thing], func(*thing) bool) // told which things the wrecker has
	end  func(pool.Lease[*thing])
	cost time.Duration
}

const (
	workTime    = 10 * time.Millisecond
	buildTime   = 30 * time.Millisecond
	destroyTime = 20 * time.Millisecond
	resetTime   = 40 * time.Millisecond
)

// Half of the slot-time goes to a tenant that wrecks every resource, what it
// takes to end it and build another included; the other half is left to one
// that behaves.
func TestATenantPaysForWhatItWrecks(t *testing.T) {
	release := func(l pool.Lease[*thing]) { l.Release() }
	for name, w := range map[string]wreck{
		"destroys": {
			end:  func(l pool.Lease[*thing]) { l.Destroy() },
			cost: workTime + destroyTime + buildTime,
		},
		"leaves dirt": {
			cfg: func(cfg *pool.Config[*thing], wreckers func(*thing) bool) {
				cfg.Tenancy.Reset = func(_ context.Context, th *thing) error {
					if wreckers(th) {
						time.Sleep(resetTime)
					}
					return nil
				}
			},
			end:  release,
			cost: workTime + resetTime,
		},
		"leaves what cannot be cleaned": {
			cfg: func(cfg *pool.Config[*thing], wreckers func(*thing) bool) {
				cfg.Tenancy.Reset = func(_ context.Context, th *thing) error {
					if wreckers(th) {
						time.Sleep(resetTime)
						return errBroken
					}
					return nil
				}
			},
			end:  release,
			cost: workTime + resetTime + destroyTime + buildTime,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { sharesWithAWrecker(t, w) })
		})
	}
}

func sharesWithAWrecker(t *testing.T, w wreck) {
	const slots, callers, duration = 4, 12, 30 * time.Second
	var mu sync.Mutex
	last := make(map[*thing]string)
	f := &factory{
		build: func(context.Context, int) error { time.Sleep(buildTime); return nil },
		end:   func(*thing) { time.Sleep(destroyTime) },
	}
	cfg := sharing(slots, fairshare.Config{Horizon: 20 * time.Millisecond})
	if w.cfg != nil {
		w.cfg(&cfg, func(th *thing) bool {
			mu.Lock()
			defer mu.Unlock()
			return last[th] == "wrecker"
		})
	}
	p := newPool(t, f, cfg)
	leases := make(map[string]int)
	end := time.Now().Add(duration)
	var all sync.WaitGroup
	for _, tenant := range []string{"wrecker", "good"} {
		for range callers {
			all.Go(func() {
				for time.Now().Before(end) {
					l, err := p.Acquire(background, tenant)
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					last[l.Value()] = tenant
					leases[tenant]++
					mu.Unlock()
					time.Sleep(workTime)
					if tenant == "wrecker" {
						w.end(l)
					} else {
						l.Release()
					}
				}
			})
		}
	}
	all.Wait()
	wrecked := time.Duration(leases["wrecker"]) * w.cost
	used := time.Duration(leases["good"]) * workTime
	t.Logf("%d leases cost %v, %d cost %v", leases["wrecker"], wrecked, leases["good"], used)
	require.InDelta(t, 1, float64(wrecked)/float64(used), 0.03)
	require.InDelta(t, float64(slots*duration), float64(wrecked+used), float64(duration)/10, "no slot was idle")
}

func TestAPrepareThatFailsIsPaidForByItsTenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{end: func(*thing) { time.Sleep(time.Minute) }}
		cfg := prepared(1, func(_ context.Context, _ *thing, h pool.Handover) error {
			if h.Tenant == "wrecker" {
				return errBroken
			}
			return nil
		})
		p := newPool(t, f, cfg)
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		begin(ctx, p, "wrecker").failed(t)
		for name, stats := range p.Tenants() {
			require.Equal(t, "wrecker", name)
			require.Equal(t, 1, stats.Held)
		}
		acquire(t, p, "good").Release()
		require.Zero(t, p.Stats().InUse)
	})
}

// The build is charged only if somebody waits for the place: otherwise there is
// none.
func TestTheRebuildIsChargedUntilItEnds(t *testing.T) {
	for name, buildErr := range map[string]error{"succeeds": nil, "fails": errBroken} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &factory{}
				p := newPool(t, f, sized(1))
				l := acquire(t, p, "wrecker")
				f.build = func(context.Context, int) error { time.Sleep(time.Second); return buildErr }
				w := begin(background, p, "good")
				l.Destroy()
				held := func() (n int) {
					for name, stats := range p.Tenants() {
						if name == "wrecker" {
							n = stats.Held
						}
					}
					return n
				}
				time.Sleep(time.Second - 1)
				synctest.Wait()
				require.Equal(t, 1, p.Stats().Building)
				require.Equal(t, 1, held())
				<-w.done
				require.Zero(t, held())
				w.lease.Release()
				require.Zero(t, p.Stats().InUse)
				leases := uint64(1)
				if buildErr == nil {
					leases++
				}
				require.Equal(t, leases, p.Stats().Acquired, "nobody acquired what was only charged")
			})
		})
	}
}

func TestARebuildThatNobodyWaitsForDoesNotTakePlaceNorCharge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{end: func(*thing) { time.Sleep(time.Second) }}
		p := newPool(t, f, sized(1))
		acquire(t, p, "a").Destroy()
		require.Equal(t, 1, p.Stats().InUse)
		time.Sleep(time.Second + 1)
		synctest.Wait()
		require.Zero(t, p.Stats().InUse)
		require.Equal(t, 1, f.buildCount())
	})
}

// One whose cap is one slot gets no second one while it pays for the first.
func TestAWreckCountsAgainstTheCap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{end: func(*thing) { time.Sleep(time.Minute) }}
		p := newPool(t, f, sharing(2, fairshare.Config{Default: fairshare.Share{Max: 1}}))
		acquire(t, p, "a").Destroy()
		w := begin(background, p, "a")
		require.False(t, w.over())
		acquire(t, p, "b").Release()
		w.granted(t).Release()
		require.Equal(t, time.Minute, w.waited)
	})
}

func TestADestructorThatHangsIsReportedAndPaidForUntilItsTimeout(t *testing.T) {
	for name, tooLong := range map[string]time.Duration{"default": 0, "set": 5 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hung := make(chan struct{})
				f := &factory{end: func(th *thing) {
					if th.id == 1 {
						<-hung
					}
				}}
				cfg := sized(2)
				cfg.DestroyTimeout = tooLong
				if tooLong == 0 {
					tooLong = time.Minute
				}
				p := newPool(t, f, cfg)
				acquire(t, p, "a").Destroy()
				time.Sleep(tooLong - 1)
				synctest.Wait()
				require.Zero(t, p.Stats().DestroyHangs)
				require.Equal(t, 1, p.Stats().InUse)
				time.Sleep(time.Nanosecond)
				synctest.Wait()
				stats := p.Stats()
				require.EqualValues(t, 1, stats.DestroyHangs)
				require.Zero(t, stats.InUse, "the charge has ended")
				require.Equal(t, 1, stats.Destroying, "the place is taken")
				one := acquire(t, p, "b")
				two := begin(background, p, "b")
				time.Sleep(time.Hour)
				synctest.Wait()
				require.False(t, two.over())
				close(hung)
				two.granted(t).Release()
				one.Release()
				stats = p.Stats()
				require.EqualValues(t, 1, stats.DestroyHangs)
				require.Zero(t, stats.InUse+stats.Destroying)
			})
		})
	}
}

// The end of the charge may be all that somebody waits for.
func TestTheEndOfTheChargeForAHangingDestructorWakesItsTenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{end: func(*thing) { time.Sleep(10 * time.Minute) }}
		p := newPool(t, f, sharing(2, fairshare.Config{Default: fairshare.Share{Max: 1}}))
		acquire(t, p, "a").Destroy()
		w := begin(background, p, "a")
		w.granted(t).Release()
		require.Equal(t, time.Minute, w.waited)
	})
}

// Nothing is remembered of a tenant with a name that long once its last slot is
// released, but it pays for the rebuild under its name all the same.
func TestTheChargeForARebuildCountsAgainstTheCapOfAForgottenTenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sharing(2, fairshare.Config{Default: fairshare.Share{Max: 1}}))
		long := strings.Repeat("x", 1000)
		l, b := acquire(t, p, long), acquire(t, p, "b")
		f.build = func(context.Context, int) error { time.Sleep(time.Second); return nil }
		c := begin(background, p, "c")
		l.Destroy()
		synctest.Wait()
		first := begin(background, p, long)
		c.granted(t).Release()
		second := begin(background, p, long)
		b.Release()
		require.NotEqual(t, first.over(), second.over(), "one at a time")
		first.granted(t).Release()
		second.granted(t).Release()
	})
}
