package debugfair

import (
	"time"

	"github.com/fairpool/fairpool/pool"
)

// A minute knows the totals of a pool as they were up to a minute ago, to tell
// what has happened since.
type minute struct {
	marks []mark
}

// A mark is the totals at a time. There is one for each step of the minute.
type mark struct {
	at       time.Time
	ended    uint64 // Acquires, those in vain included
	acquired uint64
	waited   time.Duration
	waits    counted
}

// since marks the totals, and returns those of about a minute ago, or of the
// first time.
func (m *minute) since(now mark) mark {
	if n := len(m.marks); n == 0 || now.at.Sub(m.marks[n-1].at) >= stepTime {
		if n > steps {
			m.marks = append(m.marks[:0], m.marks[1:]...)
		}
		m.marks = append(m.marks, now)
	}
	for len(m.marks) > 1 && now.at.Sub(m.marks[0].at) > time.Minute {
		m.marks = append(m.marks[:0], m.marks[1:]...)
	}
	return m.marks[0]
}

// waiting adds to a moment how long the Acquires of the last minute waited.
func (m *minute) waiting(to *moment, s pool.Stats, waits *Waits) {
	now := mark{at: to.At, ended: s.Acquired + s.Canceled, waited: s.WaitTime}
	if waits != nil {
		now.waits = waits.read()
	}
	before := m.since(now)
	to.Mean, to.P50, to.P99 = nothing, nothing, nothing
	if now.ended > before.ended {
		to.Mean = milliseconds(now.waited-before.waited) / number(now.ended-before.ended)
	}
	if waits != nil {
		ps := now.waits.percentiles(&before.waits, 0.50, 0.99)
		to.P50, to.P99 = ps[0], ps[1]
	}
}
