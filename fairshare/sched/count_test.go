package sched

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What is not counted was granted all the same: it is charged for, and whoever had
// it is no newcomer any more.
func TestAGrantThatDoesNotCountIsChargedLikeAnyOther(t *testing.T) {
	s := New(Config{Capacity: 2, Default: Share{Weight: 1}})
	a := s.Tenant(1, "a")
	s.Grant(1, a)
	s.Uncount(a)
	require.Zero(t, s.Granted())
	require.Zero(t, s.Status(1, a).Granted)
	require.Equal(t, 1, a.Held())
	s.CountCanceled(a)
	require.EqualValues(t, 1, s.Canceled())
	require.EqualValues(t, 1, s.Status(1, a).Canceled)
	s.Count(a)
	require.EqualValues(t, 1, s.Granted())
	require.EqualValues(t, 1, s.Status(1, a).Granted)
	s.Release(2, a, 1)
	require.Zero(t, s.InUse())
}
