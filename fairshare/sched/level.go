package sched

import "math"

// level is where a newcomer starts: where the backlogged tenants stand on
// average, so that it waits for its turn as they do, and at V at least.
func (s *Scheduler) level() float64 {
	return s.levelAbove(s.highest())
}

func (s *Scheduler) levelAbove(v float64) float64 {
	return grain(max(v, s.mean.value(float64(s.clock))))
}

// arrival is where t starts now, which is fresh, holds nothing and does not wait: at
// the level. If it waited before it keeps what it gained by that, but gains nothing by its
// absence, in which the level rose about as fast as the slots served the backlogged.
func (s *Scheduler) arrival(t *Tenant, start float64) float64 {
	if s.mean.n > 0 {
		rise := 2 * float64(s.capacity) * float64(s.clock-t.mark) / s.mean.weight.hi
		start = min(start, grain(t.charged+rise))
	}
	return max(t.charged, start)
}

// arrive has a newcomer start there.
func (s *Scheduler) arrive(t *Tenant) {
	if !t.away() {
		return
	}
	t.charged = s.arrival(t, s.level())
	t.mark, t.origin = s.clock, t.charged
}

func (t *Tenant) away() bool { return t.fresh() && t.held == 0 && t.class == nil }

// An average is the weighted mean of the services of the backlogged tenants that
// were charged before. Newcomers do not count: they would hold the mean where
// they came in, and each one after them would start below all others.
type average struct {
	n      int
	base   float64 // from where services are measured, so that the sums stay small
	weight sum
	due    sum // weight times service less base, when the clock shows 0
	slots  sum // what that grows by: the slots held
}

// value is the mean when the clock shows the given time, -Inf if it is of nobody.
func (a *average) value(clock float64) float64 {
	if a.n == 0 {
		return math.Inf(-1)
	}
	return a.base + (a.due.hi+a.slots.hi*clock+a.due.lo)/a.weight.hi
}

// add counts n tenants, 1 or -1, of the given weight and entry in a class.
func (a *average) add(n int, weight, offset, slope float64) {
	a.n += n
	if a.n == 0 { // nobody is left, and the errors of rounding end
		*a = average{base: a.base}
		return
	}
	weight *= float64(n)
	a.weight.add(weight)
	a.due.add(weight * (offset - a.base))
	a.slots.add(weight * slope)
}

// rebase measures from the given service on.
func (a *average) rebase(base float64) {
	a.due.add(-a.weight.hi * (base - a.base))
	a.base = base
}

// A sum is kept in twice the precision of a float64: tenants of weight 1e6 that
// come and go for days leave no trace that one of weight 1e-6 would notice
// (Knuth, The Art of Computer Programming, volume 2, section 4.2.2).
type sum struct{ hi, lo float64 }

func (s *sum) add(x float64) {
	hi := s.hi + x
	part := hi - s.hi
	lo := s.lo + ((s.hi - (hi - part)) + (x - part))
	s.hi = hi + lo
	s.lo = lo - (s.hi - hi)
}

// grain rounds a service down to a multiple of 1/256 ns, which keeps sums of
// services free of other errors as long as they are below 2^45 ns.
func grain(service float64) float64 { return math.Floor(service*256) / 256 }
