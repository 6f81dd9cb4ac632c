package upstream_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/adapters/internal/upstream"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// An api refuses what it does not bear: calls beyond so many at once, or beyond so
// many a second.
type api struct {
	latency    time.Duration
	atOnce     int
	rate       float64 // a second; 0: any
	burst      float64
	retryAfter time.Duration

	mu      sync.Mutex
	inside  int
	tokens  float64
	filled  time.Time
	served  []time.Time
	refused []time.Time
}

func (a *api) call() (ok bool) {
	a.mu.Lock()
	now := time.Now()
	a.tokens = min(a.burst, a.tokens+a.rate*now.Sub(a.filled).Seconds())
	a.filled = now
	if a.atOnce > 0 && a.inside >= a.atOnce || a.rate > 0 && a.tokens < 1 {
		a.refused = append(a.refused, now)
		a.mu.Unlock()
		time.Sleep(time.Millisecond)
		return false
	}
	a.inside++
	a.tokens--
	a.mu.Unlock()
	time.Sleep(a.latency)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.inside--
	a.served = append(a.served, time.Now())
	return true
}

// between counts what happened from one time after begun to another.
func between(when []time.Time, begun time.Time, from, to time.Duration) (n int) {
	for _, t := range when {
		if d := t.Sub(begun); d >= from && d < to {
			n++
		}
	}
	return n
}

// drive has so many workers call the API by way of slots for a while.
func drive(t *testing.T, a *api, slots, workers int, lasts time.Duration) (begun time.Time, u *upstream.Upstream) {
	t.Helper()
	sem, err := fairshare.NewSemaphore(fairshare.Config{Capacity: slots})
	require.NoError(t, err)
	u = newUpstream(t, sem, upstream.Config{})
	begun = time.Now()
	a.filled, a.tokens = begun, a.burst
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for time.Since(begun) < lasts {
				c := begin(t, u)
				if a.call() {
					c.Succeeded()
				} else {
					c.Overloaded(a.retryAfter)
				}
				c.End()
			}
		})
	}
	all.Wait()
	return begun, u
}

func TestAnAPIThatBearsFewerAtOnceGetsAsManyWithinTwoPauses(t *testing.T) {
	for _, bears := range []int{1, 2, 4, 7, 15, 30, 38, 39} {
		for _, retryAfter := range []time.Duration{0, time.Second, 3 * time.Second} {
			t.Run(fmt.Sprintf("%d of 40, Retry-After %v", bears, retryAfter), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a := &api{latency: 50 * time.Millisecond, atOnce: bears, retryAfter: retryAfter}
					begun, u := drive(t, a, 40, 60, 14*time.Second)
					from := 2 * max(retryAfter, time.Second)
					best := float64(bears) * float64(4*time.Second) / float64(a.latency)
					require.GreaterOrEqual(t, float64(between(a.served, begun, from, from+4*time.Second)), 0.9*best)
					// What was sent before the first refusal and while it was heeded, and two
					// steps up of two calls.
					require.LessOrEqual(t, len(a.refused), 2*(40-bears)+2*2)
					require.LessOrEqual(t, u.Stats().Capacity, bears+2)
				})
			})
		}
	}
}

func TestAnAPIWithARateIsUsedToNineteenTwentieths(t *testing.T) {
	for _, burst := range []float64{20, 40, 100} {
		synctest.Test(t, func(t *testing.T) {
			a := &api{latency: 40 * time.Millisecond, rate: 200, burst: burst, retryAfter: time.Second}
			begun, u := drive(t, a, 12, 50, 30*time.Second)
			served := between(a.served, begun, 0, 15*time.Second)
			t.Logf("burst %v: served %d of 3000, capacity %d, pauses %d", burst, served, u.Stats().Capacity, u.Stats().Pauses)
			require.GreaterOrEqual(t, served, 3000*90/100)
		})
	}
}

// What refuses everything for a while says nothing of how much it bears otherwise.
func TestAfterAnOutageTheCapacityIsSoonWhatItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{latency: 50 * time.Millisecond, retryAfter: time.Second}
		go func() {
			time.Sleep(3 * time.Second)
			a.mu.Lock()
			a.rate = 1e-9 // refuses all
			a.mu.Unlock()
			time.Sleep(5 * time.Second)
			a.mu.Lock()
			a.rate = 0
			a.mu.Unlock()
		}()
		begun, u := drive(t, a, 40, 60, 20*time.Second)
		require.Greater(t, between(a.served, begun, 10*time.Second, 11*time.Second), 40*20*9/10)
		require.Equal(t, 40, u.Stats().Capacity)
		require.Less(t, len(a.refused), 200)
	})
}
