package sched

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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

// capacities are the given ones, or the first of them only for a short test.
func capacities(all ...int) []int {
	if testing.Short() {
		return all[:1]
	}
	return all
}
