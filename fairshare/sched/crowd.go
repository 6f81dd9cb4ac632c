package sched

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
