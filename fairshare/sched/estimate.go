package sched

import (
	"math"
	"time"
)

// Estimate is how long one more waiter of t would wait, as far as can be told
// from the mean holding time, the capacity and the weights of those that wait
// now; 0 if a slot is free or no holding time is known yet.
//
// Below its share of the slots, t gets whatever slot comes free next, once every
// mean/capacity; from then on its share of them, once every mean/share. A debt
// is worked off first, while the others are served.
func (s *Scheduler) Estimate(now time.Duration, t *Tenant) time.Duration {
	if s.inUse < s.capacity || s.capacity == 0 || s.horizon.seen == 0 {
		return 0
	}
	s.advance(now)
	s.raise()
	weights := s.weights
	if t.class == nil {
		weights += t.share.Weight
	}
	weights = max(weights, t.share.Weight) // whatever rounding has left of the sum
	capacity := float64(s.capacity)
	share := min(capacity*t.share.Weight/weights, float64(s.cap(t)))
	ahead := float64(t.waiting) + 1
	quick := min(max(share-float64(t.held), 0), ahead)
	debt := max(s.service(t)-s.virtual, 0) * weights / capacity
	wait := debt + s.horizon.mean*(quick/capacity+(ahead-quick)/share)
	return time.Duration(min(wait, math.MaxInt64/2))
}

// Longest returns the tenant whose queue over weight would be the longest if
// each were one shorter, nil if nobody waits: a light tenant with a single
// waiter does not cover up for a crowd. It looks at all tenants that wait.
func (s *Scheduler) Longest() *Tenant {
	var longest *Tenant
	for _, t := range s.queues {
		if longest == nil || t.crowding() > longest.crowding() ||
			t.crowding() == longest.crowding() && t.last.seq > longest.last.seq {
			longest = t
		}
	}
	return longest
}

func (t *Tenant) crowding() float64 { return float64(t.waiting-1) * t.perSlot }

// Crowds reports whether the queue of t would still be the longer one, over
// weight, if it were one shorter and that of o one longer.
func (t *Tenant) Crowds(o *Tenant) bool {
	return t != o && t.crowding() >= float64(o.waiting+1)*o.perSlot
}

// Before reports whether at most n backlogged tenants come before t, which is
// backlogged.
func (s *Scheduler) Before(now time.Duration, t *Tenant, n int) bool {
	s.advance(now)
	if t.class == nil {
		return false
	}
	ahead := float64(s.clock) + float64(s.horizon.value())
	own := t.class.heap[t.pos]
	key := own.offset + t.class.slope*ahead
	for _, c := range s.classes {
		n = c.countBefore(0, n, func(e entry) bool {
			k := e.offset + c.slope*ahead
			return c.need < t.class.need || c.need == t.class.need &&
				(k < key || k == key && e.head < own.head)
		})
		if n < 0 {
			return false
		}
	}
	return true
}

// countBefore takes the entries from index i down for which before is true
// from n, and stops below 0.
func (c *class) countBefore(i, n int, before func(entry) bool) int {
	if i >= len(c.heap) || n < 0 || !before(c.heap[i]) {
		return n
	}
	n--
	for child := 4*i + 1; child <= 4*i+4; child++ {
		n = c.countBefore(child, n, before)
	}
	return n
}
