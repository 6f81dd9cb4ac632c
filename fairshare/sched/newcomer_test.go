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

// Invariant 11: requests that each come under a name of their own get what as many
// steady tenants with one request each would get, and the others wait no longer for them.
func TestANamePerRequestEarnsNothing(t *testing.T) {
	ask := map[string]func(m *simulation, c *client, name string, done func()){
		"at once": func(m *simulation, c *client, name string, done func()) {
			c.name = name
			m.acquire(c, c.hold(m.rng), done)
		},
		// To have been seen before is worth no more than to have been served.
		"announced by a request that gives up": func(m *simulation, c *client, name string, done func()) {
			c.name = name
			m.cancel(m.acquire(c, 0, nil))
			m.after(time.Second, func() {
				c.name = name
				m.acquire(c, c.hold(m.rng), done)
			})
		},
	}
	for _, capacity := range capacities(2, 6, 32) {
		for _, hold := range []time.Duration{7 * time.Millisecond, 400 * time.Millisecond} {
			weight := hold.Seconds() // any
			for how, ask := range ask {
				names := 2 * capacity
				name := fmt.Sprintf("%d slots, holds of %v, %s", capacity, hold, how)
				t.Run(name, func(t *testing.T) {
					run := func(fresh bool) (share float64, longest time.Duration) {
						m := simulate(t, 1, Config{Capacity: capacity, Default: Share{Weight: weight}})
						steady := many(m, 3, "steady", exponential(hold))
						m.run(20 * hold)
						m.measure()
						others := m.client("", exponential(hold))
						id := 0
						var again func(i int)
						again = func(i int) {
							if !fresh {
								others.name = fmt.Sprint("name", i)
								m.acquire(others, others.hold(m.rng), func() { again(i) })
								return
							}
							id++
							ask(m, others, fmt.Sprint("name", i, " ", id), func() { again(i) })
						}
						for i := range names {
							again(i)
						}
						m.run(1000 * hold)
						for _, c := range steady {
							longest = max(longest, quantile(c.waits, 0.99))
						}
						return m.share(others), longest
					}
					want, wait := run(false)
					got, longest := run(true)
					t.Logf("share of %d fresh names %.3f, of as many steady ones %.3f; the others' waits at p99 %v and %v", names, got, want, longest, wait)
					require.LessOrEqual(t, got, 1.1*want, "invariant 11")
					require.LessOrEqual(t, longest, 2*wait, "invariant 11")
				})
			}
		}
	}
}

// Nor does it pay to use each name twice, first for a tiny request, so that it is known and
// earns the credit of an absence: that gets less than as many names would that are kept.
func TestANameThatWasUsedForATinyRequestEarnsNoMoreThanOneThatIsKept(t *testing.T) {
	for _, hold := range []time.Duration{100 * ms, 400 * ms} {
		begin := func() (*simulation, *client) {
			m := simulate(t, 1, Config{Capacity: 4})
			many(m, 5, "rival", exponential(100*ms))
			m.run(20 * time.Second)
			m.measure()
			return m, m.client("", exponential(hold))
		}
		m, c := begin()
		id, used, inUse := 0, 0, 0.0
		var next func()
		next = func() {
			id++
			name, since := fmt.Sprint("name", id), m.now
			c.name = name
			m.acquire(c, 100*time.Microsecond, func() {
				m.after(2*time.Second, func() {
					c.name = name
					m.acquire(c, c.hold(m.rng), func() {
						used++
						inUse += (m.now - since).Seconds()
					})
				})
				next()
			})
		}
		for range 4 {
			next()
		}
		const long = 200 * time.Second
		m.run(long)
		got, names := m.share(c), int(inUse/long.Seconds())

		m, c = begin()
		var again func(i int)
		again = func(i int) {
			c.name = fmt.Sprint("kept", i)
			m.acquire(c, c.hold(m.rng), func() { again(i) })
		}
		for i := range names {
			again(i)
		}
		m.run(long)
		t.Logf("holds of %v: %d names, of which %d are in use at a time: %.3f of the slots, as many that are kept %.3f", hold, used, names, got, m.share(c))
		require.Greater(t, names, 20)
		require.LessOrEqual(t, got, 1.05*m.share(c), "invariant 11: holds of %v", hold)
	}
}

