package fairshare_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// crowded is a line with a bound on its waiters.
func crowded(most int, tenants map[string]fairshare.Share) fairshare.Config {
	return fairshare.Config{Capacity: 1, MaxWaiting: most, Tenants: tenants}
}

// queue starts n waits of a tenant, one after the other.
func queue(s *fairshare.Semaphore, name string, n int) (all []*pending) {
	for range n {
		all = append(all, begin(background, s, name))
	}
	return all
}

func requireFull(t *testing.T, w *pending) {
	t.Helper()
	require.True(t, w.over())
	e := w.failed(t)
	require.ErrorIs(t, e, fairshare.ErrQueueFull)
	require.Equal(t, fairshare.LineFull, e.Reason)
}

func TestAFloodLosesItsOwnLastWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, crowded(6, nil))
		p := acquire(t, s, "holder")
		flood := queue(s, "flood", 6)
		requireFull(t, begin(background, s, "flood"))
		require.EqualValues(t, 1, tenant(s, "flood").Rejected)

		time.Sleep(time.Second)
		newcomers := queue(s, "newcomer", 3)
		for _, w := range flood[3:] {
			requireFull(t, w)
			require.Equal(t, time.Second, w.waited)
		}
		require.EqualValues(t, 3, tenant(s, "flood").Canceled)
		require.EqualValues(t, 1, s.Stats().Rejected)
		requireFull(t, begin(background, s, "newcomer")) // equals now
		requireFull(t, begin(background, s, "flood"))
		third := begin(background, s, "third") // would be the shortest
		require.False(t, third.over())

		remaining := []*pending{third}
		for _, w := range append(flood[:3], newcomers...) {
			if !w.over() {
				remaining = append(remaining, w)
			}
		}
		require.Len(t, remaining, 6)
		p.Release()
		releaseInTurn(t, remaining)
	})
}

func TestOfEqualQueuesNoneGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, crowded(4, nil))
		p := acquire(t, s, "holder")
		var all []*pending
		for _, name := range []string{"a", "b", "c", "d"} {
			all = append(all, queue(s, name, 1)...)
		}
		for _, name := range []string{"a", "d", "e"} {
			requireFull(t, begin(background, s, name))
		}
		p.Release()
		releaseInTurn(t, all)
	})
}

// What counts is the queue over weight: 3 of weight 3 crowd no more than 1.
func TestTheHeavyMayHaveLongerQueues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, crowded(8, map[string]fairshare.Share{"heavy": {Weight: 3}}))
		p := acquire(t, s, "holder")
		heavy := queue(s, "heavy", 8)
		light := queue(s, "light", 4)
		for i, w := range light {
			if i < 2 {
				require.False(t, w.over())
			} else {
				requireFull(t, w)
			}
		}
		for i, w := range heavy {
			require.Equal(t, i >= 6, w.over(), "waiter %d", i)
		}
		p.Release()
		releaseInTurn(t, append(heavy[:6], light[:2]...))
	})
}

// The one of the least weight has one waiter, which is much for it; but it is
// not the crowd.
func TestALightWaiterDoesNotKeepNewcomersOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, crowded(10, map[string]fairshare.Share{"light": {Weight: 0.1}}))
		p := acquire(t, s, "holder")
		light := queue(s, "light", 1)
		flood := queue(s, "flood", 9)
		newcomer := begin(background, s, "newcomer")
		require.False(t, newcomer.over())
		requireFull(t, flood[8])
		p.Release()
		releaseInTurn(t, append(flood[:8], light[0], newcomer))
	})
}

// Ten single waiters of equal weight fill the line. A heavy newcomer replaces the
// last of them; its second waiter replaces nobody, and neither does an equal.
func TestSingleWaitersDoNotKeepAHeavyNewcomerOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, crowded(10, map[string]fairshare.Share{"heavy": {Weight: 1000}, "light": {Weight: 0.001}}))
		p := acquire(t, s, "holder")
		var all []*pending
		for i := range 10 {
			all = append(all, queue(s, fmt.Sprint(i), 1)...)
		}
		requireFull(t, begin(background, s, "equal"))
		requireFull(t, begin(background, s, "light"))
		heavy := begin(background, s, "heavy")
		require.False(t, heavy.over())
		requireFull(t, all[9])
		requireFull(t, begin(background, s, "heavy"))
		for _, w := range all[:9] {
			require.False(t, w.over())
		}
		p.Release()
		releaseInTurn(t, append(all[:9], heavy))
	})
}

