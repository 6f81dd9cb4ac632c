package fairshare

import (
	"context"
	"time"
)

// An end is what ended an Acquire without a slot after it had begun to wait, or to
// be prepared.
type end int

const (
	failed    end = iota // a close, a failed build or hook, a newcomer in a full queue
	timedOut             // AcquireTimeout
	expired              // the deadline of the context
	abandoned            // the cancel of the context
	allEnds
)

// endOf compares err only, for errors may have methods, which are not for a lock.
func endOf(err error) end {
	switch err {
	case ErrAcquireTimeout:
		return timedOut
	case context.DeadlineExceeded:
		return expired
	case context.Canceled:
		return abandoned
	}
	return failed
}

// waitedLocked counts a wait that is over, however it ended.
func (l *Line) waitedLocked(wait time.Duration) {
	l.waited += wait
	l.waits.add(wait)
}

// EndLocked counts an Acquire that ends with err although it was granted a slot.
func (l *Line) EndLocked(tenant string, err error) {
	t := l.sched.Tenant(l.now, tenant)
	l.sched.CountCanceled(t)
	l.ends[endOf(err)]++
}
