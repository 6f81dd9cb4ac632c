package sched

import "time"

// A Share is what one tenant may claim.
type Share struct {
	Weight     float64 // relative claim, > 0
	Min        int     // below this many held slots the tenant is served first
	Max        int     // most slots held at once; 0: no cap
	MaxWaiting int     // longest queue; 0: no bound
}

// A Tenant is the record of one tenant. It stays valid while the tenant is
// active (holds, waits or is joined); of the departed ones some are forgotten.
type Tenant struct {
	// What a grant and a release touch comes first: the records of many
	// tenants do not stay in the cache.

	share   *Share
	perSlot float64 // 1/weight: what a slot adds to the slope

	held    int32
	waiting int32
	joined  int32
	demand  int32 // slots that its waiters would get within its cap, 0 unless backlogged
	pos     int32 // index in the class's heap
	active  bool  // holds, waits or is joined

	// Cuts and Turns belong to the caller, like Data: how often the tenant was
	// cut off, and for how many grants more that counts.
	Cuts, Turns uint8

	seen bool // came back since forget last looked

	// The service was charged when the clock showed mark; since then it has
	// grown at slope.
	charged float64
	mark    time.Duration
	slope   float64 // held/weight
	class   *class

	first, last *Waiter // served first in, first out
	queue       int32   // index in Scheduler.queues while it has waiters
	hold        float32 // mean of its latest timed holds, in nanoseconds; 0: none
	granted     uint64  // see grants

	// Data belongs to the caller. A departed tenant with Data is kept rather
	// than forgotten, as far as the bound on departed tenants allows.
	Data any

	name       string
	origin     float64 // the part of the service that was never charged
	prev, next *Tenant // in Scheduler.known
	rejected   uint64
	canceled   uint64
}

// Name returns the tenant's name.
func (t *Tenant) Name() string { return t.name }

// Held returns the number of slots that the tenant holds.
func (t *Tenant) Held() int { return int(t.held) }

// Waiting returns the length of the tenant's queue.
func (t *Tenant) Waiting() int { return int(t.waiting) }

// Active reports whether the tenant holds, waits or is joined.
func (t *Tenant) Active() bool { return t.active }

// everGranted is set in Tenant.granted with the first grant, so that a tenant whose
// grants came to nothing is not fresh again.
const everGranted = 1 << 63

// grants is the number of grants that count.
func (t *Tenant) grants() uint64 { return t.granted &^ everGranted }

// fresh reports whether t was never granted a slot.
func (t *Tenant) fresh() bool { return t.granted == 0 }

func (t *Tenant) setShare(share *Share) {
	t.share, t.perSlot = share, 1/share.Weight
}

// First returns the waiter that the tenant is served with next, nil if none.
func (t *Tenant) First() *Waiter { return t.first }

// Last returns the waiter at the end of the tenant's queue, nil if none.
func (t *Tenant) Last() *Waiter { return t.last }

// Full reports whether the queue is at its MaxWaiting.
func (t *Tenant) Full() bool { return t.share.MaxWaiting > 0 && int(t.waiting) >= t.share.MaxWaiting }

// PerSlot is 1/weight, what a slot counts.
func (t *Tenant) PerSlot() float64 { return t.perSlot }

// need is 1 for a tenant that has its Min, or whose first waiter asks for more than
// that, else how much of it; less than any for one that had its turn already.
func (t *Tenant) need() float64 { return t.needAt(t.first, int(t.held)) }

// needAt is need with the given first waiter and number of slots.
func (t *Tenant) needAt(first *Waiter, held int) float64 {
	if first.again {
		return -1
	}
	return t.needFor(first.slots(), held)
}

// needFor is need of a tenant that holds the given number of slots and asks for n.
func (t *Tenant) needFor(n, held int) float64 {
	if held+n > t.share.Min {
		return 1
	}
	return float64(held) / float64(t.share.Min)
}

// A Waiter is one request in its tenant's queue. The zero Waiter is ready for
// use, and may be used again once it was granted or removed.
type Waiter struct {
	// Owner belongs to the caller.
	Owner any

	// Slots is how many slots it asks for, all or none; 0 counts as 1. It does not
	// change while the waiter is in a queue.
	Slots int32

	tries      uint8 // how often slots were collected for it in vain
	again      bool  // it had its turn already
	tenant     *Tenant
	prev, next *Waiter
	seq        uint64 // 0: not in a queue
	since      time.Duration
}

func (w *Waiter) slots() int { return int(max(w.Slots, 1)) }

// Tenant returns the tenant whose queue w is or was last in.
func (w *Waiter) Tenant() *Tenant { return w.tenant }

// Seq identifies the current stay in a queue; 0 when w is in none.
func (w *Waiter) Seq() uint64 { return w.seq }

// Next returns the waiter after w in the queue, nil if none.
func (w *Waiter) Next() *Waiter { return w.next }

// Since returns when w joined the queue.
func (w *Waiter) Since() time.Duration { return w.since }

func (t *Tenant) enqueue(w *Waiter) {
	w.tenant, w.prev = t, t.last
	if t.last == nil {
		t.first = w
	} else {
		t.last.next = w
	}
	t.last = w
	t.waiting++
}

func (t *Tenant) enqueueFirst(w *Waiter) {
	w.tenant, w.next = t, t.first
	if t.first == nil {
		t.last = w
	} else {
		t.first.prev = w
	}
	t.first = w
	t.waiting++
}

func (t *Tenant) dequeue(w *Waiter) {
	if w.prev == nil {
		t.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		t.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next, w.seq, w.again, w.tries = nil, nil, 0, false, 0
	t.waiting--
}

// A tenantList is a list of tenants, in the order in which they came.
type tenantList struct {
	first, last *Tenant
}

func (l *tenantList) pushBack(t *Tenant) {
	t.prev = l.last
	if l.last == nil {
		l.first = t
	} else {
		l.last.next = t
	}
	l.last = t
}

func (l *tenantList) remove(t *Tenant) {
	if t.prev == nil {
		l.first = t.next
	} else {
		t.prev.next = t.next
	}
	if t.next == nil {
		l.last = t.prev
	} else {
		t.next.prev = t.prev
	}
	t.prev, t.next = nil, nil
}
