package adaptfair

import (
	"math"
	"time"
)

const (
	leastServed = 20              // calls in a reading
	mostServed  = 400             // calls in a reading
	longest     = 5 * time.Second // of a reading, once it has leastServed; a fifth of it while the limit moves
	turns       = 2               // calls in a reading for each that runs at once
	outlier     = 20              // mean times that a call counts as at most
	sure        = 4.5             // standard errors that two levels are to be apart

	certain = 2.5 // standard errors between staying and moving
	clear   = 0.3 // error that a leap allows

	full = 0.9 // part of the level that has to be in use or waited for in a reading

	smallStep = 1.25 // from the limit to what is tried, once it has settled
	bigStep   = 2    // while it moves
	alike     = 1.3  // most that two readings of one level differ, if nothing has changed

	restsPerTrial = 3 // how much longer the limit rests than a trial lasts
	leastRest     = 500 * time.Millisecond
)

// A law is how many calls the protected side bears at once. See doc.go. It is plain
// data, and time an argument.
type law struct {
	min, max int

	limit    int // that is thought right
	level    int // in force: the limit, or what is tried instead
	inFlight int
	waiting  int // for a slot, as far as that is known
	now      time.Time

	settling int // calls to be served before a reading of the level begins
	reading  reading
	before   reading // of the limit, before the trial
	trial    reading
	phase    phase
	since    time.Time // when the phase began
	tried    time.Time // when the trial began, in the phase after

	up    bool          // the direction of the next trial
	step  float64       // of it
	idle  int           // trials in a row that moved nothing
	rest  time.Duration // before the next
	moves uint64        // of the limit
	moved bool          // the direction of the last
	found bool          // it has stood still once
}

// A phase is what the current level is in force for.
type phase int

const (
	resting phase = iota // at the limit
	trying               // another level
	after                // at the limit again, to compare
)

// A reading is what was seen at a level.
type reading struct {
	begun   time.Time
	level   int
	served  int
	wanted  time.Duration // slots that were in use or waited for, over time
	unused  time.Duration // slots that were not in use, over time
	spent   float64       // how long the calls took
	sum     float64       // how long the served ones took
	squares float64
}

// hold is the slot-time for each call that was served. It contains the time in which a
// slot goes from one call to the next.
func (r reading) hold() float64 { return max(r.spent+float64(r.unused), 1) / float64(r.served) }

// err is the standard error of hold, as a part of it.
func (r reading) err() float64 {
	mean := r.sum / float64(r.served)
	if mean <= 0 {
		return 0
	}
	return math.Sqrt(max(r.squares/float64(r.served)/(mean*mean)-1, 0) / float64(r.served))
}

func (r reading) span(now time.Time) time.Duration { return now.Sub(r.begun) }

func newLaw(least, most, start int, now time.Time) law {
	l := law{min: least, max: most, limit: start, now: now, step: bigStep}
	l.enter(resting, start)
	return l
}

// wait notes that so many more wait for a slot, or fewer.
func (l *law) wait(now time.Time, more int) {
	l.advance(now)
	l.waiting += more
}

// start notes that a call goes out.
func (l *law) start(now time.Time) {
	l.advance(now)
	l.inFlight++
}

// end notes that a call has ended, how long it took and whether it was served. Calls
// that were not served use up slot-time for nothing.
func (l *law) end(now time.Time, took time.Duration, served bool) {
	l.advance(now)
	l.inFlight--
	if l.settling > 0 {
		l.settling--
		l.reading = reading{begun: now, level: l.level}
	} else {
		l.count(took, served)
	}
	// A level at which nothing is served any more must not stay.
	if l.phase == trying && l.now.Sub(l.since) > l.patience() {
		l.settle()
	}
}

// count adds a call to the reading.
func (l *law) count(took time.Duration, served bool) {
	held := float64(took)
	if l.before.served > 0 { // one that takes very long is no sign of a queue
		held = min(held, outlier*l.before.hold())
	}
	l.reading.spent += held
	if !served {
		return
	}
	l.reading.served++
	l.reading.sum += held
	l.reading.squares += held * held
	if l.complete() {
		l.read()
	}
}

// complete reports whether the reading tells the levels apart that are compared.
func (l *law) complete() bool {
	r := l.reading
	if r.served < max(leastServed, min(turns*l.level, mostServed)) {
		return false
	}
	most := longest
	if l.step == bigStep {
		most /= 5
	}
	return r.served >= mostServed || r.span(l.now) >= most || r.err() <= math.Log(l.step)/sure/math.Sqrt2
}

// bound changes the greatest limit.
func (l *law) bound(now time.Time, most int) {
	l.advance(now)
	l.max = most
	if l.limit > most || l.level > most {
		l.limit = min(l.limit, most)
		l.settle()
	}
}

// patience is how long a trial may last.
func (l *law) patience() time.Duration {
	turn := 4 * l.before.hold() / float64(l.level)
	few, many := turn*float64(leastServed+2*l.before.level), turn*float64(mostServed+2*l.before.level)
	return time.Duration(min(many, few+float64(2*longest)))
}

