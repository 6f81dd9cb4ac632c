package upstream

import "time"

const (
	decrease = 0.7 // of what was in flight
	steps    = 20  // from least to most
)

// An aimd is how many calls the other side is thought to bear: additive
// increase, multiplicative decrease. It is plain data, and time an argument.
type aimd struct {
	min, max int
	every    time.Duration // from one increase to the next

	capacity int
	inFlight int
	epoch    uint64    // counts the decreases
	changed  time.Time // when the capacity did, or the pause after it is over
	until    time.Time // the end of the pause

	increases uint64
	decreases uint64
	pauses    uint64
}

// started notes that a call goes out, and returns the epoch that it belongs to.
func (a *aimd) started() (epoch uint64) {
	a.inFlight++
	return a.epoch
}

func (a *aimd) ended() { a.inFlight-- }

// succeeded notes that the other side has served a call, which has not ended.
func (a *aimd) succeeded(now time.Time, epoch uint64) {
	if epoch != a.epoch || a.inFlight < a.capacity || a.capacity >= a.max || now.Sub(a.changed) < a.every {
		return
	}
	a.capacity = min(a.capacity+max(1, (a.max-a.min)/steps), a.max)
	a.changed = now
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
	if epoch != a.epoch {
		return
	}
	a.epoch++
	a.changed = now
	if a.until.After(now) {
		a.changed = a.until
	}
	borne := int(decrease * float64(min(a.capacity, a.inFlight)))
	if less := max(a.min, a.capacity/2, borne); less < a.capacity {
		a.capacity = less
		a.decreases++
	}
}
