package sched

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Those that were forgotten since they were listed are left out; the others are
// as they are when the caller gets to them.
func TestStatusesAreThoseOfTheKnown(t *testing.T) {
	s := New(Config{Capacity: 1, Default: Share{Weight: 1}})
	s.maxDeparted = 5
	var all []*Tenant
	for i := range 10 {
		in := s.Tenant(1, fmt.Sprint(i))
		s.Join(in)
		all = append(all, in)
	}
	now := contend(s, 1, 20*time.Second, "0", "1")
	for _, in := range all {
		s.Leave(in)
	}
	require.Less(t, s.Known(), 10)
	seen := 0
	for in, st := range s.Statuses(now, all) {
		require.Same(t, in, s.Find(in.Name()))
		require.Equal(t, s.Status(now, in), st)
		require.False(t, st.Joined)
		seen++
	}
	require.Equal(t, s.Known(), seen)
}

// Each tenant with a weight of its own, waiting while it holds: as many classes
// as tenants.
func BenchmarkStatuses(b *testing.B) {
	for _, n := range []int{1000, 16_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := New(Config{Capacity: n, Default: Share{Weight: 1}})
			var all []*Tenant
			for i := range n {
				name := fmt.Sprint(i)
				s.SetShare(1, name, Share{Weight: 1 + float64(i%512)/512})
				in := s.Tenant(1, name)
				s.Grant(1, in)
				s.Enqueue(1, in, &Waiter{})
				all = append(all, in)
			}
			for b.Loop() {
				for range s.Statuses(2, all) {
				}
			}
		})
	}
}
