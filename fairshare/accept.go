package fairshare

// A grant that its caller may yet turn down counts as acquired once it is accepted:
// one that was waited for, since the context may end meanwhile, and, with
// Line.AcceptGrants, every one. Accepting takes no lock. Whoever has the lock next,
// and wants to know or ends the grant, counts it.

// AcceptGrants has a grant count as acquired only when its holder calls
// Grant.Accept. It is to be called before the first use.
func (l *Line) AcceptGrants() { l.accepts = true }

// Accept says that the caller of the Acquire has got the grant.
func (g Grant) Accept() {
	if g.slot != nil {
		g.slot.accepted.Store(g.generation + 1)
	}
}

// handedLocked takes back the count of a grant that is to be accepted first.
func (l *Line) handedLocked(slot *Slot) {
	if !slot.handed {
		slot.handed = true
		l.handed++
		l.sched.Uncount(slot.tenant)
	}
}

// countLocked counts the grant of a slot if it was accepted.
func (l *Line) countLocked(slot *Slot) {
	if slot.handed && slot.accepted.Load() == slot.granted+1 {
		slot.handed = false
		l.handed--
		l.sched.Count(slot.tenant)
	}
}

// countAllLocked counts what was accepted so far.
func (l *Line) countAllLocked() {
	if l.handed == 0 {
		return
	}
	for _, slot := range l.slots {
		l.countLocked(slot)
	}
}
