package fairshare

import (
	"context"
	"time"

	"github.com/fairpool/fairpool/fairshare/sched"
)

// contextError completes e with the error of a context that is done.
func contextError(ctx context.Context, e *AcquireError) *AcquireError {
	e.Err = ctx.Err()
	if cause := context.Cause(ctx); cause != e.Err {
		e.Cause = cause
	}
	return e
}

// explainLocked completes e with the figures of the moment and, unless it has
// one, the reason why t has no slot.
func (l *Line) explainLocked(t *sched.Tenant, e *AcquireError) *AcquireError {
	status := l.sched.Status(l.now, t)
	e.Tenant, e.Held, e.Waiting, e.Cap = t.Name(), t.Held(), t.Waiting(), status.Cap
	e.InUse, e.Capacity = l.sched.InUse(), l.sched.Capacity()
	e.Holders = l.topHoldersLocked()
	reason, buildErr := l.supply.Lacking()
	if e.Reason == "" {
		e.Reason = l.reasonLocked(e, reason)
	}
	if buildErr != e.Err { //nolint:errorlint // the same value, not the same kind
		e.BuildErr = buildErr
	}
	return e
}

func (l *Line) reasonLocked(e *AcquireError, lacking Reason) Reason {
	free := e.Capacity - e.InUse
	switch {
	case e.Cap > 0 && e.Held >= e.Cap:
		return AtCap
	case free <= 0:
		return Saturated
	case e.Held > 0 && free <= l.sched.Headroom():
		return Reserved
	}
	return lacking
}

// topHoldersLocked looks at most ten times a second, so that a storm of
// timeouts does not cost a walk over the holders each.
func (l *Line) topHoldersLocked() []Holding {
	const fresh = 100 * time.Millisecond
	if l.top != nil && l.now-l.topTime < fresh {
		return l.top
	}
	all := []Holding{}
	for t := range l.sched.Holders() {
		all = append(all, Holding{t.Name(), t.Held()})
	}
	l.top, l.topTime = topHolders(all), l.now
	return l.top
}
