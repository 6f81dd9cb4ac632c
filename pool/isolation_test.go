package pool_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// dedicated is the configuration of a pool whose things serve one tenant each.
func dedicated(maxSize int) pool.Config[*thing] {
	cfg := sized(maxSize)
	cfg.Tenancy.Isolation = pool.Dedicated
	return cfg
}

func TestADedicatedResourceServesOnlyItsTenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, dedicated(3))
		one := acquire(t, p, "a")
		one.Release()
		other := acquire(t, p, "b")
		require.Equal(t, 2, other.Value().id)
		other.Release()
		for _, tenant := range []string{"a", "b", "", "a", ""} {
			want := map[string]int{"a": 1, "b": 2, "": 3}[tenant]
			l := acquire(t, p, tenant)
			require.Equal(t, want, l.Value().id, "of %q", tenant)
			l.Release()
		}
		l, ok := p.TryAcquire("a")
		require.True(t, ok)
		require.Equal(t, 1, l.Value().id)
		l.Release()
		_, ok = p.TryAcquire("c")
		require.False(t, ok)
	})
}

func TestAtCapacityTheLeastRecentlyUsedResourceOfAnotherIsRetired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, dedicated(3))
		var ended []int
		f.end = func(th *thing) { ended = append(ended, th.id) }
		for _, tenant := range []string{"a", "b", "c", "a"} { // b is least recent
			acquire(t, p, tenant).Release()
			time.Sleep(time.Second)
		}
		l := acquire(t, p, "d")
		require.Equal(t, []int{2}, ended)
		require.EqualValues(t, 1, p.Stats().Retired[pool.Displaced])
		second := acquire(t, p, "d")
		require.Equal(t, []int{2, 3}, ended)
		third := acquire(t, p, "d")
		require.Equal(t, []int{2, 3, 1}, ended)
		fourth := begin(background, p, "d")
		require.False(t, fourth.over(), "there is nothing left to retire")
		l.Release()
		require.Equal(t, 4, fourth.granted(t).Value().id)
		for _, l := range []pool.Lease[*thing]{second, third, fourth.lease} {
			l.Release()
		}
		time.Sleep(time.Hour) // f.end is called again at the end of the test
	})
}

func TestARoomIsUsedBeforeAnybodysResourceIsRetired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, dedicated(2))
		acquire(t, p, "a").Release()
		acquire(t, p, "b").Release()
		require.Zero(t, f.endCount())
	})
}

// One that waits for a build holds up nobody who has a resource already.
func TestAWarmResourceOfOnesOwnIsUsedWhileOthersWaitForABuild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, dedicated(2))
		own := acquire(t, p, "a")
		f.build = func(context.Context, int) error { time.Sleep(9 * time.Second); return nil }
		b := begin(background, p, "b")
		var queue []*pending
		for range 5 {
			queue = append(queue, begin(background, p, "a"))
		}
		own.Release()
		for _, w := range queue {
			w.granted(t).Release()
			require.Zero(t, w.waited)
		}
		own = acquire(t, p, "a")
		require.False(t, b.over())
		own.Release()
		b.granted(t).Release()
		require.Equal(t, 9*time.Second, b.waited)
	})
}

// The turns are as ever: whoever has a resource does not keep its place just
// because another would have to be built.
func TestATenantWithoutAResourceGetsItsTurnAgainstOneThatKeepsReturning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const slots = 2
		f := &factory{build: func(context.Context, int) error { time.Sleep(10 * time.Millisecond); return nil }}
		cfg := dedicated(slots)
		cfg.Sharing.Horizon = 100 * time.Millisecond
		p := newPool(t, f, cfg)
		var all sync.WaitGroup
		end := time.Now().Add(10 * time.Second)
		a := &crowd{tenant: "a", size: 8, hold: 100 * time.Millisecond}
		a.start(t, &all, p, end)
		time.Sleep(time.Second)
		b := &crowd{tenant: "b", size: 8, hold: 100 * time.Millisecond}
		b.start(t, &all, p, end)
		all.Wait()
		require.Less(t, b.worst, 2*time.Second)
		require.InDelta(t, 9*slots/2, b.used.Seconds(), 1, "half of the time that both were there")
		require.Less(t, f.buildCount(), 12, "each keeps its own")
	})
}

