package sched

// A bound on all waiters together gives out places in the queues. They are
// apportioned by the method of Adams (Balinski and Young, Fair Representation):
// the k-th place of a tenant ranks by (k-1)/weight, the least first, and among
// equals by weight, the heaviest first. So the first place of every tenant comes
// before the second of any, a flood loses its own last places, and where there
// are more tenants than places the heavy have theirs.

// Longest returns the tenant whose last place ranks lowest, nil if nobody waits;
// of equals the one whose last waiter came last. It needs Config.RankQueues.
func (s *Scheduler) Longest() *Tenant {
	if len(s.queues) == 0 {
		return nil
	}
	return s.queues[0].tenant
}

// Crowds reports whether the last place of t ranks lower than one more of o
// would, so that t has to give it up to o.
func (t *Tenant) Crowds(o *Tenant) bool {
	if t == o {
		return false
	}
	last, next := t.crowding(t.waiting), o.crowding(o.waiting+1)
	return last > next || last == next && t.perSlot > o.perSlot
}

func (t *Tenant) crowding(place int32) float64 { return float64(place-1) * t.perSlot }

// crowdsBefore reports whether the last place of t ranks lower than that of o.
func (t *Tenant) crowdsBefore(o *Tenant) bool {
	switch last, other := t.crowding(t.waiting), o.crowding(o.waiting); {
	case last != other:
		return last > other
	case t.perSlot != o.perSlot:
		return t.perSlot > o.perSlot
	}
	return t.last.seq > o.last.seq
}
