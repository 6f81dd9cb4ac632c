package sched

import "math"

// This file is the rule: who is next. Everything else in the package keeps
// the numbers that it reads.
//
// A tenant's key is the service it has been charged, plus what the slots it
// holds now are still expected to cost:
//
//	K = S + R*held/weight
//
// Tenants below their Min come first, the emptiest first; then the least key
// wins; a tie goes to the tenant whose first waiter has waited longest.

// pick returns the class whose top tenant is next, nil when nobody may be
// granted a slot now. All tenants of a class share held/weight, so inside one
// the order never changes with time and only the tops are compared.
func (s *Scheduler) pick() *class {
	free := s.capacity - s.inUse
	if free <= 0 {
		return nil
	}
	reserved := free <= s.headroom
	ahead := float64(s.clock) + float64(s.horizon.value())

	var best *class
	var least float64
	for _, c := range s.classes {
		if reserved && c.slope > 0 {
			continue
		}
		key := c.heap[0].offset + c.slope*ahead
		if best == nil || c.need < best.need ||
			c.need == best.need && (key < least ||
				key == least && c.heap[0].head < best.heap[0].head) {
			best, least = c, key
		}
	}
	return best
}

// service is S: slot-time over weight that t has been charged, in nanoseconds.
func (s *Scheduler) service(t *Tenant) float64 {
	if elapsed := s.clock - t.mark; elapsed != 0 {
		return t.charged + t.slope*float64(elapsed)
	}
	return t.charged
}

// least is the least service of the backlogged tenants, and of lapsed.
func (s *Scheduler) least() (least float64, ok bool) {
	least = math.Inf(1)
	for _, c := range s.classes {
		least = min(least, c.heap[0].offset+c.slope*float64(s.clock))
	}
	if s.lapsed != nil {
		least = min(least, s.service(s.lapsed))
	}
	return least, len(s.classes) > 0
}

// lapse has t, whose queue has just become empty, count among the backlogged until
// another slot is granted or t waits again: until then its absence made no
// difference. If there are several, the one that is least is enough.
func (s *Scheduler) lapse(t *Tenant) {
	if s.lapsed == nil || s.service(t) < s.service(s.lapsed) {
		s.lapsed = t
	}
}

// highest is V as it is now.
func (s *Scheduler) highest() float64 {
	if least, ok := s.least(); ok && !s.raised {
		return max(s.virtual, least)
	}
	return s.virtual
}

// raise lifts V to the least service of the backlogged tenants, before one joins
// them or the last one leaves. V never falls. In between, that least only grows.
func (s *Scheduler) raise() { s.virtual = s.highest() }

// lift is the service of a tenant that becomes backlogged: an absence earns
// a bounded credit, and never wipes a debt.
func (s *Scheduler) lift(service float64, t *Tenant) float64 {
	return max(service, s.virtual-s.burstCredit()*t.perSlot)
}

// burstCredit is B, slot-time at weight 1. It is two mean holding times at least, or
// tenants whose queues are empty while they hold a slot would lose their place.
func (s *Scheduler) burstCredit() float64 {
	if s.blind {
		return 0
	}
	hold := float64(s.horizon.meanHold())
	if s.burst == 0 {
		return 4 * hold
	}
	return max(float64(s.burst), 2*hold)
}

// reweigh is the service of a tenant whose weight has become w times smaller:
// what it is ahead of V or behind it remains as slot-time.
func (s *Scheduler) reweigh(service, w float64) float64 {
	return grain(s.virtual + (service-s.virtual)*w)
}

// cap is the most slots that t may hold now.
func (s *Scheduler) cap(t *Tenant) int {
	most := math.MaxInt
	if t.share.Max > 0 {
		most = t.share.Max
	}
	if s.strict {
		// The sliver keeps 100 slots at weight 0.29 from being 28.
		most = min(most, max(1, int(min(float64(s.limit)*t.share.Weight+1e-9, math.MaxInt32))))
	}
	return most
}
