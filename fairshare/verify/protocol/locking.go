package protocol

// begin is what comes between taking the lock and doing something with it:
// reading the inboxes.
func (m *moves) begin(s state, t uint8) {
	th := &s.threads[t]
	bug := m.sc.Bug
	switch th.pc {
	case lookReturns:
		if s.returns != 0 {
			m.to(s, t, takeReturns)
		} else if m.sc.Plain {
			m.to(s, t, lookArrivals)
		} else {
			m.lookArrivals(s, t)
		}
	case lookArrivals:
		m.lookArrivals(s, t)
	case takeReturns:
		taken := s.returns
		th.pc = takeArrivals
		if bug == takeInTwoSteps {
			th.pc = clearReturns
		} else {
			s.returns = 0
		}
		m.returnAll(s, taken, m.emit)
	case clearReturns:
		s.returns = 0
		m.to(s, t, takeArrivals)
	case takeArrivals:
		taken := s.arrivals
		if bug == takeInTwoSteps {
			th.pc = clearArrivals
			m.admitAll(s, taken, m.emit)
			return
		}
		s.arrivals = 0
		m.admitAll(s, taken, func(s state) { m.do(s, t) })
	case clearArrivals:
		s.arrivals = 0
		m.do(s, t)
	}
}

// atOnce is all from taking the lock to waking the others as one step.
func (m *moves) atOnce(s state, t uint8) {
	m.read(s, func(s state) {
		m.body(s, t, func(s state) {
			th := &s.threads[t]
			if th.pc = th.after; th.pc == done {
				*th = thread{slot: none}
			}
			m.told(s)
		})
	})
}

// read reads the inboxes.
func (m *moves) read(s state, then func(state)) {
	returns, arrivals := s.returns, s.arrivals
	s.returns, s.arrivals = 0, 0
	m.returnAll(s, returns, func(s state) { m.admitAll(s, arrivals, then) })
}

// told tells all who are to be told.
func (m *moves) told(s state) {
	for w, ok := s.woken.first(); ok; w, ok = s.woken.first() {
		s.woken = s.woken.without(w)
		s.waiters[w].tokens++
	}
	s.busy = s.queue != 0
	m.emit(s)
}

func (m *moves) lookArrivals(s state, t uint8) {
	if s.arrivals != 0 {
		m.to(s, t, takeReturns)
	} else {
		m.do(s, t)
	}
}

// do does what t took the lock for, up to the Unlock.
func (m *moves) do(s state, t uint8) {
	m.body(s, t, func(s state) {
		if s.threads[t].then == goOn {
			m.to(s, t, collect)
			return
		}
		s.threads[t].round = 0
		switch {
		case s.woken != 0 || (s.queue != 0) != s.busy:
			m.to(s, t, collect)
		case m.sc.Bug == lookBeforeUnlock:
			m.to(s, t, peekReturns)
		default:
			m.to(s, t, unlock)
		}
	})
}

// leave is Unlock.
func (m *moves) leave(s state, t uint8) {
	th := &s.threads[t]
	bug := m.sc.Bug
	switch th.pc {
	case unlock:
		s.owner = none
		if bug == noLookAfterFastUnlock || bug == lookBeforeUnlock {
			m.to(s, t, th.after)
		} else {
			m.to(s, t, peekReturns)
		}
	case peekReturns:
		switch {
		case s.returns == 0 || bug == lookAtArrivalsOnly:
			m.to(s, t, peekArrivals)
		case bug == lookBeforeUnlock:
			th.then = goOn
			m.to(s, t, takeReturns)
		default:
			m.to(s, t, peekTry)
		}
	case peekArrivals:
		switch {
		case s.arrivals == 0 || bug == lookAtReturnsOnly:
			if bug == lookBeforeUnlock {
				m.to(s, t, unlock)
			} else {
				m.to(s, t, th.after)
			}
		case bug == lookBeforeUnlock:
			th.then = goOn
			m.to(s, t, takeReturns)
		default:
			m.to(s, t, peekTry)
		}
	case peekTry:
		m.try(s, t, goOn, th.after, th.after)
	case collect:
		th.tells, s.woken = s.woken, 0
		s.busy = s.queue != 0
		if bug == wakeUnderLock {
			m.to(s, t, tellLocked)
		} else {
			m.to(s, t, unlockLong)
		}
	case tellLocked:
		w, ok := th.tells.first()
		if !ok {
			m.to(s, t, unlockLong)
		} else if at := s.threads[w].pc; at == wait || at == receive {
			th.tells = th.tells.without(w)
			s.waiters[w].tokens++
			m.emit(s)
		}
	case unlockLong:
		s.owner = none
		m.to(s, t, tell)
	case tell:
		if w, ok := th.tells.first(); ok {
			th.tells = th.tells.without(w)
			s.waiters[w].tokens++ // buffered: never blocks
			if th.tells != 0 {
				m.emit(s)
				return
			}
		}
		if bug == noLookAfterSlowUnlock || bug == lookBeforeUnlock {
			m.to(s, t, th.after)
		} else {
			m.to(s, t, againReturns)
		}
	case againReturns, againArrivals:
		m.again(s, t)
	case againTry:
		th.round++
		m.try(s, t, goOn, th.after, th.after)
	}
}

// again looks at the inboxes after a long Unlock.
func (m *moves) again(s state, t uint8) {
	th := &s.threads[t]
	bug := m.sc.Bug
	var found bool
	if th.pc == againReturns {
		found = s.returns != 0 && bug != lookAtArrivalsOnly
	} else {
		found = s.arrivals != 0 && bug != lookAtReturnsOnly
	}
	switch {
	case !found && th.pc == againReturns:
		m.to(s, t, againArrivals)
	case !found:
		m.to(s, t, th.after)
	case th.round == m.sc.Rounds:
		if bug != noServeAfterRounds {
			m.start(&s, thread{pc: lock, then: nothing, slot: none})
		}
		m.to(s, t, th.after)
	default:
		m.to(s, t, againTry)
	}
}

// first returns the least of the set, false if it is empty.
func (s set) first() (uint8, bool) {
	for i := range uint8(8) {
		if s.has(i) {
			return i, true
		}
	}
	return 0, false
}
