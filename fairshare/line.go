package fairshare

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fairpool/fairpool/fairshare/sched"
)

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
// return one: it leaves its waiter or its slot in an inbox, and whoever has the
// lock sees to it.
type Line struct {
	owner  string // the package in whose name errors speak, "" for this one
	supply Supply
	start  time.Time
	strict *strictShare // nil: work-conserving
	busy   atomic.Bool  // whether somebody waits; a hint outside the lock

	lump     bool // one slot stands for as many as are asked for
	arrivals inbox[waiter]
	returns  inbox[Slot]

	locked  atomic.Bool // between Lock and Unlock
	mu      sync.Mutex
	now     time.Duration // 0 while nobody looked at the clock
	sched   *sched.Scheduler
	slots   []*Slot
	ready   ready
	closed  bool
	timed   bool // the clock is read with every lock
	paused  bool
	watcher Watcher
	coming  func() int // if slots are dedicated
	woken   *waiter    // granted or failed, to be told by Unlock
	waited  time.Duration
	waits   Durations
	ends    [allEnds]uint64 // of Acquires in vain
	held    time.Duration

	quantum time.Duration // after of the latest OverdueLocked

	timedHolds uint64
	holds      Durations

	top     []Holding // the greatest holders at topTime
	topTime time.Duration
	mins    guarantees

	collecting    *time.Timer // nil until slots are collected first
	collectsUntil time.Duration

	patience   patience
	rejectLate bool
	maxWaiting int // of all tenants together; 0: no bound
	onlyNamed  bool
	accepts    bool // grants count when they are accepted
	handed     int  // slots whose grants do not count yet
	witness    Witness

	waiters sync.Pool // of *waiter
}

// NewLine returns a line with the given supply, or an error that names what is
// wrong with the configuration.
func NewLine(cfg Config, supply Supply) (*Line, error) {
	return NewLineOf("", "Config", cfg, supply)
}

// NewLineOf is NewLine on behalf of another package, in whose name all errors speak.
// There the configuration is known by the given name.
func NewLineOf(owner, name string, cfg Config, supply Supply) (*Line, error) {
	checked, err := cfg.check(cmp.Or(owner, "fairshare") + ": " + name)
	if err != nil {
		return nil, err
	}
	l := &Line{
		owner:  owner,
		supply: supply,
		start:  time.Now(),
		sched:  sched.New(checked),
		mins:   newGuarantees(cfg.Tenants),

		patience:   patience{limit: cfg.AcquireTimeout},
		rejectLate: cfg.RejectLate,
		timed:      cfg.RejectLate, // else no hold is timed while all are refused
		maxWaiting: cfg.MaxWaiting,
		onlyNamed:  cfg.RequireTenant,
	}
	if cfg.ShareFunc != nil {
		l.strict = &strictShare{rule: cfg.ShareFunc, least: max(1, cfg.MinShare)}
	}
	l.waiters.New = func() any {
		w := &waiter{ready: make(chan struct{}, 1)}
		w.Owner = w
		return w
	}
	if l.strict != nil {
		l.serve() // asks for the first share
		if l.strict.err != nil {
			return nil, fmt.Errorf("%s: %s.%w", cmp.Or(owner, "fairshare"), name, l.strict.err)
		}
	}
	return l, nil
}

// Acquire waits for a slot on behalf of the tenant, whatever tenant ctx
// carries. It returns an *AcquireError if ctx ends first, the line is closed or
// the queue is full; if ctx was already done, without waiting. A slot that
// arrives together with the end of ctx goes to the next waiter.
func (l *Line) Acquire(ctx context.Context, tenant string) (Grant, error) {
	return l.acquire(ctx, tenant, nil)
}

// acquire is Acquire for a tenant by name, or for a member of the line.
func (l *Line) acquire(ctx context.Context, tenant string, m *Member) (Grant, error) {
	if !l.Admits(tenant) {
		return l.refuse(ctx, &AcquireError{Reason: NoTenant, Err: ErrNoTenant})
	}
	done := ctx.Done()
	if isDone(done) {
		return l.refuse(ctx, contextError(ctx, &AcquireError{Tenant: tenant, Reason: BeforeWaiting}))
	}
	var deadline time.Time
	if l.rejectLate {
		deadline, _ = ctx.Deadline()
	}
	if !l.tryLock() {
		if l.busy.Load() && !l.rejectLate {
			w := l.newWaiter(tenant)
			put(&l.arrivals, w)
			l.readInboxes()
			return l.wait(ctx, done, w, l.witness)
		}
		l.Lock()
	}
	slot, t, refusal := l.requestLocked(tenant, m)
	if slot != nil {
		g := slot.grant() // without the lock it might be that of the next already
		l.Unlock()
		return g, nil
	}
	if refusal == nil && l.rejectLate {
		refusal = l.lateLocked(deadline, t, 1)
	}
	if refusal != nil {
		l.Unlock()
		return l.refuse(ctx, refusal)
	}
	w := l.newWaiter(tenant)
	l.enqueueLocked(t, w)
	l.Unlock()
	return l.wait(ctx, done, w, l.witness)
}

