package fairshare_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

func TestACancelEndsTheWaitAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, slots(1))
		p := acquire(t, s, "a")
		ctx, cancel := context.WithCancel(background)
		var waiting []*pending
		for range 5 {
			waiting = append(waiting, begin(background, s, "b"))
		}
		middle := begin(ctx, s, "b")
		last := begin(background, s, "b")
		time.Sleep(time.Second)
		cancel()
		e := middle.failed(t)
		require.ErrorIs(t, e, context.Canceled)
		require.Equal(t, time.Second, e.Waited)
		require.Equal(t, 6, e.Waiting)
		require.Equal(t, 6, s.Stats().Waiting)
		for _, w := range append(waiting, last) { // still in their order
			p.Release()
			p = w.granted(t)
		}
		p.Release()
	})
}

// Invariant 7, for one waiter: the slot arrives, and the context ends before
// the waiter has looked. Either it has the slot, or an error that says so and
// the slot is free. Either way the grant is charged once.
func TestAGrantThatRacesACancelIsUsedOrPassedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, fairshare.Config{Capacity: 1, Horizon: time.Second})
		tooLate := 0
		const rounds = 500
		for range rounds {
			p := acquire(t, s, "a")
			ctx, cancel := context.WithCancel(background)
			racing, next := begin(ctx, s, "b"), begin(background, s, "b")
			time.Sleep(time.Millisecond)
			p.Release()
			cancel()
			if <-racing.done; racing.err == nil {
				racing.permit.Release()
			} else {
				e := racing.failed(t)
				require.ErrorIs(t, e, context.Canceled)
				require.Equal(t, time.Millisecond, e.Waited)
				if e.Reason == fairshare.HandedOver {
					tooLate++
					require.ErrorContains(t, e, "granted too late")
				}
			}
			next.granted(t).Release()
			require.Zero(t, s.Stats().InUse)
		}
		t.Logf("%d of %d granted too late", tooLate, rounds)
		require.NotZero(t, tooLate, "the race never went this way")
		// Nothing was held by b for any time: what it was charged is the least
		// that a grant costs while others wait, once for each.
		require.EqualValues(t, 2*rounds-tooLate, tenant(s, "b").Acquired, "what came too late was acquired by nobody")
		require.EqualValues(t, tooLate, tenant(s, "b").Canceled)
		require.LessOrEqual(t, tenant(s, "b").Service, 2*rounds*time.Microsecond)
	})
}

// Invariants 1, 3 and 7 with goroutines that really run side by side.
func TestCancelsThatRaceGrantsLoseNothing(t *testing.T) {
	for name, cfg := range map[string]fairshare.Config{
		"work-conserving": slots(4), "strict": strict(4), "headroom": {Capacity: 4, Headroom: 1},
	} {
		t.Run(name, func(t *testing.T) {
			const capacity, callers, rounds = 4, 32, 300
			s := newSemaphore(t, cfg)
			seed := newRandom(t).Uint64()
			var held, granted, inVain atomic.Int64
			var all sync.WaitGroup
			for i := range callers {
				all.Go(func() {
					r := rand.New(rand.NewPCG(seed, uint64(i)))
					tenant := fmt.Sprint(i % 7)
					for range rounds {
						ctx, cancel := context.WithCancel(background)
						// The cancel comes before, during or after the wait.
						after := r.IntN(20)
						all.Go(func() {
							for range after {
								runtime.Gosched()
							}
							cancel()
						})
						p, err := s.Acquire(ctx, tenant)
						if err != nil {
							inVain.Add(1)
							continue
						}
						granted.Add(1)
						if n := held.Add(1); n > capacity {
							t.Errorf("%d holders of %d slots", n, capacity)
						}
						runtime.Gosched()
						held.Add(-1)
						p.Release()
						p.Release()
					}
				})
			}
			all.Wait()
			t.Logf("%d granted, %d in vain", granted.Load(), inVain.Load())
			stats := s.Stats()
			require.Zero(t, stats.InUse)
			require.Zero(t, stats.Waiting)
			require.GreaterOrEqual(t, stats.Acquired, uint64(granted.Load()))

			var permits []fairshare.Permit
			for i := range capacity {
				p, ok := s.TryAcquire(fmt.Sprint("new-", i))
				require.True(t, ok, "slot %d never came back", i)
				permits = append(permits, p)
			}
			releaseAll(permits)
		})
	}
}

// A storm of timeouts costs O(log n) each. 1 s on idle hardware is the target;
// the least that this test insists on is that the storm is not quadratic.
// Whatever else the machine has to do can hold up a storm, but not each one.
func TestAHundredThousandWaitersCancelAtOnce(t *testing.T) {
	waiters := 100_000
	if raceDetector {
		waiters = 20_000
	}
	// Ten times as many take ten times as long, or a hundred times if each has to look at all others.
	const attempts, limit = 5, 30
	for range attempts {
		few := cancelStorm(t, waiters/10)
		if many := cancelStorm(t, waiters); many < limit*few {
			return
		}
	}
	t.Errorf("in none of %d attempts did ten times as many waiters leave within %d times the time", attempts, limit)
}

// cancelStorm returns how long it takes for so many waiters to leave at once.
func cancelStorm(t *testing.T, waiters int) (took time.Duration) {
	const tenants = 1000
	s := newSemaphore(t, slots(1))
	p := acquire(t, s, "holder")
	goroutines := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	var all sync.WaitGroup
	var failed atomic.Int64
	for i := range waiters {
		tenant := fmt.Sprint(i % tenants)
		all.Go(func() {
			if _, err := s.Acquire(ctx, tenant); err != nil {
				failed.Add(1)
			}
		})
	}
	for s.Stats().Waiting < waiters {
		runtime.Gosched()
	}
	// Invariant 9: a waiter is its caller's goroutine, and no other.
	requireGoroutines(t, goroutines+waiters)

	start := time.Now()
	cancel()
	all.Wait()
	took = time.Since(start)
	t.Logf("%d waiters of %d tenants gone in %v", waiters, tenants, took)
	require.EqualValues(t, waiters, failed.Load())
	stats := s.Stats()
	require.Zero(t, stats.Waiting)
	require.EqualValues(t, waiters, stats.Canceled)
	require.Equal(t, 1, stats.InUse)
	p.Release()
	return took
}

// Invariant 9. In a bubble a year is over at once if nothing happens in it; a
// waiter that looked every 10 ms would do so 3,153,600,000 times.
func TestNothingPollsWhileSomebodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, fairshare.Config{Capacity: 1, ShareFunc: fairshare.EqualShare})
		p := acquire(t, s, "a")
		ctx, cancel := context.WithTimeout(background, 2*365*24*time.Hour)
		defer cancel()
		waiting, patient := begin(background, s, "b"), begin(ctx, s, "c")
		time.Sleep(365 * 24 * time.Hour)
		p.Release()
		waiting.granted(t).Release()
		patient.granted(t).Release()
		require.Equal(t, 365*24*time.Hour, patient.waited)
	})
}
