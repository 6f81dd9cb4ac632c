package sched

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The rules that the projection improves on, at their worst: they show that the
// scenarios can tell a fair rule from an unfair one. Both are settings of the
// same scheduler.

// With no horizon, slots that come free together all go to the same tenant.
func TestWithoutHorizonSharesAreAllOrNothing(t *testing.T) {
	m := simulate(t, 1, Config{Capacity: 16, Horizon: 1})
	f := m.backlogged("f", constant(time.Second))
	m.backlogged("g", constant(time.Second))
	m.run(600 * time.Second)
	t.Logf("std. dev. of held %.2f, share %.3f", m.deviation(f), m.share(f))
	require.Greater(t, m.deviation(f), 7.5)
	require.InDelta(t, 0.5, m.share(f), 0.01)
}

// With an infinite horizon there is no memory: scenarios A, D, G and H fail.
func TestInstantHasNoMemory(t *testing.T) {
	instant := func(capacity int) Config { return Config{Capacity: capacity, Horizon: Instant} }

	a := simulate(t, 1, instant(4))
	short := many(a, 10, "short", exponential(10*time.Millisecond))
	many(a, 10, "long", exponential(time.Second))
	a.run(100 * time.Second)
	t.Logf("A: Jain %.2f, short-hold share %.3f", jain(a.clients), a.share(short...))
	require.Less(t, a.share(short...), 0.02)
	require.Less(t, jain(a.clients), 0.55)

	cfg := instant(8)
	cfg.Shares = make(map[string]Share)
	for w := 1; w <= 4; w++ {
		cfg.Shares[fmt.Sprint(w)] = Share{Weight: float64(w)}
	}
	g := simulate(t, 1, cfg)
	for w := 1; w <= 4; w++ {
		g.backlogged(fmt.Sprint(w), exponential(time.Second))
	}
	g.run(600 * time.Second)
	t.Logf("G: shares %.3f %.3f %.3f %.3f", g.share(g.clients[0]), g.share(g.clients[1]), g.share(g.clients[2]), g.share(g.clients[3]))
	require.InDelta(t, 0.25, g.share(g.clients[2]), 0.01, "8 slots by 1:2:3:4 without remainders")

	h := simulate(t, 1, instant(4))
	many(h, 20, "short", exponential(10*time.Millisecond))
	long := h.client("long", constant(10*time.Second))
	h.workers(long, 1)
	h.run(300 * time.Second)
	t.Logf("H: the long-hold tenant had %.3f of a slot", long.slotTime/300)
	require.Greater(t, long.slotTime/300, 0.9)
}
