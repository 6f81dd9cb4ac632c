package sched

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A visit is a tenant that takes a free slot and gives it back.
func visit(s *Scheduler, now time.Duration, name string) *Tenant {
	t := s.Tenant(now, name)
	s.Grant(now, t)
	s.Release(now, t, 0)
	return t
}

// contend makes the two tenants share one slot for d, so that V rises; a
// grant is for a second. It returns the time after.
func contend(s *Scheduler, now, d time.Duration, names ...string) time.Duration {
	var waiters []*Waiter
	for _, name := range names {
		for range 2 { // one that waits while the other holds
			w := &Waiter{}
			s.Enqueue(now, s.Tenant(now, name), w)
			waiters = append(waiters, w)
		}
	}
	for end := now + d; now < end; {
		w := s.Next(now)
		t := w.Tenant()
		s.Enqueue(now, t, w)
		now += time.Second
		s.Release(now, t, now-time.Second)
	}
	for _, w := range waiters {
		s.Cancel(now, w)
	}
	return now
}

func TestDebtSurvivesLeavingAndReturning(t *testing.T) {
	s := New(Config{Capacity: 3, Default: Share{Weight: 1}, Horizon: time.Second})
	debtor := s.Tenant(1, "debtor")
	s.Grant(1, debtor)
	s.Grant(1, debtor)
	now := contend(s, 1, 20*time.Second, "rival") // the debtor holds two slots all the while, the rival one
	s.Release(now, debtor, 1)
	s.Release(now, debtor, 1)
	require.Zero(t, s.Active())
	require.Equal(t, 20*time.Second, s.Status(now, debtor).Debt)

	for i := range 1000 {
		visit(s, now, fmt.Sprint(i))
	}
	now += time.Hour // during which nothing is charged
	require.Same(t, debtor, s.Tenant(now, "debtor"))
	require.Equal(t, 20*time.Second, s.Status(now, debtor).Debt)

	// The rival comes first until it has had as much.
	s.Resize(now, 1)
	rival := s.Tenant(now, "rival")
	for range 30 {
		s.Enqueue(now, rival, &Waiter{})
	}
	s.Enqueue(now, debtor, &Waiter{})
	grants := 0
	for s.Next(now).Tenant() == rival {
		now += time.Second
		s.Release(now, rival, now-time.Second)
		grants++
	}
	require.InDelta(t, 20, grants, 1)
}

// An absence earns the burst, and two mean holding times at least.
func TestAbsenceEarnsAtMostTheBurst(t *testing.T) {
	for _, c := range []struct{ horizon, burst, credit time.Duration }{
		{0, 0, 4 * time.Second}, // the mean hold is 1 s
		{2 * time.Second, 0, 8 * time.Second},
		{0, 3 * time.Second, 3 * time.Second},
		{0, time.Second, 2 * time.Second},
		{time.Second, -1, 2 * time.Second},
	} {
		for _, weight := range []float64{1, 2, 0.5, 8} {
			s := New(Config{
				Capacity: 1, Default: Share{Weight: 1}, Shares: map[string]Share{"away": {Weight: weight}},
				Horizon: c.horizon, Burst: c.burst,
			})
			away := visit(s, 1, "away")
			now := contend(s, 1, time.Minute, "a", "b")
			require.Less(t, s.Status(now, away).Debt, -20*time.Second)
			s.Resize(now, 0)
			s.Enqueue(now, away, &Waiter{})
			want := -time.Duration(float64(c.credit) / weight)
			require.Equal(t, want, s.Status(now, away).Debt, "horizon %v, burst %v, weight %v", c.horizon, c.burst, weight)
			require.LessOrEqual(t, s.Status(now, away).Service, 2*minGrant, "a lift is not a charge")
		}
	}
}

// Inventing names earns nothing: a new tenant has neither debt nor credit, and
// earns none before it was served.
func TestUnknownTenantStartsWithoutCredit(t *testing.T) {
	s := New(Config{Capacity: 1, Default: Share{Weight: 1}})
	s.Join(s.Tenant(1, "fresh"))
	now := contend(s, 1, time.Minute, "a", "b")
	fresh := s.Tenant(now, "fresh")
	require.Zero(t, s.Status(now, fresh).Debt)
	require.Zero(t, s.Status(now, fresh).Service)
	s.Resize(now, 0)
	s.Enqueue(now, fresh, &Waiter{})
	require.Zero(t, s.Status(now, fresh).Debt)
}

// A million names, one after the other, while some tenants are active.
func TestStreamOfNewNamesIsForgotten(t *testing.T) {
	for active, names := range map[int]int{0: 50_000, 10: 1_000_000, 1000: 50_000} {
		t.Run(fmt.Sprint(active, " active"), func(t *testing.T) {
			s := New(Config{Capacity: 2000, Default: Share{Weight: 1}})
			s.maxDeparted = 100
			for i := range active {
				s.Join(s.Tenant(0, fmt.Sprint("active", i)))
			}
			most := 0
			for i := range names {
				visit(s, 0, strconv.Itoa(i))
				most = max(most, len(s.tenants))
			}
			t.Logf("at most %d tenants were known", most)
			require.LessOrEqual(t, most-active, max(s.maxDeparted, active)*3/2)
			require.Equal(t, active, s.Active())
			requireBooks(t, s)
		})
	}
}

