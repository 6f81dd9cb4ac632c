package sched

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

// A chooser makes the choices of a random history: choose returns a number
// from 0 to n-1, with n up to 256.
type chooser interface {
	choose(n int) int
}

// A history drives a Scheduler and a dumb through the same events and compares
// them after each.
type history struct {
	t require.TestingT
	chooser
	s *Scheduler
	d *dumb

	// exact: the arithmetic is free of rounding, so that the two must agree in
	// each bit and every tie. Otherwise they agree up to rounding and d follows
	// s where it must choose between nearly equal keys.
	exact bool
	// orderly: waiters are granted slots as soon as they may have them, and
	// while nobody waits the scheduler is told the time 0, as by
	// fairshare.Line. Otherwise Next is called now and then only, as for a
	// pool that has no resource ready.
	orderly bool
	large   bool // some ask for several slots

	now     time.Duration
	waiters []*Waiter // that are in a queue
	holds   []hold
	joined  []*Tenant
	names   int // invented

	asked   int
	arrived map[*Waiter]int // when, counted in asks; 0: it was put first
	served  map[*Tenant]int // when its last waiter to be granted a slot had arrived
	after   func()          // further checks after each event
}

type hold struct {
	tenant *Tenant
	since  time.Duration
	waiter *Waiter // nil if it did not wait
	n      int     // slots
}

func newHistory(t require.TestingT, c chooser, exact bool) *history {
	h := &history{
		t: t, chooser: c, exact: exact, now: 1, after: func() {},
		arrived: make(map[*Waiter]int), served: make(map[*Tenant]int),
	}
	cfg := Config{
		Capacity: 1 + h.choose(8),
		Default:  h.share(),
		Shares:   map[string]Share{"a": h.share(), "b": h.share()},
		Strict:   h.choose(4) == 0,
		Horizon:  []time.Duration{0, 0, 10 * time.Millisecond, time.Second, Instant}[h.choose(5)],
		Burst:    []time.Duration{0, 0, 5 * time.Millisecond, time.Second, -1}[h.choose(5)],

		RankQueues: true,
	}
	if h.choose(3) == 0 {
		cfg.Headroom = 1 + h.choose(2)
	}
	h.orderly, h.large = h.choose(2) == 0, h.choose(2) == 0
	h.s, h.d = New(cfg), newDumb(cfg)
	h.s.maxDeparted = 4 // so that tenants are forgotten
	return h
}

func (h *history) share() Share {
	s := Share{Weight: 1}
	if h.choose(2) == 0 {
		s.Weight = h.weight()
	}
	switch h.choose(8) {
	case 0:
		s.Min = 1 + h.choose(3)
	case 1:
		s.Max = 1 + h.choose(4)
	case 2:
		s.Min = 1 + h.choose(2)
		s.Max = s.Min + h.choose(3)
	case 3:
		s.MaxWaiting = 1 + h.choose(5)
	}
	return s
}

func (h *history) weight() float64 {
	if h.exact { // powers of two, so that 1/weight has no rounding
		return []float64{0.25, 0.5, 1, 2, 4}[h.choose(5)]
	}
	return math.Exp(float64(h.choose(256)-128)/40) * math.Pi
}

// stamp is the time that the scheduler is told.
func (h *history) stamp() time.Duration {
	if h.orderly && !h.s.Contended() {
		return 0
	}
	return h.now
}

// pass lets time pass. Now and then it goes backwards for the scheduler, as
// when goroutines read the clock before they queue up for a mutex.
func (h *history) pass() {
	switch h.choose(8) {
	case 0, 1:
	case 2:
		h.now += time.Duration(1 + h.choose(256))
	case 3:
		h.now += time.Duration(1+h.choose(200)) * 10 * time.Millisecond
	case 4:
		if h.s.now == h.d.now { // else d knows of a later time than s was told
			h.now = max(1, h.now-time.Duration(h.choose(100)))
		}
	default:
		h.now += time.Duration(1+h.choose(30)) * time.Millisecond
	}
}

