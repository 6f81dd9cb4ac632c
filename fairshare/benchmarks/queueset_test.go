package main

import (
	"math"
	"testing"
	"time"

	"github.com/fairpool/fairpool/fairshare/sched"
	"github.com/stretchr/testify/require"
)

// A uniform client of Kubernetes' queueset_test.go: threads that call, and
// think, each call taking the same time.
type uniform struct {
	threads     int
	exec, think time.Duration
	split       bool // half of the threads start halfway
}

// Kubernetes' own scenarios for its fair queuing, those without requests of
// several seats, with its margins: the queueset must pass them here too, or it
// is not driven as it should be, and so must fairpool.
var uniforms = []struct {
	name    string
	limit   int
	eval    time.Duration
	clients []uniform
	margin  float64
	later   float64 // the margin of the second half, for clients that split
	windup  float64 // the queueset is at least so far off in the second half
}{
	{name: "Baseline", limit: 1, eval: 20 * time.Second, clients: []uniform{{1, time.Second, 0, false}}},
	{name: "Separations, 1 client, 1 seat", limit: 1, eval: 24 * time.Second, clients: []uniform{{1, time.Second, time.Second, false}}},
	{name: "Separations, 1 client, 2 seats", limit: 2, eval: 24 * time.Second, clients: []uniform{{1, time.Second, time.Second, false}}},
	{name: "Separations, 2 clients, 1 seat", limit: 1, eval: 24 * time.Second,
		clients: []uniform{{1, time.Second, time.Second, false}, {1, time.Second, time.Second, false}}},
	{name: "Separations, 2 clients, 2 seats", limit: 2, eval: 24 * time.Second,
		clients: []uniform{{1, time.Second, time.Second, false}, {1, time.Second, time.Second, false}}},
	{name: "UniformFlowsHandSize1", limit: 4, eval: 50 * time.Second, margin: 0.01,
		clients: []uniform{{8, time.Second, time.Second - 1, false}, {8, time.Second, time.Second - 1, false}}},
	{name: "UniformFlowsHandSize3", limit: 4, eval: 60 * time.Second, margin: 0.03,
		clients: []uniform{{8, time.Second, time.Second - 1, false}, {8, time.Second, time.Second - 1, false}}},
	{name: "DifferentFlowsExpectEqual", limit: 4, eval: 40 * time.Second, margin: 0.01,
		clients: []uniform{{8, time.Second, time.Second, false}, {7, time.Second, time.Second / 2, false}}},
	{name: "SeatSecondsRollover", limit: 4, eval: 40 * quarter, margin: 0.01,
		clients: []uniform{{8, quarter, quarter, false}, {7, quarter, quarter / 2, false}}},
	{name: "DifferentFlowsExpectUnequal", limit: 3, eval: 20 * time.Second, margin: 0.01,
		clients: []uniform{{4, time.Second, time.Second - 1, false}, {2, time.Second, time.Second - 1, false}}},
	{name: "Windup", limit: 3, eval: 40 * time.Second, margin: 0.01, later: 0.26, windup: 0.1,
		clients: []uniform{{2, time.Second, -1, false}, {2, time.Second, -1, true}}},
}

// quarter is the length of a call in the test that counters do not overflow.
const quarter = 91 * 24 * time.Hour

func TestScenariosOfKubernetes(t *testing.T) {
	for _, u := range uniforms {
		for _, name := range []string{"Kubernetes APF", ours} {
			t.Run(u.name+"/"+name, func(t *testing.T) {
				l := load{capacity: u.limit, until: u.eval}
				splits := false
				early, late := make([]sched.Claim, len(u.clients)), make([]sched.Claim, len(u.clients))
				for i, c := range u.clients {
					begin := crew{workers: c.threads, from: 20 * time.Duration(i), until: always, think: c.think, stagger: 90}
					in := tenant{weight: 1, hold: constant(c.exec), crews: []crew{begin}}
					each := float64(c.exec) / float64(c.exec+c.think)
					late[i] = sched.Claim{Weight: 1, Demand: each * float64(c.threads)}
					early[i] = late[i]
					if c.split {
						splits = true
						early[i].Demand /= 2
						half := c.threads / 2
						in.crews[0].workers = half
						begin.workers, begin.from = c.threads-half, begin.from+u.eval/2+time.Duration(half)*begin.stagger
						in.crews = append(in.crews, begin)
					}
					l.tenants = append(l.tenants, in)
				}
				if !splits {
					requireFair(t, sched.MaxMin(float64(u.limit), late), averages(l, name), u.margin)
					return
				}
				first, second := l, l
				first.until, second.from = u.eval/2, u.eval/2
				requireFair(t, sched.MaxMin(float64(u.limit), early), averages(first, name), u.margin)
				want, have := sched.MaxMin(float64(u.limit), late), averages(second, name)
				if name == ours {
					requireFair(t, want, have, u.margin)
					return
				}
				requireFair(t, want, have, u.later)
				for i := range want {
					require.Greater(t, math.Abs(have[i]-want[i])/want[i], u.windup, "the windup that Kubernetes documents")
				}
			})
		}
	}
}

// requireFair compares with the fair averages. Beside the margin, calls that
// start some nanoseconds late may be missing.
func requireFair(t *testing.T, want, have []float64, margin float64) {
	t.Helper()
	for i := range want {
		require.InEpsilon(t, want[i], have[i], margin+1e-6, "want %v, have %v", want, have)
	}
}
