package fairshare

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fairpool/fairpool/fairshare/sched"
)

// A Supply is where a Line takes its slots from. The line calls it under its
// lock: the methods must be quick, must not block, and must not run code of
// the user.
type Supply[S any] interface {
	// Ready reports whether there is a slot to take.
	Ready() bool
	// Take books a slot for tenant t as of the time since, which it keeps for
	// Line.Return. Ready was true.
	Take(t *sched.Tenant, since time.Duration) S
	// Return takes back a slot whose waiter had given up when it arrived.
	Return(slot S)
	// Short tells that waiters could use more slots than are ready: time to
	// make some. r is the request that has just begun to wait, the zero
	// Request if it was something else that changed.
	Short(r Request)
	// Lacking says why no slot is ready although capacity is free; with it,
	// if making slots fails, the last error.
	Lacking() (Reason, error)
}

// A Line hands out slots to waiting tenants in fair order: a scheduler behind
// a mutex, with waiting, cancelling and closing. It is what Semaphore and
// pool.Pool are built on, and of use to other packages that attach something
// to a slot. It knows who waits and who is next; what a slot is, and where
// it comes from, its Supply knows.
//
// A Line is a lock, which guards the supply too. Methods whose name ends in
// Locked are for a caller that holds it; Unlock tells the waiters that were
// granted a slot meanwhile.
type Line[S any] struct {
	supply Supply[S]
	start  time.Time
	strict *strictShare // nil: work-conserving

	// busy mirrors sched.Contended, so that Lock can read the clock before it
	// waits for the mutex rather than inside.
	busy atomic.Bool

	mu      sync.Mutex
	now     time.Duration // 0 while nobody looked at the clock
	sched   *sched.Scheduler
	closed  bool
	woken   *waiter[S] // granted or failed, to be told by Unlock
	waited  time.Duration
	top     []Holding // the greatest holders at topTime
	topTime time.Duration
	mins    guarantees

	waiters sync.Pool // of *waiter[S]
}

// A waiter is one blocked Acquire.
type waiter[S any] struct {
	sched.Waiter
	ready chan struct{} // one send for each stay in the queue that did not end by cancelling
	slot  S
	err   error
	next  *waiter[S] // in Line.woken
}

// A Request identifies one stay in the queue of a Line.
type Request struct {
	w   *sched.Waiter
	seq uint64
}

// NewLine returns a line with the given supply, or an error that names what is
// wrong with the configuration.
func NewLine[S any](cfg Config, supply Supply[S]) (*Line[S], error) {
	checked, err := cfg.check()
	if err != nil {
		return nil, err
	}
	l := &Line[S]{
		supply: supply,
		start:  time.Now(),
		sched:  sched.New(checked),
		mins:   newGuarantees(cfg.Tenants),
	}
	if cfg.ShareFunc != nil {
		l.strict = &strictShare{rule: cfg.ShareFunc, least: max(1, cfg.MinShare)}
	}
	l.waiters.New = func() any {
		w := &waiter[S]{ready: make(chan struct{}, 1)}
		w.Owner = w
		return w
	}
	if l.strict != nil {
		l.Lock()
		l.Unlock() // asks for the first share
		if l.strict.err != nil {
			return nil, l.strict.err
		}
	}
	return l, nil
}

// Acquire waits for a slot on behalf of the tenant, "" meaning the one that
// ctx carries. It returns an *AcquireError if ctx ends first, the line is
// closed or the queue is full; if ctx was already done, without waiting. A
// slot that arrives together with the end of ctx goes to the next waiter.
func (l *Line[S]) Acquire(ctx context.Context, tenant string) (S, error) {
	if tenant == "" {
		tenant = TenantFrom(ctx)
	}
	return l.acquire(ctx, tenant, nil)
}

