package fairshare

import (
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
	// Short tells that r has just begun to wait or, with the zero Request, that
	// something else changed. If there is demand, see Line.DemandLocked, it is
	// time to make slots, and Line.PutLocked them.
	Short(r Request)
	// Lacking says why no slot is ready although capacity is free; with it,
	// if making slots fails, the last error.
	Lacking() (Reason, error)
}

// A Watcher is told what happens to slots, under the lock and by the same rules
// as a Supply, by a Line that it watches.
type Watcher interface {
	// Taken tells of a slot that a tenant is about to get.
	Taken(s *Slot)
	// Returned gets a slot whose holder gave it back, instead of its being put
	// to use again at once. Its tenant is charged until Line.ReleaseLocked;
	// Line.PutLocked puts it to use.
	Returned(s *Slot)
}

// takeLocked takes a slot for t, nil if there is none.
func (l *Line) takeLocked(t *sched.Tenant) *Slot {
	slot := l.ready.choose(t)
	if slot == nil {
		if !l.fillLocked() {
			return nil
		}
		slot = l.ready.hot
	}
	l.ready.remove(slot)
	l.assignLocked(slot, t)
	return slot
}

func (l *Line) assignLocked(slot *Slot, t *sched.Tenant) {
	if l.watcher != nil {
		l.watcher.Taken(slot)
	}
	slot.before, slot.tenant, slot.charged = slot.tenant, t, false
	slot.since, slot.granted = l.now, slot.generation.Load()
}

// fillLocked asks the supply for a slot, and reports whether that made one
// ready.
func (l *Line) fillLocked() bool {
	slot := l.supply.New()
	if slot == nil {
		return false
	}
	l.knowLocked(slot)
	l.ready.push(slot)
	return true
}

// PutLocked gives a slot that nobody holds to the next waiter, or keeps it
// ready if there is none who may have it.
func (l *Line) PutLocked(slot *Slot) {
	l.knowLocked(slot)
	if l.wantedLocked() {
		if l.ready.dedicated {
			l.ready.push(slot)
			l.DispatchLocked()
			return
		}
		if w := l.nextLocked(l.ready.len + 1); w != nil {
			if w.Slots > 1 {
				l.ready.push(slot)
				l.serveLocked(w)
				return
			}
			l.assignLocked(slot, w.Tenant())
			l.handLocked(w.Owner.(*waiter), slot.grant())
			if l.sched.Headroom() > 0 {
				l.DispatchLocked() // whoever held the slot may have come to hold none
			}
			return
		}
	}
	l.ready.push(slot)
}

// GiveLocked grants a slot that nobody holds to the tenant, whoever waits.
func (l *Line) GiveLocked(slot *Slot, tenant string) Grant {
	t := l.sched.Tenant(l.now, tenant)
	l.knowLocked(slot)
	l.assignLocked(slot, t)
	l.sched.Grant(l.now, t)
	l.handedLocked(slot)
	return slot.grant()
}

func (l *Line) knowLocked(slot *Slot) {
	if slot.at == 0 {
		l.slots = append(l.slots, slot)
		slot.line, slot.at = l, len(l.slots)
		slot.granted = slot.generation.Load() - 1 // not granted yet
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

// WithdrawLocked takes a ready slot out of circulation, until PutBackLocked or
// DropLocked.
func (l *Line) WithdrawLocked(slot *Slot) { l.ready.remove(slot) }

// PutBackLocked is PutLocked for a slot that was withdrawn. It is as if it had
// been idle all the time.
func (l *Line) PutBackLocked(slot *Slot) {
	if l.wantedLocked() {
		l.PutLocked(slot)
		return
	}
	l.ready.pushOldest(slot)
}

// OldestReadyLocked returns the ready slot that was not held for longest, nil
// if none is ready.
func (l *Line) OldestReadyLocked() *Slot {
	if l.ready.oldest != nil {
		return l.ready.oldest
	}
	return l.ready.hot
}

// ReadyLocked returns the number of ready slots.
func (l *Line) ReadyLocked() int { return l.ready.len }

// SlotsLocked returns the slots that are ready, withdrawn or held, and the
// dropped ones whose tenants are still charged for them. The caller does not
// change it, nor keep it.
func (l *Line) SlotsLocked() []*Slot { return l.slots }

// ReleaseLocked ends the charge for a slot whose grant is finished, for a
// caller that then drops or puts it, and dispatches. The hold is counted unless it
// was no lease: that of a grant that nobody accepted, or a mere charge.
func (l *Line) ReleaseLocked(slot *Slot) {
	l.finishedLocked(slot)
	l.countLocked(slot)
	if slot.since > 0 && l.now > slot.since && !slot.handed && !slot.charged {
		l.held += l.now - slot.since
		l.timedHolds++
		l.holds.add(l.now - slot.since)
	}
	if slot.handed { // and turned down
		slot.handed = false
		l.handed--
	}
	l.sched.ReleaseN(l.now, slot.tenant, slot.since, int(1+slot.more))
	slot.more = 0
}

// ChargeLocked charges the tenant that held a slot last as if it held it again,
// until ReleaseLocked.
func (l *Line) ChargeLocked(slot *Slot) {
	slot.tenant = l.sched.Tenant(l.now, slot.tenant.Name()) // the record may have been forgotten
	l.sched.Charge(l.now, slot.tenant)
	slot.since, slot.charged = l.now, true
}

// RechargeLocked charges another tenant for a slot instead of the one that held it
// last, until ReleaseLocked.
func (l *Line) RechargeLocked(slot *Slot, tenant string) {
	l.ReleaseLocked(slot)
	slot.tenant = l.sched.Tenant(l.now, tenant)
	l.ChargeLocked(slot)
}

// MeanHoldLocked is for how long slots were held on average, 0 if that is not
// known.
func (l *Line) MeanHoldLocked() time.Duration {
	if l.timedHolds == 0 {
		return 0
	}
	return l.held / time.Duration(l.timedHolds)
}

// WatchLocked has w watch the line from now on, nil for nobody.
func (l *Line) WatchLocked(w Watcher) { l.watcher = w }

// Time has the line read the clock with every lock. Otherwise it looks only
// while somebody waits. It is to be called before the first use.
func (l *Line) Time() { l.timed = true }

// Now is the time since the start of the line, never 0.
func (l *Line) Now() time.Duration { return time.Since(l.start) + 1 }

// NowLocked is the time since the start of the line, as it was when the lock
// was taken.
func (l *Line) NowLocked() time.Duration {
	l.readClockLocked()
	return l.now
}
