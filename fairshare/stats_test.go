package fairshare_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// requireSums fails unless the figures add up.
func requireSums(t *testing.T, s *fairshare.Semaphore) fairshare.Stats {
	t.Helper()
	synctest.Wait()
	stats := s.Stats()
	require.Equal(t, stats.Canceled, stats.TimedOut+stats.Expired+stats.Abandoned+stats.Failed)
	require.Equal(t, stats.TimedHolds, stats.Holds.Total())
	require.LessOrEqual(t, stats.TimedHolds, stats.Acquired)
	require.Equal(t, max(0, stats.Capacity-stats.InUse), stats.Free())
	var sum fairshare.TenantStats
	active := 0
	for _, tenant := range s.Tenants() {
		sum.Held += tenant.Held
		sum.Waiting += tenant.Waiting
		sum.Acquired += tenant.Acquired
		sum.Rejected += tenant.Rejected
		sum.Canceled += tenant.Canceled
		if tenant.Held > 0 || tenant.Waiting > 0 || tenant.Joined {
			active++
		}
	}
	require.Equal(t, stats.ActiveTenants, active)
	require.Equal(t, stats.InUse, sum.Held)
	require.Equal(t, stats.Waiting, sum.Waiting)
	require.Equal(t, stats.Acquired, sum.Acquired)
	require.Equal(t, stats.Rejected, sum.Rejected)
	require.Equal(t, stats.Canceled, sum.Canceled)
	return stats
}

// An outage must not make the figures of the waits any better.
func TestAWaitInVainIsCountedByItsLengthAndByWhatEndedIt(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(s *fairshare.Semaphore, cancel context.CancelFunc)
		cfg  fairshare.Config
		ends func(fairshare.Stats) uint64
	}{
		"AcquireTimeout": {
			cfg:  fairshare.Config{AcquireTimeout: 5 * time.Second},
			ends: func(s fairshare.Stats) uint64 { return s.TimedOut },
		},
		"deadline": {ends: func(s fairshare.Stats) uint64 { return s.Expired }},
		"cancel": {
			end:  func(_ *fairshare.Semaphore, cancel context.CancelFunc) { cancel() },
			ends: func(s fairshare.Stats) uint64 { return s.Abandoned },
		},
		"close": {
			end:  func(s *fairshare.Semaphore, _ context.CancelFunc) { s.Close() },
			ends: func(s fairshare.Stats) uint64 { return s.Failed },
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.cfg.Capacity = 1
				s := newSemaphore(t, c.cfg)
				p := acquire(t, s, "a")
				ctx, cancel := context.WithCancel(background)
				if c.end == nil && c.cfg.AcquireTimeout == 0 {
					ctx, cancel = context.WithTimeout(background, 5*time.Second)
				}
				defer cancel()
				var waiting []*pending
				for range 100 {
					waiting = append(waiting, begin(ctx, s, "b"))
				}
				time.Sleep(5 * time.Second)
				if c.end != nil {
					c.end(s, cancel)
				}
				for _, w := range waiting {
					w.failed(t)
				}
				stats := requireSums(t, s)
				require.EqualValues(t, 100, c.ends(stats))
				require.EqualValues(t, 100, stats.Canceled)
				require.EqualValues(t, 100, stats.Waits.Total())
				require.Equal(t, 500*time.Second, stats.WaitTime)
				require.GreaterOrEqual(t, stats.Waits.Quantile(0.01), 5*time.Second)
				require.EqualValues(t, 1, stats.Acquired)
				p.Release()
			})
		})
	}
}

func TestANewcomerThatTakesAPlaceInTheQueueEndsAWaitInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, fairshare.Config{Capacity: 1, MaxWaiting: 2})
		p := acquire(t, s, "a")
		first, last := begin(background, s, "a"), begin(background, s, "a")
		newcomer := begin(background, s, "b")
		require.ErrorIs(t, last.failed(t), fairshare.ErrQueueFull)
		stats := requireSums(t, s)
		require.EqualValues(t, 1, stats.Failed)
		require.Zero(t, stats.Rejected, "it had waited")
		p.Release()
		releaseInTurn(t, []*pending{first, newcomer})
	})
}

// Every Acquire is counted once, whatever became of it, and the figures agree with
// what the callers saw.
func TestTheFiguresAddUpInARandomHistory(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			r := newRandom(t)
			cfg := fairshare.Config{
				Capacity: 1 + r.IntN(4), MaxWaiting: r.IntN(2) * (1 + r.IntN(8)), RejectLate: r.IntN(2) == 0,
				Default: fairshare.Share{MaxWaiting: r.IntN(5), Max: r.IntN(3)}, Headroom: r.IntN(2),
			}
			if r.IntN(2) == 0 {
				cfg.AcquireTimeout = time.Duration(1+r.IntN(50)) * time.Millisecond
			}
			s := newSemaphore(t, cfg)
			seed := r.Uint64()
			var mu sync.Mutex
			var acquired, inVain, late, rejected uint64
			var all sync.WaitGroup
			for i := range 30 {
				all.Go(func() {
					r := rand.New(rand.NewPCG(seed, uint64(i)))
					for range 20 {
						ctx, cancel := context.WithTimeout(background, time.Duration(1+r.IntN(40))*time.Millisecond)
						if r.IntN(3) == 0 {
							time.AfterFunc(time.Duration(r.IntN(20))*time.Millisecond, cancel)
						}
						p, err := s.Acquire(ctx, fmt.Sprint(r.IntN(5)))
						var e *fairshare.AcquireError
						errors.As(err, &e)
						mu.Lock()
						switch {
						case err == nil:
							acquired++
						case e.Reason == fairshare.BeforeWaiting:
						case e.Reason == fairshare.HandedOver:
							late++
							inVain++
						case e.Waited == 0 && (e.Err == fairshare.ErrQueueFull || e.Err == fairshare.ErrLate):
							rejected++
						default:
							inVain++
						}
						mu.Unlock()
						time.Sleep(time.Duration(r.IntN(10)) * time.Millisecond)
						p.Release()
						cancel()
					}
				})
			}
			for range 10 {
				time.Sleep(20 * time.Millisecond)
				requireSums(t, s)
			}
			all.Wait()
			stats := requireSums(t, s)
			require.Equal(t, acquired, stats.Acquired)
			// Of those that never waited for any time, one that was displaced looks
			// to its caller like one that found the queue full.
			require.Equal(t, inVain+rejected, stats.Canceled+stats.Rejected)
			t.Logf("%d acquired, %d in vain, %d of them too late, %d rejected", acquired, inVain, late, rejected)
		})
	}
}

func TestStatsAreReadInTwoLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(t, slots(2))
		p := acquire(t, s, "a")
		other := acquire(t, s, "b")
		w := begin(background, s, "c")
		time.Sleep(1234567 * time.Microsecond)
		text := "2 of 2 slots in use, 0 free; 1 waiting, for up to 1.23s; 3 tenants active\n" +
			"since the start: 2 acquired, 0 rejected, 0 canceled (0 timed out, 0 expired, 0 abandoned, 0 failed); waits: none; holds: none"
		for _, format := range []string{"%v", "%+v", "%s"} {
			require.Equal(t, text, fmt.Sprintf(format, s.Stats()))
		}
		s.Suspend()
		require.Contains(t, s.Stats().String(), "; suspended\n")
		s.Resume()
		p.Release()
		w.granted(t).Release()
		other.Release()
		require.Contains(t, s.Stats().String(), "waits: 1, half of them < 2.1s, 99% < 2.1s, all < 2.1s")
		require.Equal(t, 1, strings.Count(s.Stats().String(), "\n"))
	})
}
