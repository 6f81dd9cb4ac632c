package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/fairpool/fairpool/fairshare/sched"
	"github.com/stretchr/testify/require"
)

// The published answers of other systems, and what fairpool makes of them: the
// exact division, and, within one slot, what tenants with so many workers hold.
func TestDivisionsPublishedByOthers(t *testing.T) {
	for _, x := range []struct {
		from     string
		capacity float64
		wants    []float64
		gets     []float64
	}{
		{"Kubernetes, TestFairAlloc", 42, []float64{0, 0}, []float64{0, 0}},
		{"Kubernetes, TestFairAlloc", 42, []float64{47, 0}, []float64{42, 0}},
		{"Kubernetes, TestFairAlloc", 42, []float64{1, 47}, []float64{1, 41}},
		{"Kubernetes, TestFairAlloc", 14, []float64{3, 7, 9, 1}, []float64{3, 5, 5, 1}},
		{"Kubernetes, TestFairAlloc", 21, []float64{1, 9, 7, 3}, []float64{1, 9, 7, 3}},
		{"doorman, fair share", 120, []float64{1000, 60, 10}, []float64{55, 55, 10}},
		{"doorman, fair share", 120, []float64{1000, 50, 10}, []float64{60, 50, 10}},
		{"doorman's wants, water-filled to the end", 120, []float64{5, 32, 40, 1000}, []float64{5, 32, 40, 43}},
	} {
		t.Run(fmt.Sprint(x.from, " ", x.capacity, x.wants), func(t *testing.T) {
			var claims []sched.Claim
			for _, want := range x.wants {
				claims = append(claims, sched.Claim{Weight: 1, Demand: want})
			}
			require.InDeltaSlice(t, x.gets, sched.MaxMin(x.capacity, claims), 1e-9)

			for _, hold := range []distribution{constant(time.Second), exponential(time.Second)} {
				l := load{capacity: int(x.capacity), from: 20 * time.Second, until: 120 * time.Second}
				for _, want := range x.wants {
					l.tenants = append(l.tenants, tenant{weight: 1, hold: hold, crews: []crew{demanding(int(want))}})
				}
				for _, name := range []string{ours, "fairpool Instant"} {
					for i, have := range averages(l.seeded(1), name) {
						require.InDelta(t, x.gets[i], have, 1, "%s: slots held, mean of 100 s", name)
					}
				}
			}
		})
	}
}

// demanding is a demand for so many slots at every moment: a worker that asked
// only after it had given its slot back would find it taken by others.
func demanding(slots int) crew {
	return crew{workers: slots, until: always, think: -1, stagger: 70 * time.Millisecond}
}

// averages are the slots that each tenant holds on average.
func averages(l load, under string) []float64 {
	rec := newRecord(l, ideal{})
	run(l, byName(under), rec)
	rec.finish()
	var out []float64
	for _, a := range rec.accounts {
		out = append(out, a.slotTime/(l.until-l.from).Seconds())
	}
	return out
}

// Whatever the capacity, the weights and the demands: what the tenants hold in
// the steady state is the exact weighted max-min allocation, within one slot
// for each tenant; on average over time, and at nearly every moment.
func TestHoldingsMatchTheMaxMinAllocation(t *testing.T) {
	const seeds = 60
	all := 0.0
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 0))
		l := load{capacity: 1 + r.IntN(40), from: 60 * time.Second, until: 260 * time.Second}
		hold := constant(time.Second)
		if seed%2 == 1 {
			hold = exponential(time.Second)
		}
		var claims []sched.Claim
		for range 2 + r.IntN(8) {
			c := sched.Claim{Weight: math.Round(10*math.Pow(4, r.Float64())) / 10, Demand: float64(1 + r.IntN(l.capacity+5))}
			claims = append(claims, c)
			l.tenants = append(l.tenants, tenant{weight: c.Weight, hold: hold,
				crews: []crew{demanding(int(c.Demand))}})
		}
		l = l.seeded(seed)
		want := sched.MaxMin(float64(l.capacity), claims)
		rec := newRecord(l, ideal{})
		off, whole := 0.0, 0.0
		now, last := make([]int, len(want)), l.from
		rec.trace = func(at time.Duration, tenant, held int) {
			if at > last {
				for i, h := range now {
					d := (at - last).Seconds()
					whole += d
					if math.Abs(float64(h)-want[i]) > 1+1e-9 {
						off += d
					}
				}
				last = at
			}
			now[tenant] = held
		}
		run(l, byName(ours), rec)
		rec.finish()
		for i, a := range rec.accounts {
			require.InDelta(t, want[i], a.slotTime/(l.until-l.from).Seconds(), 1, "seed %d, tenant %d of %v on %d slots", seed, i, claims, l.capacity)
		}
		require.Less(t, off/whole, 0.2, "seed %d: part of the time at which a tenant was more than a slot off", seed)
		all += off / whole / seeds
	}
	t.Logf("more than a slot off: %.4f of the time", all)
	require.Less(t, all, 0.02)
}

// The order of YARN's fair scheduler: those below their minimum first, the
// emptiest of them first; then by use over weight; then who came first. So far
// as memory is left out of it.
func TestMinimumsComeInYARNsOrder(t *testing.T) {
	type queue struct {
		held, min int
		weight    float64
	}
	for name, x := range map[string]struct {
		queues []queue
		next   int
	}{
		"one is below its minimum":                  {[]queue{{held: 1, weight: 1}, {held: 3, min: 4, weight: 1}}, 1},
		"whatever its weight":                       {[]queue{{held: 1, weight: 100}, {held: 3, min: 4, weight: 0.1}}, 1},
		"both are, the emptiest comes first":        {[]queue{{held: 4, min: 5, weight: 1}, {held: 5, min: 10, weight: 1}}, 1},
		"in proportion, not in number":              {[]queue{{held: 1, min: 2, weight: 1}, {held: 2, min: 10, weight: 1}}, 1},
		"weights do not matter below the minimum":   {[]queue{{held: 3, min: 4, weight: 100}, {held: 2, min: 4, weight: 1}}, 1},
		"none is, use over weight decides":          {[]queue{{held: 4, weight: 1}, {held: 6, weight: 2}}, 1},
		"a minimum that is reached does not matter": {[]queue{{held: 4, min: 4, weight: 1}, {held: 3, weight: 1}}, 1},
		"alike, who came first":                     {[]queue{{held: 2, weight: 1}, {held: 2, weight: 1}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			held := 0
			shares := make(map[string]sched.Share)
			for i, q := range x.queues {
				held += q.held
				shares[fmt.Sprint(i)] = sched.Share{Weight: q.weight, Min: q.min}
			}
			s := sched.New(sched.Config{Capacity: held, Default: sched.Share{Weight: 1}, Shares: shares, Horizon: sched.Instant})
			waiters := make([]sched.Waiter, len(x.queues))
			for i, q := range x.queues {
				in := s.Tenant(1, fmt.Sprint(i))
				for range q.held {
					s.Grant(1, in)
				}
			}
			for i := range x.queues {
				s.Enqueue(1, s.Tenant(1, fmt.Sprint(i)), &waiters[i])
			}
			s.Resize(1, held+1)
			require.Same(t, &waiters[x.next], s.Next(1))
		})
	}
}
