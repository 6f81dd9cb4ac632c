package sched

import (
	"strings"
	"time"
)

// A Config describes a Scheduler. The values are taken as they are: whoever
// reads them from a user checks them first.
type Config struct {
	Capacity int
	Default  Share            // of a tenant that Shares does not name
	Shares   map[string]Share // copied
	Strict   bool             // no tenant holds more than the Limit scaled by its weight
	Horizon  time.Duration    // 0: follow the mean holding time
	Burst    time.Duration    // 0: 4 mean holding times or fixed horizons; 2 at least
	Headroom int              // last free slots that only tenants holding none may take

	RankQueues bool // Longest is going to be asked
}

// A Scheduler decides which tenant is granted the next slot. It is plain
// data: no locks, no goroutines, and time is an argument, counted from any
// fixed origin. Time that goes backwards counts as standing still.
type Scheduler struct {
	capacity int
	headroom int
	strict   bool
	limit    int // strict mode: slots for a tenant of weight 1
	blind    bool
	burst    time.Duration
	horizon  horizon
	fallback *Share
	shares   map[string]*Share

	now     time.Duration
	clock   time.Duration // runs while some tenant is backlogged
	virtual float64       // V, see raise
	lapsed  *Tenant       // see lapse; nil: none
	mean    average       // of the services of the backlogged

	tenants     map[string]*Tenant
	latest      *Tenant // found by name; spares a tenant that asks again the map
	known       tenantList
	active      int
	maxDeparted int

	classes []*class
	empty   []*class
	blocked map[*Tenant]struct{} // strict mode: wait, hold, and are at their cap
	moving  []*Tenant            // scratch of SetLimit and Resize
	raised  bool                 // V stands still while several tenants move
	queues  queues
	ranked  bool // the queues are

	backlogged int
	weight     sum     // of the backlogged
	weights    float64 // the same
	inUse      int
	waiting    int
	large      int // waiters that ask for more than one slot
	demand     int
	collecting collecting
	seq        uint64

	// What Estimate goes by. The slot-time is known as far as the clock is read.
	slotTime   float64 // that was held, of all tenants
	released   float64 // slotTime at the last release; negative: not known
	releases   gaps    // in slot-time
	present    float64 // weights of the tenants that hold or wait, up to rounding
	contending int     // slots held by the backlogged

	granted, rejected, canceled uint64
}

// New returns a scheduler of cfg.Capacity free slots.
func New(cfg Config) *Scheduler {
	s := &Scheduler{
		capacity:    cfg.Capacity,
		headroom:    cfg.Headroom,
		ranked:      cfg.RankQueues,
		strict:      cfg.Strict,
		limit:       cfg.Capacity,
		blind:       cfg.Horizon == Instant,
		burst:       cfg.Burst,
		horizon:     horizon{fixed: cfg.Horizon},
		fallback:    &cfg.Default,
		shares:      make(map[string]*Share, len(cfg.Shares)),
		tenants:     make(map[string]*Tenant),
		maxDeparted: maxDeparted,
		blocked:     make(map[*Tenant]struct{}),
	}
	for name, share := range cfg.Shares {
		s.shares[name] = &share
	}
	return s
}

// minGrant is the least that a grant is charged while others wait: holding
// times below the resolution of the clock would otherwise be free.
const minGrant = time.Microsecond

// advance runs the clock up to now.
func (s *Scheduler) advance(now time.Duration) {
	elapsed := now - s.now
	if elapsed <= 0 {
		if now == 0 {
			s.released = -1
		}
		return
	}
	s.now = now
	s.slotTime += float64(s.inUse) * float64(elapsed)
	if !s.blind && s.backlogged > 0 {
		s.clock += elapsed
		s.collecting.cost(elapsed, s.backlogged)
		if float64(s.clock)-s.mean.clock > maxBase || s.virtual-s.mean.base > maxBase {
			s.rebase()
		}
	}
}

// Contended reports whether somebody waits. While nobody does no clock runs,
// and a stale now is as good as a fresh one to everything but Enqueue.
func (s *Scheduler) Contended() bool { return s.waiting > 0 }

// Find returns the record of the named tenant, nil if it is not known.
func (s *Scheduler) Find(name string) *Tenant {
	if s.latest != nil && s.latest.name == name {
		return s.latest
	}
	t := s.tenants[name]
	if t != nil {
		s.latest = t
	}
	return t
}