// step is one event.
func (h *history) step() {
	h.pass()
	switch n := h.choose(34); {
	case n < 9:
		h.ask()
	case n < 13:
		h.cancel()
	case n < 20:
		h.release()
	case n < 21:
		h.join()
	case n < 22:
		h.leave()
	case n < 23:
		h.resize()
	case n < 24:
		h.setShare()
	case n < 25:
		h.setLimit()
	case n < 26:
		h.peek()
	case n < 32:
		h.next()
	case n < 33:
		h.requeue()
	default:
		h.grantFirst()
	}
	h.check()
	for h.orderly && h.next() {
		h.check()
	}
}

func (h *history) name() string {
	switch n := h.choose(16); {
	case n < 14:
		return string(rune('a' + n/2))
	case n < 15:
		h.names++
		return fmt.Sprint("new", h.names)
	default:
		return "long" + strings.Repeat(".", maxName)
	}
}

func (h *history) tenant() (*Tenant, *dumbTenant) {
	name := h.name()
	t := h.s.Tenant(h.stamp(), name)
	u := h.d.tenant(h.now, name)
	h.forgotten()
	return t, u
}

func (h *history) ask() {
	t, u := h.tenant()
	n := h.slots()
	same(h, h.d.eligible(u, 1), h.s.Available(t), "whether %s may have a slot", u.name)
	same(h, h.d.eligible(u, n), h.s.AvailableN(t, n), "whether %s may have %d slots", u.name, n)
	h.asked++
	// A slot that is free for t goes to its first waiter, if it has one.
	if h.s.AvailableN(t, n) && t.Waiting() == 0 && (h.orderly || h.choose(2) == 0) {
		h.s.GrantN(h.stamp(), t, n)
		h.d.grant(h.now, u, n)
		h.holds = append(h.holds, hold{t, h.stamp(), nil, n})
		return
	}
	w := &Waiter{Slots: int32(n)}
	if n == 1 && h.choose(2) == 0 {
		w.Slots = 0
	}
	ok := h.s.Enqueue(h.now, t, w)
	same(h, h.d.enqueue(h.now, u, w, n), ok, "whether %s may queue up", u.name)
	if ok {
		h.arrived[w] = h.asked
		h.waiters = append(h.waiters, w)
	}
}

func (h *history) cancel() {
	if len(h.waiters) == 0 {
		return
	}
	i := h.choose(min(256, len(h.waiters)))
	w := h.waiters[i]
	h.waiters = slices.Delete(h.waiters, i, i+1)
	u := h.d.find(w.Tenant().Name())
	h.s.Cancel(h.stamp(), w)
	h.d.cancel(h.now, u, w)
	delete(h.arrived, w)
}

func (h *history) release() {
	if len(h.holds) == 0 {
		return
	}
	i := h.choose(min(256, len(h.holds)))
	held, stamp := h.holds[i], h.stamp()
	h.holds = slices.Delete(h.holds, i, i+1)
	u := h.d.find(held.tenant.Name())
	h.s.ReleaseN(stamp, held.tenant, held.since, held.n)
	took := stamp - held.since
	if held.since == 0 {
		took = 0
	}
	h.d.release(h.now, u, took, held.n)
}

// next is one call of Next, and reports whether it granted a slot.
func (h *history) next() bool {
	stamp, ready := h.stamp(), h.s.Capacity()
	if !h.orderly && h.choose(2) == 0 {
		ready = 1 + h.choose(max(1, ready))
	}
	w := h.s.NextOf(stamp, ready)
	var follow *dumbTenant
	if !h.exact {
		follow = h.follow(w, ready)
	}
	same(h, h.d.next(h.now, follow, ready), w, "who is next")
	if w == nil {
		return false
	}
	h.granted(w, stamp)
	return true
}

func (h *history) granted(w *Waiter, stamp time.Duration) {
	if arrived := h.arrived[w]; arrived > 0 {
		require.Greater(h.t, arrived, h.served[w.Tenant()], "first in, first out")
		h.served[w.Tenant()] = arrived
	}
	delete(h.arrived, w)
	h.waiters = slices.DeleteFunc(h.waiters, func(o *Waiter) bool { return o == w })
	h.holds = append(h.holds, hold{w.Tenant(), stamp, w, w.slots()})
}

