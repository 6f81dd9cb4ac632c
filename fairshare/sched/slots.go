package sched

import (
	"math"
	"time"
)

// This file is about requests of several slots, all or none. One whose turn it is
// while too few slots are free has them collected: until there are enough, nobody
// gets a free slot but tenants that come before it whatever anybody had.

// collecting is the request that free slots are kept for; there is at most one.
type collecting struct {
	waiter    *Waiter       // nil: none
	contended bool          // others wait, or did
	until     time.Duration // when others get the slots if it is their turn by then
	kept      int           // slots, as of the latest Next
	charge    float64       // slot-time for which they were kept while others waited
}

// Slots are collected for collectHolds mean holding times, and leastCollect at
// least, before others may have a turn; after each time in vain, for twice as long.
const (
	collectHolds = 16
	leastCollect = 10 * time.Millisecond
)

// cost counts time that has passed, in which so many tenants were backlogged.
func (k *collecting) cost(elapsed time.Duration, backlogged int) {
	if k.waiter != nil && backlogged > 1 {
		k.charge += float64(k.kept) * float64(elapsed)
	}
}

// Kept is the number of slots that are kept for a request that needs more.
func (s *Scheduler) Kept() int { return s.collecting.kept }

// CollectsUntil is when Next is to be called again, so that slots which were
// collected in vain are of use to others; 0 if none are collected.
func (s *Scheduler) CollectsUntil() time.Duration { return s.collecting.until }

// collect keeps the free slots for w, whose turn it is.
func (s *Scheduler) collect(w *Waiter, ready int) {
	k := &s.collecting
	if k.waiter != w {
		s.uncollect() // in favor of w, which comes before it
		k.waiter, k.contended = w, s.backlogged > 1
		k.until = s.now + s.patience(w)
	}
	k.kept = min(ready, s.capacity-s.inUse)
}

// patience is for how long slots are collected for w.
func (s *Scheduler) patience(w *Waiter) time.Duration {
	hold := float64(s.horizon.meanHold())
	if s.blind {
		hold = s.horizon.mean
	}
	d := max(collectHolds*hold, float64(leastCollect))
	return time.Duration(min(math.Ldexp(d, int(w.tries)), math.MaxInt64/4))
}

// giveUp ends the collecting if it took too long, or went on while nobody else
// waited and somebody does now. Who is next is decided anew.
func (s *Scheduler) giveUp(ready int) {
	k := &s.collecting
	w := k.waiter
	if w == nil || w.slots() <= ready && s.enough(w.tenant, w.slots()) {
		return
	}
	if k.contended && s.now >= k.until {
		k.contended = false
		w.tries = min(w.tries+1, math.MaxUint8-1)
	}
	if !k.contended && s.backlogged > 1 {
		s.uncollect()
	}
}

// uncollect ends the collecting before there were enough slots, and charges for it.
func (s *Scheduler) uncollect() {
	if w := s.collecting.waiter; w != nil {
		t := w.tenant
		s.place(t, s.service(t)+s.collected(w))
	}
}

// collected ends the collecting for w, if there is one, and returns what is to be
// charged for it: what slots were kept for w is of no use to others.
func (s *Scheduler) collected(w *Waiter) (service float64) {
	k := &s.collecting
	if w == nil || k.waiter != w {
		return 0
	}
	service = k.charge * w.tenant.perSlot
	*k = collecting{}
	return service
}

// passes reports whether t, which asks for n slots, comes before the request that
// slots are collected for: below its Min, or from the headroom.
func (s *Scheduler) passes(t *Tenant, need float64, n int) bool {
	o := s.collecting.waiter.tenant
	free := s.capacity - s.inUse
	return need < o.class.need || t.held == 0 && o.held > 0 && n <= free && free <= s.headroom
}

// enough reports whether there are n free slots that t may have.
func (s *Scheduler) enough(t *Tenant, n int) bool {
	free := s.capacity - s.inUse
	return n <= free && (t.held == 0 || n <= free-s.headroom)
}

// within reports whether t may hold n slots more. For a request of several its
// own ones have to return before, if there are not enough otherwise: what only t
// can give is not collected.
func (s *Scheduler) within(t *Tenant, n int) bool {
	if n == 1 {
		return int(t.held) < s.cap(t)
	}
	return n <= min(s.cap(t), s.capacity)-int(t.held)
}

// grantable is how many slots the waiters of t would get within the given room.
func (s *Scheduler) grantable(t *Tenant, room int) (n int) {
	extra := s.queues[t.queue].extra
	if extra == 0 {
		return min(int(t.waiting), room)
	}
	if wants := int64(t.waiting) + extra; wants <= int64(room) {
		return int(min(wants, math.MaxInt32))
	}
	for w := t.first; w != nil && w.slots() <= room-n; w = w.next {
		n += w.slots()
	}
	return n
}

// Wants returns how many slots the waiters of t ask for together.
func (s *Scheduler) Wants(t *Tenant) int {
	if t.waiting == 0 {
		return 0
	}
	return int(min(int64(t.waiting)+s.queues[t.queue].extra, math.MaxInt32))
}

// HasLarge reports whether anybody waits for several slots.
func (s *Scheduler) HasLarge() bool { return s.large > 0 }

func (w *Waiter) isLarge() int {
	if w.Slots > 1 {
		return 1
	}
	return 0
}
