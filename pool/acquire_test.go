package pool_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

func TestALeaseIsForTheTenantThatAskedForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sized(1))
		carrying := fairshare.WithTenant(background, "carried")
		for _, c := range []struct {
			ctx          context.Context
			tenant, want string
		}{
			{background, "named", "named"},
			{carrying, "", "carried"},
			{carrying, "named", "named"},
			{background, "", ""},
		} {
			l, err := p.Acquire(c.ctx, c.tenant)
			require.NoError(t, err)
			require.Equal(t, c.want, l.Tenant())
			l.Release()
		}
		require.EqualValues(t, 4, p.Stats().Acquired)
	})
}

func TestNothingIsBuiltWhileAWarmResourceIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sized(8))
		for i := range 100 {
			acquire(t, p, fmt.Sprint(i)).Release()
		}
		require.Equal(t, 1, f.buildCount())
		stats := p.Stats()
		require.Equal(t, 1, stats.Warm)
		require.EqualValues(t, 1, stats.Built)
	})
}

// Invariant 4, and invariant 2: the thing changes hands without a moment in
// which both have it or neither.
func TestAReleaseHandsTheResourceStraightToTheNextWaiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sized(1))
		l := acquire(t, p, "a")
		th := l.Value()
		waiting := begin(background, p, "b")
		require.False(t, waiting.over())

		time.Sleep(time.Second)
		l.Release()
		next := waiting.granted(t)
		require.Same(t, th, next.Value())
		require.Equal(t, "b", next.Tenant())
		require.Equal(t, time.Second, waiting.waited)
		require.Equal(t, 1, f.buildCount())
		require.Equal(t, 1, p.Stats().InUse)
		next.Release()
	})
}

// ownFirst is the configuration of a pool that gives tenants their own first.
func ownFirst(maxSize int) pool.Config[*thing] {
	cfg := sized(maxSize)
	cfg.Tenancy.OwnFirst = true
	return cfg
}

func TestATenantGetsItsOwnWarmResourceFirstWhereThatIsAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, ownFirst(4))
		a, b, c := acquire(t, p, "a"), acquire(t, p, "b"), acquire(t, p, "c")
		ofA, ofB, ofC := a.Value(), b.Value(), c.Value()
		a.Release()
		b.Release()
		c.Release()

		for _, turn := range []struct {
			tenant string
			own    *thing
		}{{"a", ofA}, {"b", ofB}, {"a", ofA}, {"c", ofC}, {"b", ofB}} {
			l := acquire(t, p, turn.tenant)
			require.Same(t, turn.own, l.Value(), "tenant %s", turn.tenant)
			l.Release()
		}
	})
}

// Whoever asks gets the one used last, so that no more are kept warm, and
// checked, than are needed at once.
func TestTenantsThatTakeTurnsKeepOneResourceWarm(t *testing.T) {
	for _, tenants := range []int{2, 7, 20} {
		synctest.Test(t, func(t *testing.T) {
			checks := 0
			cfg := sized(tenants)
			cfg.Age.MaxIdleTime = 10 * time.Second
			cfg.Health.Check = func(context.Context, *thing) error { checks++; return nil }
			f := &factory{}
			p := newPool(t, f, cfg)
			var all []pool.Lease[*thing]
			for i := range tenants { // a peak
				all = append(all, acquire(t, p, fmt.Sprint(i)))
			}
			for _, l := range all {
				l.Release()
			}
			for i := range 100 * tenants {
				time.Sleep(3 * time.Second / time.Duration(tenants))
				acquire(t, p, fmt.Sprint(i%tenants)).Release()
			}
			require.Equal(t, 1, p.Stats().Warm)
			require.Equal(t, tenants, f.buildCount())
			if tenants > 6 { // the one in use is younger than CheckAfter each time
				require.LessOrEqual(t, checks, 1)
			}
			time.Sleep(time.Minute)
		})
	}
}

