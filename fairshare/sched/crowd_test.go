package sched

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLongestIsTheOneThatWouldStillCrowdMost(t *testing.T) {
	s := New(Config{Capacity: 1, RankQueues: true, Default: Share{Weight: 1}, Shares: map[string]Share{
		"light": {Weight: 0.1}, "heavy": {Weight: 10},
	}})
	require.Nil(t, s.Longest())
	wait := func(name string, n int) *Tenant {
		t := s.Tenant(1, name)
		for range n {
			s.Enqueue(1, t, &Waiter{})
		}
		return t
	}
	light := wait("light", 1)
	require.Same(t, light, s.Longest())
	flood := wait("flood", 9)
	require.Same(t, flood, s.Longest(), "what the light one leaves behind is nothing")
	heavy := wait("heavy", 40)
	require.Same(t, flood, s.Longest())
	later := wait("later", 9)
	require.Same(t, later, s.Longest(), "of equals the one that came last")

	none := s.Tenant(1, "none")
	require.True(t, flood.Crowds(none))
	require.False(t, flood.Crowds(later), "equals do not crowd each other")
	require.False(t, flood.Crowds(flood))
	require.True(t, heavy.Crowds(wait("heavier", 0)))
	require.False(t, flood.Crowds(light), "a second waiter is much for the light one")

	s.SetShare(1, "heavy", Share{Weight: 1})
	require.Same(t, heavy, s.Longest(), "40 of weight 1")
	s.SetShare(1, "heavy", Share{Weight: 10})
	require.Same(t, later, s.Longest())
}

// Every tenant's first waiter comes before the second of any; among first ones
// the weight decides, and equals stay where they are.
func TestAFirstWaiterGivesWayToThatOfAHeavierTenantOnly(t *testing.T) {
	s := New(Config{Capacity: 1, RankQueues: true, Default: Share{Weight: 1}, Shares: map[string]Share{
		"light": {Weight: 0.1}, "heavy": {Weight: 1000},
	}})
	for i := range 9 {
		s.Enqueue(1, s.Tenant(1, fmt.Sprint(i)), &Waiter{})
	}
	heavy, equal := s.Tenant(1, "heavy"), s.Tenant(1, "equal")
	require.True(t, s.Longest().Crowds(heavy))
	require.Equal(t, "8", s.Longest().Name(), "the last that came")
	require.False(t, s.Longest().Crowds(equal))
	s.Enqueue(1, s.Tenant(1, "light"), &Waiter{})
	require.Equal(t, "light", s.Longest().Name())
	require.True(t, s.Longest().Crowds(equal))
	s.Enqueue(1, heavy, &Waiter{})
	require.False(t, s.Longest().Crowds(heavy), "its second keeps nobody's first out")
	s.Enqueue(1, heavy, &Waiter{})
	require.Equal(t, "heavy", s.Longest().Name())
	require.True(t, s.Longest().Crowds(equal))
	require.True(t, s.Longest().Crowds(s.Tenant(1, "new")))
}

// An arrival, a cancel or a grant moves at most as many of the queues as the
// heap is deep, whatever the number of tenants; to ask for the longest moves none.
func TestKeepingTheLongestQueueAtHandTakesLogarithmicallyManySteps(t *testing.T) {
	const tenants = 10_000
	r := rand.New(rand.NewPCG(1, 7))
	s := New(Config{Capacity: 1, RankQueues: true, Default: Share{Weight: 1}})
	s.Grant(1, s.Tenant(1, "holder"))
	var waiters []*Waiter
	join := func(name string) {
		w := &Waiter{}
		s.Enqueue(1, s.Tenant(1, name), w)
		waiters = append(waiters, w)
	}
	for i := range tenants {
		for range 1 + r.IntN(5) {
			join(fmt.Sprint(i))
		}
	}
	before := slices.Clone(s.queues)
	most := 0
	for range 300 {
		switch r.IntN(3) {
		case 0:
			join(fmt.Sprint(r.IntN(tenants)))
		case 1:
			i := r.IntN(len(waiters))
			if waiters[i].Seq() != 0 {
				s.Cancel(1, waiters[i])
			}
		default:
			s.GrantFirst(1, s.queues[r.IntN(len(s.queues))].tenant)
		}
		moved := 0
		for i := range min(len(before), len(s.queues)) {
			if before[i].tenant != s.queues[i].tenant {
				moved++
			}
		}
		most = max(most, moved)
		before = append(before[:0], s.queues...)
	}
	t.Logf("at most %d of %d queues moved", most, tenants)
	require.LessOrEqual(t, most, 2*bits.Len(tenants))
	require.Greater(t, most, 2)
	require.Zero(t, testing.AllocsPerRun(100, func() { s.Longest() }))
}
