package sched

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// The invariants of the scheduler's own books, and those that package pool numbers
// that are decided here, looked at after each event of random histories.

func TestBooksAgreeAfterEachEvent(t *testing.T) {
	histories(t, func(h *history) {
		h.after = func() { requireBooks(h.t, h.s) }
	})
}

// histories runs random histories, set up by the given function.
func histories(t *testing.T, setUp func(h *history)) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			h := newHistory(t, randomChooser{rand.New(rand.NewPCG(seed, 3))}, seed%4 != 3)
			setUp(h)
			for range 1000 {
				h.step()
			}
		})
	}
}

func requireBooks(t require.TestingT, s *Scheduler) {
	must := func(ok bool, what string, args ...any) {
		if !ok { // spares the formatting while all is well
			require.Fail(t, fmt.Sprintf(what, args...))
		}
	}

	// Classes: each tenant in the one of its need and slope, in heap order.
	type key struct{ need, slope float64 }
	classes := make(map[key]bool)
	backlogged := 0
	for i, c := range s.classes {
		must(c.at == i, "class %d believes that it is %d", i, c.at)
		must(len(c.heap) > 0, "an empty class")
		must(!classes[key{c.need, c.slope}], "two classes of need %v and slope %v", c.need, c.slope)
		classes[key{c.need, c.slope}] = true
		backlogged += len(c.heap)
		for i, e := range c.heap {
			in := e.tenant
			must(i == 0 || !e.before(c.heap[(i-1)/4]), "heap order at %d of %d", i, len(c.heap))
			must(in.class == c && int(in.pos) == i, "%s does not know its place", in.name)
			must(in.slope == c.slope && in.slope == float64(in.held)*in.perSlot, "slope of %s", in.name)
			must(in.need() == c.need, "need of %s", in.name)
			must(e.offset == in.charged-in.slope*float64(in.mark) && e.head == in.first.seq, "a stale entry of %s", in.name)
		}
	}
	must(backlogged == s.backlogged, "%d are backlogged, not %d", backlogged, s.backlogged)
	for _, c := range s.empty {
		must(len(c.heap) == 0, "a class in use among the empty ones")
		for _, e := range c.heap[:cap(c.heap)] {
			must(e.tenant == nil, "a tenant kept alive by an empty class")
		}
	}

	// Tenants: the totals add up, and each is where its state says.
	inUse, waiting, demand, active, blocked := 0, 0, 0, 0, 0
	for name, in := range s.tenants {
		room, wants := s.cap(in)-in.Held(), 0
		for w := in.first; w != nil; w = w.next {
			wants += w.slots()
		}
		must(wants == s.Wants(in), "slots that %s waits for", name)
		must(in.held >= 0 && in.waiting >= 0 && in.joined >= 0, "counts of %s", name)
		must((in.class != nil) == (in.waiting > 0 && s.within(in, in.first.slots())), "whether %s is backlogged", name)
		switch {
		case in.class == nil:
			must(in.demand == 0, "demand of %s", name)
		case !s.strict:
			must(int(in.demand) == s.grantable(in, room), "demand of %s", name)
		}
		must(in.active == (in.held > 0 || in.waiting > 0 || in.joined > 0), "whether %s is active", name)
		if s.strict && in.waiting > 0 && in.class == nil {
			_, known := s.blocked[in]
			must(known, "%s is blocked", name)
			blocked++
		}
		if in.active {
			active++
		}
		inUse += in.Held()
		waiting += in.Waiting()
		demand += int(in.demand)
	}
	must(inUse == s.inUse, "%d slots are in use, not %d", inUse, s.inUse)
	must(waiting == s.waiting, "%d waiters, not %d", waiting, s.waiting)
	must(demand == s.demand, "a demand of %d, not %d", demand, s.demand)
	must(active == s.active, "%d are active, not %d", active, s.active)
	must(blocked == len(s.blocked), "%d are blocked, not %d", blocked, len(s.blocked))
	must(s.latest == nil || s.tenants[s.latest.name] == s.latest, "found by name although forgotten")
	must(len(s.moving[:cap(s.moving)]) == 0 || s.moving[:cap(s.moving)][0] == nil, "a tenant kept alive by SetLimit")

	known := 0
	for in := s.known.first; in != nil; in = in.next {
		must(s.tenants[in.name] == in, "%s is listed although forgotten", in.name)
		must(in.next != nil && in.next.prev == in || in.next == nil && s.known.last == in, "list of the known at %s", in.name)
		known++
	}
	must(known == len(s.tenants), "%d are known, not %d", known, len(s.tenants))
}

