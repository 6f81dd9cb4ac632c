package fairshare

import (
	"context"
	"time"

	"github.com/fairpool/fairpool/fairshare/sched"
)

// A waiter is one Acquire that could not be served at once.
type waiter struct {
	sched.Waiter
	tenant string
	ready  chan struct{} // one send when grant or err is set; none after a cancel
	grant  Grant
	waited time.Duration // in the queue, for the grant
	err    *AcquireError
	next   *waiter // in Line.arrivals or Line.woken
}

func (w *waiter) link() **waiter { return &w.next }

// A Request identifies one stay in the queue of a Line.
type Request struct {
	w   *sched.Waiter
	seq uint64
}

// Tenant returns the tenant that the request is for, "" if the request is over.
func (r Request) Tenant() string {
	if r.w == nil || r.w.Seq() != r.seq {
		return ""
	}
	return r.w.Tenant().Name()
}

// Slots returns how many slots the request is for, 0 if it is over.
func (r Request) Slots() int {
	if r.w == nil || r.w.Seq() != r.seq {
		return 0
	}
	return slotsOf(r.w)
}

func (l *Line) newWaiter(tenant string) *waiter {
	w := l.waiters.Get().(*waiter)
	w.tenant = tenant
	return w
}

func (l *Line) freeWaiter(w *waiter) {
	// A Request may still refer to the sched.Waiter, which the lock guards.
	w.tenant, w.grant, w.waited, w.err = "", Grant{}, 0, nil
	if w.Slots > 1 {
		w.Slots, w.Owner = 0, w
	}
	l.waiters.Put(w)
}

// wait blocks until w is granted a slot or fails, or ctx ends. The witness, if
// there is one, is told.
func (l *Line) wait(ctx context.Context, done <-chan struct{}, w *waiter, witness Witness) (Grant, error) {
	if witness != nil {
		return l.waitBefore(ctx, w, witness)
	}
	if done == nil || !w.isReadyBefore(done) {
		if done != nil {
			if err := l.cancel(ctx, w); err != nil {
				return Grant{}, err
			}
			// It was granted or failed before it could be cancelled.
		}
		<-w.ready
	}
	g := w.grant
	if w.err != nil || isDone(done) {
		return Grant{}, l.fail(ctx, w)
	}
	l.freeWaiter(w)
	if !l.accepts {
		g.Accept()
	}
	return g, nil
}

// isReadyBefore waits for a grant, a failure or done, and reports whether it is
// not done. It is apart from wait, which without it blocks on less of a stack.
func (w *waiter) isReadyBefore(done <-chan struct{}) bool {
	select {
	case <-w.ready:
		return true
	case <-done:
		return false
	}
}

// cancel ends the wait of w because ctx has ended, and returns the error; nil if
// its wait is over already.
func (l *Line) cancel(ctx context.Context, w *waiter) error {
	e := contextError(ctx, &AcquireError{})
	l.Lock()
	if w.Seq() == 0 {
		l.Unlock()
		return nil
	}
	large := l.sched.HasLarge()
	l.removeLocked(w, e)
	l.leftLocked(large)
	l.Unlock()
	l.freeWaiter(w)
	return e
}

// fail is the end of a wait without a slot: that of w, or because ctx has ended
// meanwhile; then the slot is passed on.
func (l *Line) fail(ctx context.Context, w *waiter) error {
	tenant, g, more, waited, err := w.tenant, w.grant, w.more(), w.waited, w.err
	n := slotsOf(&w.Waiter)
	l.freeWaiter(w)
	if err != nil {
		return err
	}
	e := l.passOn(ctx, tenant, n, g, waited)
	for _, g := range more {
		g.Release()
	}
	return e
}

// passOn gives a slot to the next, whose grant has lost the race against the
// cancel.
func (l *Line) passOn(ctx context.Context, tenant string, n int, g Grant, waited time.Duration) *AcquireError {
	slot := g.Finish()
	e := contextError(ctx, &AcquireError{Slots: n, Reason: HandedOver, Waited: waited})
	l.Lock()
	defer l.Unlock()
	l.ExplainLocked(tenant, e)
	l.EndLocked(tenant, e.Err)
	if slot != nil { // else it was asked back meanwhile
		l.returnLocked(slot)
	}
	return e
}

func isDone(done <-chan struct{}) bool {
	if done == nil {
		return false
	}
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// removeLocked takes w out of the queue and completes e, the error it ends with.
func (l *Line) removeLocked(w *waiter, e *AcquireError) *AcquireError {
	t := w.Tenant()
	e.Waited = l.now - w.Since()
	l.waitedLocked(e.Waited)
	l.ends[endOf(e.Err)]++
	l.sched.Cancel(l.now, &w.Waiter)
	return l.explainLocked(t, slotsOf(&w.Waiter), e)
}

// leftLocked is due when somebody has left the queue. Where slots are dedicated, or
// a waiter asked for several, it may have kept others from theirs.
func (l *Line) leftLocked(large bool) {
	if l.ready.dedicated || large {
		l.DispatchLocked()
	}
}

// handLocked tells w of its grant.
func (l *Line) handLocked(w *waiter, g Grant) {
	l.handedLocked(g.slot)
	w.grant, w.waited = g, l.now-w.Since()
	l.waitedLocked(w.waited)
	l.wakeLocked(w)
}

// wakeLocked has Unlock tell w.
func (l *Line) wakeLocked(w *waiter) {
	w.next, l.woken = l.woken, w
}

// FailLocked ends the wait of a request with err, if it still waits. estimate is
// when it makes sense to ask again, 0 if the scheduler is to work it out.
func (l *Line) FailLocked(r Request, reason Reason, err error, estimate time.Duration) {
	if r.w == nil || r.w.Seq() != r.seq {
		return
	}
	w, large := ownerOf(r.w), l.sched.HasLarge()
	w.err = l.removeLocked(w, &AcquireError{Reason: reason, Err: err, Estimate: estimate})
	l.wakeLocked(w)
	if large && !l.closed {
		l.handOutLocked() // what was kept for it
	}
}

// FailEachLocked is FailLocked for all requests that match selects. It reports
// whether there were any.
func (l *Line) FailEachLocked(match func(Request) bool, reason Reason, err error, estimate time.Duration) bool {
	var failed []Request
	for t := range l.sched.Queued() {
		for w := t.First(); w != nil; w = w.Next() {
			if r := (Request{w, w.Seq()}); match(r) {
				failed = append(failed, r)
			}
		}
	}
	for _, r := range failed {
		l.FailLocked(r, reason, err, estimate)
	}
	return len(failed) > 0
}

// FailAllLocked ends every wait with err.
func (l *Line) FailAllLocked(reason Reason, err error) {
	for l.sched.Waiting() > 0 {
		w := l.sched.Waiter()
		l.FailLocked(Request{w, w.Seq()}, reason, err, 0)
	}
}
