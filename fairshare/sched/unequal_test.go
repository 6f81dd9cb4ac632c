package sched

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Invariant 12: a tenant whose queue is empty for an instant, each time that its last
// waiter is granted a slot, keeps its place, whatever the weights.
func TestAnEmptyQueueForAnInstantForgivesNothing(t *testing.T) {
	for _, capacity := range capacities(2, 7, 32) {
		for _, weights := range [][]float64{{3, 1}, {60, 1}, {1000, 1}, {0.001, 1}, {100, 10, 1}, {200, 200, 1, 1, 1}} {
			for _, workers := range []int{capacity + 1, 2 * capacity} {
				for kind, hold := range map[string]func(*rand.Rand) time.Duration{
					"constant": constant(50 * time.Millisecond), "exponential": exponential(50 * time.Millisecond),
				} {
					shares, sum := make(map[string]Share), 0.0
					for i, w := range weights {
						shares[fmt.Sprint(i)] = Share{Weight: w}
						sum += w
					}
					m := simulate(t, 3, Config{Capacity: capacity, Shares: shares})
					for i := range weights {
						m.workers(m.client(fmt.Sprint(i), hold), workers)
					}
					m.run(20 * time.Second)
					m.measure()
					lightest := min(weights[0], weights[len(weights)-1])
					// Long enough for 40 turns of the lightest.
					m.run(time.Duration(40 * 0.05 * sum / lightest / float64(capacity) * float64(time.Second)))
					for i, w := range weights {
						due := w / sum
						turns := due * total(m.clients) / 0.05
						require.InDelta(t, 1, m.share(m.clients[i])/due, 0.06+3/math.Sqrt(turns),
							"invariant 12: %d slots, weights %v, %d workers, %s holds, weight %v", capacity, weights, workers, kind, w)
					}
				}
			}
		}
	}
}

// Invariants 5 and 12: tenants whose queues are empty for instants only are charged
// within the band of those that are always backlogged, for good: what a tenant is ahead
// is never forgotten, however long its holds and however unlike the weights.
func TestQueuesEmptyForInstantsStayWithinTheBand(t *testing.T) {
	tightest := 0.0
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		cfg := Config{
			Capacity: rapid.IntRange(1, 4).Draw(t, "slots"),
			Burst:    rapid.SampledFrom([]time.Duration{0, -1, 100 * time.Millisecond}).Draw(t, "burst"),
		}
		l := &load{simulation: simulate(t, seed, cfg), most: make(map[*client]int)}
		for i := range rapid.IntRange(2, 3).Draw(t, "tenants") {
			name := fmt.Sprint(i)
			l.s.SetShare(0, name, Share{Weight: math.Exp(rapid.Float64Range(-3, 3).Draw(t, "log of the weight"))})
			hold := l.measured(rapid.SampledFrom([]func(*rand.Rand) time.Duration{
				constant(50 * ms), exponential(50 * ms), atMost(2*time.Second, pareto(1.5, 50*ms)),
				outliers(0.05, ms, time.Second), outliers(0.2, ms, time.Second),
			}).Draw(t, "holds"))
			c := l.client(name, hold)
			l.workers(c, cfg.Capacity+rapid.IntRange(1, 2).Draw(t, "workers more than slots"))
			l.most[c] = c.held // until all come free at once
		}
		l.each(2*time.Second, func() {}) // all of them wait, after the first hold
		least, most := make(map[[2]int]float64), make(map[[2]int]float64)
		for n := range 250 {
			l.each(time.Second, func() {})
			s := l.s.at(l.now)
			for i, f := range l.clients {
				for j, g := range l.clients[:i] {
					d, k := s.charged(s.Find(f.name))-s.charged(s.Find(g.name)), [2]int{i, j}
					if n == 0 {
						least[k], most[k] = d, d
					}
					least[k], most[k] = min(least[k], d), max(most[k], d)
					reached := (most[k] - least[k]) / l.bound(f, g)
					if reached > 1 {
						t.Fatalf("invariant 5: tenants %s and %s: %.3f of the bound", f.name, g.name, reached)
					}
					tightest = max(tightest, reached)
				}
			}
		}
	})
	t.Logf("at most %.2f of the bound was reached", tightest)
}