func TestOfItsOwnWarmResourcesATenantGetsTheOneUsedLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, ownFirst(4))
		first, second, third := acquire(t, p, "a"), acquire(t, p, "a"), acquire(t, p, "a")
		things := []*thing{first.Value(), second.Value(), third.Value()}
		other := acquire(t, p, "b")
		first.Release()
		third.Release()
		second.Release()
		other.Release()

		for _, want := range []int{1, 2, 0} {
			l := acquire(t, p, "a")
			defer l.Release()
			require.Same(t, things[want], l.Value())
		}
	})
}

func TestATenantWithoutOneGetsTheWarmResourceUsedLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sized(4))
		a, b, c := acquire(t, p, "a"), acquire(t, p, "b"), acquire(t, p, "c")
		order := []*thing{b.Value(), a.Value(), c.Value()} // newest first
		c.Release()
		a.Release()
		b.Release()

		for _, want := range order {
			l := acquire(t, p, "newcomer")
			defer l.Release()
			require.Same(t, want, l.Value())
		}
	})
}

// A tenant that takes another's resource owns it from then on.
func TestAResourceBelongsToItsLastTenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sized(2))
		a, b := acquire(t, p, "a"), acquire(t, p, "b")
		ofA, ofB := a.Value(), b.Value()
		b.Release()
		a.Release()
		newcomer := acquire(t, p, "newcomer") // takes a's
		require.Same(t, ofA, newcomer.Value())
		newcomer.Release()

		again := acquire(t, p, "newcomer")
		require.Same(t, ofA, again.Value())
		a = acquire(t, p, "a") // a's is gone
		require.Same(t, ofB, a.Value())
		a.Release()
		again.Release()
	})
}

func TestDemandForBuildsRespectsTheCapOfATenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{build: func(context.Context, int) error { time.Sleep(time.Second); return nil }}
		p := newPool(t, f, sharing(8, fairshare.Config{
			Tenants: map[string]fairshare.Share{"capped": {Max: 2}},
		}))
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				l, err := p.Acquire(background, "capped")
				if err != nil {
					t.Error(err)
					return
				}
				time.Sleep(time.Second)
				l.Release()
			})
		}
		synctest.Wait()
		stats := p.Stats()
		require.Equal(t, 2, stats.Building)
		require.Equal(t, 10, stats.Waiting)

		all.Wait()
		require.Equal(t, 2, f.buildCount())
		require.Equal(t, 2, p.Stats().Warm)
	})
}

// Invariant 1, with destructors that take longer than everything else.
func TestBuildingLiveAndDyingStayWithinTheCapacity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{
			build: func(context.Context, int) error { time.Sleep(10 * time.Millisecond); return nil },
			end:   func(*thing) { time.Sleep(100 * time.Millisecond) },
		}
		p := newPool(t, f, sharing(8, fairshare.Config{Capacity: 3}))
		var all sync.WaitGroup
		for i := range 30 {
			all.Go(func() {
				l, err := p.Acquire(background, fmt.Sprint("tenant-", i%5))
				if err != nil {
					t.Error(err)
					return
				}
				time.Sleep(5 * time.Millisecond)
				l.Destroy()
			})
		}
		all.Wait()
		require.Equal(t, 3, f.most)
		require.Equal(t, 30, f.buildCount())
	})
}

func TestADeadContextAcquiresNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sized(1))
		acquire(t, p, "a").Release()
		dead, cancel := context.WithCancelCause(background)
		because := errors.New("the user left")
		cancel(because)

		e := begin(dead, p, "a").failed(t)
		require.ErrorIs(t, e, context.Canceled)
		require.ErrorIs(t, e, because)
		require.Equal(t, fairshare.BeforeWaiting, e.Reason)
		stats := p.Stats()
		require.EqualValues(t, 1, stats.Acquired)
		require.Equal(t, 1, stats.Warm)
	})
}