// acquire is Acquire for a tenant by name, or for a member of the line.
func (l *Line[S]) acquire(ctx context.Context, tenant string, m *Member[S]) (slot S, err error) {
	done := ctx.Done()
	select {
	case <-done:
		return slot, contextError(ctx, &AcquireError{Tenant: tenant, Reason: BeforeWaiting})
	default:
	}
	l.Lock()
	if l.closed {
		l.Unlock()
		return slot, &AcquireError{Tenant: tenant, Reason: Closed, Err: ErrClosed}
	}
	t := l.tenantLocked(tenant, m)
	if l.supply.Ready() && l.sched.Available(t) {
		slot = l.takeLocked(t)
		l.Unlock()
		return slot, nil
	}
	w, err := l.enqueueLocked(t)
	l.Unlock()
	if err != nil {
		return slot, err
	}
	return l.wait(ctx, done, w)
}

// TryAcquire takes a slot if one is ready and the tenant may have it.
func (l *Line[S]) TryAcquire(tenant string) (slot S, ok bool) {
	l.Lock()
	defer l.Unlock()
	return l.TryAcquireLocked(tenant)
}

// TryAcquireLocked is TryAcquire under the lock.
func (l *Line[S]) TryAcquireLocked(tenant string) (slot S, ok bool) {
	// The first two keep a tenant without a chance from being recorded.
	if l.closed || !l.supply.Ready() || l.sched.InUse() >= l.sched.Capacity() {
		return slot, false
	}
	t := l.sched.Tenant(l.now, tenant)
	if !l.sched.Available(t) {
		return slot, false
	}
	return l.takeLocked(t), true
}

// EligibleLocked reports whether the tenant might be granted a slot now if one
// were ready.
func (l *Line[S]) EligibleLocked(tenant string) bool {
	if l.closed || l.sched.InUse() >= l.sched.Capacity() {
		return false
	}
	t := l.sched.Find(tenant)
	return t == nil || l.sched.Available(t)
}

func (l *Line[S]) tenantLocked(name string, m *Member[S]) *sched.Tenant {
	if m != nil && m.tenant != nil {
		return m.tenant
	}
	return l.sched.Tenant(l.now, name)
}

func (l *Line[S]) takeLocked(t *sched.Tenant) S {
	l.sched.Grant(l.now, t)
	return l.supply.Take(t, l.now)
}

func (l *Line[S]) enqueueLocked(t *sched.Tenant) (*waiter[S], error) {
	if l.now == 0 {
		l.now = l.clock() // the scheduler's clocks may start here
	}
	w := l.waiters.Get().(*waiter[S])
	if !l.sched.Enqueue(l.now, t, &w.Waiter) {
		l.waiters.Put(w)
		return nil, l.explainLocked(t, &AcquireError{Reason: QueueFull, Err: ErrQueueFull})
	}
	if l.sched.Demand() > 0 {
		l.supply.Short(Request{&w.Waiter, w.Seq()})
	}
	return w, nil
}

// wait blocks until w is granted a slot or fails, or ctx ends.
func (l *Line[S]) wait(ctx context.Context, done <-chan struct{}, w *waiter[S]) (slot S, err error) {
	if done == nil {
		<-w.ready // half the price of a select
	} else {
		select {
		case <-w.ready:
		case <-done:
			l.Lock()
			if w.Seq() != 0 {
				err = contextError(ctx, l.removeLocked(w, &AcquireError{}))
				l.Unlock()
				l.waiters.Put(w)
				return slot, err
			}
			l.Unlock()
			<-w.ready // it was granted or failed before it could be cancelled
		}
	}
	var none S
	slot, err, t := w.slot, w.err, w.Tenant()
	w.slot, w.err = none, nil
	l.waiters.Put(w)
	if err != nil {
		return none, err
	}
	select {
	case <-done:
		// The grant lost the race against the cancel: pass the slot on.
		l.Lock()
		err = contextError(ctx, l.explainLocked(t, &AcquireError{Reason: HandedOver}))
		l.supply.Return(slot)
		l.Unlock()
		return none, err
	default:
		return slot, nil
	}
}

