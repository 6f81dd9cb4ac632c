package sched

// This file is about who is among the backlogged, and what is summed up over them.

// place puts t, whose service was taken before its state changed, where the
// new state says: among the backlogged, in the class of its slope, or out.
func (s *Scheduler) place(t *Tenant, service float64) {
	// Nobody of t waits or did: the path of an acquire without contention.
	if t.class == nil && t.waiting == 0 {
		t.slope = float64(t.held) * t.perSlot
		t.charged, t.mark = service, s.clock
		if s.strict {
			s.block(t)
		}
		return
	}
	was, is := t.class != nil, t.waiting > 0 && s.within(t, t.first.slots())
	if was != is && (is || s.backlogged == 1) {
		s.raise()
	}
	if was {
		s.exit(t)
	}
	t.slope = float64(t.held) * t.perSlot
	if !is {
		if w := s.collecting.waiter; w != nil && w.tenant == t {
			service += s.collected(w)
		}
		t.charged = service
		if was || !t.away() {
			t.mark = s.clock // else it says since when it is away
		}
		if was {
			if t.waiting == 0 && !t.fresh() {
				s.lapse(t)
			}
			s.contending -= int(t.held)
			s.weigh(-1, t.share.Weight)
			s.count(t)
		}
		if s.strict {
			s.block(t)
		}
		return
	}
	if !was {
		if s.strict {
			delete(s.blocked, t)
		}
		if s.lapsed == t {
			s.lapsed = nil
		}
		lifted := s.lift(service, t)
		t.origin += lifted - service
		service = lifted
		s.contending += int(t.held)
		s.weigh(1, t.share.Weight)
	}
	t.charged, t.mark = service, s.clock
	s.enter(t)
	s.count(t)
}

// weigh counts n, 1 or -1, among the backlogged.
func (s *Scheduler) weigh(n int, weight float64) {
	if s.backlogged += n; s.backlogged == 0 {
		s.weight, s.weights, s.mean.due = sum{}, 0, 0
		return
	}
	s.weight.add(float64(n) * weight)
	s.weights = s.weight.hi + s.weight.lo
}

// season ends the novelty of t, which is about to be granted its first slot.
func (s *Scheduler) season(t *Tenant) {
	s.arrive(t)
	if t.class != nil {
		s.mean.admit(-1, t.share.Weight)
		s.mean.count(1, t.share.Weight, t.class.heap[t.pos].offset, t.slope)
	}
}

// count keeps the demand in step with t.
func (s *Scheduler) count(t *Tenant) {
	demand := int32(0)
	if t.class != nil {
		demand = int32(s.grantable(t, s.cap(t)-int(t.held)))
	}
	s.demand += int(demand - t.demand)
	t.demand = demand
}