// Invariant 12: a new weight is effective at once: the debt of one turn at the old weight is one
// turn at the new one.
func TestAnUpgradeIsEffectiveWithinATurn(t *testing.T) {
	for _, capacity := range capacities(2, 10, 32) {
		for _, weight := range []float64{0.002, 0.1} {
			for _, hold := range []time.Duration{20 * time.Millisecond, 2 * time.Second} {
				rivals := 3 * capacity
				m := simulate(t, 1, Config{Capacity: capacity, Shares: map[string]Share{"x": {Weight: weight}}})
				many(m, rivals, "rival", exponential(hold))
				x := m.backlogged("x", exponential(hold))
				turn := time.Duration(rivals+1) * hold / time.Duration(capacity)
				for range 2 { // of its grants
					for n := len(x.waits); len(x.waits) == n; {
						m.run(hold / 20)
					}
				}
				for x.held > 0 { // its slot comes back
					m.run(hold / 20)
				}
				m.s.SetShare(m.now, "x", Share{Weight: 1})
				m.measure()
				for len(x.waits) == 0 && m.now-m.since < 100*turn {
					m.run(hold / 20)
				}
				require.LessOrEqual(t, m.now-m.since, 5*turn, "%d slots, weight %v, holds of %v", capacity, weight, hold)
			}
		}
	}
}

// Invariant 12: nor is it a windfall to wait with credit at a low weight.
func TestAnUpgradeMultipliesNoCredit(t *testing.T) {
	for _, capacity := range capacities(2, 10, 32) {
		for _, weight := range []float64{1000, 1, 0.1, 0.001} {
			const hold = 200 * time.Millisecond
			m := simulate(t, 1, Config{Capacity: capacity, Shares: map[string]Share{"x": {Weight: weight}}})
			many(m, 2*capacity, "rival", exponential(hold))
			x := m.client("x", exponential(hold))
			m.acquire(x, hold, nil)
			m.run(3000 * hold)
			m.workers(x, 2*capacity)
			m.s.SetShare(m.now, "x", Share{Weight: 1})
			m.measure()
			const long = 100 * hold
			m.run(long)
			due := long.Seconds() * float64(capacity) / float64(2*capacity+1)
			// Beyond its share it had the credit, of 4 horizons, and some holds at the end.
			require.LessOrEqual(t, x.slotTime, due+9*hold.Seconds(), "%d slots, weight %v", capacity, weight)
		}
	}
}

// Invariant 12: whoever flips between weights gets no more than the mean of what they are due,
// also if it is light only while it does not wait.
func TestFlippingWeightsEarnsNothing(t *testing.T) {
	for _, weights := range [][2]float64{{0.1, 1.9}, {0.001, 1}, {1, 30}} {
		for _, period := range []time.Duration{30 * time.Millisecond, 3 * time.Second} {
			m := simulate(t, 1, Config{Capacity: 4, Shares: map[string]Share{"x": {Weight: weights[0]}}})
			many(m, 9, "rival", exponential(100*time.Millisecond))
			x := m.backlogged("x", exponential(100*time.Millisecond))
			i, due := 0, 0.0
			for _, w := range weights {
				due += w / (9 + w) / 2
			}
			var flip func()
			flip = func() {
				i++
				m.s.SetShare(m.now, "x", Share{Weight: weights[i%2]})
				m.dispatch(m.now)
				m.after(period, flip)
			}
			flip()
			m.run(600 * time.Second)
			t.Logf("weights %v each for %v: %.3f of the slots, due %.3f", weights, period, m.share(x), due)
			require.LessOrEqual(t, m.share(x), 1.05*due)
			require.GreaterOrEqual(t, m.share(x), 0.7*due)
		}
	}
	for _, idle := range []float64{0.001, 0.2, 5, 1000} {
		m := simulate(t, 1, Config{Capacity: 1})
		many(m, 3, "rival", exponential(100*time.Millisecond))
		x := m.client("x", exponential(100*time.Millisecond))
		var again func()
		again = func() {
			m.s.SetShare(m.now, "x", Share{Weight: idle})
			m.s.SetShare(m.now, "x", Share{Weight: 1})
			m.acquire(x, x.hold(m.rng), again)
		}
		again()
		m.run(1000 * time.Second)
		require.InDelta(t, 0.25, m.share(x), 0.0125, "weight %v while it does not wait", idle)
	}
}

// Figures that no time.Duration holds saturate.
func TestFiguresSaturate(t *testing.T) {
	for _, weight := range []float64{1e-6, 1e-3} {
		m := simulate(t, 1, Config{Capacity: 2, Default: Share{Weight: weight}, Horizon: math.MaxInt64 / 2})
		m.backlogged("x", constant(time.Hour))
		m.backlogged("y", constant(time.Hour))
		m.run(20000 * time.Hour)
		for in := range m.s.Tenants() {
			st := m.s.Status(m.now, in)
			require.EqualValues(t, int64(math.MaxInt64), st.Service)
			require.GreaterOrEqual(t, st.Debt, time.Duration(0))
		}
		away := visit(m.s, m.now, "away")
		m.run(20000 * time.Hour)
		require.EqualValues(t, int64(math.MinInt64), m.s.Status(m.now, away).Debt)
		m.workers(m.client("away", constant(time.Hour)), 3)
		require.Negative(t, m.s.Status(m.now, away).Debt, "a horizon of centuries makes for a credit, not for a debt")
	}
}
