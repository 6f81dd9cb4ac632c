package sched

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The scenarios by which every change of the rule is judged, in virtual time.
// "Backlogged" means that a tenant waits at all times, whatever it holds.

func many(m *simulation, n int, name string, hold func(*rand.Rand) time.Duration) []*client {
	var all []*client
	for i := range n {
		all = append(all, m.backlogged(fmt.Sprint(name, i), hold))
	}
	return all
}

// A: tenants with short holds get as much as those with long ones.
func TestScenarioAShortHoldsGetHalfTheSlotTime(t *testing.T) {
	for seed := range uint64(2) {
		m := simulate(t, seed, Config{Capacity: 4})
		short := many(m, 10, "short", exponential(10*time.Millisecond))
		many(m, 10, "long", exponential(time.Second))
		m.run(600 * time.Second)
		t.Logf("seed %d: Jain %.4f, short-hold share %.3f, utilization %.3f, horizon %v",
			seed, jain(m.clients), m.share(short...), m.utilization(), m.s.Horizon())
		require.GreaterOrEqual(t, jain(m.clients), 0.995)
		require.InDelta(t, 0.5, m.share(short...), 0.02)
		require.Greater(t, m.utilization(), 0.999)
	}
}

// B: two tenants stay at half of the slots each, rather than taking all in turn.
func TestScenarioBSharesAreSteady(t *testing.T) {
	for name, hold := range map[string]func(*rand.Rand) time.Duration{
		"constant":    constant(time.Second),
		"exponential": exponential(time.Second),
		"pareto":      pareto(1.5, time.Second),
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(3) {
				m := simulate(t, seed, Config{Capacity: 16})
				f := m.backlogged("f", hold)
				m.backlogged("g", hold)
				m.run(20 * time.Second)
				m.measure()
				m.run(600 * time.Second)
				t.Logf("seed %d: std. dev. of held %.2f, share %.3f, horizon %v", seed, m.deviation(f), m.share(f), m.s.Horizon())
				require.LessOrEqual(t, m.deviation(f), 1.0)
				require.InDelta(t, 0.5, m.share(f), 0.02)
			}
		})
	}
}

// C: a tenant that joins is served at the next release, then has its half.
func TestScenarioCJoinerIsServedAtTheNextRelease(t *testing.T) {
	var first []time.Duration
	var joined, all float64
	for seed := range uint64(200) {
		m := simulate(t, seed, Config{Capacity: 16})
		m.backlogged("hog", exponential(time.Second))
		m.run(10 * time.Second)
		m.measure()
		joiner := m.backlogged("joiner", exponential(time.Second))
		for len(joiner.waits) == 0 {
			m.run(time.Millisecond)
		}
		first = append(first, joiner.waits[0])
		m.run(3 * time.Second) // let the hog's slots drain
		m.measure()
		m.run(30 * time.Second)
		joined += joiner.slotTime
		all += total(m.clients)
	}
	t.Logf("seeds 0-199: first wait mean %v, p99 %v; then share %.3f", mean(first), quantile(first, 0.99), joined/all)
	require.InDelta(t, 1.0/16, mean(first).Seconds(), 0.01)
	require.InDelta(t, 0.5, joined/all, 0.02)
}

// D: a light tenant among heavy ones is served at the next release.
func TestScenarioDLightTenantIsServedPromptly(t *testing.T) {
	m := simulate(t, 1, Config{Capacity: 16})
	many(m, 10, "heavy", exponential(time.Second))
	m.run(20 * time.Second)
	light := m.client("light", exponential(time.Second))
	m.arrivals(0.3, func() { m.acquire(light, light.hold(m.rng), nil) })
	m.run(10_000 * time.Second)
	t.Logf("light tenant, %d requests: wait p50 %v, p99 %v, worst %v",
		len(light.waits), quantile(light.waits, 0.5), quantile(light.waits, 0.99), quantile(light.waits, 1))
	require.LessOrEqual(t, quantile(light.waits, 0.99), 400*time.Millisecond)
}

// E: what a tenant held while nobody else wanted it is not held against it.
func TestScenarioEPastUseWithoutRivalsIsFree(t *testing.T) {
	hold := exponential(time.Second)
	for name, alone := range map[string]func(m *simulation, c *client){
		"9 holds of 300 s": func(m *simulation, c *client) {
			for range 9 {
				m.acquire(c, 300*time.Second, nil)
			}
		},
		"9 workers": func(m *simulation, c *client) {
			for range 9 {
				m.work(c, 300*time.Second)
			}
		},
		"12 workers on 10 slots": func(m *simulation, c *client) {
			for range 12 {
				m.work(c, 300*time.Second)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := simulate(t, 1, Config{Capacity: 10})
			f := m.client("f", hold)
			alone(m, f)
			m.run(300 * time.Second)
			m.measure()
			m.workers(f, 11)
			g := m.backlogged("g", hold)
			m.run(60 * time.Second)
			early := m.share(f)
			m.run(240 * time.Second)
			t.Logf("share in the first minute %.3f, in 5 minutes %.3f", early, m.share(f))
			require.InDelta(t, 0.5, early, 0.03)
			require.InDelta(t, 0.5, m.share(f), 0.03)
			require.InDelta(t, 0.5, m.share(g), 0.03)
		})
	}
}

