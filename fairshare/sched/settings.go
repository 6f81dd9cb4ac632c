package sched

import (
	"strings"
	"time"
)

func (s *Scheduler) share(name string) *Share {
	if share, ok := s.shares[name]; ok {
		return share
	}
	return s.fallback
}

// SetShare changes the share of a tenant from now on. Its debt or credit stays, as
// slot-time. A share equal to the default is not stored.
func (s *Scheduler) SetShare(now time.Duration, name string, share Share) {
	if share == *s.fallback {
		delete(s.shares, name)
	} else {
		s.shares[strings.Clone(name)] = &share
	}
	t := s.tenants[name]
	if t == nil {
		return
	}
	s.advance(now)
	s.raise()
	s.raised = true
	defer func() { s.raised = false }()
	service, before, was := s.service(t), t.share.Weight, t.class != nil
	if t.class != nil && share.Weight != before {
		s.exit(t)
		s.contending -= int(t.held)
		s.weigh(-1, before)
		s.count(t)
	}
	t.setShare(s.share(name))
	if t.waiting > 0 {
		s.rank(t)
	}
	if t.held+t.waiting > 0 {
		s.present += t.share.Weight - before
	}
	if share.Weight != before {
		scaled := s.reweigh(service, before/share.Weight)
		t.origin += scaled - service
		service = scaled
	}
	if t.away() {
		t.charged = service // and the mark says since when it is away
		if t.waiting == 0 {
			return
		}
		if !was {
			s.welcome(t)
			service = t.charged
		}
	}
	s.place(t, service)
}

// Resize sets the capacity. Slots in use beyond it are not revoked: nothing
// is granted until enough of them returned. A waiter that asks for more slots than
// there are now does not hold back others.
func (s *Scheduler) Resize(now time.Duration, capacity int) {
	if s.large > 0 && capacity != s.capacity {
		defer s.move(now)()
	}
	s.capacity = capacity
}

// SetLimit sets what a tenant of weight 1 may hold in strict mode. Only those
// that hold something can be at their cap, before or after, and only those that
// wait have to move: the blocked, and the backlogged with a slope. There are at
// most as many as slots, and the order in which they move makes no difference.
func (s *Scheduler) SetLimit(now time.Duration, limit int) {
	if limit == s.limit {
		return
	}
	defer s.move(now)()
	s.limit = limit
	for t := range s.blocked {
		s.moving = append(s.moving, t)
	}
	for _, c := range s.classes {
		if c.slope == 0 {
			continue
		}
		for _, e := range c.heap {
			s.moving = append(s.moving, e.tenant)
		}
	}
}

// move begins a change that may have several tenants join or leave the backlogged,
// and returns what is due after it. They are those in s.moving by then, and those
// whose first waiter asks for several slots.
func (s *Scheduler) move(now time.Duration) (done func()) {
	s.advance(now)
	s.raise()
	s.raised = true
	return func() {
		if s.large > 0 {
			for _, q := range s.queues {
				if q.tenant.first.Slots > 1 {
					s.moving = append(s.moving, q.tenant)
				}
			}
		}
		for _, t := range s.moving {
			s.welcome(t) // as of before any of them has moved
		}
		for _, t := range s.moving {
			s.place(t, s.service(t))
		}
		clear(s.moving)
		s.moving, s.raised = s.moving[:0], false
	}
}

// block keeps account of the tenants that a greater limit would help.
func (s *Scheduler) block(t *Tenant) {
	if t.waiting > 0 {
		s.blocked[t] = struct{}{}
	} else {
		delete(s.blocked, t)
	}
}
