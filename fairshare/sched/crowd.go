package sched

import "container/heap"

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
	return s.queues[0]
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

// queues are the tenants that have waiters; if they are ranked, a heap with
// Longest on top. Otherwise they are in no order.
type queues []*Tenant

func (q queues) Len() int { return len(q) }

func (q queues) Less(i, j int) bool {
	t, o := q[i], q[j]
	switch last, other := t.crowding(t.waiting), o.crowding(o.waiting); {
	case last != other:
		return last > other
	case t.perSlot != o.perSlot:
		return t.perSlot > o.perSlot
	}
	return t.last.seq > o.last.seq
}

func (q queues) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].queue, q[j].queue = i, j
}

func (q *queues) Push(t any) {
	t.(*Tenant).queue = len(*q)
	*q = append(*q, t.(*Tenant))
}

func (q *queues) Pop() any {
	last := len(*q) - 1
	t := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return t
}

// lengthened is due after a waiter has joined the queue of t.
func (s *Scheduler) lengthened(t *Tenant) {
	s.waiting++
	if t.waiting == 1 {
		s.queues.Push(t)
	}
	s.rank(t)
}

// shortened is due after a waiter has left the queue of t.
func (s *Scheduler) shortened(t *Tenant) {
	s.waiting--
	switch {
	case t.waiting > 0:
		s.rank(t)
	case s.ranked:
		heap.Remove(&s.queues, t.queue)
	default:
		s.queues.Swap(t.queue, len(s.queues)-1)
		s.queues.Pop()
	}
}

// rank restores the order of the queues after that of t, which has waiters, or
// its weight has changed.
func (s *Scheduler) rank(t *Tenant) {
	if s.ranked {
		heap.Fix(&s.queues, t.queue)
	}
}
