package fairshare

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/fairpool/fairpool/fairshare/sched"
)

// contextError completes e with the error of a context that is done.
func contextError(ctx context.Context, e *AcquireError) *AcquireError {
	e.Err = ctx.Err()
	if cause := context.Cause(ctx); !errors.Is(e.Err, cause) {
		e.Cause = cause
	}
	return e
}

// Explain completes an error of the tenant with the figures of the moment.
func (l *Line) Explain(tenant string, e *AcquireError) *AcquireError {
	l.Lock()
	defer l.Unlock()
	return l.ExplainLocked(tenant, e)
}

// ExplainLocked is Explain for a caller that holds the lock.
func (l *Line) ExplainLocked(tenant string, e *AcquireError) *AcquireError {
	t := l.sched.Tenant(l.now, tenant)
	l.sched.Dismiss(t)
	return l.explainLocked(t, max(e.Slots, 1), e)
}

// explainLocked completes e with the figures of the moment and, unless it has
// one, the reason why t has not got n slots.
func (l *Line) explainLocked(t *sched.Tenant, n int, e *AcquireError) *AcquireError {
	l.readClockLocked()
	e.owner = l.owner
	status := l.sched.Status(l.now, t)
	e.Tenant, e.Held, e.Waiting, e.Cap = t.Name(), t.Held(), t.Waiting(), status.Cap
	if n > 1 {
		e.Slots = n
	}
	e.InUse, e.Capacity = l.sched.InUse(), l.sched.Capacity()
	e.Holders = l.topHoldersLocked()
	if e.Estimate == 0 && e.Reason != Closed && e.Err != ErrTooLarge && !l.paused {
		e.Estimate = l.sched.EstimateN(l.now, t, n)
	}
	if e.Reason == "" {
		var lacking Reason
		lacking, e.BuildErr = l.supply.Lacking()
		e.Reason = l.reasonLocked(e, n, lacking)
	}
	return e
}

func (l *Line) reasonLocked(e *AcquireError, n int, lacking Reason) Reason {
	free := e.Capacity - e.InUse
	switch {
	case l.paused:
		return Suspended
	case e.Cap > 0 && e.Held+n > e.Cap:
		return AtCap
	case free <= 0:
		return Saturated
	case free < n:
		return TooFew
	case e.Held > 0 && free-n < l.sched.Headroom():
		return Reserved
	case l.sched.Kept() > 0:
		return Collected
	}
	return lacking
}

// topHoldersLocked looks at most ten times a second, so that a storm of
// timeouts does not cost a walk over the slots each.
func (l *Line) topHoldersLocked() []Holding {
	const fresh = 100 * time.Millisecond
	if l.top != nil && l.now-l.topTime < fresh {
		return l.top
	}
	held := make(map[string]int)
	for _, slot := range l.slots {
		if !slot.ready && slot.tenant != nil {
			held[slot.tenant.Name()] += 1 + int(slot.more)
		}
	}
	l.top, l.topTime = topHolders(held), l.now
	return l.top
}

// topHolders returns the three that hold most, greatest first.
func topHolders(held map[string]int) []Holding {
	all := make([]Holding, 0, len(held))
	for tenant, n := range held {
		all = append(all, Holding{tenant, n})
	}
	slices.SortFunc(all, func(a, b Holding) int {
		return cmp.Or(cmp.Compare(b.Held, a.Held), cmp.Compare(a.Tenant, b.Tenant))
	})
	return slices.Clone(all[:min(len(all), 3)])
}
