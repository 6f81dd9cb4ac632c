package protocol

// These are what the Line and the scheduler do under the lock. Who is next is
// any of those who may be: the model holds for every rule. Where there is a
// choice, then is called for each.

// demand is the number of waiters that would be granted a slot if there were
// enough.
func (m *moves) demand(s *state) uint8 {
	if s.paused {
		return 0
	}
	n, capped := 0, 0
	for w := range m.sc.Waiters {
		switch {
		case !s.queue.has(w):
		case m.sc.capped(w):
			capped = 1
		default:
			n++
		}
	}
	if s.capTaken() {
		capped = 0
	}
	return uint8(n + capped)
}

// capTaken reports whether the tenant with a Max of 1 holds that one.
func (s *state) capTaken() bool {
	for _, slot := range s.slots {
		if slot.capped {
			return true
		}
	}
	return false
}

// next calls then for each waiter whose turn it may be, if there is one, and
// else otherwise.
func (m *moves) next(s state, then func(s state, w uint8), otherwise func(s state)) {
	some := false
	if s.inUse < s.capacity {
		for w := range m.sc.Waiters {
			if s.queue.has(w) && !(m.sc.capped(w) && s.capTaken()) {
				some = true
				n := s
				n.queue = n.queue.without(w)
				then(n, w)
			}
		}
	}
	if !some {
		otherwise(s)
	}
}

// free is a slot that may be granted, none if there is none. A semaphore makes
// one if need be.
func (m *moves) free(s *state) uint8 {
	for i := range s.slots {
		if s.slots[i].place == ready {
			return uint8(i)
		}
	}
	if !m.sc.Pool {
		for i := range s.slots {
			if s.slots[i].place == cold {
				return uint8(i)
			}
		}
	}
	return none
}

// grant charges w for the slot.
func (m *moves) grant(s *state, i, w uint8) grant {
	if s.inUse >= s.capacity {
		m.fault = "a slot is granted beyond the capacity"
	}
	s.inUse++
	s.slots[i].place, s.slots[i].capped = held, m.sc.capped(w)
	return grant{i, s.slots[i].gen}
}

// hand grants the slot to w, which waits, and has Unlock tell it.
func (m *moves) hand(s *state, i, w uint8) {
	s.waiters[w].grant = m.grant(s, i, w)
	s.woken = s.woken.with(w)
}

// put is Line.PutLocked.
func (m *moves) put(s state, i uint8, then func(state)) {
	keep := func(s state) {
		s.slots[i].place = ready
		then(s)
	}
	if m.demand(&s) == 0 {
		keep(s)
		return
	}
	m.next(s, func(s state, w uint8) {
		m.hand(&s, i, w)
		then(s)
	}, keep)
}

// dispatch is Line.DispatchLocked.
func (m *moves) dispatch(s state, then func(state)) {
	if m.demand(&s) == 0 {
		then(s)
		return
	}
	rest := func(s state) {
		if m.demand(&s) > 0 {
			m.short(&s)
		}
		then(s)
	}
	i := m.free(&s)
	if i == none {
		rest(s)
		return
	}
	m.next(s, func(s state, w uint8) {
		m.hand(&s, i, w)
		m.dispatch(s, then)
	}, rest)
}

// requested is Line.requestLocked and what follows: got is called with the
// grant, or with none after the waiter has joined the queue.
func (m *moves) requested(s state, w uint8, got func(s state, g grant)) {
	i := m.free(&s)
	if !s.paused && s.inUse < s.capacity && i != none && !(m.sc.capped(w) && s.capTaken()) {
		g := m.grant(&s, i, w)
		got(s, g)
		return
	}
	s.queue = s.queue.with(w)
	if m.demand(&s) > 0 {
		m.short(&s)
	}
	got(s, grant{slot: none})
}

// admitAll admits the waiters from the inbox, in any order.
func (m *moves) admitAll(s state, who set, then func(state)) {
	if who == 0 {
		then(s)
		return
	}
	for w := range m.sc.Waiters {
		if !who.has(w) {
			continue
		}
		rest := who.without(w)
		if s.closed && m.sc.Bug != admitWhenClosed {
			n := s
			n.fail(w)
			m.admitAll(n, rest, then)
			continue
		}
		if m.sc.Bug == waiterIsLeftAgain && s.inUse == s.capacity {
			n := s
			n.arrivals = n.arrivals.with(w)
			m.admitAll(n, rest, then)
			continue
		}
		m.requested(s, w, func(s state, g grant) {
			if g.slot != none {
				s.waiters[w].grant = g
				s.woken = s.woken.with(w)
			}
			m.admitAll(s, rest, then)
		})
	}
}

// fail ends the wait of w with an error, of which Unlock tells it.
func (s *state) fail(w uint8) {
	s.queue = s.queue.without(w)
	s.waiters[w].failed = true
	s.woken = s.woken.with(w)
}

// returnAll puts the slots from the inbox to use, in any order.
func (m *moves) returnAll(s state, which set, then func(state)) {
	if which == 0 {
		then(s)
		return
	}
	for i := range uint8(maxSlots) {
		switch rest := which.without(i); {
		case rest == which:
		case m.sc.Bug == returnedIsLeftAgain && m.demand(&s) == 0:
			n := s
			n.returns = n.returns.with(i)
			m.returnAll(n, rest, then)
		default:
			m.returned(s, i, func(s state) { m.returnAll(s, rest, then) })
		}
	}
}

// returned is Line.returnLocked: the next waiter gets the slot, or it stays
// ready, or, in a pool that is closed, it is retired.
func (m *moves) returned(s state, i uint8, then func(state)) {
	s.inUse--
	s.slots[i].capped = false
	if m.sc.Pool && s.closed && m.sc.Bug != closedPoolKeepsReturned {
		m.retire(&s, i)
		m.dispatch(s, then)
		return
	}
	m.put(s, i, then)
}
