package sched

import "math"

// level is where a newcomer starts: where the backlogged tenants stand on
// average, so that it waits for its turn as they do, and at V at least.
func (s *Scheduler) level() float64 {
	s.raise()
	return s.levelAbove(s.virtual)
}

func (s *Scheduler) levelAbove(v float64) float64 {
	if s.backlogged == s.mean.newcomers {
		return grain(v)
	}
	due := s.mean.due + float64(s.contending)*(float64(s.clock)-s.mean.clock)
	return grain(max(v, s.mean.base+due/s.settled()))
}

// settled is the weight of the backlogged tenants that were granted a slot before.
func (s *Scheduler) settled() float64 {
	return (s.weight.hi - s.mean.newWeight.hi) + (s.weight.lo - s.mean.newWeight.lo)
}

// arrival is where t starts now, which is fresh, holds nothing and does not wait: at
// the level. If it waited before it keeps what it gained by that, but gains nothing by its
// absence, in which the level rose about as fast as the slots served the backlogged.
func (s *Scheduler) arrival(t *Tenant, start float64) float64 {
	if s.backlogged > s.mean.newcomers {
		rise := 2 * float64(s.capacity) * float64(s.clock-t.mark) / s.settled()
		start = min(start, grain(t.charged+rise))
	}
	return max(t.charged, start)
}

// welcome is due before t may join the backlogged.
func (s *Scheduler) welcome(t *Tenant) {
	if t.class == nil && t.waiting > 0 && s.within(t, t.first.slots()) {
		s.arrive(t)
	}
}

// arrive has a newcomer start there.
func (s *Scheduler) arrive(t *Tenant) {
	if !t.away() {
		return
	}
	start := s.arrival(t, s.level())
	t.origin += start - t.charged // what slots that were kept for it cost stays
	t.charged, t.mark = start, s.clock
}

func (t *Tenant) away() bool { return t.fresh() && t.held == 0 && t.class == nil }

// An average is what the weighted mean of the services of the backlogged tenants
// is worked out from. Only those that were granted a slot before count: newcomers would
// hold the mean where they came in, and each one after them would start below all
// others.
type average struct {
	base  float64 // from where services are measured, so that the sum stays small
	clock float64 // the clock at which they are
	due   float64 // sum of weight times service

	newcomers int // that are backlogged and do not count
	newWeight sum
}

// count takes in n backlogged tenants, 1 or -1, of the given weight and class.
func (a *average) count(n, weight, offset, slope float64) {
	a.due += n * weight * (offset - a.base + slope*a.clock)
}

// admit takes in n backlogged newcomers, 1 or -1.
func (a *average) admit(n int, weight float64) {
	if a.newcomers += n; a.newcomers == 0 {
		a.newWeight = sum{}
		return
	}
	a.newWeight.add(float64(n) * weight)
}

// rebase measures from now on from V.
func (s *Scheduler) rebase() {
	a, clock := &s.mean, float64(s.clock)
	a.due += float64(s.contending)*(clock-a.clock) - s.settled()*(s.virtual-a.base)
	a.base, a.clock = s.virtual, clock
}

// maxBase is how far V and the clock may be from where they are measured from.
const maxBase = 1 << 36

// A sum is kept in nearly twice the precision of a float64: tenants of weight 1e6
// that come and go for days leave no trace that one of weight 1e-6 would notice
// (Knuth, The Art of Computer Programming, volume 2, section 4.2.2).
type sum struct{ hi, lo float64 }

func (s *sum) add(x float64) {
	hi := s.hi + x
	part := hi - s.hi
	s.lo += (s.hi - (hi - part)) + (x - part)
	s.hi = hi
}

// grain rounds a service down to a multiple of 1/256 ns, which keeps sums of
// services free of other errors as long as they are below 2^45 ns.
func grain(service float64) float64 { return math.Floor(service*256) / 256 }
