package sched

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The bounds of doc.go, on random loads in virtual time.

// A load is a random mix of tenants that are backlogged for good and ones that
// come and go, of unlike weights and holding times.
type load struct {
	*simulation
	steady  []*client
	guests  []*client
	longest time.Duration // H
	horizon time.Duration // R at its greatest
	mean    time.Duration // the mean hold at its greatest
	most    map[*client]int
	large   bool // some ask for several slots
}

// randomLoadOf is a random load in which, if large is set, every other tenant asks for
// several slots at a time.
func randomLoadOf(t *testing.T, seed uint64, large bool) *load {
	r := rand.New(rand.NewPCG(seed, 5))
	cfg := Config{
		Capacity: 1 + r.IntN(12),
		Shares:   make(map[string]Share),
		Horizon:  []time.Duration{0, 0, 0, 20 * time.Millisecond, time.Second}[r.IntN(5)],
		Burst:    []time.Duration{0, 0, 100 * time.Millisecond, -1}[r.IntN(4)],
	}
	names := make([]string, 8)
	for i := range names {
		names[i] = fmt.Sprint(i)
		cfg.Shares[names[i]] = Share{Weight: 1}
		if seed%2 == 0 {
			cfg.Shares[names[i]] = Share{Weight: math.Exp(r.Float64()*4 - 2)}
		}
	}
	l := &load{simulation: simulate(t, seed, cfg), most: make(map[*client]int)}
	for i, name := range names {
		c := l.client(name, l.measured(randomHold(r)))
		if large && i%2 == 1 {
			l.large = true
			c.slots = func(r *rand.Rand) int { return 1 + r.IntN(cfg.Capacity) }
		}
		if i < 2 || r.IntN(2) == 0 {
			l.steady = append(l.steady, c)
		} else {
			l.guests = append(l.guests, c)
		}
	}
	l.after(0, func() {
		for _, c := range l.steady {
			l.workers(c, cfg.Capacity+1)
		}
		for _, c := range l.guests {
			l.visit(c)
		}
	})
	return l
}

func randomHold(r *rand.Rand) func(*rand.Rand) time.Duration {
	mean := time.Duration(math.Exp(r.Float64()*math.Log(100)) * float64(10*time.Millisecond))
	switch r.IntN(3) {
	case 0:
		return constant(mean)
	case 1:
		return exponential(mean)
	}
	return pareto(1.5, mean)
}

func (l *load) measured(hold func(*rand.Rand) time.Duration) func(*rand.Rand) time.Duration {
	return func(r *rand.Rand) time.Duration {
		d := min(hold(r), 10*time.Second)
		l.longest = max(l.longest, d)
		return d
	}
}

// visit is some workers for some time, then a break, and so on.
func (l *load) visit(c *client) {
	stay, away := exponential(3*time.Second)(l.rng), exponential(3*time.Second)(l.rng)
	for range 1 + l.rng.IntN(l.s.Capacity()+2) {
		l.work(c, l.now+stay)
	}
	l.after(stay+away, func() { l.visit(c) })
}

// each runs the load and calls fn after every event.
func (l *load) each(d time.Duration, fn func()) {
	for until := l.now + d; l.now < until && len(l.events) > 0; {
		l.run(l.events[0].at - l.now)
		l.horizon = max(l.horizon, l.s.Horizon())
		l.mean = max(l.mean, l.s.horizon.meanHold())
		for _, c := range l.clients {
			l.most[c] = max(l.most[c], c.held)
		}
		fn()
	}
}

func (l *load) weight(c *client) float64 { return l.s.Find(c.name).share.Weight }

// burst is B at its greatest.
func (l *load) burst() time.Duration {
	if l.s.burst == 0 {
		return 4 * l.mean
	}
	return max(l.s.burst, 2*l.mean)
}

// collected is the most slot-time that may be kept for c before it is charged.
func (l *load) collected(c *client) float64 {
	if c.slots == nil {
		return 0
	}
	phase := max(collectHolds*float64(max(l.mean, l.s.horizon.fixed)), float64(leastCollect), 2*float64(l.longest))
	return phase * float64(l.s.Capacity()-1)
}

// wait is the longest wait of the probe: all slots are taken for H, then
// each of the others spends its credit, and holds for H what it holds beyond it.
func (l *load) wait(probe *client) time.Duration {
	sum := 0.0
	for _, c := range l.clients {
		if c != probe {
			sum += float64(l.burst()) + float64(l.longest+minGrant)*float64(l.most[c]) + l.collected(c)
		}
	}
	return l.longest + time.Duration(sum/float64(l.s.Capacity()))
}

// bound is the width of the band that the services of f and g stay within,
// with minGrant for the charge of the last grant to each.
func (l *load) bound(f, g *client) float64 {
	inverse := 1/l.weight(f) + 1/l.weight(g)
	slots := float64(l.most[f])/l.weight(f) + float64(l.most[g])/l.weight(g)
	kept := l.collected(f)/l.weight(f) + l.collected(g)/l.weight(g)
	most := float64(max(l.most[f], l.most[g], 1)) // slots in a grant
	return float64(l.longest+l.horizon)*slots + (float64(l.burst())+most*float64(minGrant))*inverse + kept
}

