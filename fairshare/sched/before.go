package sched

import "time"

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
