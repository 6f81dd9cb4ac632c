package protocol

// body is what t took the lock for. Where there is a choice, then is called for
// each.
func (m *moves) body(s state, t uint8, then func(state)) {
	th := &s.threads[t]
	switch th.then {
	case request:
		m.request(s, t, then)
	case try:
		i := m.free(&s)
		if !s.closed && !s.paused && m.mayHave(&s, t) {
			if i != none {
				m.own(&s, t, m.grant(&s, i, t))
			} else if s.building <= m.demand(&s) {
				m.build(&s, 0)
			}
		}
		then(s)
	case cancel:
		switch {
		case s.queue.has(t):
			s.queue = s.queue.without(t)
		case m.sc.Bug == cancelForgetsGrant:
		default:
			th.after = receive
		}
		then(s)
	case passOn, putBack:
		if th.slot == none {
			then(s)
			return
		}
		i := th.slot
		th.slot = none
		m.returned(s, i, then)
	case takeBack:
		i := th.slot
		th.slot = none
		s.slots[i].charged = true
		m.retire(&s, i)
		m.dispatch(s, then)
	case built, buildFailed:
		m.built(s, t, th.then == built, then)
	case destructed:
		m.destructed(s, t, then)
	case backoffOver:
		if s.timer != th.gen {
			then(s)
			return
		}
		s.timer = 0
		if m.sc.Bug == backoffForgetsWaiters {
			then(s)
			return
		}
		m.dispatch(s, then)
	default:
		m.operate(s, th.then, then)
	}
}

func (m *moves) request(s state, t uint8, then func(state)) {
	if s.closed {
		then(s)
		return
	}
	m.requested(s, t, func(s state, g grant) {
		if g.slot == none {
			s.threads[t].after = wait
		} else {
			m.own(&s, t, g)
		}
		then(s)
	})
}

// own has the caller t return with the grant.
func (m *moves) own(s *state, t uint8, g grant) {
	th := &s.threads[t]
	th.slot, th.gen, th.after = g.slot, g.gen, holding
	if m.sc.Bug == generationAfterUnlock {
		th.after = readGeneration
	}
}

// operate is what actors do.
func (m *moves) operate(s state, what body, then func(state)) {
	switch what {
	case nothing, goOn:
		then(s)
	case closeLine:
		m.close(s, then)
	case shrink:
		s.capacity--
		m.dispatch(s, then)
	case grow:
		s.capacity++
		m.dispatch(s, then)
	case suspend:
		s.paused = true
		then(s)
	case resume:
		s.paused = false
		m.dispatch(s, then)
	case loosePatience:
		m.failOne(s, then)
	}
}

// close is Line.CloseLocked, and what Pool.stop does besides.
func (m *moves) close(s state, then func(state)) {
	s.closed = true
	switch m.sc.Bug {
	case closeForgetsQueue:
	case closeWakesFirst:
		s.failAll(1)
	default:
		s.failAll(maxWaiters)
	}
	if m.sc.Pool {
		s.failing, s.timer = false, 0
		for i := range s.slots {
			if s.slots[i].place == ready {
				m.retire(&s, uint8(i))
			}
		}
	}
	then(s)
}
