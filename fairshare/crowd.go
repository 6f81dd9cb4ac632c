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
	l.FailLocked(Request{last, last.Seq()}, LineFull, ErrQueueFull, 0)
	return true
}

// lateLocked returns an error if there are not n slots free and t could not be granted
// them before the deadline, the zero Time if there is none, or the end of the
// AcquireTimeout, as far as one can tell; nil if one cannot.
func (l *Line) lateLocked(deadline time.Time, t *sched.Tenant, n int) *AcquireError {
	if l.sched.InUse()+n <= l.sched.Capacity() && l.sched.Kept() == 0 {
		return nil
	}
	l.readClockLocked()
	estimate := l.sched.EstimateN(l.now, t, n)
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
	return l.explainLocked(t, n, &AcquireError{Err: ErrLate, Estimate: estimate})
}