func (l *law) advance(now time.Time) {
	if l.settling == 0 {
		elapsed := max(0, now.Sub(l.now))
		l.reading.wanted += time.Duration(min(l.inFlight+l.waiting, l.level)) * elapsed
		l.reading.unused += time.Duration(max(l.level-l.inFlight, 0)) * elapsed
	}
	l.now = now
}

// enter puts a level in force. What is in flight has to be served first, and as many
// calls as the level has.
func (l *law) enter(p phase, level int) {
	if p != l.phase || l.since.IsZero() {
		l.since = l.now
	}
	l.phase, l.level = p, level
	l.settling = max(l.inFlight-level, 0) + level
}

// settle goes back to the limit, for a rest.
func (l *law) settle() {
	tried := l.since
	if l.phase == after {
		tried = l.tried
	}
	l.rest = max(leastRest, restsPerTrial*l.since.Sub(tried))
	l.enter(resting, l.limit)
}

// read judges a reading that is complete.
func (l *law) read() {
	r := l.reading
	l.reading = reading{begun: l.now, level: l.level}
	used := float64(r.wanted) / float64(max(r.span(l.now), 1))
	if used < full*float64(r.level) {
		// The load does not fill the level, which proves nothing.
		switch {
		case l.phase != resting:
			l.settle()
		case l.moves == 0 && l.idle == 0 && used >= float64(l.limit)/2:
			// Nor was the limit ever proved. Where calls wait, so many do.
			l.limit = max(l.min, int(used))
			l.enter(resting, l.limit)
		}
		return
	}
	switch l.phase {
	case resting:
		last := l.before
		l.before = r
		if last.level == r.level && !agree(last, r) {
			// Something has changed, perhaps in the midst of this reading.
			l.idle, l.rest, l.up = 0, 0, r.hold() < last.hold()
			return
		}
		if l.step == bigStep || l.now.Sub(l.since) >= l.rest {
			l.try()
		}
	case trying:
		if l.leap(r) {
			return
		}
		l.trial, l.tried = r, l.since
		l.enter(after, l.limit)
	case after:
		l.decide(r)
	}
}

// try puts the next level to be tried in force.
func (l *law) try() {
	var level int
	for range 2 {
		step := l.step
		if l.found && !l.up {
			step = smallStep
		}
		if l.up {
			level = min(l.max, max(l.limit+1, int(math.Ceil(float64(l.limit)*step))))
		} else {
			level = max(l.min, min(l.limit-1, int(float64(l.limit)/step)))
		}
		if level != l.limit {
			l.enter(trying, level)
			return
		}
		l.up = !l.up // there is no room in this direction
	}
	l.settle()
}

// compare returns what part of the calls that the higher of two levels has more of
// only waits, and the error of that. trial is the reading of the level that was
// tried, hold what a call took at the limit.
func (l *law) compare(limit, trial reading, hold float64) (waits, unsure float64) {
	span := math.Log(float64(trial.level) / float64(limit.level))
	waits = math.Log(trial.hold()/hold) / span
	return waits, certain * math.Hypot(limit.err(), trial.err()) / math.Abs(span)
}

// leap moves the limit to the level that was tried if that is clearly right, although
// the limit has a long way to go.
func (l *law) leap(r reading) bool {
	waits, unsure := l.compare(l.before, r, l.before.hold())
	if l.found || l.step != bigStep || unsure > clear || (l.up && waits > clear) || (!l.up && waits < 1-clear) {
		return false
	}
	l.before = reading{}
	l.move(r.level)
	return true
}

// decide moves the limit to the knee between the two levels that were compared.
func (l *law) decide(r reading) {
	if !agree(l.before, r) {
		l.settle() // something else has changed meanwhile
		return
	}
	hold := (l.before.hold() + r.hold()) / 2
	waits, unsure := l.compare(r, l.trial, hold)
	knee := l.limit
	switch { // at the knee a call takes as long as at the lower level
	case l.up && waits < 1-unsure:
		knee = int(math.Round(float64(l.trial.level) * hold / l.trial.hold()))
	case !l.up && waits > unsure:
		knee = int(math.Round(float64(l.limit) * l.trial.hold() / hold))
	}
	knee = min(max(knee, min(l.limit, l.trial.level)), max(l.limit, l.trial.level))
	l.before = r
	if knee != l.limit {
		l.move(knee)
		return
	}
	l.up = !l.up
	l.idle++
	if l.idle >= 2 {
		l.step, l.found = smallStep, true
	}
	l.settle()
}

func (l *law) move(limit int) {
	// It may have a long way to go. Down it goes by small steps, once it was found: a
	// limit that is far too low by mistake costs most, and is slow to see it.
	if l.idle == 0 && l.moves > 0 && l.moved && l.up {
		l.step = bigStep
	}
	l.limit, l.idle, l.moved, l.rest = limit, 0, l.up, 0
	l.moves++
	l.enter(resting, limit)
}

// agree reports whether two readings of one level may be of the same conditions.
func agree(a, b reading) bool {
	return math.Abs(math.Log(a.hold()/b.hold())) <= max(math.Log(alike), sure*math.Hypot(a.err(), b.err()))
}
