package protocol

// moves are the ways out of one state.
type moves struct {
	sc       *Scenario
	all      []move
	internal int    // those that are not up to somebody outside
	due      int    // those that happen sooner or later
	fault    string // what went wrong on the way, "" if nothing

	label label // of the step at hand
}

type move struct {
	state state
	label label
}

// of finds the ways out of s.
func (m *moves) of(s state) {
	m.all, m.internal, m.due, m.fault = m.all[:0], 0, 0, ""
	if t, ok := s.alone(m.sc); ok {
		m.label = label{thread: t, pc: s.threads[t].pc}
		m.step(s, t)
		return
	}
	for t := range uint8(maxThreads) {
		m.label = label{thread: t, pc: s.threads[t].pc}
		m.step(s, t)
	}
	if m.sc.Coarse && (s.arrivals != 0 || s.returns != 0) {
		m.label = label{thread: none, pc: takeReturns}
		m.read(s, m.told)
	}
	for w := range m.sc.Cancels {
		if th := &s.threads[w]; th.pc != done && th.pc < holding && !s.waiters[w].cancelled {
			m.label = label{thread: w, outside: true, variant: isCancel}
			n := s
			n.waiters[w].cancelled = true
			m.emit(n)
		}
	}
}

func (m *moves) emit(s state) {
	if !m.label.outside {
		m.internal++
	}
	if !m.label.mayNot() {
		m.due++
	}
	s.tidy()
	if !m.sc.Plain {
		s.sort(m.sc)
	}
	m.all = append(m.all, move{s, m.label})
}

// to is emit for a state in which only the pc of t changes.
func (m *moves) to(s state, t uint8, next pc) {
	s.threads[t].pc = next
	if next == done {
		s.threads[t] = thread{slot: none}
	}
	m.emit(s)
}

// locked has t take the lock, to do what is due with it and then to go on at
// after. The caller has made sure that the lock is free.
func (m *moves) locked(s state, t uint8, then body, after pc) {
	th := &s.threads[t]
	th.pc, th.then, th.after = lookReturns, then, after
	if m.sc.Coarse {
		m.atOnce(s, t)
		return
	}
	s.owner = t
	m.emit(s)
}

// try is a TryLock: locked if it succeeds, else t goes on at otherwise.
func (m *moves) try(s state, t uint8, then body, after, otherwise pc) {
	if s.owner == none {
		m.locked(s, t, then, after)
	}
	if s.owner != none || m.sc.Mutex == Documented || m.sc.Coarse || s.comes(t) {
		m.to(s, t, otherwise)
	}
}

// comes reports whether somebody other than t is in Lock. Then a TryLock may
// fail although the lock is free: it is being handed over, or its state changes
// as somebody is woken.
func (s *state) comes(t uint8) bool {
	for i := range s.threads {
		if s.threads[i].pc == lock && uint8(i) != t {
			return true
		}
	}
	return false
}

// wantLock has t wait for the lock.
func (m *moves) wantLock(s state, t uint8, then body, after pc) {
	th := &s.threads[t]
	th.pc, th.then, th.after = lock, then, after
	m.emit(s)
}

// step takes the next step of t, in every way in which it may go.
func (m *moves) step(s state, t uint8) {
	th := &s.threads[t]
	switch th.pc {
	case done:
	case act, construct, destruct, backoff:
		m.label.outside = true
		m.outside(s, t)
	case holding:
		m.label.outside = true
		m.to(s, t, finish)
		if m.sc.Destroys {
			m.label.variant = 1
			m.to(s, t, finishDestroy)
		}
	case seize:
		m.finished(s, t, takeBack)
	case lock:
		if s.owner == none {
			m.locked(s, t, th.then, th.after)
		}
	case lookReturns, lookArrivals, takeReturns, clearReturns, takeArrivals, clearArrivals:
		m.begin(s, t)
	case unlock, peekReturns, peekArrivals, peekTry, collect, tellLocked, unlockLong, tell, againReturns, againArrivals, againTry:
		m.leave(s, t)
	default:
		m.call(s, t)
	}
}

// start has a goroutine of the code's own begin at pc.
func (m *moves) start(s *state, th thread) {
	for i := firstHelper; i < maxThreads; i++ {
		if s.threads[i].pc == done {
			s.threads[i] = th
			return
		}
	}
	m.fault = "there are more goroutines than the model has room for"
}
