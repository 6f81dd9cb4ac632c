package fairshare

import (
	"context"
	"fmt"
	"time"

	"github.com/fairpool/fairpool/fairshare/sched"
)

// several is the Owner of a waiter for more than one slot, of a line whose slots
// stand for themselves.
type several struct {
	waiter *waiter
	more   []Grant // beside waiter.grant
}

func ownerOf(w *sched.Waiter) *waiter {
	if s, ok := w.Owner.(*several); ok {
		return s.waiter
	}
	return w.Owner.(*waiter)
}

// more returns the grants that w got beside w.grant.
func (w *waiter) more() []Grant {
	if s, ok := w.Owner.(*several); ok {
		return s.more
	}
	return nil
}

// slotsOf is how many slots w asks for.
func slotsOf(w *sched.Waiter) int { return int(max(w.Slots, 1)) }

// AcquireN is Acquire for n slots, all or none. Each grant ends on its own.
func (l *Line) AcquireN(ctx context.Context, tenant string, n int) ([]Grant, error) {
	first, more, err := l.acquireN(ctx, tenant, nil, n)
	if err != nil {
		return nil, err
	}
	return append([]Grant{first}, more...), nil
}

// acquireN is acquire for n slots. It returns one grant for all of them if the
// slots of the line are lumped together.
func (l *Line) acquireN(ctx context.Context, tenant string, m *Member, n int) (Grant, []Grant, error) {
	switch {
	case n < 1:
		return Grant{}, nil, fmt.Errorf("fairshare: acquire of %d slots for tenant %s, must be at least 1", n, quote(tenant))
	case n == 1:
		g, err := l.acquire(ctx, tenant, m)
		return g, nil, err
	case !l.Admits(tenant):
		g, err := l.refuse(ctx, &AcquireError{Slots: n, Reason: NoTenant, Err: ErrNoTenant})
		return g, nil, err
	}
	if !l.Admits(tenant) {
		g, err := l.refuse(ctx, &AcquireError{Slots: n, Reason: NoTenant, Err: ErrNoTenant})
		return g, nil, err
	}
	done := ctx.Done()
	if isDone(done) {
		g, err := l.refuse(ctx, contextError(ctx, &AcquireError{Tenant: tenant, Slots: n, Reason: BeforeWaiting}))
		return g, nil, err
	}
	var deadline time.Time
	if l.rejectLate {
		deadline, _ = ctx.Deadline()
	}
	l.Lock()
	if l.closed {
		l.Unlock()
		g, err := l.refuse(ctx, &AcquireError{Tenant: tenant, Slots: n, Reason: Closed, Err: ErrClosed})
		return g, nil, err
	}
	t := l.tenantLocked(tenant, m)
	if g, more := l.requestNLocked(t, n); g != (Grant{}) {
		l.Unlock()
		return g, more, nil
	}
	refusal := l.tooLargeErrorLocked(t, n)
	if refusal == nil && l.rejectLate {
		refusal = l.lateLocked(deadline, t, n)
	}
	if refusal != nil {
		l.Unlock()
		g, err := l.refuse(ctx, refusal)
		return g, nil, err
	}
	w := l.newWaiter(tenant)
	w.Slots = int32(n)
	all := &several{waiter: w}
	if !l.lump {
		w.Owner = all
	}
	l.enqueueLocked(t, w)
	l.Unlock()
	g, err := l.wait(ctx, done, w, l.witness)
	return g, all.more, err
}

// requestNLocked takes n slots for t if it may have them at once.
func (l *Line) requestNLocked(t *sched.Tenant, n int) (g Grant, more []Grant) {
	if l.paused || !l.sched.AvailableN(t, n) || l.stockLocked(t) < n {
		return Grant{}, nil
	}
	if g, more = l.takeNLocked(t, n); g != (Grant{}) {
		l.sched.GrantN(l.now, t, n)
		if l.accepts {
			l.handedLocked(g.slot)
		}
	}
	return g, more
}

