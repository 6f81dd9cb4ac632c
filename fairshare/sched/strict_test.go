package sched

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Strict shares of 10 slots, as in aio-fairshare: nobody holds more than its
// part even while slots are free, and joined tenants count.
func TestStrictLimitHoldsEvenWhileSlotsAreFree(t *testing.T) {
	for tenants, share := range map[int]int{1: 10, 2: 5, 3: 3, 5: 2, 10: 1} {
		s := New(Config{Capacity: 10, Default: Share{Weight: 1}, Strict: true})
		for i := range tenants {
			s.Join(s.Tenant(0, fmt.Sprint(i)))
		}
		require.Equal(t, tenants, s.Active())
		s.SetLimit(0, 10/s.Active())
		for in := range s.Tenants() {
			for s.Available(in) {
				s.Grant(0, in)
			}
			require.Equal(t, share, in.Held())
		}
		require.Equal(t, 10%tenants, s.Capacity()-s.InUse())
	}
}

// A limit times a weight is rounded down, but not by an error of rounding, and
// never to nothing.
func TestStrictLimitScalesWithWeight(t *testing.T) {
	for weight, most := range map[float64]int{1: 100, 0.29: 29, 0.57: 57, 0.295: 29, 2: 200, 0.001: 1} {
		s := New(Config{Capacity: 1000, Default: Share{Weight: weight}, Strict: true})
		s.SetLimit(0, 100)
		require.Equal(t, most, s.Status(0, s.Tenant(0, "a")).Cap, "weight %v", weight)
	}
}

// A limit that grows lets many tenants return to the backlogged at once. None
// of them may be lifted to the service of another: their debts and credits
// stand, whatever the order in which the scheduler looks at them.
func TestSetLimitDoesNotLevelTheDebtsOfThoseWhoReturn(t *testing.T) {
	for range 20 { // an order that is left to a map must not matter either
		s := New(Config{Capacity: 1, Default: Share{Weight: 1}, Strict: true, Horizon: time.Second, Burst: -1})
		debtor, other, rival := s.Tenant(1, "debtor"), s.Tenant(1, "other"), s.Tenant(1, "rival")
		s.Grant(1, debtor)
		w := &Waiter{}
		s.Enqueue(1, rival, w)
		s.Cancel(1+10*time.Second, w) // the debtor has held its slot for 10 s against a rival

		now := 1 + 10*time.Second
		s.SetLimit(now, 1)
		s.Resize(now, 3)
		s.Grant(now, other)
		s.Enqueue(now, debtor, &Waiter{})
		s.Enqueue(now, other, &Waiter{})
		require.Nil(t, s.Next(now), "both are at their limit")
		s.SetLimit(now, 2)
		require.Equal(t, 10*time.Second, s.Status(now, debtor).Debt-s.Status(now, other).Debt)
		require.Same(t, other, s.Next(now).Tenant())
	}
}

// Only a limit that a tenant has reached keeps it from being backlogged, and a
// lower limit takes a holder out at once.
func TestSetLimitMovesTenantsInAndOut(t *testing.T) {
	s := New(Config{Capacity: 4, Default: Share{Weight: 1}, Strict: true})
	a := s.Tenant(1, "a")
	s.Grant(1, a)
	s.Grant(1, a)
	s.Enqueue(1, a, &Waiter{})
	require.Equal(t, 1, s.Demand())
	s.SetLimit(1, 2)
	require.Zero(t, s.Demand())
	require.Nil(t, s.Next(1))
	requireBooks(t, s)
	s.SetLimit(1, 3)
	require.Equal(t, 1, s.Demand())
	require.NotNil(t, s.Next(1))
	requireBooks(t, s)
}