// requestLocked takes a slot for the tenant if it may have one at once. Without
// a slot or a refusal it has to wait.
func (l *Line) requestLocked(tenant string, m *Member) (*Slot, *sched.Tenant, *AcquireError) {
	if l.closed {
		return nil, nil, &AcquireError{Tenant: tenant, Reason: Closed, Err: ErrClosed}
	}
	t := l.tenantLocked(tenant, m)
	if l.paused || !l.sched.Available(t) {
		return nil, t, nil
	}
	slot := l.takeLocked(t)
	if slot != nil {
		l.sched.Grant(l.now, t)
		if l.accepts {
			l.handedLocked(slot)
		}
	}
	return slot, t, nil
}

// admitLocked is requestLocked for a waiter from the inbox.
func (l *Line) admitLocked(w *waiter) {
	slot, t, refusal := l.requestLocked(w.tenant, nil)
	switch {
	case slot != nil:
		l.handedLocked(slot)
		w.grant = slot.grant()
		l.wakeLocked(w)
	case refusal != nil:
		refusal.owner = l.owner
		w.err = refusal
		l.wakeLocked(w)
	default:
		l.enqueueLocked(t, w)
	}
}

// TryAcquireLocked takes a slot if there is one and the tenant may have it.
func (l *Line) TryAcquireLocked(tenant string) (Grant, bool) {
	// A tenant without a chance is not recorded.
	if !l.EligibleLocked(tenant) {
		return Grant{}, false
	}
	if l.ready.choose(l.sched.Find(tenant)) == nil && !l.fillLocked() {
		return Grant{}, false
	}
	slot, _, _ := l.requestLocked(tenant, nil)
	if slot == nil {
		return Grant{}, false
	}
	return slot.grant(), true
}

// Admits reports whether an Acquire for the tenant would not fail for want of a
// name.
func (l *Line) Admits(tenant string) bool { return tenant != "" || !l.onlyNamed }

// EligibleLocked reports whether the tenant might be granted a slot now if one
// were ready.
func (l *Line) EligibleLocked(tenant string) bool {
	if l.closed || l.paused || !l.Admits(tenant) || l.sched.InUse() >= l.sched.Capacity() {
		return false
	}
	t := l.sched.Find(tenant)
	return t == nil || l.sched.Available(t)
}

// CapLocked returns how many slots the tenant may hold, 0 if there is no cap or the
// tenant is not known. Its strict share counts only if no more than the given number
// of tenants are active: otherwise some may leave, which changes it.
func (l *Line) CapLocked(tenant string, tenants int) int {
	t := l.sched.Find(tenant)
	if t == nil {
		return 0
	}
	status := l.sched.Status(l.now, t)
	if l.strict != nil && l.sched.Active() <= tenants {
		return status.Cap
	}
	return status.Share.Max
}

func (l *Line) tenantLocked(name string, m *Member) *sched.Tenant {
	if m != nil && m.tenant != nil {
		return m.tenant
	}
	return l.sched.Tenant(l.now, name)
}

// enqueueLocked puts w in the queue of t, or fails it if there is no room.
func (l *Line) enqueueLocked(t *sched.Tenant, w *waiter) {
	l.readClockLocked() // the scheduler's clocks may start here
	switch {
	case !l.makeRoomLocked(t):
		l.sched.Reject(t)
		w.err = l.explainLocked(t, slotsOf(&w.Waiter), &AcquireError{Reason: LineFull, Err: ErrQueueFull})
		l.wakeLocked(w)
	case !l.sched.Enqueue(l.now, t, &w.Waiter):
		w.err = l.explainLocked(t, slotsOf(&w.Waiter), &AcquireError{Reason: QueueFull, Err: ErrQueueFull})
		l.wakeLocked(w)
	default:
		l.enqueuedLocked(w)
	}
}

