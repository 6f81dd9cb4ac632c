package sched

import (
	"cmp"
	"slices"
)

// Demand is how many slots the waiters would be granted if slots kept coming. While
// a slot is free, it is 0 exactly when Next would neither grant nor collect any. What
// Max, a strict cap or Headroom holds back does not count. In strict mode it may
// lag behind a change of the limit.
//
// Headroom makes it a question of who is next: of the free slots, those above
// the headroom are for everybody, and then every tenant that still holds none may
// have one.
func (s *Scheduler) Demand() int {
	if s.headroom == 0 {
		return s.demand
	}
	none := s.wantedByNewcomers()
	open := max(0, s.capacity-s.inUse-s.headroom) // slots for everybody
	switch {
	case s.large > 0 && open > 0: // at most
		return s.demand
	case s.large > 0:
		return none
	case open >= s.demand:
		return s.demand
	case open == 0 || none == 0:
		return none + open
	}
	return open + none - s.countNone(open)
}

// wantedByNewcomers is how many slots the first waiters of the tenants that hold
// none ask for.
func (s *Scheduler) wantedByNewcomers() (n int) {
	for _, c := range s.classes {
		if c.slope > 0 {
			continue
		}
		n += len(c.heap)
		if s.large > 0 {
			for _, e := range c.heap {
				n += e.tenant.first.slots() - 1
			}
		}
	}
	return n
}

// A turn is a grant that is to come.
type turn struct {
	need, key float64
	tenant    *Tenant
	waiter    *Waiter
	held      int // by then
}

// countNone counts those among the next n grants that go to tenants that hold
// nothing. There are as many backlogged waiters. It costs O(n log n), and is
// called only while fewer slots are ready than could be granted.
func (s *Scheduler) countNone(n int) (none int) {
	ahead := float64(s.clock) + float64(s.horizon.value())
	var turns []turn // the next one last
	add := func(t turn) {
		at, _ := slices.BinarySearchFunc(turns, t, func(a, b turn) int {
			return cmp.Or(cmp.Compare(b.need, a.need), cmp.Compare(b.key, a.key), cmp.Compare(b.waiter.seq, a.waiter.seq))
		})
		turns = slices.Insert(turns, at, t)
	}
	enter := func(c *class, i int) {
		if i < len(c.heap) {
			e := c.heap[i]
			add(turn{c.need, e.offset + c.slope*ahead, e.tenant, e.tenant.first, int(e.tenant.held)})
		}
	}
	for _, c := range s.classes {
		enter(c, 0)
	}
	for ; n > 0; n-- {
		t := turns[len(turns)-1]
		turns = turns[:len(turns)-1]
		if t.held == 0 {
			none++
		}
		if t.waiter == t.tenant.first { // those below it in the heap may be next
			for child := 4*int(t.tenant.pos) + 1; child <= 4*int(t.tenant.pos)+4; child++ {
				enter(t.tenant.class, child)
			}
		}
		t.held++
		t.waiter = t.waiter.next
		if t.waiter == nil || t.held >= s.cap(t.tenant) {
			continue
		}
		cost := float64(s.horizon.value())
		if !s.blind {
			cost += float64(minGrant)
		}
		t.need, t.key = t.tenant.needAt(t.waiter, t.held), t.key+cost*t.tenant.perSlot
		add(t)
	}
	return none
}
