package pool_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// reclaiming is the configuration of a pool that takes back after a minute,
// with ten seconds of grace.
func reclaiming(maxSize int) (pool.Config[*thing], *record[pool.Event]) {
	var revoked record[pool.Event]
	cfg := sized(maxSize)
	cfg.Reclaim = pool.Reclaim{After: time.Minute, Grace: 10 * time.Second}
	cfg.Trace.Revoke = revoked.add
	return cfg, &revoked
}

// grab leases n things one second after the other.
func grab(t *testing.T, p *pool.Pool[*thing], tenant string, n int) (leases []pool.Lease[*thing]) {
	t.Helper()
	for range n {
		leases = append(leases, acquire(t, p, tenant))
		time.Sleep(time.Second)
	}
	return leases
}

func releaseAll(leases []pool.Lease[*thing]) {
	for _, l := range leases {
		l.Release()
	}
}

func held(p *pool.Pool[*thing], tenant string) int {
	for name, stats := range p.Tenants() {
		if name == tenant {
			return stats.Held
		}
	}
	return 0
}

func TestTheTimeToAShareIsBoundedWhateverOthersHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		cfg, revoked := reclaiming(8)
		p := newPool(t, f, cfg)
		never := grab(t, p, "greedy", 8)
		time.Sleep(time.Hour)
		start := time.Now()
		var waiting []*pending
		for range 6 { // more than its share
			waiting = append(waiting, begin(background, p, "needy"))
		}
		for _, w := range waiting[:4] {
			w.granted(t)
		}
		require.Equal(t, time.Minute+10*time.Second, time.Since(start), "After, and Grace")
		require.Equal(t, 4, held(p, "needy"))
		time.Sleep(time.Hour)
		require.Len(t, revoked.list(), 4, "nobody is to have less than its share for it")
		for _, e := range revoked.list() {
			require.Equal(t, "greedy", e.Tenant)
			require.ErrorIs(t, e.Err, pool.ErrRevoked)
			require.GreaterOrEqual(t, e.Resource, uint64(5), "the youngest go first")
		}
		require.EqualValues(t, 4, p.Stats().Retired[pool.Revoked])

		releaseAll(never)
		for _, w := range waiting[4:] {
			w.granted(t).Release()
		}
		for _, w := range waiting[:4] {
			w.lease.Release()
		}
	})
}

func TestTheTenantFurthestAboveItsShareGivesItsYoungestLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, revoked := reclaiming(8)
		p := newPool(t, &factory{}, cfg)
		all := grab(t, p, "much", 5)
		all = append(all, grab(t, p, "some", 3)...)
		time.Sleep(time.Minute)
		needy := begin(background, p, "needy")
		time.Sleep(time.Minute)
		require.Len(t, revoked.list(), 1)
		e := revoked.list()[0]
		require.Equal(t, pool.Event{Tenant: "much", Resource: 5, Took: 124 * time.Second, Err: pool.ErrRevoked}, e)
		for i, l := range all {
			require.Equal(t, i == 4, isClosed(l.Revoked()))
		}
		all[4].Release()
		needy.granted(t).Release()
		releaseAll(all)
	})
}

func TestAHolderThatHeedsARevocationKeepsTheResourceAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		cfg, _ := reclaiming(2)
		p := newPool(t, f, cfg)
		var holders sync.WaitGroup
		for range 2 {
			holders.Go(func() {
				for cycle := 0; cycle < 2; cycle++ {
					_ = p.Do(background, "greedy", func(ctx context.Context, _ *thing) error {
						select {
						case <-ctx.Done():
							if context.Cause(ctx) != pool.ErrRevoked {
								t.Error(context.Cause(ctx))
							}
						case <-time.After(time.Hour):
						}
						return nil
					})
				}
			})
		}
		time.Sleep(time.Minute)
		start := time.Now()
		needy := acquire(t, p, "needy")
		require.Equal(t, time.Minute, time.Since(start))
		time.Sleep(10 * time.Hour)
		require.Zero(t, f.endCount())
		require.Equal(t, "needy", needy.Tenant())
		require.EqualValues(t, 1, p.Stats().Revocations)
		needy.Release()
		holders.Wait()
	})
}

func TestNothingIsReclaimedByDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sized(2))
		all := grab(t, p, "greedy", 2)
		needy := begin(background, p, "needy")
		time.Sleep(10_000 * time.Hour)
		require.Zero(t, p.Stats().Revocations)
		releaseAll(all)
		needy.granted(t).Release()
	})
}

func TestALeaseIsLeftAloneUntilItHasLastedForAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, revoked := reclaiming(1)
		p := newPool(t, &factory{}, cfg)
		first := acquire(t, p, "greedy")
		again := begin(background, p, "greedy")
		needy := begin(background, p, "needy")
		time.Sleep(59 * time.Second)
		first.Release()
		holder, other := again, needy
		if needy.over() {
			holder, other = needy, again
		}
		l := holder.granted(t)
		time.Sleep(time.Minute - 1)
		require.Empty(t, revoked.list())
		time.Sleep(time.Minute)
		require.Len(t, revoked.list(), 1)
		l.Release()
		other.granted(t).Release()
	})
}

