package protocol

// These are what the Pool does under the lock. A goroutine that builds has its
// place in the counts of the state only.

const (
	probe uint8 = 1 << iota // of a build: it is the first after a failure
	paid                    // of a build: the tenant of a dead slot is charged for it

	payerAt = 2 // the bits from here on are the number of that tenant
)

// short is Supply.Short: it starts builds while waiters outnumber them.
func (m *moves) short(s *state) {
	for m.sc.Pool && s.building < m.demand(s) && m.build(s, 0) {
	}
}

// build starts a build, if there may be one.
func (m *moves) build(s *state, flags uint8) bool {
	room := s.live()+s.building+s.dying() < s.capacity
	if s.closed || !room || s.failing && (s.timer != 0 || s.probing) {
		return false
	}
	if s.failing {
		flags |= probe
		s.probing = true
	}
	if flags&paid != 0 {
		s.inUse++
	}
	s.building++
	m.start(s, thread{pc: construct, slot: none, gen: flags})
	return true
}

// retire has the destructor called.
func (m *moves) retire(s *state, i uint8) {
	s.slots[i].place = dying
	m.start(s, thread{pc: destruct, slot: i})
}

// outside is what is up to the operator, or the constructor, or the clock.
func (m *moves) outside(s state, t uint8) {
	th := &s.threads[t]
	switch th.pc {
	case construct:
		m.wantLock(s, t, built, done)
		if s.failures > 0 {
			s.failures--
			m.label.variant = 1
			m.wantLock(s, t, buildFailed, done)
		}
	case destruct:
		m.wantLock(s, t, destructed, done)
	case backoff:
		m.wantLock(s, t, backoffOver, done)
	case act:
		m.act(s, t)
	}
}

func (m *moves) act(s state, t uint8) {
	switch m.sc.Actors[t-firstActor] {
	case closer:
		m.wantLock(s, t, closeLine, done)
	case shrinker:
		m.wantLock(s, t, shrink, done)
	case grower:
		m.wantLock(s, t, grow, done)
	case suspender:
		m.wantLock(s, t, suspend, done)
	case resumer:
		if s.paused {
			m.wantLock(s, t, resume, done)
		}
	case impatient:
		m.wantLock(s, t, loosePatience, done)
	case revoker:
		for w := range m.sc.Waiters {
			if th := s.threads[w]; th.slot != none && s.current(grant{th.slot, th.gen}) {
				n := s
				n.threads[t].slot, n.threads[t].gen = th.slot, th.gen
				m.to(n, t, seize)
			}
		}
	}
}

// built is the end of a build.
func (m *moves) built(s state, t uint8, ok bool, then func(state)) {
	th := &s.threads[t]
	if ok || m.sc.Bug != failedBuildKeepsPlace {
		s.building--
	}
	if th.gen&probe != 0 {
		s.probing = false
	}
	if th.gen&paid != 0 {
		s.inUse--
	}
	th.gen = 0
	balance := func(s state) { m.dispatch(s, then) }
	if !ok {
		m.buildFailed(s, balance)
		return
	}
	s.failing, s.timer = false, 0
	for i := range s.slots {
		if s.slots[i].place == cold {
			if s.closed || m.sc.Bug == surplusIsReplaced && m.demand(&s) == 0 {
				m.retire(&s, uint8(i))
				balance(s)
			} else {
				m.put(s, uint8(i), balance)
			}
			return
		}
	}
	m.fault = "a resource is built for which there is no place"
}

// buildFailed tells one waiter or none, since the one that had set the build
// off may be gone; or all, if nothing else is alive or under way.
func (m *moves) buildFailed(s state, then func(state)) {
	if s.closed {
		then(s)
		return
	}
	s.failing = true
	if s.timer == 0 {
		s.timers++
		s.timer = s.timers
		m.start(&s, thread{pc: backoff, slot: none, gen: s.timer})
	}
	if s.live()+s.building == 0 {
		s.failAll(maxWaiters)
		then(s)
		return
	}
	m.failOne(s, then)
}

// failOne fails any one of those who wait, or nobody.
func (m *moves) failOne(s state, then func(state)) {
	then(s)
	for w := range m.sc.Waiters {
		if s.queue.has(w) {
			n := s
			n.fail(w)
			then(n)
		}
	}
}

// failAll fails those who wait, but no more than most.
func (s *state) failAll(most int) {
	for w := range uint8(maxWaiters) {
		if s.queue.has(w) && most > 0 {
			s.fail(w)
			most--
		}
	}
}

// destructed is the end of a destructor.
func (m *moves) destructed(s state, t uint8, then func(state)) {
	slot := &s.slots[s.threads[t].slot]
	slot.place = cold
	if m.sc.Bug == surplusIsReplaced && !s.closed {
		m.build(&s, 0)
	}
	forgets := m.sc.Bug == destructorForgetsWaiters
	if slot.charged {
		payer := slot.tenant
		slot.charged, slot.tenant = false, 0
		s.inUse--
		if s.building < m.demand(&s) && !forgets {
			m.build(&s, paid|payer<<payerAt)
		}
	}
	if forgets {
		then(s)
		return
	}
	m.dispatch(s, then)
}
