package fairshare

import (
	"math"
	"time"

	"github.com/fairpool/fairpool/fairshare/sched"
)

// makeRoomLocked keeps to the bound on the waiters of all tenants. The tenant
// with the longest queue over weight loses its last waiter; otherwise a flood of
// one tenant would keep the others out. It reports whether t may queue up.
func (l *Line) makeRoomLocked(t *sched.Tenant) bool {
	if l.maxWaiting == 0 || l.sched.Waiting() < l.maxWaiting || t.Full() {
		return true // if t is full, Enqueue says so
	}
	longest := l.sched.Longest()
	if !longest.Crowds(t) {
		return false
	}
	last := longest.Last()
	l.FailLocked(Request{last, last.Seq()}, LineFull, ErrQueueFull)
	return true
}

// lateLocked returns an error if all slots are in use and t could not be granted
// one before the deadline, the zero Time if there is none, or the end of the
// AcquireTimeout, as far as one can tell; nil if one cannot.
func (l *Line) lateLocked(deadline time.Time, t *sched.Tenant) *AcquireError {
	if l.sched.InUse() < l.sched.Capacity() {
		return nil
	}
	l.readClockLocked()
	estimate := l.sched.Estimate(l.now, t)
	left := time.Duration(math.MaxInt64)
	if !deadline.IsZero() {
		left = time.Until(deadline)
	}
	if l.patience.limit > 0 {
		left = min(left, l.patience.limit)
	}
	if estimate == 0 || estimate <= left {
		return nil
	}
	l.sched.Reject(t)
	return l.explainLocked(t, &AcquireError{Err: ErrLate, Estimate: estimate})
}