// A request that gives up and comes back goes on from where it stood, or those
// who are less patient than their first turn is far would never be served.
func TestANewcomerThatAsksAgainIsServedInTheEnd(t *testing.T) {
	for _, tenants := range []int{20, 100} {
		m := simulate(t, 1, Config{Capacity: 2})
		many(m, tenants, "steady", constant(100*time.Millisecond))
		m.run(20 * time.Second)
		c := m.client("impatient", constant(100*time.Millisecond))
		m.measure()
		var retry func()
		retry = func() {
			j := m.acquire(c, 100*time.Millisecond, nil)
			m.after(150*time.Millisecond, func() {
				if m.cancel(j) {
					m.after(time.Millisecond, retry)
				}
			})
		}
		retry()
		round := time.Duration(tenants) * 100 * time.Millisecond / 2
		m.run(2 * round)
		require.Len(t, c.waits, 1, "%d tenants", tenants)
	}
}

// A newcomer is served within H + sum(m*H + (H+R)*m + B)/N beside rivals that stay
// backlogged, whatever their weights and holds.
func TestANewcomerIsServedWithinItsBound(t *testing.T) {
	tightest := 0.0
	rapid.Check(t, func(t *rapid.T) {
		cfg := Config{
			Capacity: rapid.IntRange(1, 8).Draw(t, "slots"),
			Horizon:  rapid.SampledFrom([]time.Duration{0, 0, 20 * ms, time.Second}).Draw(t, "horizon"),
			Burst:    rapid.SampledFrom([]time.Duration{0, -1, 300 * ms}).Draw(t, "burst"),
		}
		l := &load{simulation: simulate(t, rapid.Uint64().Draw(t, "seed"), cfg), most: make(map[*client]int)}
		for i := range rapid.IntRange(1, 6).Draw(t, "rivals") {
			name := fmt.Sprint(i)
			l.s.SetShare(0, name, Share{Weight: math.Exp(rapid.Float64Range(-3, 3).Draw(t, "log of the weight"))})
			c := l.client(name, l.measured(rapid.SampledFrom([]func(*rand.Rand) time.Duration{
				constant(50 * ms), exponential(100 * ms), pareto(1.5, 50*ms), outliers(0.1, ms, time.Second),
			}).Draw(t, "holds")))
			l.workers(c, cfg.Capacity+1)
			l.most[c] = c.held
		}
		l.each(2*time.Second, func() {})
		weight := math.Exp(rapid.Float64Range(-3, 3).Draw(t, "log of the newcomer's weight"))
		for n := range 20 {
			l.each(time.Duration(l.rng.Int64N(int64(time.Second))), func() {})
			name := fmt.Sprint("newcomer", n)
			l.s.SetShare(l.now, name, Share{Weight: weight})
			rivals := l.clients[:len(l.clients):len(l.clients)]
			c := l.client(name, constant(0))
			j := l.acquire(c, 0, nil)
			l.clients = rivals // it is no rival of the next one
			for j.Seq() != 0 {
				l.each(l.events[0].at-l.now+1, func() {})
			}
			sum := 0.0
			for _, r := range rivals {
				m, h := float64(l.most[r]), float64(l.longest+minGrant)
				sum += m*h + (h+float64(l.horizon))*m + float64(l.burst())
			}
			bound := float64(l.longest) + sum/float64(cfg.Capacity)
			reached := float64(c.waits[0]) / bound
			if reached > 1 {
				t.Fatalf("newcomer %d of weight %v waited %v, %.2f of the bound", n, weight, c.waits[0], reached)
			}
			tightest = max(tightest, reached)
		}
	})
	t.Logf("at most %.2f of the bound was reached", tightest)
}

// capacities are the given ones, or the first of them only for a short test.
func capacities(all ...int) []int {
	if testing.Short() {
		return all[:1]
	}
	return all
}