// A tenant whose own queue is full does not push others out of theirs.
func TestATenantAtItsOwnBoundPushesNobodyOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, crowded(6, map[string]fairshare.Share{"small": {MaxWaiting: 1}}))
		p := acquire(t, s, "holder")
		all := append(queue(s, "flood", 5), queue(s, "small", 1)...)
		w := begin(background, s, "small")
		require.True(t, w.over())
		require.Equal(t, fairshare.QueueFull, w.failed(t).Reason)
		for _, w := range all {
			require.False(t, w.over())
		}
		p.Release()
		releaseInTurn(t, all)
	})
}

func TestTheBoundOnWaitersIsNeverExceeded(t *testing.T) {
	const most = 20
	s := newSemaphore(t, fairshare.Config{
		Capacity: 2, MaxWaiting: most, Default: fairshare.Share{Max: 2},
		Tenants: map[string]fairshare.Share{"1": {Weight: 0.2}, "2": {Weight: 5}},
	})
	seed := newRandom(t).Uint64()
	var granted, full, canceled atomic.Int64
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			for n := range 100 {
				ctx, cancel := context.WithTimeout(background, time.Duration((seed+uint64(n*i))%700)*time.Microsecond)
				p, err := s.Acquire(ctx, fmt.Sprint(i%5))
				switch e, _ := err.(*fairshare.AcquireError); {
				case err == nil:
					granted.Add(1)
					time.Sleep(10 * time.Microsecond)
					p.Release()
				case e.Err == fairshare.ErrQueueFull:
					full.Add(1)
				default:
					canceled.Add(1)
				}
				cancel()
				if stats := s.Stats(); stats.Waiting > most || stats.InUse > 2 {
					t.Errorf("%d waiting, %d in use", stats.Waiting, stats.InUse)
				}
			}
		})
	}
	all.Wait()
	t.Logf("%d granted, %d turned away, %d canceled", granted.Load(), full.Load(), canceled.Load())
	require.EqualValues(t, 6000, granted.Load()+full.Load()+canceled.Load())
	require.NotZero(t, full.Load())
}

// Invented names that are all turned away do not fill the memory.
func TestNamesThatAreTurnedAwayAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, crowded(1, nil))
		p := acquire(t, s, "holder")
		waiting := begin(background, s, "waiting")
		const names = 20_000
		for i := range names {
			_, err := s.Acquire(background, fmt.Sprint("invented", i))
			require.ErrorIs(t, err, fairshare.ErrQueueFull)
		}
		known := 0
		for range s.Tenants() {
			known++
		}
		require.Less(t, known, 17_000)
		require.EqualValues(t, names, s.Stats().Rejected)
		p.Release()
		waiting.granted(t).Release()
	})
}

// BenchmarkFullLine is an Acquire that the bound on all waiters refuses.
func BenchmarkFullLine(b *testing.B) {
	for _, tenants := range []int{10, 10_000} {
		b.Run(fmt.Sprint(tenants, " tenants wait"), func(b *testing.B) {
			s, err := fairshare.NewSemaphore(crowded(tenants, nil))
			require.NoError(b, err)
			defer s.Close()
			_, err = s.Acquire(background, "holder")
			require.NoError(b, err)
			for i := range tenants {
				go s.Acquire(background, fmt.Sprint(i))
			}
			for s.Stats().Waiting < tenants {
				runtime.Gosched()
			}
			b.ResetTimer()
			for b.Loop() {
				if _, err := s.Acquire(background, "newcomer"); err == nil {
					b.Fatal("let in")
				}
			}
		})
	}
}