// Under a random load with cancels, wrecks and resizes no resource sees two
// tenants, and everybody is served in the end.
func TestNoDedicatedResourceEverServesTwoTenants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const slots, tenants, callers = 5, 9, 30
		seed := newSeed(t)
		var mu sync.Mutex
		owner := make(map[*thing]string)
		f := &factory{
			build: func(_ context.Context, n int) error {
				r := rand.New(rand.NewPCG(seed, uint64(n)))
				time.Sleep(time.Duration(r.IntN(20)) * time.Millisecond)
				if r.IntN(30) == 0 {
					return errBroken
				}
				return nil
			},
			end: func(th *thing) { time.Sleep(time.Duration(th.id%15) * time.Millisecond) },
		}
		cfg := dedicated(slots)
		cfg.Health.Check = func(_ context.Context, th *thing) error {
			time.Sleep(time.Millisecond)
			if th.id%5 == 0 {
				return errBroken
			}
			return nil
		}
		cfg.Health.CheckAfter = 20 * time.Millisecond
		cfg.Health.KeepAlive = 100 * time.Millisecond
		cfg.Tenancy.Reset = func(_ context.Context, th *thing) error {
			time.Sleep(time.Duration(th.id%3) * time.Millisecond)
			return nil
		}
		cfg.Tenancy.Prepare = func(_ context.Context, th *thing, h pool.Handover) error {
			mu.Lock()
			defer mu.Unlock()
			if was, known := owner[th]; known && was != h.Tenant || known && h.Previous != "" && h.Previous != h.Tenant {
				t.Errorf("thing %d of %q went to %q: %+v", th.id, was, h.Tenant, h)
			}
			owner[th] = h.Tenant
			return nil
		}
		p := newPool(t, f, cfg)
		end := time.Now().Add(20 * time.Second)
		served := make(map[string]int)
		var all sync.WaitGroup
		for i := range callers {
			r := rand.New(rand.NewPCG(seed, 1e9+uint64(i)))
			all.Go(func() {
				for time.Now().Before(end) {
					tenant := fmt.Sprint("t", r.IntN(tenants))
					ctx, cancel := context.WithTimeout(background, time.Duration(1+r.IntN(400))*time.Millisecond)
					l, err := p.Acquire(ctx, tenant)
					cancel()
					if err != nil {
						time.Sleep(time.Millisecond) // in an outage it fails at once
						continue
					}
					mu.Lock()
					served[tenant]++
					mu.Unlock()
					time.Sleep(time.Duration(r.IntN(20)) * time.Millisecond)
					if r.IntN(10) == 0 {
						l.Destroy()
					} else {
						l.Release()
					}
				}
			})
		}
		r := rand.New(rand.NewPCG(seed, 2e9))
		for time.Now().Before(end) {
			time.Sleep(time.Duration(r.IntN(500)) * time.Millisecond)
			synctest.Wait()
			require.NoError(t, p.Resize(1+r.IntN(slots)))
			if r.IntN(4) == 0 {
				p.Reset()
			}
		}
		require.NoError(t, p.Resize(slots))
		all.Wait()
		require.Len(t, served, tenants)
		// No wake-up was lost: everybody who asks now is served in turn.
		time.Sleep(20 * time.Second) // the longest backoff
		for i := range 2 * tenants {
			w := begin(background, p, fmt.Sprint("t", i%tenants))
			time.Sleep(time.Second)
			synctest.Wait()
			require.True(t, w.over())
			w.lease.Release()
		}
	})
}

func TestALongQueueOfNewTenantsIsServedThroughOneSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{
			build: func(context.Context, int) error { time.Sleep(time.Second); return nil },
			end:   func(*thing) { time.Sleep(time.Second) },
		}
		p := newPool(t, f, dedicated(1))
		var all []*pending
		for i := range 20 {
			all = append(all, begin(background, p, fmt.Sprint(i)))
		}
		for i, w := range all {
			w.granted(t).Release()
			require.Equal(t, time.Duration(1+2*i)*time.Second, w.waited, "as fast as it can be")
		}
	})
}

