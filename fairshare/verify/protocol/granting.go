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
	n := uint8(0)
	var waiting [1 + maxWaiters/2]uint8 // by tenant
	for w := range m.sc.Waiters {
		if s.queue.has(w) {
			if t := m.sc.tenant(w); t > 0 && m.sc.Max > 0 {
				waiting[t]++
			} else {
				n++
			}
		}
	}
	for t, w := range waiting {
		if w > 0 {
			n += min(w, m.sc.Max-s.heldBy(uint8(t)))
		}
	}
	return n
}

// heldBy is how many slots a tenant is charged for that has several callers.
func (s *state) heldBy(tenant uint8) (n uint8) {
	if tenant == 0 {
		return 0
	}
	for _, slot := range s.slots {
		n += uint8(bit(slot.tenant == tenant))
	}
	for i := range s.threads[firstHelper:] {
		th := &s.threads[firstHelper+i]
		n += uint8(bit(th.builds() && th.gen&paid != 0 && th.gen>>payerAt == tenant))
	}
	return n
}

// mayHave reports whether the tenant of w may be granted a slot now.
func (s *state) mayHave(sc *Scenario, w uint8) bool {
	held := s.heldBy(sc.tenant(w))
	return s.inUse < s.capacity && (held == 0 || !s.lastFree(sc)) && (sc.Max == 0 || held < sc.Max)
}

// lastFree reports whether only the headroom is left.
func (s *state) lastFree(sc *Scenario) bool { return s.inUse+sc.Headroom >= s.capacity }

func (m *moves) mayHave(s *state, w uint8) bool {
	switch m.sc.Bug {
	case headroomForAll:
		return s.inUse < s.capacity
	case headroomForNobody:
		return !s.lastFree(m.sc)
	}
	return s.mayHave(m.sc, w)
}

// next calls then for each waiter whose turn it may be, if there is one, and
// else otherwise.
func (m *moves) next(s state, then func(s state, w uint8), otherwise func(s state)) {
	some := false
	for w := range m.sc.Waiters {
		if s.queue.has(w) && m.mayHave(&s, w) {
			some = true
			n := s
			n.queue = n.queue.without(w)
			then(n, w)
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
	tenant := m.sc.tenant(w)
	if s.lastFree(m.sc) && s.heldBy(tenant) > 0 {
		m.fault = "one of the last slots is granted to a tenant that holds one"
	}
	s.inUse++
	s.slots[i].place, s.slots[i].tenant = held, tenant
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
		if m.sc.Headroom > 0 && m.sc.Bug != putForgetsHeadroom {
			m.dispatch(s, then) // whoever held the slot may have come to hold none
		} else {
			then(s)
		}
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
	if !s.paused && i != none && m.mayHave(&s, w) {
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
	s.slots[i].tenant = 0
	if m.sc.Pool && s.closed && m.sc.Bug != closedPoolKeepsReturned {
		m.retire(&s, i)
		m.dispatch(s, then)
		return
	}
	m.put(s, i, then)
}
