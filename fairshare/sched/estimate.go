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
