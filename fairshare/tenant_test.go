package fairshare_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

func TestTheTenantComesByNameOrWithTheContext(t *testing.T) {
	carrying := fairshare.WithTenant(background, "carried")
	require.Equal(t, "carried", fairshare.TenantFrom(carrying))
	require.Empty(t, fairshare.TenantFrom(background))
	inner := fairshare.WithTenant(carrying, "inner")
	require.Equal(t, "inner", fairshare.TenantFrom(inner))

	s := newSemaphore(t, slots(4))
	for _, c := range []struct {
		ctx        context.Context
		name, want string
	}{
		{background, "named", "named"}, {carrying, "", "carried"}, {carrying, "named", "named"}, {inner, "", "inner"},
	} {
		p, err := s.Acquire(c.ctx, c.name)
		require.NoError(t, err)
		require.Equal(t, 1, tenant(s, c.want).Held)
		p.Release()
	}
}

// Callers that name nobody are one tenant, with one share.
func TestCallersWithoutATenantShareTheAnonymousOne(t *testing.T) {
	s := newSemaphore(t, fairshare.Config{Capacity: 4, Default: fairshare.Share{Max: 2}})
	p := acquire(t, s, "")
	q, ok := s.TryAcquire("")
	require.True(t, ok)
	_, ok = s.TryAcquire("")
	require.False(t, ok)
	require.Equal(t, 2, tenant(s, "").Held)
	p.Release()
	q.Release()
}

func TestJoinAndLeaveAreCountedAndLeaveIsIdempotent(t *testing.T) {
	s := newSemaphore(t, slots(4))
	first, second := s.Join("a"), s.Join("a")
	require.Equal(t, 1, s.Stats().ActiveTenants)
	first.Leave()
	first.Leave()
	first.Leave()
	require.True(t, tenant(s, "a").Joined, "the second is still there")
	second.Leave()
	require.False(t, tenant(s, "a").Joined)
	require.Zero(t, s.Stats().ActiveTenants)
}

func TestATenantThatHasLeftMayStillAcquire(t *testing.T) {
	s := newSemaphore(t, slots(4))
	a := s.Join("a")
	held, err := a.Acquire(background)
	require.NoError(t, err)
	a.Leave()
	require.Equal(t, 1, tenant(s, "a").Held, "what it holds stays")
	p, err := a.Acquire(background)
	require.NoError(t, err)
	require.Equal(t, 2, tenant(s, "a").Held)
	require.False(t, tenant(s, "a").Joined)
	p.Release()
	held.Release()
}

func TestAWaiterOutlivesTheLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, slots(1))
		p := acquire(t, s, "b")
		a := s.Join("a")
		done := make(chan fairshare.Permit)
		go func() {
			p, err := a.Acquire(background)
			if err != nil {
				t.Error(err)
			}
			done <- p
		}()
		synctest.Wait()
		a.Leave()
		p.Release()
		(<-done).Release()
	})
}

// A member is the tenant of its name, whatever a context says.
func TestAMemberAcquiresForItself(t *testing.T) {
	s := newSemaphore(t, slots(1))
	for _, name := range []string{"a", ""} {
		member := s.Join(name)
		p, err := member.Acquire(fairshare.WithTenant(background, "other"))
		require.NoError(t, err)
		require.Equal(t, 1, tenant(s, name).Held)
		p.Release()
		member.Leave()
	}
}

func TestTenantsIsASortedSnapshot(t *testing.T) {
	s := newSemaphore(t, slots(10))
	names := []string{"d", "", "b", "\xff", "a", "c"}
	var permits []fairshare.Permit
	for _, name := range names {
		permits = append(permits, acquire(t, s, name))
	}
	slices.Sort(names)

	all := s.Tenants()
	var seen []string
	for name, stats := range all {
		// The loop holds no lock, and nothing that happens in it shows in it.
		seen = append(seen, name)
		require.Equal(t, 1, stats.Held)
		require.EqualValues(t, 1, stats.Acquired)
		releaseAll(permits)
		s.Stats()
		acquire(t, s, "later").Release()
		for range s.Tenants() {
			break
		}
	}
	require.Equal(t, names, seen)

	for name, stats := range all { // the same loop again is a new look
		if name == "later" {
			require.EqualValues(t, len(names), stats.Acquired)
		}
		require.Zero(t, stats.Held)
	}
}

func TestTheLoopOverTenantsMayEndEarly(t *testing.T) {
	s := newSemaphore(t, slots(10))
	for i := range 5 {
		defer acquire(t, s, fmt.Sprint(i)).Release()
	}
	n := 0
	for range s.Tenants() {
		if n++; n == 2 {
			break
		}
	}
	require.Equal(t, 2, n)
	require.Len(t, maps.Collect(s.Tenants()), 5)
}

func TestTheFiguresOfATenantAreThoseOfItsHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, fairshare.Config{
			Capacity: 1, Horizon: time.Second, Burst: -1,
			Default: fairshare.Share{MaxWaiting: 1},
			Tenants: shares{"a": {Weight: 2}},
		})
		p := acquire(t, s, "a")
		time.Sleep(time.Hour) // alone, which is free
		ctx, cancel := context.WithTimeout(background, 4*time.Second)
		defer cancel()
		waiting := begin(ctx, s, "b")
		begin(background, s, "b").failed(t) // the queue is full
		time.Sleep(3 * time.Second)
		require.Equal(t, 3*time.Second, tenant(s, "b").OldestWait)
		waiting.failed(t)

		a, b := tenant(s, "a"), tenant(s, "b")
		require.Equal(t, 1, a.Held)
		require.EqualValues(t, 1, a.Acquired)
		require.InDelta(t, 2*time.Second, a.Service, 1000, "4 s of one slot, over the weight of 2")
		require.EqualValues(t, 1, b.Rejected)
		require.EqualValues(t, 1, b.Canceled)
		require.Zero(t, b.Waiting)
		require.Zero(t, b.OldestWait)

		next := begin(background, s, "b")
		time.Sleep(time.Second)
		p.Release()
		next.granted(t).Release()
		stats := s.Stats()
		require.EqualValues(t, 2, stats.Acquired)
		require.Equal(t, 5*time.Second, stats.WaitTime, "4 s of them in vain")
		require.EqualValues(t, 1, stats.Canceled)
		require.EqualValues(t, 1, stats.Expired)
		require.EqualValues(t, 1, stats.Rejected)
		require.Equal(t, time.Second, stats.Horizon)
	})
}

func TestAnyStringIsATenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, slots(2))
		for _, name := range []string{
			strings.Repeat("x", 1<<20), "\x00", "\xff\xfe", "a\nb", "🐘", strings.Repeat("\xff", 1000), " ",
		} {
			member := s.Join(name)
			permits := takeAll(s, name)
			require.Len(t, permits, 2)
			require.Equal(t, 2, tenant(s, name).Held)
			waiting := begin(background, s, name)
			permits[0].Release()
			permits[0] = waiting.granted(t)
			releaseAll(permits)
			member.Leave()
		}
		// Nobody fills the memory with long names.
		for name := range s.Tenants() {
			require.Less(t, len(name), 1<<20)
		}
	})
}
