package fairshare

import "github.com/fairpool/fairpool/fairshare/sched"

// Dedicate has each slot serve one tenant only, the first that gets it. It is
// to be called before the first use. coming, which is called under the lock,
// is the number of slots that are being made, or for which there is room or
// will be soon; others use their own slots meanwhile as far as that suffices.
func (l *Line) Dedicate(coming func() int) { l.ready.dedicated, l.coming = true, coming }

// dispatchDedicatedLocked hands ready slots to the tenants that they are
// dedicated to. Whose turn it is waits for the supply to make a slot, if there
// is none for it; one that comes later is served from its own meanwhile, if
// there is a slot coming for each tenant before it.
func (l *Line) dispatchDedicatedLocked() {
	for l.sched.InUse() < l.sched.Capacity() {
		w := l.sched.Peek(l.now)
		if w == nil {
			return
		}
		if !l.hasOwnLocked(w) {
			if w = l.ownInTurnLocked(); w == nil {
				return
			}
		}
		l.sched.GrantFirst(l.now, w.Tenant())
		l.serveLocked(w)
	}
}

// hasOwnLocked reports whether the slots that w asks for are ready.
func (l *Line) hasOwnLocked(w *sched.Waiter) bool {
	if w.Slots > 1 {
		return l.sched.AvailableN(w.Tenant(), slotsOf(w)) && l.ready.count(w.Tenant()) >= slotsOf(w)
	}
	return l.ready.choose(w.Tenant()) != nil
}

// ownInTurnLocked finds a waiter whose tenant has a ready slot, and before which
// there are not more tenants than slots coming.
func (l *Line) ownInTurnLocked() *sched.Waiter {
	coming := l.coming()
	if coming == 0 {
		return nil
	}
	for _, slot := range l.slots {
		t := slot.tenant
		if slot.ready && t != nil && t.Waiting() > 0 && l.hasOwnLocked(t.First()) && l.sched.Available(t) && l.sched.Before(l.now, t, coming) {
			return t.First()
		}
	}
	return nil
}

// SpareLocked returns the ready slot that would be missed least, nil if there is
// none: of a tenant that does not wait if there is one, and not held for longest.
// Those that are kept for a request of several are not spare.
func (l *Line) SpareLocked() (spare *Slot) {
	var collector *sched.Tenant
	if w := l.sched.Peek(l.now); w != nil && w.Slots > 1 {
		collector = w.Tenant()
	}
	for slot := l.OldestReadyLocked(); slot != nil; slot = l.ready.after(slot) {
		t := slot.tenant
		switch {
		case collector != nil && (t == nil || t == collector):
		case t == nil || t.Waiting() == 0:
			return slot
		case spare == nil:
			spare = slot
		}
	}
	return spare
}
