package fairshare

import "github.com/fairpool/fairpool/fairshare/sched"

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
	if l.ready.len > 0 {
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
func (l *Line) OldestReadyLocked() *Slot {
	if l.ready.oldest != nil {
		return l.ready.oldest
	}
	return l.ready.hot
}

// ReadyLocked returns the number of ready slots.
func (l *Line) ReadyLocked() int { return l.ready.len }

// ReleaseLocked takes back the slot of a finished grant, for a caller that
// then drops or puts it, and dispatches.
func (l *Line) ReleaseLocked(slot *Slot) {
	l.sched.Release(l.now, slot.tenant, slot.since)
}
