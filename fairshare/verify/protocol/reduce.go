package protocol

import (
	"cmp"
	"slices"
)

// The number of states is kept down in four ways. Each leaves out only what is
// equivalent to something that is not left out. Scenario.Plain does without the
// last three, and a test compares what the two find.
//
//   - Variables that nobody is going to read are cleared, see tidy.
//   - Callers of the same kind, slots, and goroutines of the code's own are put
//     in order: which of them is which does not matter, see sort.
//   - A step that neither affects the others nor is affected by them is taken
//     before all others, see alone.
//   - Under the lock, the two looks into the inboxes are one step: nobody else
//     empties them, so that two looks with a put in between find what one look
//     before the put finds, or one after it.

// tidy clears what is of no use any more.
func (s *state) tidy() {
	for i := range s.threads {
		th := &s.threads[i]
		locking := th.pc >= lock && th.pc <= clearArrivals
		unlocking := th.pc >= unlock && th.pc <= againTry
		if !locking {
			th.then = nothing
		}
		if !locking && !unlocking {
			th.after, th.round = done, 0
		}
		if th.slot != none {
			s.age(th.slot, &th.gen)
		} else if !locking && th.pc != construct && th.pc != backoff {
			th.gen = 0
		}
	}
	for i := range s.waiters {
		w := &s.waiters[i]
		if w.grant.slot == none {
			w.grant.gen = 0
		} else {
			s.age(w.grant.slot, &w.grant.gen)
		}
		if pc := s.threads[i].pc; pc == done || pc >= holding && pc <= finishDestroy {
			w.cancelled = false
		}
	}
	for i := range s.slots {
		s.slots[i].gen = 0
	}
}

// age replaces a generation by 0 if it is the present one. Any other is over
// for good.
func (s *state) age(slot uint8, gen *uint8) {
	if s.slots[slot].gen == *gen {
		*gen = 0
	} else {
		*gen = none
	}
}

// alone returns a thread whose next step commutes with all that the others may
// do before it, and that nothing can keep from taking it.
func (s *state) alone(sc *Scenario) (uint8, bool) {
	if sc.Plain {
		return 0, false
	}
	for i := range s.threads {
		t := uint8(i)
		local := false
		switch s.threads[t].pc {
		case acquire:
			local = !sc.mayCancel(t) || s.waiters[t].cancelled
		case wake:
			w := &s.waiters[t]
			local = w.failed || !sc.mayCancel(t) || w.cancelled && !sc.revokes()
		case finish, finishDestroy:
			local = !sc.revokes()
		case tell:
			local = true // whoever is told may still prefer the end of its context
		case lookReturns:
			local = s.returns != 0 // nobody else takes them
		}
		if local {
			return t, true
		}
	}
	return 0, false
}

// kind is what tells callers apart from the start. It grows with their numbers,
// so that sorting by it leaves each kind where it is.
func (sc *Scenario) kind(w uint8) (k int) {
	for _, from := range [...]uint8{sc.Cancels, sc.Waiters - sc.Tries, sc.Waiters} {
		k += bit(w >= from)
	}
	for ; w > 0; w-- {
		k += bit(sc.tenant(w) != sc.tenant(w-1))
	}
	return k
}

// sort puts what is interchangeable in order.
func (s *state) sort(sc *Scenario) {
	s.sortSlots()
	s.sortWaiters(sc)
	s.sortHelpers()
}

func (s *state) sortSlots() {
	var weights [maxSlots]int
	for i := range s.slots {
		slot := &s.slots[i]
		weights[i] = int(slot.tenant)<<5 | int(slot.place)<<2 | bit(slot.charged)<<1 | bit(s.returns.has(uint8(i)))
	}
	for t := range s.threads {
		if th := &s.threads[t]; th.slot != none {
			weights[th.slot] += int(th.pc)<<8 | 1<<20
		}
	}
	for i := 1; i < maxSlots; i++ {
		for j := i; j > 0 && weights[j-1] > weights[j]; j-- {
			weights[j-1], weights[j] = weights[j], weights[j-1]
			s.swapSlots(uint8(j-1), uint8(j))
		}
	}
}

func (s *state) swapSlots(i, j uint8) {
	swap := func(slot *uint8) {
		switch *slot {
		case i:
			*slot = j
		case j:
			*slot = i
		}
	}
	s.slots[i], s.slots[j] = s.slots[j], s.slots[i]
	s.returns = s.returns.swapped(i, j)
	for t := range s.threads {
		swap(&s.threads[t].slot)
	}
	for w := range s.waiters {
		swap(&s.waiters[w].grant.slot)
	}
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (s *state) sortWaiters(sc *Scenario) {
	var order, to [maxWaiters]uint8
	for w := range order {
		order[w] = uint8(w)
	}
	slices.SortFunc(order[:sc.Waiters], func(a, b uint8) int {
		return cmp.Or(
			cmp.Compare(sc.kind(a), sc.kind(b)),
			s.threads[a].compare(&s.threads[b]),
			cmp.Compare(s.waiters[a].weight(), s.waiters[b].weight()),
			cmp.Compare(s.whereabouts(a), s.whereabouts(b)),
		)
	})
	old := *s
	for w, was := range order {
		to[was] = uint8(w)
		s.threads[w], s.waiters[w] = old.threads[was], old.waiters[was]
	}
	s.arrivals, s.queue, s.woken = s.arrivals.moved(&to), s.queue.moved(&to), s.woken.moved(&to)
	for t := range s.threads {
		s.threads[t].tells = s.threads[t].tells.moved(&to)
	}
	if s.owner < maxWaiters {
		s.owner = to[s.owner]
	}
}

func (s set) moved(to *[maxWaiters]uint8) (moved set) {
	for w, now := range to {
		if s.has(uint8(w)) {
			moved = moved.with(now)
		}
	}
	return moved
}

func (t *thread) compare(o *thread) int { return cmp.Compare(t.weight(), o.weight()) }

// weight is a number that tells threads apart, but for which waiters they tell:
// the numbers of those may change.
func (t *thread) weight() (w uint64) {
	for _, v := range [...]uint8{uint8(t.pc), uint8(t.then), uint8(t.after), t.round, t.slot, t.gen, uint8(t.tells.len())} {
		w = w<<8 | uint64(v)
	}
	return w
}

func (w *waiter) weight() int {
	return bit(w.cancelled) | bit(w.failed)<<1 | int(w.tokens)<<2 | int(w.grant.slot)<<8 | int(w.grant.gen)<<16
}

func (s *state) whereabouts(w uint8) int {
	at := bit(s.arrivals.has(w)) | bit(s.queue.has(w))<<1 | bit(s.woken.has(w))<<2
	for t := range s.threads {
		at = at<<1 | bit(s.threads[t].tells.has(w))
	}
	return at
}

func (s *state) sortHelpers() {
	for i := firstHelper + 1; i < maxThreads; i++ {
		for j := i; j > firstHelper && s.threads[j-1].less(&s.threads[j]); j-- {
			s.threads[j-1], s.threads[j] = s.threads[j], s.threads[j-1]
			switch s.owner {
			case uint8(j):
				s.owner = uint8(j - 1)
			case uint8(j - 1):
				s.owner = uint8(j)
			}
		}
	}
}

func (t *thread) less(o *thread) bool {
	if c := t.compare(o); c != 0 {
		return c < 0
	}
	return t.tells < o.tells
}
