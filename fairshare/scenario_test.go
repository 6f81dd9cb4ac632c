package fairshare_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// A: tenants with short holds get as much slot-time as those with long ones.
func TestScenarioAShortHoldsGetHalfOfTheSlotTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoad(t, slots(4), 200*time.Second)
		short := l.clientsOf(10, "short", 5, exponential(10*time.Millisecond))
		l.clientsOf(10, "long", 5, exponential(time.Second))
		l.all.Wait()
		t.Logf("Jain %.4f, short-hold share %.3f", l.jain(), l.share(short...))
		require.GreaterOrEqual(t, l.jain(), 0.995)
		require.InDelta(t, 0.5, l.share(short...), 0.02)
	})
}

// B: what two tenants hold is steady, also where all slots could come free
// together.
func TestScenarioBSharesAreSteady(t *testing.T) {
	for name, hold := range map[string]holdTime{"constant": constant(time.Second), "exponential": exponential(time.Second)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLoad(t, slots(16), 100*time.Second)
				l.client("f", 17, hold)
				l.client("g", 17, hold)
				time.Sleep(20 * time.Second)
				var squares, n float64
				for !l.over() {
					time.Sleep(37 * time.Millisecond)
					off := float64(tenant(l.s, "f").Held) - 8
					squares += off * off
					n++
				}
				l.all.Wait()
				t.Logf("mean square deviation of what f holds from 8: %.3f", squares/n)
				require.LessOrEqual(t, squares/n, 1.0)
			})
		})
	}
}

// C: a tenant that joins is served at the next release, then has its half.
func TestScenarioCAJoinerIsServedAtTheNextRelease(t *testing.T) {
	var first time.Duration
	var share float64
	const runs = 40
	for range runs {
		synctest.Test(t, func(t *testing.T) {
			l := newLoad(t, slots(16), 60*time.Second)
			l.client("hog", 17, exponential(time.Second))
			time.Sleep(10 * time.Second)
			joiner := l.client("joiner", 17, exponential(time.Second))
			time.Sleep(10 * time.Second)
			l.mu.Lock()
			first += joiner.waits[0]
			l.mu.Unlock()
			l.measure()
			l.all.Wait()
			share += l.share(joiner)
		})
	}
	t.Logf("first wait %v on average, then a share of %.3f", first/runs, share/runs)
	require.InDelta(t, 1.0/16, (first / runs).Seconds(), 0.04)
	require.InDelta(t, 0.5, share/runs, 0.02)
}

// E: what a tenant held while nobody else asked is not held against it.
func TestScenarioEPastUseAloneIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const alone = 300 * time.Second
		joined := time.Now().Add(alone)
		l := newLoad(t, slots(10), 2*alone)
		l.client("f", 9, func(r *rand.Rand) time.Duration {
			if time.Now().Before(joined) {
				return alone
			}
			return exponential(time.Second)(r)
		})
		time.Sleep(alone)
		l.measure()
		l.client("f", 2, exponential(time.Second)) // now backlogged
		g := l.client("g", 11, exponential(time.Second))
		l.all.Wait()
		t.Logf("share of the other %.3f", l.share(g))
		require.InDelta(t, 0.5, l.share(g), 0.03)
	})
}

// G: the slot-time follows the weights, also where the slots do not divide.
func TestScenarioGSharesFollowTheWeights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoad(t, fairshare.Config{Capacity: 8, Tenants: shares{
			"1": {Weight: 1}, "2": {Weight: 2}, "3": {Weight: 3}, "4": {Weight: 4},
		}}, 400*time.Second)
		var all []*client
		for _, name := range []string{"1", "2", "3", "4"} {
			all = append(all, l.client(name, 9, exponential(time.Second)))
		}
		time.Sleep(20 * time.Second)
		l.measure()
		l.all.Wait()
		for i, c := range all {
			t.Logf("weight %d: %.3f", i+1, l.share(c))
			require.InDelta(t, float64(i+1)/10, l.share(c), 0.015)
		}
	})
}