// grantFirst serves a tenant out of turn.
func (h *history) grantFirst() {
	if len(h.waiters) == 0 {
		return
	}
	t := h.waiters[h.choose(min(256, len(h.waiters)))].Tenant()
	if !h.s.AvailableN(t, t.First().slots()) {
		return
	}
	stamp := h.stamp()
	w := h.s.GrantFirst(stamp, t)
	same(h, h.d.first(h.now, h.d.find(t.Name())), w, "the first waiter of %s", t.Name())
	h.granted(w, stamp)
}

// requeue is a grant that came to nothing.
func (h *history) requeue() {
	if len(h.holds) == 0 {
		return
	}
	i := h.choose(min(256, len(h.holds)))
	held := h.holds[i]
	if held.waiter == nil {
		return
	}
	h.holds = slices.Delete(h.holds, i, i+1)
	name, w := held.tenant.Name(), held.waiter
	since := w.Since()
	h.s.ReleaseN(h.now, held.tenant, 0, held.n)
	h.d.release(h.now, h.d.find(name), 0, held.n)
	h.forgotten()
	h.s.Requeue(h.now, h.s.Tenant(h.now, name), w, since)
	h.d.requeue(h.now, h.d.tenant(h.now, name), w, held.n)
	same(h, since, w.Since(), "how long it has waited")
	same(h, w, w.Tenant().First(), "who is first")
	h.asked++
	h.waiters = append(h.waiters, w)
}

// slots is how many slots are asked for.
func (h *history) slots() int {
	if !h.large || h.choose(3) > 0 {
		return 1
	}
	return 1 + h.choose(h.s.Capacity()+2)
}

// follow is the tenant whose turn it was for s, which must be the best up to
// rounding: that of w or, without one, of the request that slots are collected for.
func (h *history) follow(w *Waiter, ready int) *dumbTenant {
	if w == nil {
		w = h.s.collecting.waiter
	}
	if w == nil || h.d.collector != nil && w.Tenant().Name() == h.d.collector.name {
		return nil
	}
	h.d.begin(h.now)
	h.d.giveUp(ready)
	return h.nearlyBest(w)
}

// nearlyBest is the tenant of w, which must be the best up to rounding.
func (h *history) nearlyBest(w *Waiter) *dumbTenant {
	h.d.begin(h.now)
	best, t := h.d.best(), h.d.find(w.Tenant().Name())
	require.NotNil(h.t, best)
	require.Equal(h.t, h.d.need(best), h.d.need(t))
	slack := rounding(h.d.key(best))
	if !h.s.blind {
		slack++ // a nanosecond, see near
	}
	require.InDelta(h.t, h.d.key(best), h.d.key(t), slack, "key of %s against the least, of %s", t.name, best.name)
	return t
}

func (h *history) peek() {
	w := h.s.Peek(h.stamp())
	if w != nil && !h.exact {
		h.nearlyBest(w)
		return
	}
	same(h, h.d.peek(h.now), w, "who would be next")
}

func (h *history) join() {
	t, u := h.tenant()
	h.s.Join(t)
	h.d.join(h.now, u, 1)
	h.joined = append(h.joined, t)
}

func (h *history) leave() {
	if len(h.joined) == 0 {
		return
	}
	i := h.choose(min(256, len(h.joined)))
	t := h.joined[i]
	h.joined = slices.Delete(h.joined, i, i+1)
	u := h.d.find(t.Name())
	h.s.Leave(t)
	h.d.join(h.now, u, -1)
}

func (h *history) resize() {
	capacity := h.choose(10)
	h.s.Resize(h.stamp(), capacity)
	h.d.resize(h.now, capacity)
}

func (h *history) setShare() {
	name, share := h.name(), h.share()
	h.s.SetShare(h.stamp(), name, share)
	h.d.setShare(h.now, name, share)
}

func (h *history) setLimit() {
	limit := 1 + h.choose(5)
	h.s.SetLimit(h.stamp(), limit)
	h.d.setLimit(h.now, limit)
}
