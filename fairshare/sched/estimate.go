package sched

import (
	"math"
	"time"
)

const (
	// releaseWindow is how many releases the projection of a wait looks back. It
	// is short: a slow spell is to be forgotten soon.
	releaseWindow = 32
	// queueWindow is how many grants of a tenant are looked back at. It is long:
	// of rare long holds one or two are to be among them.
	queueWindow = 128
	// leastGrants is how many grants it takes to go by them.
	leastGrants = 4
	// mostBeyond is how many times as long as projected a wait may be expected to
	// be because of what the queue has seen.
	mostBeyond = 32
	// holdWindow is how many holds the mean of one tenant reaches back.
	holdWindow = 4
)

// Estimate is how long one more waiter of t would wait. It is 0 if t may have a
// slot that is free now, and if nothing is known: no slot was ever released, or
// there is no capacity.
//
// While t waits, its own grants tell best: they show what its weight, caps and
// Mins, and the debts, the holds and the number of the others come to. The first
// in the queue waits for what is left of a gap between two grants, and each of the
// others for one gap more. When the queue is too short for that, or the result
// far beyond it, the wait is projected from the releases of all tenants.
func (s *Scheduler) Estimate(now time.Duration, t *Tenant) time.Duration {
	return s.EstimateN(now, t, 1)
}

// EstimateN is Estimate for a waiter that asks for n slots.
func (s *Scheduler) EstimateN(now time.Duration, t *Tenant, n int) time.Duration {
	if s.capacity == 0 || s.releases.count() == 0 || s.capacity-s.inUse >= n && s.within(t, n) && s.collecting.waiter == nil {
		return 0
	}
	s.advance(now)
	s.raise()
	wait := s.project(t, n)
	if t.waiting > 0 {
		if q := &s.queues[t.queue]; q.grants.count() >= leastGrants {
			seen := q.grants.next(float64(s.now-q.served)) + float64(s.Wants(t)+n-1)*q.grants.mean()
			wait = min(seen, mostBeyond*wait)
		}
	}
	return time.Duration(min(max(wait, 1), math.MaxInt64/2))
}

// project is the wait as it follows from the rule, if all goes on as it did
// lately. A debt is worked off first, while the others are served. Below its part
// of the slots t has whatever slot comes free next, and from then on a slot
// whenever one of its own comes free.
func (s *Scheduler) project(t *Tenant, n int) float64 {
	capacity := float64(s.capacity)
	pace := s.releases.mean() / capacity
	hold := min(float64(t.hold), s.releases.sum()) // else its hold was long ago
	if hold == 0 {
		hold = s.releases.mean()
	}
	age := 0.0
	if s.released >= 0 {
		age = s.slotTime - s.released
	}
	next := s.releases.next(age) / capacity
	part, ahead := s.part(t), float64(s.Wants(t)+n)
	quick := min(max(part-float64(t.held), 0), ahead)
	rivals := s.weights
	if t.class != nil {
		rivals -= t.share.Weight
	}
	wait := max(s.service(t)-s.virtual, 0) * max(rivals, 0) / capacity
	if quick >= 1 {
		wait += next - pace
	}
	return max(next, wait+quick*pace+(ahead-quick)*hold/part)
}

// part is about the number of slots that t would have if it waited all the time.
// Those that wait want all they can get. Of those that hold and do not wait, half
// are taken to want as much; or all to have what they want, if that leaves t more.
func (s *Scheduler) part(t *Tenant) float64 {
	weight, capacity := t.share.Weight, float64(s.capacity)
	present, rivals := s.present, s.weights
	satisfied := float64(s.inUse - s.contending)
	if t.class == nil {
		rivals += weight
		satisfied -= float64(t.held)
		if t.held == 0 && t.waiting == 0 {
			present += weight
		}
	}
	// Rounding may have left less of a sum than one of its terms.
	rivals = max(rivals, weight)
	level := max(capacity/max((present+rivals)/2, weight), (capacity-satisfied)/rivals)
	return min(max(level*weight, float64(min(t.share.Min, s.capacity))), float64(s.cap(t)))
}

// learn takes note of a release of t, which held n slots since the given time; 0
// if nobody looked at the clock then.
func (s *Scheduler) learn(now time.Duration, t *Tenant, since time.Duration, n int) {
	if now == 0 {
		return
	}
	hold := now - since
	if since > 0 && hold > 0 {
		s.horizon.observe(hold)
		t.hold += (float32(hold) - t.hold) / float32(min(max(t.grants(), 1), holdWindow))
	}
	if s.released >= 0 {
		s.releases.observe(s.slotTime-s.released, releaseWindow)
	} else if since > 0 {
		s.releases.observe(float64(max(hold, 0)), releaseWindow) // as much on the average
	}
	s.released = s.slotTime
	for range min(n, releaseWindow) - 1 {
		s.releases.observe(0, releaseWindow)
	}
}

// appeared is due after t has come to hold n slots more, or to wait for one.
func (s *Scheduler) appeared(t *Tenant, n int) {
	if int(t.held+t.waiting) == n {
		s.present += t.share.Weight
	}
}

// vanished is due after t has come to hold or wait for one slot less.
func (s *Scheduler) vanished(t *Tenant) {
	switch {
	case s.inUse+s.waiting == 0:
		s.present = 0 // and the rounding errors with it
	case t.held+t.waiting == 0:
		s.present -= t.share.Weight
	}
}

// Restart has the time pass unnoticed in which nothing could be granted, however
// soon it might have been.
func (s *Scheduler) Restart(now time.Duration) {
	for i := range s.queues {
		s.queues[i].served = now
	}
}