// Whatever is canceled, released, resized or limited, all capacity comes back
// (invariant 3), and each request ends in exactly one way (invariant 7).
func TestNothingIsLost(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			h := newHistory(t, randomChooser{rand.New(rand.NewPCG(seed, 4))}, true)
			for range 500 {
				h.step()
				queued := uint64(len(h.waiters))
				require.EqualValues(t, h.asked, h.s.Granted()+h.s.Rejected()+h.s.Canceled()+queued, "invariant 7")
				held := 0
				for _, hold := range h.holds {
					held += hold.n
				}
				require.Equal(t, held, h.s.InUse(), "invariant 3")
			}
			for len(h.holds)+len(h.joined) > 0 || len(h.waiters) > 0 && h.choose(3) > 0 {
				h.release()
				h.leave()
				h.cancel()
				h.check()
			}
			for len(h.waiters) > 0 {
				h.cancel()
			}
			h.check()
			require.Zero(t, h.s.InUse())
			require.Zero(t, h.s.Waiting())
			require.Zero(t, h.s.Demand())
			require.Zero(t, h.s.collecting)
			require.False(t, h.s.HasLarge())
			require.Zero(t, h.s.Active())
			require.Empty(t, h.s.classes)

			// All of the capacity is there for somebody who comes now.
			h.s.Resize(h.now, 7)
			h.s.headroom = 0
			h.s.SetLimit(h.now, 7)
			h.s.SetShare(h.now, "last", Share{Weight: 1})
			last := h.s.Tenant(h.now, "last")
			for range 7 {
				require.True(t, h.s.Available(last), "invariant 3")
				h.s.Grant(h.now, last)
			}
			require.False(t, h.s.Available(last), "invariant 1")
		})
	}
}

// Slots granted never exceed the capacity in force at the grant (invariant 1),
// and work-conserving mode never has a free slot while an eligible waiter
// waits (invariant 4).
func TestSlotsAreGrantedWheneverAndOnlyWhenFree(t *testing.T) {
	histories(t, func(h *history) {
		before := 0
		h.after = func() {
			s := h.s
			if s.InUse() > before {
				require.LessOrEqual(h.t, s.InUse(), s.Capacity(), "invariant 1")
			}
			before = s.InUse()
			free := s.Capacity() - s.InUse()
			eligible := false
			for in := range s.Tenants() {
				if in.class != nil && free > 0 && (free > s.Headroom() || in.Held() == 0) {
					eligible = true
				}
			}
			require.Equal(h.t, eligible, s.at(h.d.now).pick() != nil, "invariant 4")
			if free > 0 { // demand is what makes the caller make a slot, and ask for the next
				require.Equal(h.t, eligible, s.at(h.d.now).Demand() > 0, "demand")
			}
		}
	})
}

// Neither V nor the service of a tenant ever falls, but by a change of its
// weight; and that keeps a debt as slot-time (invariant 12). Those that were never
// charged have no service to lose.
func TestServiceNeverFallsAndADebtOutlastsAChangeOfWeight(t *testing.T) {
	type books struct{ service, weight float64 }
	changes := 0
	histories(t, func(h *history) {
		v := 0.0
		before := make(map[*Tenant]books)
		h.after = func() {
			s := h.s.at(h.d.now)
			slack := 0.0
			if !h.exact {
				slack = 1 + rounding(v)
			}
			require.GreaterOrEqual(h.t, s.leastEver()+slack, v, "V")
			v = max(v, s.leastEver())
			for in := range s.Tenants() {
				now, was := books{s.service(in), in.share.Weight}, before[in]
				switch {
				case in.fresh():
					continue
				case was.weight == 0 || was.weight == now.weight:
					require.GreaterOrEqual(h.t, now.service+slack, was.service, "service of %s", in.Name())
				case was.service > v:
					changes++
					require.GreaterOrEqual(h.t, now.weight*(now.service-v+slack+1), was.weight*(was.service-v), "debt of %s", in.Name())
				}
				before[in] = now
			}
		}
	})
	require.Greater(t, changes, 20)
}
