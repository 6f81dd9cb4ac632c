package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/semaphore"
)

// Requests of several slots under three rules, the real code of two of them, in
// virtual time: 16 slots, four tenants with 8 workers each that want one slot for
// Exp(100 ms), and one tenant that wants 12 for as long, then pauses for a second.
//
// x/sync has everybody wait behind the request at the head. Whoever fits is what one
// writes by hand: it serves the first that there are enough slots for.
const (
	largeCapacity = 16
	largeSize     = 12
	largeTime     = 300 * time.Second
)

// An admit waits for n slots and returns what gives them back.
type admit func(tenant string, n int) (release func())

func oursAdmit(t *testing.T) admit {
	s, err := fairshare.NewSemaphore(fairshare.Config{Capacity: largeCapacity})
	require.NoError(t, err)
	return func(tenant string, n int) func() {
		p, err := s.AcquireN(context.Background(), tenant, n)
		if err != nil {
			panic(err)
		}
		return p.Release
	}
}

func xsyncAdmit(*testing.T) admit {
	s := semaphore.NewWeighted(largeCapacity)
	return func(_ string, n int) func() {
		if err := s.Acquire(context.Background(), int64(n)); err != nil {
			panic(err)
		}
		return func() { s.Release(int64(n)) }
	}
}

// fitting serves the first waiter that there are enough slots for.
type fitting struct {
	mu      sync.Mutex
	free    int
	waiters []*fit
}

type fit struct {
	n     int
	ready chan struct{}
}

func (f *fitting) admit(_ string, n int) func() {
	f.mu.Lock()
	w := &fit{n, make(chan struct{})}
	f.waiters = append(f.waiters, w)
	f.serveLocked()
	f.mu.Unlock()
	<-w.ready
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.free += n
		f.serveLocked()
	}
}

func (f *fitting) serveLocked() {
	f.waiters = slices.DeleteFunc(f.waiters, func(w *fit) bool {
		if w.n > f.free {
			return false
		}
		f.free -= w.n
		close(w.ready)
		return true
	})
}

// A largeResult is what came of the load.
type largeResult struct {
	used         float64 // part of all slot-time
	small, large []time.Duration
	largeShare   float64 // of the slot-time that was used
}

func runLarge(t *testing.T, rule func(*testing.T) admit, workersOfLarge int, pause time.Duration) (r largeResult) {
	synctest.Test(t, func(t *testing.T) {
		ask := rule(t)
		var mu sync.Mutex
		var workers sync.WaitGroup
		begun := time.Now()
		var all, large time.Duration
		work := func(seed uint64, tenant string, n int, pause time.Duration) {
			rng := rand.New(rand.NewPCG(seed, 7))
			for time.Since(begun) < largeTime {
				asked := time.Now()
				release := ask(tenant, n)
				wait := time.Since(asked)
				hold := time.Duration(rng.ExpFloat64() * float64(100*time.Millisecond))
				time.Sleep(hold)
				release()
				mu.Lock()
				all += time.Duration(n) * hold
				if n > 1 {
					large += time.Duration(n) * hold
					r.large = append(r.large, wait)
				} else {
					r.small = append(r.small, wait)
				}
				mu.Unlock()
				time.Sleep(pause)
			}
		}
		for i := range uint64(32) {
			workers.Go(func() { work(i, fmt.Sprint("small", i%4), 1, 0) })
		}
		for i := range uint64(workersOfLarge) {
			workers.Go(func() { work(100+i, "large", largeSize, pause) })
		}
		workers.Wait()
		r.used = float64(all) / float64(largeCapacity) / float64(time.Since(begun))
		r.largeShare = float64(large) / float64(all)
	})
	return r
}

func quantileOf(waits []time.Duration, q float64) time.Duration {
	slices.Sort(waits)
	return waits[int(q*float64(len(waits)-1))].Round(time.Millisecond)
}

func TestRequestsOfSeveralSlotsBesideOtherRules(t *testing.T) {
	now := largeResults(t, "one request now and then", 1, time.Second)
	ours, xsync, fits := now["fairpool"], now["x/sync"], now["whoever fits"]
	require.Less(t, quantileOf(ours.large, 1), 3*time.Second, "it is not starved")
	require.Less(t, 5*len(fits.large), len(ours.large), "whoever fits starves it")
	require.Greater(t, ours.used, xsync.used-0.03, "utilization")

	flood := largeResults(t, "a flood of them", 16, 0)
	ours, xsync = flood["fairpool"], flood["x/sync"]
	require.InDelta(t, 0.2, ours.largeShare, 0.1, "one tenant of five")
	require.Greater(t, xsync.largeShare, 0.6, "whoever asks for more gets more")
	require.Less(t, quantileOf(ours.small, 0.5), quantileOf(xsync.small, 0.5)/2)
}

func largeResults(t *testing.T, load string, workers int, pause time.Duration) map[string]largeResult {
	results := make(map[string]largeResult)
	for _, c := range []struct {
		name string
		rule func(*testing.T) admit
	}{
		{"fairpool", oursAdmit},
		{"x/sync", xsyncAdmit},
		{"whoever fits", func(*testing.T) admit { return (&fitting{free: largeCapacity}).admit }},
	} {
		r := runLarge(t, c.rule, workers, pause)
		results[c.name] = r
		t.Logf("%s, %-12s: utilization %.3f; large: %3d served, p50 wait %v, worst %v, share %.2f; small: %5d served, p50 wait %v, p99 %v, worst %v",
			load, c.name, r.used, len(r.large), quantileOf(r.large, 0.5), quantileOf(r.large, 1), r.largeShare,
			len(r.small), quantileOf(r.small, 0.5), quantileOf(r.small, 0.99), quantileOf(r.small, 1))
	}
	return results
}