// takeNLocked takes n slots for t, of which there are enough.
func (l *Line) takeNLocked(t *sched.Tenant, n int) (g Grant, more []Grant) {
	slot := l.takeLocked(t)
	if slot == nil {
		return Grant{}, nil
	}
	if l.lump {
		slot.more = int32(n - 1)
		return slot.grant(), nil
	}
	for len(more) < n-1 {
		more = append(more, l.takeLocked(t).grant())
	}
	return slot.grant(), more
}

// stockLocked is how many slots can be handed out to t now, as far as the supply
// decides that. A lump is as good as any number.
func (l *Line) stockLocked(t *sched.Tenant) int {
	switch {
	case l.lump:
		return l.sched.Capacity()
	case l.ready.dedicated:
		return l.ready.count(t)
	}
	return l.ready.len
}

// TryAcquireNLocked takes n slots if they are there and the tenant may have them.
func (l *Line) TryAcquireNLocked(tenant string, n int) (Grant, []Grant, bool) {
	if n == 1 {
		g, ok := l.TryAcquireLocked(tenant)
		return g, nil, ok
	}
	if n < 1 || l.closed || !l.Admits(tenant) || l.sched.InUse()+n > l.sched.Capacity() {
		return Grant{}, nil, false
	}
	t := l.sched.Tenant(l.now, tenant)
	g, more := l.requestNLocked(t, n)
	if g == (Grant{}) {
		l.sched.Dismiss(t)
	}
	return g, more, g != (Grant{})
}

// serveLocked hands slots to a waiter that the scheduler has granted them.
func (l *Line) serveLocked(granted *sched.Waiter) {
	w, t := ownerOf(granted), granted.Tenant()
	if granted.Slots <= 1 {
		l.handLocked(w, l.takeLocked(t).grant())
		return
	}
	g, more := l.takeNLocked(t, slotsOf(granted))
	if s, ok := granted.Owner.(*several); ok {
		s.more = more
	}
	l.handLocked(w, g)
}

// tooLargeLocked says why t can never hold n slots, "" if it can. At a capacity of 0
// everybody waits.
func (l *Line) tooLargeLocked(t *sched.Tenant, n int) Reason {
	if n == 1 {
		return ""
	}
	status := l.sched.Status(l.now, t)
	capacity, most := l.sched.Capacity(), status.Share.Max
	switch {
	case capacity > 0 && n > capacity:
		return OverCapacity
	case most > 0 && n > most:
		return OverMax
	case l.strict != nil && n > status.Cap && l.strict.isFinal(l.sched, t):
		return OverShare
	}
	return ""
}

// tooLargeErrorLocked refuses a request that t waits for in vain.
func (l *Line) tooLargeErrorLocked(t *sched.Tenant, n int) *AcquireError {
	why := l.tooLargeLocked(t, n)
	if why == "" {
		return nil
	}
	l.sched.Reject(t)
	return l.explainLocked(t, n, &AcquireError{Reason: why, Err: ErrTooLarge})
}

// failTooLargeLocked ends the waits that have become vain. It is due when a capacity,
// a Max or a strict share may have shrunk.
func (l *Line) failTooLargeLocked() {
	if !l.sched.HasLarge() {
		return
	}
	type vain struct {
		Request
		why Reason
	}
	var all []vain
	for t := range l.sched.Queued() {
		for w := t.First(); w != nil; w = w.Next() {
			if why := l.tooLargeLocked(t, slotsOf(w)); why != "" {
				all = append(all, vain{Request{w, w.Seq()}, why})
			}
		}
	}
	for _, v := range all {
		l.FailLocked(v.Request, v.why, ErrTooLarge, 0)
	}
}

// watchCollectingLocked has slots that are collected in vain go to others in time.
func (l *Line) watchCollectingLocked() {
	until := l.sched.CollectsUntil()
	switch {
	case until <= l.now || until == l.collectsUntil:
		return
	case l.collecting == nil:
		l.collecting = time.AfterFunc(until-l.now, l.dispatch)
	default:
		l.collecting.Reset(until - l.now)
	}
	l.collectsUntil = until
}

func (l *Line) dispatch() {
	l.Lock()
	defer l.Unlock()
	l.readClockLocked()
	l.DispatchLocked()
}