func TestAWaitThatEndsInVainSaysWhy(t *testing.T) {
	const patience = time.Second
	for name, c := range map[string]struct {
		share  fairshare.Share
		held   int // by tenant a, of 2
		tenant string
		build  func(context.Context, int) error
		reason fairshare.Reason
		text   string
	}{
		"saturated": {
			held: 2, tenant: "b", reason: fairshare.Saturated,
			text: `pool: acquire for tenant "b": context deadline exceeded after 1s: all 2 slots in use by "a" 2; the tenant holds 0, 0 more waiting`,
		},
		"at its cap": {
			share: fairshare.Share{Max: 1}, held: 1, tenant: "a", reason: fairshare.AtCap,
			text: `pool: acquire for tenant "a": context deadline exceeded after 1s: the tenant is at its cap of 1, by Share.Max or ShareFunc; the tenant holds 1, 0 more waiting`,
		},
		"building": {
			tenant: "b", reason: fairshare.Building,
			build: func(context.Context, int) error { time.Sleep(2 * patience); return nil },
			text:  `pool: acquire for tenant "b": context deadline exceeded after 1s: no resource is ready; 0 of 2 slots in use; the tenant holds 0, 0 more waiting`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPool(t, &factory{build: c.build}, sharing(2, fairshare.Config{Default: c.share}))
				for range c.held {
					defer acquire(t, p, "a").Release()
				}
				ctx, cancel := context.WithTimeout(background, patience)
				defer cancel()
				e := begin(ctx, p, c.tenant).failed(t)
				require.ErrorIs(t, e, context.DeadlineExceeded)
				require.Equal(t, c.reason, e.Reason)
				require.Equal(t, c.tenant, e.Tenant)
				require.Equal(t, patience, e.Waited)
				require.Equal(t, c.held, e.InUse)
				require.Equal(t, 2, e.Capacity)
				require.NoError(t, e.BuildErr)
				require.EqualError(t, e, c.text)
			})
		})
	}
}

func TestAFullQueueIsAnErrorAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sharing(1, fairshare.Config{Default: fairshare.Share{MaxWaiting: 2}}))
		l := acquire(t, p, "a")
		first, second := begin(background, p, "b"), begin(background, p, "b")

		third := begin(background, p, "b")
		e := third.failed(t)
		require.ErrorIs(t, e, pool.ErrQueueFull)
		require.Equal(t, fairshare.QueueFull, e.Reason)
		require.Zero(t, third.waited)
		require.Equal(t, 2, e.Waiting)
		require.EqualValues(t, 1, p.Stats().Rejected)

		l.Release()
		first.granted(t).Release()
		second.granted(t).Release()
	})
}

// A joined tenant counts for the shares of the others while it holds nothing.
func TestStrictSharesOfAPoolCountTheJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := newPool(t, f, sharing(10, fairshare.Config{ShareFunc: fairshare.EqualShare}))
		a, b := p.Join("a"), p.Join("b")
		var leases []pool.Lease[*thing]
		for range 5 {
			l, err := a.Acquire(background)
			require.NoError(t, err)
			require.Equal(t, "a", l.Tenant())
			leases = append(leases, l)
		}
		sixth := begin(background, p, "a")
		require.False(t, sixth.over(), "2 tenants share 10 slots")
		require.Equal(t, 5, f.buildCount(), "nothing is built for a tenant at its share")

		b.Leave()
		b.Leave()
		leases = append(leases, sixth.granted(t))
		for _, l := range leases {
			l.Release()
		}
		a.Leave()
		l, err := a.Acquire(background) // a tenant that has left is one like any other
		require.NoError(t, err)
		require.Equal(t, "a", l.Tenant())
		l.Release()
	})
}

func TestSetShareTakesEffectOnThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &factory{}, sized(3))
		require.NoError(t, p.SetShare("a", fairshare.Share{Max: 1}))
		first := acquire(t, p, "a")
		second, third := begin(background, p, "a"), begin(background, p, "a")
		require.False(t, second.over())

		require.NoError(t, p.SetShare("a", fairshare.Share{Max: 2}))
		l := second.granted(t)
		require.False(t, third.over())
		first.Release()
		third.granted(t).Release()
		l.Release()
	})
}