// F: as A, with many more tenants than slots.
func TestScenarioFManyTenantsWithUnlikeHolds(t *testing.T) {
	m := simulate(t, 1, Config{Capacity: 16})
	short := many(m, 50, "short", exponential(10*time.Millisecond))
	many(m, 50, "long", exponential(time.Second))
	m.run(200 * time.Second)
	t.Logf("Jain %.4f, short-hold share %.3f, horizon %v", jain(m.clients), m.share(short...), m.s.Horizon())
	require.GreaterOrEqual(t, jain(m.clients), 0.99)
	require.InDelta(t, 0.5, m.share(short...), 0.02)
}

// G: slot-time follows the weights, also where the slots do not divide evenly.
func TestScenarioGSharesFollowWeights(t *testing.T) {
	for name, hold := range map[string]func(*rand.Rand) time.Duration{
		"constant":    constant(time.Second),
		"exponential": exponential(time.Second),
		"pareto":      pareto(1.5, time.Second),
	} {
		t.Run(name, func(t *testing.T) {
			shares := make(map[string]Share)
			for w := 1; w <= 4; w++ {
				shares[fmt.Sprint(w)] = Share{Weight: float64(w)}
			}
			m := simulate(t, 1, Config{Capacity: 8, Shares: shares})
			for w := 1; w <= 4; w++ {
				m.backlogged(fmt.Sprint(w), hold)
			}
			m.run(600 * time.Second)
			for i, c := range m.clients {
				t.Logf("weight %s: share %.3f", c.name, m.share(c))
				require.InDelta(t, float64(i+1)/10, m.share(c), 0.015)
			}
		})
	}
}

// H: a tenant whose queue is empty each time it is served keeps its debt.
func TestScenarioHClosedLoopDoesNotWipeDebt(t *testing.T) {
	m := simulate(t, 1, Config{Capacity: 4})
	many(m, 20, "short", exponential(10*time.Millisecond))
	long := m.client("long", constant(10*time.Second))
	m.workers(long, 1)
	m.run(100 * time.Second)
	m.measure()
	m.run(1200 * time.Second)
	slots := long.slotTime / 1200
	t.Logf("the long-hold tenant had %.3f of a slot, equal share %.3f, horizon %v", slots, 4.0/21, m.s.Horizon())
	require.GreaterOrEqual(t, slots, 0.175)
	require.LessOrEqual(t, slots, 0.21)
}

// I: a hundred times more tenants than slots.
func TestScenarioIThousandTenantsOnTenSlots(t *testing.T) {
	m := simulate(t, 1, Config{Capacity: 10})
	for i := range 1000 {
		// mean holds from 10 ms to 1 s
		hold := time.Duration(10+i%100*10) * time.Millisecond
		m.backlogged(fmt.Sprint(i), exponential(hold))
	}
	m.run(2000 * time.Second)
	t.Logf("Jain %.4f, horizon %v", jain(m.clients), m.s.Horizon())
	require.GreaterOrEqual(t, jain(m.clients), 0.99)
}

// P: what a tenant holds below its share, beside a single one that always
// waits, does not make it wait longer for the next slot.
func TestScenarioPLightTenantBesideALoneHogIsServedPromptly(t *testing.T) {
	m := simulate(t, 1, Config{Capacity: 16})
	m.backlogged("hog", exponential(time.Second))
	m.run(20 * time.Second)
	light := m.client("light", exponential(10*time.Second))
	m.arrivals(0.1, func() { m.acquire(light, light.hold(m.rng), nil) })
	m.run(10_000 * time.Second)
	t.Logf("light tenant, %d requests: wait p50 %v, p99 %v, worst %v",
		len(light.waits), quantile(light.waits, 0.5), quantile(light.waits, 0.99), quantile(light.waits, 1))
	require.LessOrEqual(t, quantile(light.waits, 0.99), 400*time.Millisecond)
}

// The same with one slot held for long: the other has had fifteen meanwhile.
func TestOneSlotHeldForLongIsNoDebtToALoneHog(t *testing.T) {
	m := simulate(t, 1, Config{Capacity: 16})
	m.backlogged("hog", exponential(time.Second))
	light := m.client("light", constant(time.Hour))
	m.acquire(light, time.Hour, nil)
	m.run(300 * time.Second)
	m.acquire(light, time.Second, nil)
	m.run(10 * time.Second)
	require.Len(t, light.waits, 2, "still waits for its second slot")
	require.LessOrEqual(t, light.waits[1], time.Second)
}
