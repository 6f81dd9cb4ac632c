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
type Supply interface {
	// New makes a slot at once, or returns nil if that is impossible or takes
	// time. It is called when no slot is ready.
	New() *Slot
	// Short tells that waiters could use more slots than are ready: time to
	// make some, and Line.PutLocked them. r is the request that has just begun
	// to wait, the zero Request if it was something else that changed.
	Short(r Request)
	// Returned gets a slot whose holder gave it back, to put it to use again,
	// usually by Line.PutLocked.
	Returned(s *Slot)
	// Lacking says why no slot is ready although capacity is free; with it,
	// if making slots fails, the last error.
	Lacking() (Reason, error)
}

// A Line hands out slots to waiting tenants in fair order: a scheduler behind
// a mutex, with waiting, cancelling and closing. It is what Semaphore and
// pool.Pool are built on, and of use to other packages that attach something
// to a slot. It knows the slots, who waits and who is next; what a slot
// stands for, and where it comes from, its Supply knows.
//
// A Line is a lock, which guards the supply too. Methods whose name ends in
// Locked are for a caller that holds it; Unlock tells the waiters that were
// granted a slot meanwhile.
//
// Once tenants wait, no goroutine blocks on the lock to ask for a slot or to
// return one: it leaves a note in the inbox, and whoever has the lock sees to
// it.
type Line struct {
	supply Supply
	start  time.Time
	strict *strictShare // nil: work-conserving
	inbox  inbox
	busy   atomic.Bool // whether somebody waits; a hint outside the lock

	mu      sync.Mutex
	now     time.Duration // 0 while nobody looked at the clock
	sched   *sched.Scheduler
	slots   []*Slot
	ready   ready
	closed  bool
	woken   *waiter // granted or failed, to be told by Unlock
	waited  time.Duration
	top     []Holding // the greatest holders at topTime
	topTime time.Duration
	mins    guarantees

	waiters sync.Pool // of *waiter
}

// A waiter is one Acquire that could not be served at once.
type waiter struct {
	sched.Waiter
	note   note
	tenant string
	member *Member
	ready  chan struct{} // one send when slot or err is set; none after a cancel
	slot   *Slot
	waited time.Duration // for the slot
	err    error
	next   *waiter // in Line.woken
}

// A Request identifies one stay in the queue of a Line.
type Request struct {
	w   *sched.Waiter
	seq uint64
}

