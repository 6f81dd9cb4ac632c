package sched

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestALargeRequestWaitsForItsTurnAndThenForOneHold(t *testing.T) {
	// Nobody holds a slot for longer than R, so collecting is never in vain.
	const longest = 100 * time.Millisecond
	worst := time.Duration(0)
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 6))
		capacity := 2 + r.IntN(15)
		m := simulate(t, seed, Config{Capacity: capacity, Horizon: longest})
		hold := func(r *rand.Rand) time.Duration { return 1 + time.Duration(r.Int64N(int64(longest))) }
		for i := range 2 + r.IntN(6) {
			m.backlogged(fmt.Sprint("small", i), hold)
		}
		for i := range 1 + r.IntN(3) {
			c := m.client(fmt.Sprint("large", i), hold)
			c.slots = func(r *rand.Rand) int { return 2 + r.IntN(capacity-1) }
			m.workers(c, 1+r.IntN(3))
		}
		turns := make(map[*Waiter]time.Duration)
		for until := m.now + 20*time.Second; m.now < until; {
			m.run(m.events[0].at - m.now)
			w := m.s.collecting.waiter
			for other, since := range turns {
				if other != w {
					require.Zero(t, other.Seq(), "seed %d: given up before it was served", seed)
					delete(turns, other)
					continue
				}
				worst = max(worst, m.now-since)
				require.LessOrEqual(t, m.now-since, longest, "invariant 15: seed %d", seed)
			}
			if w == nil {
				continue
			}
			if _, seen := turns[w]; !seen {
				turns[w] = m.now
			}
			require.Less(t, m.s.Capacity()-m.s.InUse(), w.slots(), "invariant 15: it holds nothing while it waits, and takes it at once")
		}
		for _, c := range m.clients {
			require.NotEmpty(t, c.waits, "seed %d: %s", seed, c.name)
		}
	}
	t.Logf("seeds 0-19: at most %v of %v beyond its turn", worst, longest)
}

// A slot that does not come back makes collecting all of them vain. Others are kept
// waiting for a while each time, and the tenant pays for that.
func TestCollectingInVainHarmsOthersNoMoreThanTheShareOfTheTenant(t *testing.T) {
	m := simulate(t, 1, Config{Capacity: 8})
	hold := exponential(100 * time.Millisecond)
	lost := m.client("lost", hold)
	m.acquire(lost, 24*time.Hour, nil)
	var small []*client
	for i := range 3 {
		small = append(small, m.backlogged(fmt.Sprint("small", i), hold))
	}
	m.run(10 * time.Second)
	large := m.client("large", hold)
	m.acquireN(large, 8, time.Second, nil)
	m.measure()
	m.run(1000 * time.Second)
	for _, collects := range []bool{false, true} { // until it has paid for the last time
		for (m.s.collecting.waiter != nil) != collects {
			m.run(m.events[0].at - m.now)
		}
	}
	require.Empty(t, large.waits)
	used := total(small) / (7 * (m.now - m.since).Seconds())
	t.Logf("three others had %.3f of the other slots, %.3f is their share; Jain %.4f; p50 wait %v, worst %v",
		used, 3.0/4, jain(small), quantile(small[0].waits, 0.5), quantile(small[0].waits, 1))
	require.Greater(t, used, 0.97*3/4)
	require.Greater(t, jain(small), 0.999)
	require.Less(t, used, 0.95, "it did collect")
}

func TestCollectingEndsWithTheRequest(t *testing.T) {
	for name, end := range map[string]func(s *Scheduler, large *Waiter){
		"cancel":         func(s *Scheduler, w *Waiter) { s.Cancel(2, w) },
		"a lower Max":    func(s *Scheduler, w *Waiter) { s.SetShare(2, "large", Share{Weight: 1, Max: 2}) },
		"less capacity":  func(s *Scheduler, w *Waiter) { s.Resize(2, 2) },
		"a lower limit":  func(s *Scheduler, w *Waiter) { s.SetLimit(2, 2) },
		"its own charge": func(s *Scheduler, w *Waiter) { s.Charge(2, w.Tenant()); s.Charge(2, w.Tenant()) },
	} {
		t.Run(name, func(t *testing.T) {
			s := New(Config{Capacity: 4, Default: Share{Weight: 1}, Strict: name == "a lower limit"})
			holder, large, small := s.Tenant(1, "holder"), s.Tenant(1, "large"), s.Tenant(1, "small")
			s.GrantN(1, holder, 3)
			w, o := &Waiter{Slots: 3}, &Waiter{}
			s.Enqueue(1, large, w)
			require.Nil(t, s.Next(1))
			require.Equal(t, 1, s.Kept())
			require.False(t, s.Available(small), "the slot is kept")
			s.Enqueue(1, small, o)
			require.Nil(t, s.Next(1))
			end(s, w)
			require.Zero(t, s.Kept())
			if s.InUse() >= s.Capacity() {
				s.ReleaseN(2, holder, 1, 3)
			}
			require.Same(t, o, s.Next(2), "others go on")
		})
	}
}

func TestATenantsOwnSlotsAreNotCollectedForIt(t *testing.T) {
	s := New(Config{Capacity: 4, Default: Share{Weight: 1}})
	own, other := s.Tenant(1, "own"), s.Tenant(1, "other")
	s.Grant(1, own)
	s.Enqueue(1, own, &Waiter{Slots: 4})
	require.Nil(t, s.Next(1))
	require.Zero(t, s.Kept(), "only it can give its own one back")
	require.True(t, s.Available(other))
	s.Grant(1, other)
	s.Release(2, own, 1)
	require.Nil(t, s.Next(2))
	require.Equal(t, 3, s.Kept())
	s.Release(3, other, 1)
	require.NotNil(t, s.Next(3))
	require.Equal(t, 4, own.Held())
}

// Min is a promise of so many slots, not of as many as a request asks for.
func TestALargeRequestBeyondItsMinIsNotServedFirst(t *testing.T) {
	s := New(Config{Capacity: 4, Default: Share{Weight: 1}, Shares: map[string]Share{"min": {Weight: 1, Min: 2}}})
	other, promised := s.Tenant(1, "other"), s.Tenant(1, "min")
	s.GrantN(1, other, 4)
	first, beyond, within := &Waiter{}, &Waiter{Slots: 3}, &Waiter{Slots: 2}
	s.Enqueue(1, other, first)
	s.Enqueue(1, promised, beyond)
	s.Enqueue(1, promised, within)
	s.ReleaseN(10, other, 1, 4)
	s.Cancel(10, beyond)
	require.Same(t, within, s.Next(10), "two of two")
	require.Same(t, first, s.Next(10))
}

// One below its Min comes before a request that slots are collected for.
func TestATenantBelowItsMinPassesACollectingOne(t *testing.T) {
	s := New(Config{Capacity: 4, Default: Share{Weight: 1}, Shares: map[string]Share{"min": {Weight: 1, Min: 1}}})
	holder, large, promised := s.Tenant(1, "holder"), s.Tenant(1, "large"), s.Tenant(1, "min")
	s.GrantN(1, holder, 2)
	s.Enqueue(1, large, &Waiter{Slots: 4})
	require.Nil(t, s.Next(1))
	require.Equal(t, 2, s.Kept())
	require.False(t, s.Available(holder))
	require.True(t, s.Available(promised))
	require.False(t, s.AvailableN(promised, 2), "of which one is promised")
}
