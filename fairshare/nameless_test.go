package fairshare_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// named is the configuration of a semaphore for those who say who they are.
func named(n int) fairshare.Config { return fairshare.Config{Capacity: n, RequireTenant: true} }

func TestWhoeverNamesNoTenantIsRefusedAtOnceWhereOneIsRequired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, named(2))
		ended, cancel := context.WithCancel(background)
		cancel()
		member := s.Join("")
		requests := map[string]func() (fairshare.Permit, error){
			"no name anywhere":     func() (fairshare.Permit, error) { return s.Acquire(background, "") },
			"an empty name in ctx": func() (fairshare.Permit, error) { return s.Acquire(fairshare.WithTenant(background, ""), "") },
			"a ctx that has ended": func() (fairshare.Permit, error) { return s.Acquire(ended, "") },
			"a member":             func() (fairshare.Permit, error) { return member.Acquire(background) },
			"a member, whatever ctx says": func() (fairshare.Permit, error) {
				return member.Acquire(fairshare.WithTenant(background, "a"))
			},
		}
		refuseAll := func() {
			t.Helper()
			for name, request := range requests {
				_, err := request()
				var e *fairshare.AcquireError
				require.ErrorAs(t, err, &e, name)
				require.Equal(t, &fairshare.AcquireError{Reason: fairshare.NoTenant, Err: fairshare.ErrNoTenant}, e, name)
			}
			_, ok := s.TryAcquire("")
			require.False(t, ok)
		}
		refuseAll() // though slots are free
		a, b := acquire(t, s, "a"), acquire(t, s, "b")
		waiting := begin(background, s, "c")
		refuseAll() // though others wait
		s.Suspend()
		refuseAll()
		s.Resume()
		require.Equal(t, 1, s.Stats().Waiting)
		require.Equal(t, 3, s.Stats().ActiveTenants, "nobody has joined without a name")
		for name := range s.Tenants() {
			require.NotEmpty(t, name)
		}
		a.Release()
		waiting.granted(t).Release()
		p, err := s.Acquire(fairshare.WithTenant(background, "a"), "")
		require.NoError(t, err, "the name may come with ctx")
		p.Release()
		b.Release()
		member.Leave()
	})
}

func TestWithoutRequireTenantWhoeverNamesNoneIsAnonymous(t *testing.T) {
	s := newSemaphore(t, slots(2))
	acquire(t, s, "").Release()
	member := s.Join("")
	require.Equal(t, 1, s.Stats().ActiveTenants)
	member.Leave()
}