// Those that leave in debt are kept longer, but not for ever.
func TestStreamOfDebtorsIsForgotten(t *testing.T) {
	s := New(Config{Capacity: 1, Default: Share{Weight: 1}})
	s.maxDeparted = 100
	s.Enqueue(1, s.Tenant(1, "rival"), &Waiter{})
	now := time.Duration(1)
	most := 0
	for i := range 100_000 {
		debtor := s.Tenant(now, fmt.Sprint(i))
		s.Grant(now, debtor) // as if the slot were reserved for it
		now += time.Millisecond
		s.Release(now, debtor, 0)
		if i < maxDebtors*s.maxDeparted {
			require.Positive(t, s.Status(now, debtor).Debt)
			require.NotNil(t, s.Find("0"), "the first of the debtors")
		}
		most = max(most, len(s.tenants))
	}
	t.Logf("at most %d tenants were known", most)
	require.LessOrEqual(t, most, maxDebtors*s.maxDeparted+10)
	requireBooks(t, s)
}

// The bounds as they are, once.
func TestDepartedTenantsAreBounded(t *testing.T) {
	s := New(Config{Capacity: 1, Default: Share{Weight: 1}})
	most := 0
	for i := range 4 * maxDeparted {
		visit(s, 0, fmt.Sprint(i))
		most = max(most, len(s.tenants))
	}
	t.Logf("at most %d tenants were known", most)
	require.GreaterOrEqual(t, len(s.tenants), maxDeparted)
	require.LessOrEqual(t, most, maxDeparted*3/2)

	s = New(Config{Capacity: 1, Default: Share{Weight: 1}})
	s.Enqueue(1, s.Tenant(1, "rival"), &Waiter{})
	most = 0
	for now := range time.Duration(2 * maxDebtors * maxDeparted) {
		visit(s, 1+now, fmt.Sprint(now)) // pays for the grant: a debtor
		most = max(most, len(s.tenants))
	}
	t.Logf("at most %d debtors were known", most)
	require.InDelta(t, maxDebtors*maxDeparted, most, 10)
}

// A tenant that comes back now and then is not forgotten for the sake of those
// that came once.
func TestRegularsAreRemembered(t *testing.T) {
	s := New(Config{Capacity: 1, Default: Share{Weight: 1}})
	s.maxDeparted = 100
	regular := visit(s, 0, "regular")
	for i := range 10_000 {
		if i%50 == 0 {
			require.Same(t, regular, visit(s, 0, "regular"))
		}
		visit(s, 0, fmt.Sprint(i))
	}
}

// A record that the caller still needs is kept.
func TestTenantWithDataIsKept(t *testing.T) {
	s := New(Config{Capacity: 1, Default: Share{Weight: 1}})
	s.maxDeparted = 100
	kept := visit(s, 0, "kept")
	kept.Data = "something"
	for i := range 10_000 {
		visit(s, 0, fmt.Sprint(i))
	}
	require.Same(t, kept, s.Find("kept"))
	kept.Data = nil
	for i := range 10_000 {
		visit(s, 0, fmt.Sprint(i))
	}
	require.Nil(t, s.Find("kept"))
}

func TestLongNamesAreNotRemembered(t *testing.T) {
	s := New(Config{Capacity: 1, Default: Share{Weight: 1}})
	long := strings.Repeat("x", maxName+1)
	in := s.Tenant(0, long)
	s.Grant(0, in)
	require.Same(t, in, s.Find(long), "while it is active")
	s.Join(in)
	s.Release(0, in, 0)
	require.Same(t, in, s.Find(long), "while it is active")
	s.Leave(in)
	require.Nil(t, s.Find(long))
	visit(s, 0, long[1:])
	require.NotNil(t, s.Find(long[1:]))
	requireBooks(t, s)
}

func TestShareOfTheDefaultIsNotStored(t *testing.T) {
	s := New(Config{Capacity: 1, Default: Share{Weight: 1, Max: 3}})
	s.SetShare(0, "a", Share{Weight: 2})
	require.Len(t, s.shares, 1)
	require.Equal(t, Share{Weight: 2}, *s.Tenant(0, "a").share)
	s.SetShare(0, "a", Share{Weight: 1, Max: 3})
	require.Empty(t, s.shares)
	require.Equal(t, Share{Weight: 1, Max: 3}, *s.Tenant(0, "a").share)
	for i := range 1000 {
		s.SetShare(0, fmt.Sprint(i), Share{Weight: 1, Max: 3})
	}
	require.Empty(t, s.shares)
}

// A departed tenant that is remembered costs 256 bytes at most.
func TestRememberedTenantIsSmall(t *testing.T) {
	heap := func() float64 {
		for range 3 { // what a sync.Pool keeps goes with the second collection
			runtime.GC()
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	names := make([]string, maxDeparted)
	for i := range names {
		names[i] = fmt.Sprint("tenant-", i)
	}
	before := heap()
	s := New(Config{Capacity: 1, Default: Share{Weight: 1}})
	for _, name := range names {
		visit(s, 0, name)
	}
	each := (heap() - before) / maxDeparted
	runtime.KeepAlive(s)
	runtime.KeepAlive(names)
	t.Logf("%.0f bytes for each of %d tenants", each, len(s.tenants))
	require.LessOrEqual(t, each, 256.0)
}