// removeLocked takes w out of the queue and completes e, the error it ends with.
func (l *Line[S]) removeLocked(w *waiter[S], e *AcquireError) *AcquireError {
	t := w.Tenant()
	e.Waited = l.now - w.Since()
	l.sched.Cancel(l.now, &w.Waiter)
	return l.explainLocked(t, e)
}

// Lock locks the line and its supply.
func (l *Line[S]) Lock() {
	var now time.Duration
	if l.busy.Load() {
		now = l.clock()
	}
	l.mu.Lock()
	l.now = now
	if now == 0 && l.sched.Contended() {
		l.now = l.clock()
	}
}

// clock is the time since the start of the line, never 0.
func (l *Line[S]) clock() time.Duration { return time.Since(l.start) + 1 }

// Unlock unlocks the line and wakes those whose wait is over. In strict mode
// it asks for the share that the new number of tenants calls for.
func (l *Line[S]) Unlock() {
	for {
		woken := l.woken
		l.woken = nil
		if busy := l.sched.Contended(); busy != l.busy.Load() {
			l.busy.Store(busy)
		}
		var ask *shareQuestion
		if l.strict != nil {
			ask = l.strict.stale(l.sched)
		}
		l.mu.Unlock()
		for woken != nil {
			w := woken
			woken, w.next = w.next, nil
			w.ready <- struct{}{} // buffered: never blocks
		}
		if ask == nil {
			return
		}
		limit, err := l.strict.call(*ask)
		l.Lock()
		if l.strict.answer(l.sched, *ask, limit, err, l.now) {
			l.DispatchLocked()
		}
	}
}

// DispatchLocked hands out what can be handed out, and tells the supply if more
// could be. It is due whenever the supply has more ready slots, or room for
// more, or the scheduler may allow more.
func (l *Line[S]) DispatchLocked() {
	for l.supply.Ready() {
		w := l.sched.Next(l.now)
		if w == nil {
			break
		}
		granted := w.Owner.(*waiter[S])
		granted.slot = l.supply.Take(w.Tenant(), l.now)
		l.waited += l.now - w.Since()
		l.wakeLocked(granted)
	}
	if l.sched.Demand() > 0 {
		l.supply.Short(Request{})
	}
}

func (l *Line[S]) wakeLocked(w *waiter[S]) {
	w.next, l.woken = l.woken, w
}

// ReturnLocked tells the scheduler that t gave back a slot that it had taken at
// the time since. The caller makes the slot ready again, if it does, and
// dispatches.
func (l *Line[S]) ReturnLocked(t *sched.Tenant, since time.Duration) {
	l.sched.Release(l.now, t, since)
}

// FailLocked ends the wait of a request with err, if it still waits.
func (l *Line[S]) FailLocked(r Request, reason Reason, err error) {
	if r.w == nil || r.w.Seq() != r.seq {
		return
	}
	w := r.w.Owner.(*waiter[S])
	w.err = l.removeLocked(w, &AcquireError{Reason: reason, Err: err})
	l.wakeLocked(w)
}

// DemandLocked is the number of waiters that would be granted a slot if there
// were enough.
func (l *Line[S]) DemandLocked() int { return l.sched.Demand() }

// NextLocked is the request whose turn it is, the zero Request if there is none.
func (l *Line[S]) NextLocked() Request {
	if w := l.sched.Peek(l.now); w != nil {
		return Request{w, w.Seq()}
	}
	return Request{}
}

// CapacityLocked returns the capacity in force.
func (l *Line[S]) CapacityLocked() int { return l.sched.Capacity() }

// CloseLocked ends every wait with ErrClosed, and every Acquire from now on. It
// reports whether the line was open.
func (l *Line[S]) CloseLocked() bool {
	if l.closed {
		return false
	}
	l.closed = true
	for t := range l.sched.Tenants() {
		for w := t.First(); w != nil; w = t.First() {
			l.FailLocked(Request{w, w.Seq()}, Closed, ErrClosed)
		}
	}
	return true
}