func (l *Line) enqueuedLocked(w *waiter) {
	r := Request{&w.Waiter, w.Seq()}
	l.patience.begin(l, r)
	if l.sched.HasLarge() {
		l.handOutLocked() // slots may have to be collected for it, or no longer for another
	}
	l.supply.Short(r)
}

// Retry is Acquire for a tenant whose grant came to nothing, although it had
// waited its turn since the given time, see NowLocked. It waits at the head of
// the tenant's queue. settle is called under the lock before, to give up the
// slot.
func (l *Line) Retry(ctx context.Context, tenant string, since time.Duration, settle func()) (Grant, error) {
	l.Lock()
	l.readClockLocked()
	settle()
	slot, t, refusal := l.requestLocked(tenant, nil)
	if slot != nil {
		g := slot.grant()
		l.DispatchLocked()
		l.Unlock()
		return g, nil
	}
	if refusal != nil {
		l.Unlock()
		return l.refuse(ctx, refusal)
	}
	w := l.newWaiter(tenant)
	l.sched.Requeue(l.now, t, &w.Waiter, since)
	l.enqueuedLocked(w)
	l.DispatchLocked()
	l.Unlock()
	return l.wait(ctx, ctx.Done(), w, l.witness)
}

// DispatchLocked hands out what can be handed out, and tells the supply if more
// could be. It is due whenever the supply has room for more slots, or the
// scheduler may allow more.
func (l *Line) DispatchLocked() {
	l.handOutLocked()
	if l.DemandLocked() > 0 {
		l.supply.Short(Request{})
	}
}

// handOutLocked hands out what can be handed out.
func (l *Line) handOutLocked() {
	if !l.wantedLocked() {
		return
	}
	if l.ready.dedicated {
		l.dispatchDedicatedLocked()
	} else {
		for l.sched.InUse() < l.sched.Capacity() && (l.ready.len > 0 || l.fillLocked()) {
			w := l.nextLocked(l.ready.len)
			if w == nil {
				break
			}
			l.serveLocked(w)
		}
	}
}

// nextLocked has the scheduler grant slots to the waiter whose turn it is, of as
// many as are ready, and returns it. It returns nil if there is none who may
// have them, or if more are collected for it.
func (l *Line) nextLocked(ready int) *sched.Waiter {
	if l.lump {
		ready = l.sched.Capacity()
	}
	w := l.sched.NextOf(l.now, ready)
	if w == nil && l.sched.HasLarge() {
		l.watchCollectingLocked()
	}
	return w
}

// wantedLocked reports whether there is a waiter who may be granted slots.
func (l *Line) wantedLocked() bool { return !l.paused && l.sched.Demand() > 0 }

// DemandLocked is the number of slots that waiters would be granted if there
// were enough, beyond those that are ready and kept for one that needs more.
func (l *Line) DemandLocked() int {
	switch {
	case l.paused:
		return 0
	case l.sched.HasLarge():
		return max(0, l.sched.Demand()-l.KeptLocked())
	}
	return l.sched.Demand()
}

// KeptLocked is the number of ready slots that are kept for a waiter that needs
// more.
func (l *Line) KeptLocked() int {
	if !l.ready.dedicated {
		return l.sched.Kept()
	}
	if w := l.sched.Peek(l.now); w != nil && w.Slots > 1 {
		return min(l.ready.count(w.Tenant()), slotsOf(w)-1)
	}
	return 0
}

// AwaitedLocked reports whether somebody waits who might get a slot that was
// given back, once it is released: until then a cap or Headroom may be in the
// way.
func (l *Line) AwaitedLocked() bool { return !l.paused && l.sched.Waiting() > 0 }

// NextLocked is the request whose turn it is, the zero Request if there is none.
func (l *Line) NextLocked() Request {
	if w := l.sched.Peek(l.now); w != nil {
		return Request{w, w.Seq()}
	}
	return Request{}
}

// PauseLocked has every Acquire wait, until it is called with false.
func (l *Line) PauseLocked(on bool) {
	if l.paused && !on {
		l.sched.Restart(l.NowLocked())
	}
	l.paused = on
	l.DispatchLocked()
}

// CloseLocked ends every wait with ErrClosed, and every Acquire from now on. It
// reports whether the line was open.
func (l *Line) CloseLocked() bool {
	if l.closed {
		return false
	}
	l.closed = true
	l.patience.stop()
	if l.collecting != nil {
		l.collecting.Stop()
	}
	l.FailAllLocked(Closed, ErrClosed)
	return true
}
