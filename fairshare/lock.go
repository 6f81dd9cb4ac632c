package fairshare

// giveBack takes back the slot of a finished grant and gives it to the supply.
func (l *Line) giveBack(slot *Slot) {
	if !l.tryLock() {
		put(&l.returns, slot)
		l.readInboxes()
		return
	}
	l.returnLocked(slot)
	l.Unlock()
}

func (l *Line) returnLocked(slot *Slot) {
	if l.watcher != nil {
		l.watcher.Returned(slot)
		return
	}
	more := slot.more
	l.ReleaseLocked(slot)
	l.PutLocked(slot)
	if more > 0 || l.sched.HasLarge() {
		l.DispatchLocked()
	}
}

// readInboxes reads the inboxes, unless somebody else is going to.
func (l *Line) readInboxes() {
	if l.lockUnlessLocked() {
		l.Unlock()
	}
}

// Lock locks the line and its supply.
func (l *Line) Lock() {
	if !l.tryLock() {
		l.lockSlow()
	}
}

func (l *Line) lockSlow() {
	l.mu.Lock()
	l.locked.Store(true)
	l.beginLocked()
}

// lockUnlessLocked locks the line, unless somebody has the lock who is yet to
// look at the inboxes. That is what locked says: it is cleared before each look.
// A failed TryLock says nothing, for the memory model lets it fail at any time.
func (l *Line) lockUnlessLocked() bool {
	if l.tryLock() {
		return true
	}
	if l.locked.Load() {
		return false
	}
	l.lockSlow()
	return true
}

func (l *Line) tryLock() bool {
	if !l.mu.TryLock() {
		return false
	}
	l.locked.Store(true)
	if l.inboxesEmpty() && !l.sched.Contended() && !l.timed {
		l.now = 0 // all that beginLocked would do, without the call
	} else {
		l.beginLocked()
	}
	return true
}

// beginLocked reads the clock, if time matters now, and the inboxes.
func (l *Line) beginLocked() {
	l.now = 0
	if l.timed || l.sched.Contended() {
		l.readClockLocked()
	}
	if !l.inboxesEmpty() {
		l.readInboxesLocked()
	}
}

func (l *Line) inboxesEmpty() bool { return l.returns.Load() == nil && l.arrivals.Load() == nil }

func (l *Line) readInboxesLocked() {
	// The arrivals are taken first, and seen to last: what somebody returned
	// before asking again is then no longer counted as held by anybody.
	arrived := take(&l.arrivals)
	for slot := take(&l.returns); slot != nil; {
		next := slot.next
		slot.next = nil
		l.returnLocked(slot)
		slot = next
	}
	for w := arrived; w != nil; {
		next := w.next
		w.next = nil
		l.admitLocked(w)
		w = next
	}
}

// readClockLocked sets now to the time since the start of the line, never 0.
func (l *Line) readClockLocked() {
	if l.now == 0 {
		l.now = l.Now()
	}
}

// Unlock unlocks the line and wakes those whose wait is over. In strict mode
// it asks for the share that the new number of tenants calls for.
func (l *Line) Unlock() {
	if l.woken != nil || l.strict != nil || l.sched.Contended() != l.busy.Load() {
		l.unlock()
		return
	}
	l.locked.Store(false)
	l.mu.Unlock()
	if !l.inboxesEmpty() && l.lockUnlessLocked() {
		l.unlock()
	}
}

// unlock is Unlock when there is something to do.
func (l *Line) unlock() {
	var question shareQuestion
	asking := false
	for round := 0; ; round++ {
		woken := l.woken
		if woken != nil {
			l.woken = nil
		}
		if busy := l.sched.Contended(); busy != l.busy.Load() {
			l.busy.Store(busy)
		}
		if l.strict != nil && !asking {
			question, asking = l.strict.due(l.sched)
		}
		l.locked.Store(false)
		l.mu.Unlock()
		for woken != nil {
			w := woken
			woken, w.next = w.next, nil
			w.ready <- struct{}{} // buffered: never blocks
		}
		if l.inboxesEmpty() {
			break
		}
		if round == maxRounds {
			go l.serve() // the caller has served others long enough
			break
		}
		if !l.lockUnlessLocked() {
			break
		}
	}
	if asking {
		l.reshare(question)
	}
}

// maxRounds is how often in a row an Unlock reads the inboxes for others.
const maxRounds = 256

// serve does what is due with every lock.
func (l *Line) serve() {
	l.lockSlow()
	l.Unlock()
}