// Invariant 5: over any interval in which f and g stay backlogged,
//
//	|dS_f - dS_g| <= (H+R)(m_f/w_f + m_g/w_g) + B(1/w_f + 1/w_g),
//
// so the difference of S_f and S_g stays within a band of that width.
func TestServiceOfBackloggedTenantsStaysTogether(t *testing.T) {
	for _, large := range []bool{false, true} {
		t.Run(fmt.Sprint("large ", large), func(t *testing.T) { requireServiceStaysTogether(t, large) })
	}
}

func requireServiceStaysTogether(t *testing.T, large bool) {
	type pair struct{ f, g *client }
	type band struct{ least, most float64 }
	tightest := 0.0
	for seed := range uint64(30) {
		l := randomLoadOf(t, seed, large)
		bands := make(map[pair]band)
		services := make([]float64, len(l.clients))
		l.each(15*time.Second, func() {
			s := l.s.at(l.now)
			for i, c := range l.clients {
				services[i] = math.NaN()
				if in := s.tenants[c.name]; in != nil && in.class != nil {
					services[i] = s.service(in)
				}
			}
			for i, f := range l.clients {
				for j, g := range l.clients[:i] {
					d := services[i] - services[j]
					if math.IsNaN(d) {
						delete(bands, pair{f, g})
						continue
					}
					b, seen := bands[pair{f, g}]
					if !seen {
						b = band{d, d}
					}
					if !seen || d < b.least || d > b.most {
						b.least, b.most = min(b.least, d), max(b.most, d)
						bands[pair{f, g}] = b
						reached := (b.most - b.least) / l.bound(f, g)
						require.LessOrEqual(t, reached, 1.0, "invariant 5: seed %d, tenants %s and %s", seed, f.name, g.name)
						tightest = max(tightest, reached)
					}
				}
			}
		})
	}
	t.Logf("seeds 0-29: at most %.2f of the bound was reached", tightest)
}

// Invariant 6: a waiter without debt is served within H + sum(m*H + B)/N.
func TestWaiterWithoutDebtIsServedWithinTheBound(t *testing.T) {
	for _, large := range []bool{false, true} {
		t.Run(fmt.Sprint("large ", large), func(t *testing.T) { requireServedWithinTheBound(t, large) })
	}
}

func requireServedWithinTheBound(t *testing.T, large bool) {
	tightest, probes := 0.0, 0
	for seed := range uint64(30) {
		l := randomLoadOf(t, seed, large)
		l.s.SetShare(0, "probe", Share{Weight: 1})
		c := l.client("probe", l.measured(exponential(100*time.Millisecond)))
		visit(l.s, 0, "probe") // it is no newcomer
		var waiting *job
		l.arrivals(4, func() {
			if waiting != nil && waiting.Seq() != 0 || c.held > 0 {
				return
			}
			if probe := l.s.Find("probe"); probe == nil || l.s.Status(l.now, probe).Debt <= 0 {
				waiting = l.acquire(c, c.hold(l.rng), nil)
			}
		})
		l.each(15*time.Second, func() {
			if waiting == nil {
				return
			}
			wait := l.now - waiting.asked
			if waiting.Seq() == 0 { // served
				wait, waiting = c.waits[len(c.waits)-1], nil
			}
			bound := l.wait(c)
			require.LessOrEqual(t, wait, bound, "invariant 6: seed %d", seed)
			tightest = max(tightest, float64(wait)/float64(bound))
		})
		probes += len(c.waits)
	}
	require.Greater(t, probes, 400)
	t.Logf("seeds 0-29: %d waits, at most %.2f of the bound was reached", probes, tightest)
}

// The worst case of invariant 6 on one slot: it has just been taken for H, and
// each of n rivals comes back with all of its credit. The bound is reached.
func TestStarvationBoundIsReached(t *testing.T) {
	const n, hold = 4, time.Second
	const burst = 5*hold + time.Millisecond
	m := simulate(t, 1, Config{Capacity: 1, Horizon: 1, Burst: burst})
	var rivals []*client
	for i := range n {
		rivals = append(rivals, m.client(fmt.Sprint("rival", i), constant(hold)))
		visit(m.s, 0, rivals[i].name)
	}
	old := m.client("old", constant(hold))
	older := m.client("older", constant(hold))
	for range 2 {
		m.work(old, 20*time.Second)
		m.work(older, 20*time.Second)
	}
	m.run(40 * time.Second) // V is far above the service of the rivals now
	require.Zero(t, m.s.InUse())

	m.acquire(old, hold, nil)
	for _, c := range rivals {
		m.workers(c, 2)
	}
	probe := m.client("probe", constant(hold))
	visit(m.s, 0, probe.name)
	m.workers(probe, 1)
	m.run(time.Minute)
	bound := hold + n*(hold+burst)
	t.Logf("waited %v of %v", probe.waits[0], bound)
	require.LessOrEqual(t, probe.waits[0], bound, "invariant 6")
	require.Greater(t, probe.waits[0], bound-hold/10)
}