// weighted are ways to divide eight slots: weights, and the slots that are due.
var weighted = map[string]struct {
	weights []float64
	due     []int
}{
	"equal":   {[]float64{1, 1, 1, 1}, []int{2, 2, 2, 2}},
	"odd":     {[]float64{1, 1, 1}, []int{3, 3, 2}},
	"weights": {[]float64{3, 1}, []int{6, 2}},
	"many":    {[]float64{5, 1, 1, 1}, []int{5, 1, 1, 1}},
}

// weigh gives the tenants t0, t1 and so on their weights.
func weigh(cfg *pool.Config[*thing], weights []float64) {
	cfg.Sharing.Tenants = make(map[string]fairshare.Share)
	for i, w := range weights {
		cfg.Sharing.Tenants[fmt.Sprint("t", i)] = fairshare.Share{Weight: w}
	}
}

func TestTenantsAtTheirShareAreLeftAloneHoweverLongOthersWait(t *testing.T) {
	for name, test := range weighted {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg, revoked := reclaiming(8)
				weigh(&cfg, test.weights)
				p := newPool(t, &factory{}, cfg)
				var all []pool.Lease[*thing]
				var waiting []*pending
				for i, n := range test.due {
					all = append(all, grab(t, p, fmt.Sprint("t", i), n)...)
				}
				for i := range test.due {
					for range 3 {
						waiting = append(waiting, begin(background, p, fmt.Sprint("t", i)))
					}
				}
				time.Sleep(100 * time.Hour)
				require.Empty(t, revoked.list())
				releaseAll(all)
				for _, w := range waiting {
					w.granted(t).Release()
				}
			})
		})
	}
}

// Leases come and go, and with them a slot too much or too few for a while; but
// of some two thousand that is all there is to correct.
func TestTenantsThatTakeTurnsAreHardlyEverRevoked(t *testing.T) {
	for name, test := range weighted {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg, revoked := reclaiming(8)
				weigh(&cfg, test.weights)
				p := newPool(t, &factory{}, cfg)
				stop, cancel := context.WithCancel(background)
				var all sync.WaitGroup
				defer all.Wait()
				defer cancel()
				for i := range test.weights {
					for j := range 8 {
						all.Go(func() {
							hold := 3*time.Minute + time.Duration(8*i+j)*time.Second // they do not end together
							for stop.Err() == nil {
								_ = p.Do(stop, fmt.Sprint("t", i), func(ctx context.Context, _ *thing) error {
									select {
									case <-ctx.Done():
									case <-time.After(hold):
									}
									return nil
								})
							}
						})
					}
				}
				time.Sleep(12 * time.Hour)
				require.Less(t, len(revoked.list()), 40)
			})
		})
	}
}

func TestShortLeasesAreNotRevoked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, revoked := reclaiming(4)
		p := newPool(t, &factory{}, cfg)
		stop, cancel := context.WithCancel(background)
		var all sync.WaitGroup
		defer all.Wait()
		defer cancel()
		for i := range 30 { // more tenants than slots, so they wait for longer
			all.Go(func() {
				for stop.Err() == nil {
					_ = p.Do(stop, fmt.Sprint("t", i), func(context.Context, *thing) error {
						time.Sleep(50 * time.Second)
						return nil
					})
				}
			})
		}
		time.Sleep(10 * time.Hour)
		require.Empty(t, revoked.list())
	})
}

func TestNoMoreIsAskedBackThanIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, revoked := reclaiming(8)
		cfg.Reclaim.Grace = time.Hour
		p := newPool(t, &factory{}, cfg)
		all := grab(t, p, "a", 4)
		all = append(all, grab(t, p, "b", 4)...)
		time.Sleep(time.Minute)
		needy := begin(background, p, "needy")
		time.Sleep(59 * time.Minute)
		require.Len(t, revoked.list(), 1, "it is on its way")
		needy.granted(t).Release()
		releaseAll(all)
	})
}

func TestAShareIsMeasuredByWeight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, revoked := reclaiming(8)
		cfg.Sharing.Tenants = map[string]fairshare.Share{"heavy": {Weight: 3}}
		p := newPool(t, &factory{}, cfg)
		all := grab(t, p, "light", 8)
		time.Sleep(time.Minute)
		var waiting []*pending
		for range 8 {
			waiting = append(waiting, begin(background, p, "heavy"))
		}
		time.Sleep(time.Hour)
		require.Len(t, revoked.list(), 6)
		require.Equal(t, 6, held(p, "heavy"))
		releaseAll(all)
		for _, w := range waiting {
			w.granted(t).Release()
		}
	})
}

func TestASuspendedPoolReclaimsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, revoked := reclaiming(2)
		p := newPool(t, &factory{}, cfg)
		all := grab(t, p, "greedy", 2)
		p.Suspend()
		needy := begin(background, p, "needy")
		time.Sleep(time.Hour)
		require.Empty(t, revoked.list())
		p.Resume()
		needy.granted(t).Release()
		require.Len(t, revoked.list(), 1)
		releaseAll(all)
	})
}

func TestAWaitThatEndsInTimeRevokesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, revoked := reclaiming(2)
		p := newPool(t, &factory{}, cfg)
		all := grab(t, p, "greedy", 2)
		time.Sleep(time.Hour)
		for range 5 {
			ctx, cancel := context.WithTimeout(background, 50*time.Second)
			_, err := p.Acquire(ctx, "needy")
			require.ErrorIs(t, err, context.DeadlineExceeded)
			cancel()
		}
		require.Empty(t, revoked.list())
		releaseAll(all)
	})
}