// NewLine returns a line with the given supply, or an error that names what is
// wrong with the configuration.
func NewLine(cfg Config, supply Supply) (*Line, error) {
	checked, err := cfg.check()
	if err != nil {
		return nil, err
	}
	l := &Line{
		supply: supply,
		start:  time.Now(),
		sched:  sched.New(checked),
		mins:   newGuarantees(cfg.Tenants),
	}
	if cfg.ShareFunc != nil {
		l.strict = &strictShare{rule: cfg.ShareFunc, least: max(1, cfg.MinShare)}
	}
	l.waiters.New = func() any {
		w := &waiter{ready: make(chan struct{}, 1)}
		w.Owner, w.note.waiter = w, w
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
func (l *Line) Acquire(ctx context.Context, tenant string) (Grant, error) {
	if tenant == "" {
		tenant = TenantFrom(ctx)
	}
	return l.acquire(ctx, tenant, nil)
}

// acquire is Acquire for a tenant by name, or for a member of the line.
func (l *Line) acquire(ctx context.Context, tenant string, m *Member) (Grant, error) {
	done := ctx.Done()
	if isDone(done) {
		return Grant{}, contextError(ctx, &AcquireError{Tenant: tenant, Reason: BeforeWaiting})
	}
	if !l.tryLock() {
		if l.busy.Load() {
			w := l.newWaiter(tenant, m)
			l.leave(&w.note)
			return l.wait(ctx, done, w)
		}
		l.Lock()
	}
	slot, t, err := l.requestLocked(tenant, m)
	if slot != nil || err != nil {
		l.Unlock()
		return slot.grant(), err
	}
	w := l.newWaiter(tenant, m)
	l.enqueueLocked(t, w)
	l.Unlock()
	return l.wait(ctx, done, w)
}

// requestLocked takes a slot for the tenant if it may have one at once. Without
// slot and error it has to wait.
func (l *Line) requestLocked(tenant string, m *Member) (*Slot, *sched.Tenant, error) {
	if l.closed {
		return nil, nil, &AcquireError{Tenant: tenant, Reason: Closed, Err: ErrClosed}
	}
	t := l.tenantLocked(tenant, m)
	if !l.sched.Available(t) {
		return nil, t, nil
	}
	slot := l.takeLocked(t)
	if slot != nil {
		l.sched.Grant(l.now, t)
	}
	return slot, t, nil
}

// admitLocked is requestLocked for a waiter that left a note.
func (l *Line) admitLocked(w *waiter) {
	slot, t, err := l.requestLocked(w.tenant, w.member)
	if slot != nil || err != nil {
		w.slot, w.err = slot, err
		l.wakeLocked(w)
		return
	}
	l.enqueueLocked(t, w)
}

// TryAcquireLocked takes a slot if there is one and the tenant may have it.
func (l *Line) TryAcquireLocked(tenant string) (Grant, bool) {
	// A tenant without a chance is not recorded.
	if !l.fillLocked() || !l.EligibleLocked(tenant) {
		return Grant{}, false
	}
	slot, _, _ := l.requestLocked(tenant, nil)
	return slot.grant(), slot != nil
}

// EligibleLocked reports whether the tenant might be granted a slot now if one
// were ready.
func (l *Line) EligibleLocked(tenant string) bool {
	if l.closed || l.sched.InUse() >= l.sched.Capacity() {
		return false
	}
	t := l.sched.Find(tenant)
	return t == nil || l.sched.Available(t)
}

func (l *Line) tenantLocked(name string, m *Member) *sched.Tenant {
	if m != nil && m.tenant != nil {
		return m.tenant
	}
	return l.sched.Tenant(l.now, name)
}

// takeLocked takes a slot for t, nil if there is none.
func (l *Line) takeLocked(t *sched.Tenant) *Slot {
	if !l.fillLocked() {
		return nil
	}
	slot := l.ready.take(t)
	slot.tenant, slot.since = t, l.now
	return slot
}

// fillLocked reports whether a slot is ready, after asking the supply for one.
func (l *Line) fillLocked() bool {
	if l.ready.newest != nil {
		return true
	}
	slot := l.supply.New()
	if slot == nil {
		return false
	}
	l.knowLocked(slot)
	l.ready.push(slot)
	return true
}

func (l *Line) newWaiter(tenant string, m *Member) *waiter {
	w := l.waiters.Get().(*waiter)
	w.tenant, w.member = tenant, m
	return w
}

func (l *Line) freeWaiter(w *waiter) {
	w.tenant, w.member, w.slot, w.waited, w.err = "", nil, nil, 0, nil
	l.waiters.Put(w)
}

// enqueueLocked puts w in the queue of t, or fails it if that is full.
func (l *Line) enqueueLocked(t *sched.Tenant, w *waiter) {
	l.readClockLocked() // the scheduler's clocks may start here
	if !l.sched.Enqueue(l.now, t, &w.Waiter) {
		w.err = l.explainLocked(t, &AcquireError{Reason: QueueFull, Err: ErrQueueFull})
		l.wakeLocked(w)
		return
	}
	if l.sched.Demand() > 0 {
		l.supply.Short(Request{&w.Waiter, w.Seq()})
	}
}

// wait blocks until w is granted a slot or fails, or ctx ends.
func (l *Line) wait(ctx context.Context, done <-chan struct{}, w *waiter) (Grant, error) {
	if done == nil {
		<-w.ready // half the price of a select
	} else {
		select {
		case <-w.ready:
		case <-done:
			l.Lock()
			if w.Seq() != 0 {
				err := contextError(ctx, l.removeLocked(w, &AcquireError{}))
				l.Unlock()
				l.freeWaiter(w)
				return Grant{}, err
			}
			l.Unlock()
			<-w.ready // it was granted or failed before it could be cancelled
		}
	}
	slot, waited, err := w.slot, w.waited, w.err
	l.freeWaiter(w)
	switch {
	case err != nil:
		return Grant{}, err
	case isDone(done):
		// The grant lost the race against the cancel: pass the slot on.
		l.Lock()
		err = contextError(ctx, l.explainLocked(slot.tenant, &AcquireError{Reason: HandedOver, Waited: waited}))
		l.returnLocked(slot)
		l.Unlock()
		return Grant{}, err
	}
	return slot.grant(), nil
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
	l.sched.Cancel(l.now, &w.Waiter)
	return l.explainLocked(t, e)
}

// giveBack takes back the slot of a finished grant and gives it to the supply.
func (l *Line) giveBack(slot *Slot) {
	if !l.tryLock() {
		slot.note.slot = slot
		l.leave(&slot.note)
		return
	}
	l.returnLocked(slot)
	l.Unlock()
}

func (l *Line) returnLocked(slot *Slot) {
	l.ReleaseLocked(slot)
	l.supply.Returned(slot)
}

// leave puts a note in the inbox, and reads the inbox unless somebody else is
// going to.
func (l *Line) leave(n *note) {
	l.inbox.put(n)
	if l.tryLock() {
		l.Unlock()
	}
}

// Lock locks the line and its supply.
func (l *Line) Lock() {
	// The line is locked for some hundred nanoseconds at a time, much less
	// than parking a goroutine takes, and sync.Mutex does not spin while other
	// goroutines are ready to run.
	for range 64 {
		if l.tryLock() {
			return
		}
	}
	l.mu.Lock()
	l.beginLocked()
}

func (l *Line) tryLock() bool {
	if !l.mu.TryLock() {
		return false
	}
	l.beginLocked()
	return true
}

// beginLocked reads the clock, if time matters now, and the inbox.
func (l *Line) beginLocked() {
	l.now = 0
	if l.sched.Contended() {
		l.readClockLocked()
	}
	for n := l.inbox.take(); n != nil; {
		next := n.next
		if n.waiter != nil {
			l.admitLocked(n.waiter)
		} else {
			l.returnLocked(n.slot)
		}
		n = next
	}
}

// readClockLocked sets now to the time since the start of the line, never 0.
func (l *Line) readClockLocked() {
	if l.now == 0 {
		l.now = time.Since(l.start) + 1
	}
}

// Unlock unlocks the line and wakes those whose wait is over. In strict mode
// it asks for the share that the new number of tenants calls for.
func (l *Line) Unlock() {
	for round := 0; ; round++ {
		woken := l.woken
		l.woken = nil
		if busy := l.sched.Contended(); busy != l.busy.Load() {
			l.busy.Store(busy)
		}
		var question shareQuestion
		asking := false
		if l.strict != nil {
			question, asking = l.strict.due(l.sched)
		}
		l.mu.Unlock()
		for woken != nil {
			w := woken
			woken, w.next = w.next, nil
			w.ready <- struct{}{} // buffered: never blocks
		}
		switch {
		case asking:
			l.reshare(question)
			return
		case l.inbox.empty():
			return
		case round == maxRounds:
			go l.serve() // the caller has served others long enough
			return
		case !l.tryLock():
			return
		}
	}
}

// maxRounds is how often in a row an Unlock reads the inbox for others.
const maxRounds = 64

func (l *Line) serve() {
	l.Lock()
	l.Unlock()
}

// DispatchLocked hands out what can be handed out, and tells the supply if more
// could be. It is due whenever the supply has room for more slots, or the
// scheduler may allow more.
func (l *Line) DispatchLocked() {
	if l.sched.Demand() == 0 {
		return
	}
	for l.fillLocked() {
		w := l.sched.Next(l.now)
		if w == nil {
			break
		}
		l.handLocked(w, l.takeLocked(w.Tenant()))
	}
	if l.sched.Demand() > 0 {
		l.supply.Short(Request{})
	}
}

// PutLocked gives a slot that nobody holds to the next waiter, or keeps it
// ready if there is none who may have it.
func (l *Line) PutLocked(slot *Slot) {
	l.knowLocked(slot)
	if l.sched.Demand() > 0 {
		if w := l.sched.Next(l.now); w != nil {
			slot.tenant, slot.since = w.Tenant(), l.now
			l.handLocked(w, slot)
			return
		}
	}
	l.ready.push(slot)
}

func (l *Line) knowLocked(slot *Slot) {
	if slot.at == 0 {
		l.slots = append(l.slots, slot)
		slot.line, slot.at = l, len(l.slots)
	}
}

// DropLocked makes the line forget a slot that nobody holds, ready or not.
func (l *Line) DropLocked(slot *Slot) {
	if slot.at == 0 {
		return
	}
	if slot.ready {
		l.ready.remove(slot)
	}
	last := len(l.slots) - 1
	l.slots[slot.at-1] = l.slots[last]
	l.slots[slot.at-1].at = slot.at
	l.slots[last] = nil
	l.slots = l.slots[:last]
	slot.at = 0
}

// OldestReadyLocked returns the ready slot that was not held for longest, nil
// if none is ready.
func (l *Line) OldestReadyLocked() *Slot { return l.ready.oldest }

// ReadyLocked returns the number of ready slots.
func (l *Line) ReadyLocked() int { return l.ready.len }

func (l *Line) handLocked(granted *sched.Waiter, slot *Slot) {
	w := granted.Owner.(*waiter)
	w.slot, w.waited = slot, l.now-w.Since()
	l.waited += w.waited
	l.wakeLocked(w)
}

// wakeLocked has Unlock tell w.
func (l *Line) wakeLocked(w *waiter) {
	w.next, l.woken = l.woken, w
}

// ReleaseLocked takes back the slot of a finished grant, for a caller that
// then drops or puts it, and dispatches.
func (l *Line) ReleaseLocked(slot *Slot) {
	l.sched.Release(l.now, slot.tenant, slot.since)
}

// FailLocked ends the wait of a request with err, if it still waits.
func (l *Line) FailLocked(r Request, reason Reason, err error) {
	if r.w == nil || r.w.Seq() != r.seq {
		return
	}
	w := r.w.Owner.(*waiter)
	w.err = l.removeLocked(w, &AcquireError{Reason: reason, Err: err})
	l.wakeLocked(w)
}

// DemandLocked is the number of waiters that would be granted a slot if there
// were enough.
func (l *Line) DemandLocked() int { return l.sched.Demand() }

// NextLocked is the request whose turn it is, the zero Request if there is none.
func (l *Line) NextLocked() Request {
	if w := l.sched.Peek(l.now); w != nil {
		return Request{w, w.Seq()}
	}
	return Request{}
}

// CapacityLocked returns the capacity in force.
func (l *Line) CapacityLocked() int { return l.sched.Capacity() }

// CloseLocked ends every wait with ErrClosed, and every Acquire from now on. It
// reports whether the line was open.
func (l *Line) CloseLocked() bool {
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