// Tenant returns the record of the named tenant. One that is not known is new.
func (s *Scheduler) Tenant(now time.Duration, name string) *Tenant {
	if t := s.Find(name); t != nil {
		return t
	}
	s.advance(now)
	start := s.level()
	t := &Tenant{name: strings.Clone(name), charged: start, mark: s.clock, origin: start}
	t.setShare(s.share(name))
	s.tenants[t.name] = t
	s.known.pushBack(t)
	return t
}

// Available reports whether t may be granted a slot at once. When it may, no
// waiter is passed over: a slot stays free only if no waiter may have it.
func (s *Scheduler) Available(t *Tenant) bool {
	free := s.capacity - s.inUse
	return free > 0 && (free > s.headroom || t.held == 0) && int(t.held) < s.cap(t) &&
		(s.collecting.waiter == nil || s.passes(t, t.needFor(1, int(t.held)), 1))
}

// AvailableN is Available for n slots at once.
func (s *Scheduler) AvailableN(t *Tenant, n int) bool {
	return s.enough(t, n) && s.within(t, n) &&
		(s.collecting.waiter == nil || s.passes(t, t.needFor(n, int(t.held)), n))
}

// Grant gives t a slot. The caller has asked Available.
func (s *Scheduler) Grant(now time.Duration, t *Tenant) { s.GrantN(now, t, 1) }

// GrantN gives t n slots. The caller has asked AvailableN.
func (s *Scheduler) GrantN(now time.Duration, t *Tenant, n int) {
	s.advance(now)
	s.grant(t, n, 0)
	s.appeared(t, n)
}

// Charge charges t for one more slot, as Grant does, that it does not get. Release
// ends it.
func (s *Scheduler) Charge(now time.Duration, t *Tenant) {
	s.advance(now)
	s.charge(t, 1, 0)
	s.appeared(t, 1)
}

// grant gives t n slots, which were kept for it before at the given cost.
func (s *Scheduler) grant(t *Tenant, n int, kept float64) {
	if t.fresh() {
		s.season(t)
	}
	t.granted = (t.granted + 1) | everGranted
	s.granted++
	s.lapsed = nil
	s.charge(t, n, kept)
}

// Uncount takes a grant to t back from the figures, and Count puts it in again. They
// change nothing else: t is charged from Grant to Release.
func (s *Scheduler) Uncount(t *Tenant) {
	t.granted--
	s.granted--
}

// Count is the opposite of Uncount.
func (s *Scheduler) Count(t *Tenant) {
	t.granted++
	s.granted++
}

// CountCanceled counts an Acquire of t that ended without a slot although it was
// granted one.
func (s *Scheduler) CountCanceled(t *Tenant) {
	t.canceled++
	s.canceled++
	s.Dismiss(t)
}

func (s *Scheduler) charge(t *Tenant, n int, kept float64) {
	service := s.service(t) + kept
	rivals := s.backlogged
	if t.class != nil {
		rivals--
	}
	if rivals > 0 && !s.blind {
		service += float64(n) * float64(minGrant) * t.perSlot
	}
	t.held += int32(n)
	s.inUse += n
	if t.class != nil {
		s.contending += n
	}
	s.place(t, service)
	s.presence(t)
}

// Enqueue puts w at the end of t's queue. It reports false, and changes
// nothing but a count, if the queue is full.
func (s *Scheduler) Enqueue(now time.Duration, t *Tenant, w *Waiter) bool {
	if t.Full() {
		s.Reject(t)
		return false
	}
	s.advance(now)
	s.seq++
	w.seq, w.since = s.seq, now
	t.enqueue(w)
	s.lengthened(t, w)
	if t.class != nil {
		s.count(t)
	} else {
		s.welcome(t)
		s.place(t, s.service(t))
	}
	s.presence(t)
	return true
}

// Requeue puts w at the head of t's queue, where it has waited since the given
// time already: for a grant that came to nothing. t is next, for it had its
// turn, whatever it was charged meanwhile. The queue may be full.
func (s *Scheduler) Requeue(now time.Duration, t *Tenant, w *Waiter, since time.Duration) {
	s.advance(now)
	s.seq++
	w.seq, w.since, w.again = s.seq, since, true
	kept := s.collected(t.first)
	t.enqueueFirst(w)
	s.welcome(t)
	service := s.service(t) + kept
	s.lengthened(t, w)
	s.place(t, service)
	s.presence(t)
}