// H: a tenant that holds for long and then asks again, so that its queue is
// empty each time, neither keeps its slot nor sheds its debt.
func TestScenarioHALongHolderInAClosedLoopPaysItsDebt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const cycles = 3
		l := newLoad(t, slots(4), time.Hour)
		long := &client{name: "long"}
		l.clientsOf(20, "short", 5, constant(10*time.Millisecond))
		time.Sleep(time.Second)
		l.turn(long, 10*time.Second)
		l.turn(long, 10*time.Second)
		start := time.Now() // right after a hold: whole cycles of waiting and holding
		for range cycles {
			l.turn(long, 10*time.Second)
		}
		slot := cycles * 10.0 / time.Since(start).Seconds()
		l.stop()
		l.all.Wait()
		t.Logf("the long holder has %.3f slot of a fair 0.190", slot)
		require.InDelta(t, (0.175+0.21)/2, slot, (0.21-0.175)/2)
	})
}

// M: nine waiters of ten give up at some moment. No slot is lost, and the
// shares are those of the weights as without.
func TestScenarioMACancelStormLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoad(t, fairshare.Config{Capacity: 8, Tenants: shares{"b": {Weight: 2}}}, 40*time.Second)
		gaveUp := 0
		for _, name := range []string{"a", "b", "c"} {
			c := &client{name: name}
			l.clients = append(l.clients, c)
			for range 60 {
				seed := l.rng.Uint64()
				l.all.Go(func() {
					r := rand.New(rand.NewPCG(seed, 0))
					for !l.over() {
						ctx, cancel := context.Background(), context.CancelFunc(func() {})
						if r.IntN(10) > 0 {
							ctx, cancel = context.WithTimeout(ctx, time.Duration(r.Int64N(int64(100*time.Millisecond))))
						}
						asked := time.Now()
						if p, err := l.s.Acquire(ctx, c.name); err == nil {
							l.hold(c, p, asked, exponential(100*time.Millisecond)(r))
						} else {
							l.mu.Lock()
							gaveUp++
							l.mu.Unlock()
						}
						cancel()
					}
				})
			}
		}
		l.all.Wait()
		utilization := l.utilization(8)
		t.Logf("%d gave up, utilization %.4f, shares %.3f %.3f %.3f", gaveUp, utilization,
			l.share(l.clients[0]), l.share(l.clients[1]), l.share(l.clients[2]))
		require.Greater(t, gaveUp, 10_000)
		require.Greater(t, utilization, 0.999, "a slot is missing")
		require.InDelta(t, 0.25, l.share(l.clients[0]), 0.02)
		require.InDelta(t, 0.50, l.share(l.clients[1]), 0.02)
		require.InDelta(t, 0.25, l.share(l.clients[2]), 0.02)
	})
}

// O: the capacity goes from 10 to 4 to 12 under load. No grant exceeds it, and
// the shares stay equal in each phase.
func TestScenarioOResizeUnderLoadStaysFairAndBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const phase = 60 * time.Second
		l := newLoad(t, slots(10), 3*phase)
		capacity, before, changed := 10, 10, time.Now()
		l.allowed = func() int {
			if time.Now().Equal(changed) {
				return max(capacity, before) // granted at this instant, before or after
			}
			return capacity
		}
		f := l.client("f", 13, exponential(time.Second))
		l.client("g", 13, exponential(time.Second))
		for i, next := range []int{4, 12, 0} {
			time.Sleep(phase - time.Nanosecond)
			share := l.share(f)
			t.Logf("capacity %d: share of f %.3f", capacity, share)
			require.InDelta(t, 0.5, share, 0.05)
			require.Equal(t, capacity, l.s.Stats().InUse)
			if i == 2 {
				break
			}
			l.measure()
			l.mu.Lock()
			before, capacity, changed = capacity, next, time.Now()
			l.mu.Unlock()
			require.NoError(t, l.s.Resize(next))
		}
		l.all.Wait()
	})
}
