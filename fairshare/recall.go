package fairshare

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/fairpool/fairpool/fairshare/sched"
)

// OverdueLocked returns grants that are to be asked back for the sake of those
// that have waited for longer than after: whose tenants hold less than their
// share, see TenantStats.Entitled. They come from the tenants furthest above
// theirs, the youngest grant first, but none that has not lasted for after
// itself: that much everybody is left to work. Nothing is asked back that
// would only reverse the roles, unless the one that waits holds nothing.
//
// asked reports whether a slot was asked back before. next is when to look
// again, 0 if nobody waits.
func (l *Line) OverdueLocked(after time.Duration, asked func(*Slot) bool) (back []Grant, next time.Duration) {
	l.readClockLocked()
	if l.paused || l.sched.Waiting() == 0 {
		return nil, 0
	}
	next = l.now + after
	r := recall{
		line: l, after: after, entitled: l.sched.Entitled(),
		held: make(map[*sched.Tenant][]*Slot), helped: make(map[*sched.Tenant]int),
	}
	for t, slots := range r.entitled {
		r.entitled[t] = math.Round(slots*1e9) / 1e9 // equals are equal, in whatever order they were worked out
	}
	coming := l.sched.InUse() // but for those that stay: asked back, or back and not of use yet
	for _, slot := range l.slots {
		if _, held := slot.GrantLocked(); held && !asked(slot) {
			coming--
			r.held[slot.tenant] = append(r.held[slot.tenant], slot)
		}
	}
	for _, t := range r.wanting(&next) {
		if coming > 0 {
			coming--
		} else if slot := r.victim(t); slot != nil {
			g, _ := slot.GrantLocked()
			back = append(back, g)
		} else {
			continue
		}
		r.helped[t]++
	}
	return back, next
}

type recall struct {
	line     *Line
	after    time.Duration
	entitled map[*sched.Tenant]float64
	held     map[*sched.Tenant][]*Slot // not asked back
	helped   map[*sched.Tenant]int     // slots that are to come
}

// wanting lists the tenants that are to be helped, once for each slot, those
// that miss most first. next is brought forward to when somebody's time is up.
func (r *recall) wanting(next *time.Duration) []*sched.Tenant {
	type want struct {
		tenant  *sched.Tenant
		missing float64
	}
	var all []want
	for t := range r.entitled {
		left := r.entitled[t] - float64(t.Held())
		for w := t.First(); w != nil && left > 0; w = w.Next() {
			if due := w.Since() + r.after; due > r.line.now {
				*next = min(*next, due)
				break
			}
			all = append(all, want{t, left})
			left--
		}
	}
	slices.SortFunc(all, func(a, b want) int {
		return cmp.Or(cmp.Compare(b.missing, a.missing), cmp.Compare(a.tenant.First().Seq(), b.tenant.First().Seq()))
	})
	tenants := make([]*sched.Tenant, len(all))
	for i, w := range all {
		tenants[i] = w.tenant
	}
	return tenants
}

// victim picks the slot that makes room for t, nil if nobody has one too many.
func (r *recall) victim(t *sched.Tenant) *Slot {
	var from *sched.Tenant
	var most float64
	holds := t.Held() + r.helped[t]
	for o, slots := range r.held {
		excess := float64(len(slots)) - r.entitled[o]
		if o == t || excess <= 0 || excess < most || excess == most && from != nil && o.Name() > from.Name() {
			continue
		}
		if holds > 0 && float64(len(slots))*o.PerSlot() <= float64(holds+1)*t.PerSlot() {
			continue
		}
		if holds > 0 && excess < 1 && r.entitled[t]-float64(holds) < 1 {
			continue // whose turn it is to have the odd slot the scheduler decides
		}
		if r.youngest(slots) >= 0 {
			from, most = o, excess
		}
	}
	if from == nil {
		return nil
	}
	i := r.youngest(r.held[from])
	slot := r.held[from][i]
	r.held[from] = slices.Delete(r.held[from], i, i+1)
	return slot
}

// youngest is the index of the slot held since last, of those that were held
// long enough; -1 if there is none.
func (r *recall) youngest(slots []*Slot) int {
	at := -1
	for i, s := range slots {
		if r.line.now-s.since >= r.after && (at < 0 || s.since > slots[at].since) {
			at = i
		}
	}
	return at
}