// Reject counts an Acquire that t may not wait for. One that was not known
// before may be forgotten at once.
func (s *Scheduler) Reject(t *Tenant) {
	t.rejected++
	s.rejected++
	s.Dismiss(t)
}

// Next grants the waiter whose turn it is what it asks for and returns it. It
// returns nil when there is none who may have a slot, or when slots are
// collected for it.
func (s *Scheduler) Next(now time.Duration) *Waiter { return s.NextOf(now, s.capacity) }

// NextOf is Next for a caller that has not more than the given number of slots to
// hand out now, at least 1.
func (s *Scheduler) NextOf(now time.Duration, ready int) *Waiter {
	s.advance(now)
	s.giveUp(ready)
	t := s.turn()
	if t == nil {
		return nil
	}
	if w := t.first; w.Slots > 1 && !(w.slots() <= ready && s.enough(t, w.slots())) {
		s.collect(w, ready)
		return nil
	}
	return s.grantFirst(t)
}

// GrantFirst grants the first waiter of t, which may have it, what it asks for and
// returns it.
func (s *Scheduler) GrantFirst(now time.Duration, t *Tenant) *Waiter {
	s.advance(now)
	return s.grantFirst(t)
}

func (s *Scheduler) grantFirst(t *Tenant) *Waiter {
	kept := s.collected(t.first)
	w := s.serve(t)
	s.grant(t, w.slots(), kept)
	return w
}

// Peek returns the waiter whose turn it is, nil when there is none. There may be
// fewer free slots than it asks for.
func (s *Scheduler) Peek(now time.Duration) *Waiter {
	s.advance(now)
	if t := s.turn(); t != nil {
		return t.first
	}
	return nil
}

// turn returns the tenant whose turn it is, nil when nobody may be granted a slot
// now.
func (s *Scheduler) turn() *Tenant {
	c := s.pick()
	if c == nil {
		return nil
	}
	t := c.heap[0].tenant
	if w := s.collecting.waiter; w != nil && !s.passes(t, c.need, t.first.slots()) {
		return w.tenant
	}
	return t
}

// Cancel takes w, which is in a queue, out of it.
func (s *Scheduler) Cancel(now time.Duration, w *Waiter) {
	s.advance(now)
	t := w.tenant
	wasFirst, again := t.first == w, w.again
	kept := s.collected(w)
	t.dequeue(w)
	s.shortened(t, w)
	s.vanished(t)
	t.canceled++
	s.canceled++
	switch {
	case t.class == nil && (t.waiting == 0 || !wasFirst || w.Slots <= 1):
		if s.strict {
			s.block(t)
		}
	case t.waiting == 0 || again || wasFirst && w.isLarge()+t.first.isLarge() > 0:
		s.welcome(t)
		s.place(t, s.service(t)+kept)
	case wasFirst:
		t.class.fix(int(t.pos), entry{t.class.heap[t.pos].offset, t.first.seq, t})
		fallthrough
	default:
		s.count(t)
	}
	s.presence(t)
}

// Release takes back a slot that t held since the given time; 0 means that
// nobody looked at the clock then, and the horizon learns nothing from it.
func (s *Scheduler) Release(now time.Duration, t *Tenant, since time.Duration) {
	s.ReleaseN(now, t, since, 1)
}

// ReleaseN takes back n slots that t held together.
func (s *Scheduler) ReleaseN(now time.Duration, t *Tenant, since time.Duration, n int) {
	s.advance(now)
	s.learn(now, t, since, n)
	service := s.service(t)
	t.held -= int32(n)
	s.inUse -= n
	if t.class != nil {
		s.contending -= n
	}
	s.vanished(t)
	s.place(t, service)
	s.presence(t)
}

// Join makes t active until the matching Leave.
func (s *Scheduler) Join(t *Tenant) {
	t.joined++
	s.presence(t)
}

// Leave undoes one Join.
func (s *Scheduler) Leave(t *Tenant) {
	t.joined--
	s.presence(t)
}
