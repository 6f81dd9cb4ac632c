package upstream

import (
	"math"
	"time"
)

const (
	decrease = 0.7 // what is left of the capacity that proved too much
	steps    = 20  // of an increase, from least to most
	patience = 20  // pauses between two that a growing capacity may cause
)

// An aimd is how many calls the other side is thought to bear: additive
// increase, multiplicative decrease. It is plain data, and time an argument.
type aimd struct {
	min, max int
	every    time.Duration // from one increase to the next

	capacity int
	inFlight int
	epoch    uint64    // counts the decreases
	next     time.Time // when the capacity may grow
	until    time.Time // the end of the pause

	good int // a capacity that was in use for at least every before it grew
	goal int // up to here the capacity grows with each success

	// Since the last decrease.
	served int       // calls that have succeeded
	peak   int       // most calls in flight at once
	since  time.Time // when there were as many
	borne  int       // calls that have succeeded after that

	last refusals // at the last decrease

	increases uint64
	decreases uint64
	pauses    uint64
}

// refusals are the answers to the calls that were in flight at a decrease.
type refusals struct {
	before int  // capacity when calls succeeded last
	from   int  // capacity
	peak   int  // calls in flight
	n      int  // of them refused
	crowd  bool // they were too many at once
}

func newAIMD(least, most int, every time.Duration, now time.Time) aimd {
	return aimd{min: least, max: most, every: every, capacity: most, next: now.Add(every)}
}

// started notes that a call goes out, and returns the epoch that it belongs to.
func (a *aimd) started(now time.Time) (epoch uint64) {
	a.inFlight++
	if a.inFlight > a.peak {
		a.peak, a.since, a.borne = a.inFlight, now, 0
	}
	return a.epoch
}

func (a *aimd) ended() { a.inFlight-- }

// succeeded notes that the other side has served a call, which has not ended.
func (a *aimd) succeeded(now time.Time, epoch uint64) {
	if epoch != a.epoch {
		return
	}
	a.served++
	a.borne++
	if a.inFlight < a.capacity || a.capacity >= a.max {
		return
	}
	switch {
	case a.capacity < a.goal:
		a.capacity++
	case !now.Before(a.next):
		a.good = a.capacity
		a.capacity = min(a.capacity+max(1, (a.max-a.min)/steps), a.max)
	default:
		return
	}
	a.next = now.Add(a.every)
	a.increases++
}

// overloaded notes that the other side has refused a call, which has not ended,
// and wants no more of them for a while.
func (a *aimd) overloaded(now time.Time, epoch uint64, pause time.Duration) {
	if until := now.Add(pause); pause > 0 && until.After(a.until) {
		if !a.until.After(now) {
			a.pauses++
		}
		a.until = until
	}
	switch {
	case epoch == a.epoch:
		before := a.capacity
		if a.served == 0 && a.epoch > 0 { // it goes on
			before = a.last.before
		}
		a.last = refusals{before: before, from: a.capacity, peak: max(a.peak, a.inFlight)}
		a.decrease(now, pause)
		a.epoch++
		a.served, a.peak, a.borne = 0, 0, 0
	case epoch != a.epoch-1:
		return
	}
	a.last.n++
	a.next = later(now, a.until).Add(max(a.every, patience*pause))
	if a.last.crowd {
		a.fit()
	}
}

// decrease takes the capacity down at the first of several refusals.
func (a *aimd) decrease(now time.Time, pause time.Duration) {
	most, good := a.last.peak-1, a.good
	a.goal, a.good = 0, 0
	switch {
	case good > 0 && a.last.peak > good: // what came after it was too much
		most, a.good = good, good
	case a.borne >= 2*a.last.peak: // as many at once were borne before: it is their rate
		part := decrease
		if now.Sub(a.since) > pause && pause > 0 { // the more seldom, the less too many they were
			part = 1 - (1-decrease)*float64(pause)/float64(now.Sub(a.since))
		}
		most = min(most, int(math.Round(part*float64(a.last.peak))))
	default:
		a.last.crowd = true
	}
	a.lower(most)
	a.decreases++
}

// fit sets the capacity to as many calls as were not refused of those that were in
// flight together. If all were, that says nothing of how many are borne.
func (a *aimd) fit() {
	if a.last.n < a.last.peak {
		a.lower(a.last.peak - a.last.n)
		return
	}
	a.capacity = max(a.min, int(decrease*float64(a.last.from)))
	a.goal = a.last.before
}

func (a *aimd) lower(capacity int) { a.capacity = max(a.min, min(a.capacity, capacity)) }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
