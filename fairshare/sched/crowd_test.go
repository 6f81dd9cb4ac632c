package sched

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLongestIsTheOneThatWouldStillCrowdMost(t *testing.T) {
	s := New(Config{Capacity: 1, Default: Share{Weight: 1}, Shares: map[string]Share{
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
	require.False(t, light.Crowds(none))
	require.False(t, flood.Crowds(later), "equals do not crowd each other")
	require.False(t, flood.Crowds(flood))
	require.True(t, heavy.Crowds(wait("heavier", 0)))
	require.False(t, flood.Crowds(wait("light", 0)))
}
