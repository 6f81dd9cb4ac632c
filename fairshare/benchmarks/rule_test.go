package main

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Every rule does the same again with the same load, goroutines or not, and
// grants no slot that is not there.
func TestEveryRuleIsDeterministicAndKeepsToTheCapacity(t *testing.T) {
	skipUnderRace(t)
	for _, sc := range scenarios {
		l := sc.build(0.005).seeded(1)
		for _, c := range contenders {
			if !c.able(l) {
				continue
			}
			first := logOf(l, c)
			require.NotEmpty(t, first, "%s, %s", sc.id, c.name)
			require.True(t, slices.Equal(first, logOf(l, c)), "%s, %s", sc.id, c.name)
			require.Zero(t, play(l, c, oracle(l, 1)).excess, "%s, %s: invariant 1", sc.id, c.name)
		}
	}
}

// burst is one slot and four requests that come while it is taken: two of the
// holder's, then one of each of two others.
func burst(weights ...float64) load {
	l := load{capacity: 1, until: time.Minute}
	for i, w := range weights {
		in := tenant{weight: w}
		if i == 0 {
			in.arrivals = []arrival{{at: 0, hold: 10 * time.Second}, {at: 1, hold: time.Second}, {at: 2, hold: time.Second}}
		} else {
			in.arrivals = []arrival{{at: time.Duration(2 + i), hold: time.Second}}
		}
		l.tenants = append(l.tenants, in)
	}
	return l
}

// order is the tenants in the order in which they were granted slots.
func order(l load, name string) (tenants []int) {
	held := make([]int, len(l.tenants))
	for _, x := range logOf(l, byName(name)) {
		if x.held > held[x.tenant] {
			tenants = append(tenants, x.tenant)
		}
		held[x.tenant] = x.held
	}
	return tenants
}

func TestRulesServeInTheirOrder(t *testing.T) {
	require.Equal(t, []int{0, 0, 0, 1, 2}, order(burst(1, 1, 1), fifo), "who came first")
	require.Equal(t, []int{0, 1, 2, 0, 0}, order(burst(1, 1, 1), "round robin"), "in turn")
	require.Equal(t, []int{0, 0, 0, 1, 2}, order(burst(1, 1, 1), "in-use order"), "nobody holds any, so who waited longest")
	for _, name := range []string{"slot-time (VTC)", "Kubernetes APF", ours} {
		require.Equal(t, []int{0, 1, 2, 0, 0}, order(burst(1, 1, 1), name), "%s: 10 s were had already", name)
	}
}

// The seed has no queue: who looks first after a release has the slot, however
// long others have waited, and it is idle until then.
func TestPollingLeavesTheSlotToWhoeverLooksFirst(t *testing.T) {
	l := load{capacity: 1, until: time.Second, tenants: []tenant{
		{weight: 1, arrivals: []arrival{{at: 0, hold: 25 * time.Millisecond}}},
		{weight: 1, arrivals: []arrival{{at: 3 * time.Millisecond, hold: 5 * time.Millisecond}}},
		{weight: 1, arrivals: []arrival{{at: 17 * time.Millisecond, hold: 5 * time.Millisecond}}},
	}}
	log := logOf(l, byName("seed (10 ms polls)"))
	at := map[int]time.Duration{}
	for _, x := range log {
		if x.held == 1 {
			at[x.tenant] = x.at
		}
	}
	require.Equal(t, map[int]time.Duration{0: 0, 1: 33 * time.Millisecond, 2: 27 * time.Millisecond}, at,
		"free at 25 ms, looks at 27 and 33, and again free at 32")
}
