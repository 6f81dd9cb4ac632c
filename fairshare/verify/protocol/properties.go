package protocol

import "fmt"

// broken returns what is wrong with s, "" if nothing is.
func (s *state) broken(sc *Scenario) string {
	charged := uint8(0)
	for i, slot := range s.slots {
		claims := 0
		for w := range sc.Waiters {
			th := &s.threads[w]
			if th.pc != readGeneration && th.slot == uint8(i) && s.current(grant{th.slot, th.gen}) {
				claims++
			}
			if s.waiters[w].grant.slot == uint8(i) && s.current(s.waiters[w].grant) {
				claims++
			}
		}
		switch {
		case claims > 1:
			return fmt.Sprintf("slot %d has %d holders", i, claims)
		case claims == 1 && slot.place != held:
			return fmt.Sprintf("slot %d has a holder and is not held", i)
		case s.returns.has(uint8(i)) && slot.place != held:
			return fmt.Sprintf("slot %d is returned and is not held", i)
		}
		if slot.place == held || slot.place == dying && slot.charged {
			charged++
		}
	}
	for _, th := range s.threads[firstHelper:] {
		if th.builds() && th.gen&paid != 0 {
			charged++
		}
	}
	if charged != s.inUse {
		return fmt.Sprintf("%d slots are charged and %d counted: a slot is lost or doubled", charged, s.inUse)
	}
	if n := s.live() + s.building + s.dying(); sc.Pool && n > s.capacity {
		return fmt.Sprintf("%d resources exist at a capacity of %d", n, s.capacity)
	}
	return s.brokenWaiters(sc)
}

// builds reports whether th is a build that is not accounted for yet.
func (t *thread) builds() bool {
	return t.pc == construct || t.then == built || t.then == buildFailed
}

// brokenWaiters looks for a waiter that is in two places at once, or left
// something behind: its record is used again by somebody else.
func (s *state) brokenWaiters(sc *Scenario) string {
	for w := range sc.Waiters {
		places := int(s.waiters[w].tokens)
		for _, in := range []set{s.queue, s.arrivals, s.woken} {
			if in.has(w) {
				places++
			}
		}
		for _, th := range s.threads {
			if th.tells.has(w) {
				places++
			}
		}
		pc := s.threads[w].pc
		switch {
		case places > 1:
			return fmt.Sprintf("caller %d waits in %d places", w, places)
		case places > 0 && (pc == done || pc >= holding && pc <= finishDestroy || pc == wake):
			return fmt.Sprintf("caller %d has returned and left something behind", w)
		}
	}
	return ""
}

// stuck returns what is wrong with a state in which nobody moves unless
// somebody outside does.
func (s *state) stuck(sc *Scenario) string {
	switch {
	case s.owner != none:
		return fmt.Sprintf("dead-lock: goroutine %d keeps the lock", s.owner)
	case s.arrivals != 0:
		return "lost wake-up: a waiter is left in the inbox"
	case s.returns != 0:
		return "lost wake-up: a slot is left in the inbox"
	case s.woken != 0:
		return "lost wake-up: a waiter was granted a slot and not told"
	}
	for w := range sc.Waiters {
		switch pc := s.threads[w].pc; {
		case pc == receive:
			return fmt.Sprintf("lost wake-up: caller %d was promised a wake-up", w)
		case pc == wait && !s.queue.has(w):
			return fmt.Sprintf("lost wake-up: caller %d waits and nobody knows", w)
		case pc == wait && s.closed:
			return fmt.Sprintf("lost wake-up: caller %d waits although it is closed", w)
		}
	}
	return s.idle(sc)
}

// idle returns why waiters could be served and are not.
func (s *state) idle(sc *Scenario) string {
	m := moves{sc: sc}
	demand := m.demand(s)
	if demand == 0 {
		return ""
	}
	eligible := false
	for w := range sc.Waiters {
		eligible = eligible || s.queue.has(w) && s.mayHave(sc, w)
	}
	switch {
	case !eligible:
		return ""
	case m.free(s) != none:
		return "lost wake-up: a slot is free while somebody waits who may have it"
	case !sc.Pool:
		return "a slot is lost"
	case s.building >= demand:
		return ""
	case s.failing && (s.timer != 0 || s.probing && s.building > 0):
		return ""
	case s.live()+s.building+s.dying() < s.capacity:
		return "lost wake-up: nothing is built while somebody waits"
	}
	return ""
}

// unsettled returns what is wrong with a state in which everything has happened
// that happens sooner or later, and nobody interferes: whoever waits waits for
// ever, and what is not there by now never comes back.
func (s *state) unsettled(sc *Scenario) string {
	for w := range sc.Waiters {
		if s.threads[w].pc != done && !s.paused && s.capacity > 0 {
			return fmt.Sprintf("caller %d waits for ever", w)
		}
	}
	if s.inUse != 0 || s.building != 0 {
		return fmt.Sprintf("%d slots are never given back, %d builds never end", s.inUse, s.building)
	}
	for i, slot := range s.slots {
		if slot.place == held || slot.place == dying || sc.Pool && s.closed && slot.place != cold {
			return fmt.Sprintf("slot %d is left over", i)
		}
	}
	return ""
}

// unfinished returns what is left in a state in which nothing can happen any
// more.
func (s *state) unfinished() string {
	for i := range s.threads {
		if s.threads[i].pc != done && s.threads[i].pc != act { // a Revoke finds nothing
			return fmt.Sprintf("goroutine %d never ends", i)
		}
	}
	return ""
}
