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
// share, see TenantStats.Entitled, or than their Min. Nothing is asked back from
// a tenant that would be served before the one that waits.
//
// A tenant with a slot or more above its share is asked for its youngest grant
// once that has lasted for after. Where shares are not whole numbers, the odd
// slot is a question of turns: only a tenant that was charged more than the one
// that waits is asked, by as much as a grant of after costs, and never for the
// sake of a second slot.
//
// A tenant whose share is less than a slot may have to give its only one. Work
// that starts anew each time would never end. So each time that this happens,
// the grants of the tenant are left alone for twice as long as before, and only
// somebody who has waited for as long is helped. Once a grant is finished that
// lasted for as long as the last one cut off, and everybody who waited in the
// queue of the tenant then has had a turn, the time is halved again. It is not
// forgotten at once: with two workers that take turns, one would always be cut
// off and the other always finish.
//
// asked reports whether a slot was asked back before. next is when to look
// again, 0 if nobody waits.
func (l *Line) OverdueLocked(after time.Duration, asked func(*Slot) bool) (back []Grant, next time.Duration) {
	l.readClockLocked()
	l.quantum = after
	if l.paused || l.sched.Waiting() == 0 {
		return nil, 0
	}
	r := recall{
		line: l, entitled: l.sched.Entitled(), next: l.now + after,
		held: make(map[*sched.Tenant][]*Slot), helped: make(map[*sched.Tenant]int),
	}
	for t, slots := range r.entitled {
		slots = math.Round(slots*1e9) / 1e9 // equals are equal, in whatever order they were worked out
		r.entitled[t] = max(slots, float64(min(l.sched.Min(t), t.Held()+l.sched.Wants(t))))
	}
	coming := l.sched.InUse() // but for those that stay: asked back, or back and not of use yet
	coming += l.sched.Kept()  // for one that needs more
	for _, slot := range l.slots {
		if _, held := slot.GrantLocked(); held && !asked(slot) {
			coming--
			if r.held[slot.tenant] == nil {
				r.holders = append(r.holders, slot.tenant)
			}
			r.held[slot.tenant] = append(r.held[slot.tenant], slot)
		}
	}
	for _, t := range r.wanting() {
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
	return back, r.next
}

type recall struct {
	line     *Line
	next     time.Duration // when to look again
	entitled map[*sched.Tenant]float64
	holders  []*sched.Tenant           // in the order of their first slots
	held     map[*sched.Tenant][]*Slot // not asked back
	helped   map[*sched.Tenant]int     // slots that are to come
}

// wanting lists the tenants that are to be helped, once for each slot, those
// that miss most first.
func (r *recall) wanting() []*sched.Tenant {
	type want struct {
		tenant  *sched.Tenant
		missing float64
	}
	var all []want
	for t := range r.entitled {
		left := r.entitled[t] - float64(t.Held())
		for w := t.First(); w != nil && left > 0; w = w.Next() {
			if due := w.Since() + r.line.quantum; due > r.line.now {
				r.next = min(r.next, due)
				break
			}
			for range slotsOf(w) { // all or none
				all = append(all, want{t, left})
				left--
			}
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

// victim picks the slot that makes room for t, nil if nobody is to give one now.
// Of those with a slot or more above their share the one furthest above gives
// one; of the others, and of equals, the one that was cut off less often, then
// the one that was charged more, then the one whose first slot comes first.
func (r *recall) victim(t *sched.Tenant) *Slot {
	var best *Slot
	var least [3]float64
	for _, o := range r.holders {
		if o == t || len(r.held[o]) == 0 {
			continue
		}
		excess, ok := r.excess(o, t)
		if !ok {
			continue
		}
		i := r.youngest(o)
		slot := r.held[o][i]
		quantum := r.quantum(o)
		when := max(slot.since+quantum, t.First().Since()+quantum, r.ahead(o, t, excess, quantum))
		if when > r.line.now {
			r.next = min(r.next, when)
			continue
		}
		if excess < 1 {
			excess = 0
		}
		rank := [3]float64{-excess, float64(o.Cuts), -r.line.sched.Standing(r.line.now, o)}
		if best == nil || slices.Compare(rank[:], least[:]) < 0 {
			best, least = slot, rank
		}
	}
	if best == nil {
		return nil
	}
	o := best.tenant
	if len(r.held[o]) == 1 {
		o.Cuts, o.Turns = min(o.Cuts+1, maxCuts), 0
	}
	i := slices.Index(r.held[o], best)
	r.held[o] = slices.Delete(r.held[o], i, i+1)
	best.cut = best.granted
	return best
}

// maxCuts keeps a quantum from overflowing. Doubled as often, a nanosecond is a
// day and more.
const maxCuts = 47

// excess is by how much o holds more than its share, and whether it may have to
// give one of its slots to t for that.
func (r *recall) excess(o, t *sched.Tenant) (excess float64, ok bool) {
	has, holds := len(r.held[o]), t.Held()+r.helped[t]
	excess = float64(has) - r.entitled[o]
	switch {
	case excess <= 0:
		return 0, false
	case holds == 0:
		return excess, true
	case float64(has)*o.PerSlot() <= float64(holds+1)*t.PerSlot():
		return 0, false // it would only reverse the roles
	}
	// Whose turn it is to have the odd slot the scheduler decides.
	return excess, excess >= 1 || r.entitled[t]-float64(holds) >= 1
}

// quantum is for how long o is left to work with its youngest slot.
func (r *recall) quantum(o *sched.Tenant) time.Duration {
	if len(r.held[o]) > 1 || o.Cuts == 0 {
		return r.line.quantum
	}
	return grown(r.line.quantum, o.Cuts) + 1 // what takes just as long is finished
}

// grown is the quantum of a tenant that was cut off so often.
func grown(quantum time.Duration, cuts uint8) time.Duration {
	if quantum > math.MaxInt64/4>>cuts {
		return math.MaxInt64 / 4
	}
	return quantum << cuts
}

// ahead is when o has had enough more than t to give it a slot.
func (r *recall) ahead(o, t *sched.Tenant, excess float64, quantum time.Duration) time.Duration {
	s, holds := r.line.sched, t.Held()+r.helped[t]
	if holds < s.Min(t) || s.Horizon() == Instant && excess < 1 {
		return r.line.now // it is served first whatever it had, or nobody knows what anybody had
	}
	missing := -s.Lead(r.line.now, o, t)
	if excess < 1 {
		if quantum > r.line.quantum {
			quantum += r.line.quantum // or who was cut off last is cut off next
		}
		missing += float64(quantum) * o.PerSlot()
	} else { // it must not be served before t at once
		horizon := float64(s.Horizon())
		missing += horizon * (float64(holds)*t.PerSlot() - float64(len(r.held[o])-1)*o.PerSlot())
	}
	if missing <= 0 {
		return r.line.now
	}
	rate := float64(o.Held())*o.PerSlot() - float64(t.Held())*t.PerSlot()
	if rate <= 0 || missing/rate > math.MaxInt64/4 {
		return math.MaxInt64
	}
	return r.line.now + time.Duration(math.Ceil(missing/rate))
}

// youngest is the index of the slot that o was granted last.
func (r *recall) youngest(o *sched.Tenant) (at int) {
	for i, s := range r.held[o] {
		if s.since > r.held[o][at].since {
			at = i
		}
	}
	return at
}

// finishedLocked notes the end of a grant. If it was not asked back and lasted
// for as long as the last one that was, its tenant gets done what it was kept
// from: its quantum shrinks again once everybody who waits in its queue has had a
// turn as long.
func (l *Line) finishedLocked(slot *Slot) {
	t := slot.tenant
	if t.Cuts == 0 || slot.cut == slot.granted {
		return
	}
	switch {
	case t.Turns > 1:
		t.Turns--
	case t.Turns == 1:
		t.Cuts, t.Turns = t.Cuts-1, 0
	case l.now-slot.since >= grown(l.quantum, t.Cuts-1):
		if n := t.Waiting(); n > 0 {
			t.Turns = uint8(min(n, math.MaxUint8))
		} else {
			t.Cuts--
		}
	}
}
