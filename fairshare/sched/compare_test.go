package sched

import (
	"math"
	"time"

	"github.com/stretchr/testify/require"
)

// check compares everything that the scheduler keeps with what the dumb one
// works out anew.
func (h *history) check() {
	h.forgotten()
	s := h.s.at(h.d.now)
	same(h, h.d.inUse(), s.InUse(), "slots in use")
	same(h, h.d.waiting(), s.Waiting(), "waiters")
	same(h, h.d.active(), s.Active(), "active tenants")
	same(h, h.d.r(), s.Horizon(), "horizon")
	if s.strict {
		// A new limit is noticed at once only by tenants that hold something.
		same(h, h.d.demand() > 0, s.Demand() > 0, "whether there is demand")
	} else {
		same(h, h.d.demand(), s.Demand(), "demand")
	}
	h.near(h.d.v, s.leastEver(), "V")
	level, _ := h.d.level()
	h.near(level, s.level(), "level")
	h.near(h.d.weights(), s.weights, "weights of the backlogged")
	h.checkQueues(s)
	present, contending := h.d.present()
	h.near(present, s.present, "weights of those that hold or wait")
	same(h, contending, s.contending, "slots held by the backlogged")
	wanted, entitled := h.d.entitled(), s.Entitled()
	for _, u := range h.d.tenants {
		t := s.tenants[u.name]
		require.NotNil(h.t, t, "tenant %s", u.name)
		same(h, u.share, *t.share, "share of %s", u.name)
		same(h, u.held, t.Held(), "slots held by %s", u.name)
		same(h, len(u.queue), t.Waiting(), "waiters of %s", u.name)
		same(h, h.d.backlogged(u), t.class != nil, "whether %s is backlogged", u.name)
		h.near(u.service, s.service(t), "service of %s", u.name)
		h.near(u.charged, s.charged(t), "what %s was charged", u.name)
		w := t.first
		for _, queued := range u.queue {
			same(h, queued.id, w, "queue of %s", u.name)
			same(h, queued.seq, w.Seq(), "sequence in the queue of %s", u.name)
			w = w.next
		}
		same(h, nil, w, "end of the queue of %s", u.name)
		if math.Abs(wanted[u]-entitled[t]) > 1e-9*float64(s.capacity) {
			require.Equal(h.t, wanted[u], entitled[t], "what %s is entitled to", u.name)
		}
		if h.exact {
			h.checkBefore(s, u, t)
		}
	}
	h.after()
}

func (h *history) checkQueues(s *Scheduler) {
	longest := ""
	if t := s.Longest(); t != nil {
		longest = t.Name()
	}
	if want := h.d.longest(); h.exact && want != nil {
		same(h, want.name, longest, "who has the longest queue")
		for _, u := range h.d.tenants {
			same(h, h.d.crowds(want, u), s.Longest().Crowds(s.tenants[u.name]), "whether it gives way to %s", u.name)
		}
	} else if want == nil {
		same(h, "", longest, "nobody waits")
	}
	waiting := 0
	for i, q := range s.queues {
		same(h, int32(i), q.tenant.queue, "where %s is among the queues", q.tenant.name)
		waiting += q.tenant.Waiting()
	}
	same(h, s.Waiting(), waiting, "waiters in queues that are known")
}

// checkBefore asks for as many tenants as come before t, and for one less.
func (h *history) checkBefore(s *Scheduler, u *dumbTenant, t *Tenant) {
	if !h.d.backlogged(u) {
		same(h, false, s.Before(h.d.now, t, len(h.d.tenants)), "%s is not backlogged", u.name)
		return
	}
	n := h.d.ahead(u)
	same(h, true, s.Before(h.d.now, t, n), "%d come before %s", n, u.name)
	same(h, false, s.Before(h.d.now, t, n-1), "no less than %d come before %s", n, u.name)
}

// same is require.Equal, without its cost while all is well.
func same[T comparable](h *history, want, have T, what string, args ...any) {
	if want != have {
		require.Equal(h.t, want, have, append([]any{what}, args...)...)
		h.t.FailNow() // distinct pointers to equal values
	}
}

// near is same for sums of charges, which in an exact history have no
// rounding errors and otherwise are good to a nanosecond or so.
func (h *history) near(want, have float64, what string, args ...any) {
	if h.exact {
		same(h, want, have, what, args...)
	} else if math.Abs(want-have) > 1+rounding(want) {
		require.InDelta(h.t, want, have, 1+rounding(want), append([]any{what}, args...)...)
	}
}

func rounding(x float64) float64 { return 1e-9 * math.Abs(x) }

// at is the scheduler as it would be if it were told the time: not every call
// tells it.
func (s Scheduler) at(now time.Duration) *Scheduler {
	s.advance(now)
	return &s
}

// leastEver is V, which the scheduler brings up to date only when it needs it.
func (s *Scheduler) leastEver() float64 {
	least := math.Inf(-1)
	for t := range s.Tenants() {
		if t.class != nil && (math.IsInf(least, -1) || s.service(t) < least) {
			least = s.service(t)
		}
	}
	if s.lapsed != nil {
		least = min(least, s.service(s.lapsed))
	}
	return max(s.virtual, least)
}

// forgotten makes the dumb one forget the tenants that the scheduler has. Which
// ones is for depart_test.go to judge; here, that they were departed.
func (h *history) forgotten() {
	for i := len(h.d.tenants) - 1; i >= 0; i-- {
		u := h.d.tenants[i]
		if h.s.tenants[u.name] == nil {
			same(h, 0, u.held+len(u.queue)+u.joined, "%s was forgotten while active", u.name)
			h.d.forget(u)
		}
	}
	same(h, len(h.d.tenants), len(h.s.tenants), "known tenants")
}
