package protocol

// call is a step of a caller of Acquire, TryAcquire, Release or Destroy outside
// the lock.
func (m *moves) call(s state, t uint8) {
	th, w := &s.threads[t], &s.waiters[t]
	switch th.pc {
	case acquire:
		if w.cancelled {
			m.to(s, t, done)
		} else {
			m.to(s, t, acquireTry)
		}
	case acquireTry:
		if m.sc.Bug == tryUntilFree {
			m.try(s, t, request, done, acquireTry)
		} else {
			m.try(s, t, request, done, askBusy)
		}
	case askBusy:
		if s.busy {
			m.to(s, t, leaveWaiter)
		} else {
			m.wantLock(s, t, request, done)
		}
	case leaveWaiter:
		s.arrivals = s.arrivals.with(t)
		if m.sc.Bug == noTryAfterPut {
			m.to(s, t, wait)
		} else {
			m.to(s, t, readForWaiter)
		}
	case readForWaiter:
		m.try(s, t, nothing, wait, wait)
	case tryAcquire:
		m.wantLock(s, t, try, done)
	case wait: // a select: if both are ready either may be taken
		if w.tokens > 0 {
			n := s
			n.waiters[t].tokens--
			m.to(n, t, wake)
		}
		if w.cancelled {
			m.label.variant = 1
			m.wantLock(s, t, cancel, done)
		}
	case receive:
		if w.tokens > 0 {
			w.tokens--
			m.to(s, t, wake)
		}
	case wake:
		m.awake(s, t)
	case readGeneration:
		th.gen = s.slots[th.slot].gen
		m.to(s, t, holding)
	case finish:
		m.finished(s, t, putBack)
	case finishDestroy:
		m.finished(s, t, takeBack)
	case giveBack:
		m.try(s, t, putBack, done, leaveSlot)
	case leaveSlot:
		s.returns = s.returns.with(th.slot)
		th.slot = none
		if m.sc.Bug == noTryAfterPut {
			m.to(s, t, done)
		} else {
			m.to(s, t, readForSlot)
		}
	case readForSlot:
		m.try(s, t, nothing, done, done)
	}
}

// awake is what a waiter does with what it was told.
func (m *moves) awake(s state, t uint8) {
	th, w := &s.threads[t], &s.waiters[t]
	g := w.grant
	w.grant = grant{slot: none}
	switch {
	case w.failed:
		w.failed = false
		m.to(s, t, done)
	case !w.cancelled:
		th.slot, th.gen = g.slot, g.gen
		m.to(s, t, holding)
	case m.sc.Bug == lateGrantIsLost:
		m.to(s, t, done)
	default:
		th.slot, th.gen = g.slot, g.gen
		if s.current(g) {
			s.slots[g.slot].gen++
		} else {
			th.slot = none // it was asked back meanwhile
		}
		m.wantLock(s, t, passOn, done)
	}
}

// finished is Grant.Finish, on the way to giving the slot back or destroying
// the resource.
func (m *moves) finished(s state, t uint8, then body) {
	th := &s.threads[t]
	if !s.current(grant{th.slot, th.gen}) && m.sc.Bug != releaseTwice {
		m.to(s, t, done) // somebody else was first
		return
	}
	s.slots[th.slot].gen++
	if then == putBack {
		m.to(s, t, giveBack)
	} else {
		m.wantLock(s, t, then, done)
	}
}
