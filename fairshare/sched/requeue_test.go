package sched

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAWaiterThatIsPutBackIsFirstOfItsTenantAgain(t *testing.T) {
	s := New(Config{Capacity: 1, Default: Share{Weight: 1}})
	a := s.Tenant(1, "a")
	waiters := make([]Waiter, 3)
	for i := range waiters {
		s.Enqueue(time.Duration(i+1), a, &waiters[i])
	}
	require.Same(t, &waiters[0], s.Next(10))
	s.Release(20, a, 0)
	s.Requeue(20, a, &waiters[0], 1)
	require.Equal(t, 3, a.Waiting())
	require.Equal(t, 3, s.Demand())
	require.Same(t, &waiters[0], a.First())
	require.Same(t, &waiters[2], a.Last())
	require.EqualValues(t, 1, waiters[0].Since())
	require.EqualValues(t, 29, s.Status(30, a).Oldest)

	for i := range waiters {
		require.Same(t, &waiters[i], s.Next(30))
		s.Release(30, a, 0)
	}
	require.Nil(t, a.First())
	require.Nil(t, a.Last())

	s.Requeue(40, a, &waiters[1], 1) // into an empty queue
	require.Same(t, &waiters[1], a.Last())
	s.Cancel(40, &waiters[1])
	require.Zero(t, s.Waiting())
}

func TestAWaiterThatIsPutBackFindsRoomInAFullQueue(t *testing.T) {
	s := New(Config{Capacity: 1, Default: Share{Weight: 1, MaxWaiting: 1}})
	a := s.Tenant(1, "a")
	var first, second, third Waiter
	require.True(t, s.Enqueue(1, a, &first))
	require.Same(t, &first, s.Next(1))
	require.True(t, s.Enqueue(1, a, &second))
	s.Release(2, a, 1)
	s.Requeue(2, a, &first, 1)
	require.Equal(t, 2, a.Waiting())
	require.True(t, a.Full())
	require.False(t, s.Enqueue(2, a, &third))
}

// It had its turn: what its tenant was charged meanwhile does not count.
func TestAWaiterThatIsPutBackIsNextWhateverItWasCharged(t *testing.T) {
	s := New(Config{Capacity: 1, Default: Share{Weight: 1}, Horizon: Instant})
	a, b := s.Tenant(1, "a"), s.Tenant(1, "b")
	var first, other Waiter
	s.Enqueue(1, a, &first)
	require.Same(t, &first, s.Next(1))
	s.Enqueue(2, b, &other)
	s.Release(3, a, 1)
	s.Requeue(3, a, &first, 1)
	require.Same(t, &first, s.Next(3))
	s.Release(4, a, 3)
	require.Same(t, &other, s.Next(4), "once only")
}

func TestGrantFirstServesATenantOutOfTurn(t *testing.T) {
	s := New(Config{Capacity: 1, Default: Share{Weight: 1}})
	a, b := s.Tenant(1, "a"), s.Tenant(1, "b")
	var first, second, other Waiter
	s.Enqueue(1, b, &other)
	s.Enqueue(1, a, &first)
	s.Enqueue(1, a, &second)
	require.Same(t, &other, s.Peek(1))
	require.Same(t, &first, s.GrantFirst(1, a))
	require.False(t, s.Available(b))
	s.Release(time.Second, a, 1)
	require.Same(t, &other, s.Next(time.Second), "which a has paid for")
}

// Names that never get as far as a queue are not remembered without bound.
func TestTenantsThatAreTurnedAwayAreForgotten(t *testing.T) {
	s := New(Config{Capacity: 1, Default: Share{Weight: 1}})
	s.maxDeparted = 10
	s.Grant(1, s.Tenant(1, "holder"))
	s.Enqueue(1, s.Tenant(1, "holder"), &Waiter{})
	for i := range 1000 {
		s.Reject(s.Tenant(1, fmt.Sprint(i)))
		s.Dismiss(s.Tenant(1, fmt.Sprint("explained", i)))
		require.LessOrEqual(t, s.departed(), 13)
	}
	long := strings.Repeat("x", maxName+1)
	s.Reject(s.Tenant(1, long))
	require.Nil(t, s.Find(long))
	require.EqualValues(t, 1001, s.Rejected())

	holder := s.Find("holder")
	s.Reject(holder)
	s.Dismiss(holder)
	require.Same(t, holder, s.Find("holder"))
	requireBooks(t, s)
}