// The room of a resource that was displaced for somebody who has gone is there
// for the next.
func TestRoomMadeForACallerThatGaveUpIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{end: func(*thing) { time.Sleep(time.Second) }}
		p := newPool(t, f, dedicated(1))
		acquire(t, p, "a").Release()
		ctx, cancel := context.WithTimeout(background, time.Millisecond)
		defer cancel()
		begin(ctx, p, "b").failed(t)
		w := begin(background, p, "c")
		w.granted(t).Release()
		require.Less(t, w.waited, time.Second)
		require.EqualValues(t, 1, p.Stats().Retired[pool.Displaced])
	})
}

func TestNobodysResourceIsRetiredForATenantThatMayNotHaveAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		cfg := dedicated(2)
		cfg.Sharing.Default = fairshare.Share{Max: 1}
		p := newPool(t, f, cfg)
		l := acquire(t, p, "a")
		acquire(t, p, "b").Release()
		second := begin(background, p, "a")
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Zero(t, f.endCount())
		l.Release()
		second.granted(t).Release()
	})
}

// Without hope of another nothing is given up for it.
func TestNobodysResourceIsRetiredWhileBuildsFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, dedicated(2))
		acquire(t, p, "a").Release()
		f.build = func(context.Context, int) error { return errBroken }
		require.Equal(t, fairshare.BuildFailing, begin(background, p, "b").failed(t).Reason)
		ctx, cancel := context.WithTimeout(background, time.Millisecond)
		defer cancel()
		begin(ctx, p, "b").failed(t)
		require.Zero(t, f.endCount())
		acquire(t, p, "a").Release()
		require.Equal(t, 2, f.buildCount())
	})
}

func TestAHangingDestructorIsNotTakenForRoomThatComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung := make(chan struct{})
		f := &factory{end: func(th *thing) {
			if th.id == 1 {
				<-hung
			}
		}}
		p := newPool(t, f, dedicated(3))
		wrecked := acquire(t, p, "wrecker")
		leases := []pool.Lease[*thing]{acquire(t, p, "a"), acquire(t, p, "b")}
		wrecked.Destroy()
		for _, l := range leases {
			l.Release()
		}
		w := begin(background, p, "c")
		time.Sleep(time.Minute)
		synctest.Wait()
		require.True(t, w.over())
		w.granted(t).Release()
		close(hung)
		synctest.Wait()
		// The place of the first counts again.
		acquire(t, p, "d").Release()
		require.EqualValues(t, 1, p.Stats().Retired[pool.Displaced])
	})
}

// Keeping back helps nobody while builds fail.
func TestATenantUsesItsOwnResourceWhileTheBuildsOfOthersFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, dedicated(2))
		l := acquire(t, p, "a")
		f.build = func(context.Context, int) error { return errBroken }
		for range 40 {
			begin(background, p, "b")
		}
		time.Sleep(time.Second) // a is charged for it, so b comes first
		a := begin(background, p, "a")
		l.Release()
		require.True(t, a.over())
		a.granted(t).Release()
		p.Close()
	})
}

// Not one is retired more than it takes.
func TestOnlyAsManyAreRetiredAsLackTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, dedicated(3))
		var leases []pool.Lease[*thing]
		for range 3 {
			leases = append(leases, acquire(t, p, "a"))
		}
		for _, l := range leases {
			l.Release()
		}
		f.build = func(context.Context, int) error { time.Sleep(time.Second); return nil }
		p.Suspend()
		b := begin(background, p, "b")
		own := []*pending{begin(background, p, "a"), begin(background, p, "a")}
		p.Resume()
		for _, w := range own {
			require.True(t, w.over(), "it waits for nobody's build")
			w.granted(t).Release()
		}
		b.granted(t).Release()
		require.EqualValues(t, 1, p.Stats().Retired[pool.Displaced])
	})
}

func TestATenantThatOnlyTriesGetsAResourceOfItsOwn(t *testing.T) {
	for name, size := range map[string]int{"with room": 2, "at capacity": 1} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &factory{}
				p := newPool(t, f, dedicated(size))
				acquire(t, p, "a").Release()
				tries := 0
				for ok := false; !ok; tries++ {
					var l pool.Lease[*thing]
					if l, ok = p.TryAcquire("b"); ok {
						require.Equal(t, 2, l.Value().id)
						l.Release()
					}
					require.Less(t, tries, 5)
					synctest.Wait()
				}
				require.Equal(t, 2-size, f.endCount(), "nobody loses one for more than a try needs")
				require.Equal(t, 2, f.buildCount())
			})
		})
	}
}
