package sched

import (
	"container/heap"
	"time"
)

// A queue is what is known of a tenant while it has waiters.
type queue struct {
	tenant *Tenant
	served time.Duration // when it was granted a slot last, or has begun to wait
	grants gaps          // between them
	extra  int64         // slots that its waiters ask for beyond one each
}

// queues are those of all tenants that have waiters; if they are ranked, a heap
// with Longest on top. Otherwise they are in no order.
type queues []queue

func (q queues) Len() int { return len(q) }

func (q queues) Less(i, j int) bool { return q[i].tenant.crowdsBefore(q[j].tenant) }

func (q queues) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].tenant.queue, q[j].tenant.queue = int32(i), int32(j)
}

// Push puts the tenant last.
func (q *queues) Push(t any) {
	t.(*Tenant).queue = int32(len(*q))
	*q = append(*q, queue{tenant: t.(*Tenant)})
}

// Pop takes the last one out and returns nil.
func (q *queues) Pop() any {
	last := len(*q) - 1
	(*q)[last] = queue{}
	*q = (*q)[:last]
	return nil
}

// lengthened is due after w has joined the queue of t.
func (s *Scheduler) lengthened(t *Tenant, w *Waiter) {
	s.waiting++
	s.appeared(t, 1)
	if t.waiting == 1 {
		s.queues.Push(t)
		s.queues[t.queue].served = s.now
	}
	s.large += w.isLarge()
	s.queues[t.queue].extra += int64(w.slots() - 1)
	s.rank(t)
}

// shortened is due after w has left the queue of t.
func (s *Scheduler) shortened(t *Tenant, w *Waiter) {
	s.waiting--
	s.large -= w.isLarge()
	s.queues[t.queue].extra -= int64(w.slots() - 1)
	switch {
	case t.waiting > 0:
		s.rank(t)
	case s.ranked:
		heap.Remove(&s.queues, int(t.queue))
	default:
		s.queues.Swap(int(t.queue), len(s.queues)-1)
		s.queues.Pop()
	}
}

// rank restores the order of the queues after that of t, which has waiters, or
// its weight has changed.
func (s *Scheduler) rank(t *Tenant) {
	if s.ranked {
		heap.Fix(&s.queues, int(t.queue))
	}
}

// serve takes the first waiter of t, which is about to be granted a slot, out of
// the queue.
func (s *Scheduler) serve(t *Tenant) *Waiter {
	q := &s.queues[t.queue]
	w := t.first
	q.grants.observe(float64(s.now-q.served), queueWindow)
	for range min(w.slots(), queueWindow) - 1 { // each slot is a grant to the estimate
		q.grants.observe(0, queueWindow)
	}
	q.served = s.now
	t.dequeue(w)
	s.shortened(t, w)
	return w
}
