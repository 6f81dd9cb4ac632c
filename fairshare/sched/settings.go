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
	s.raiseFloor()
	s.raised = true
	defer func() { s.raised = false }()
	service, before := s.service(t), t.share.Weight
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
	if t.away() && t.waiting == 0 {
		t.charged = service // and the mark says since when it is away
		return
	}
	s.place(t, service)
}

// Resize sets the capacity. Slots in use beyond it are not revoked: nothing
// is granted until enough of them returned.
func (s *Scheduler) Resize(capacity int) { s.capacity = capacity }

// SetLimit sets what a tenant of weight 1 may hold in strict mode. Only those
// that hold something can be at their cap, before or after, and only those that
// wait have to move: the blocked, and the backlogged with a slope. There are at
// most as many as slots, and the order in which they move makes no difference.
func (s *Scheduler) SetLimit(now time.Duration, limit int) {
	if limit == s.limit {
		return
	}
	s.advance(now)
	s.raiseFloor()
	s.raised = true
	defer func() { s.raised = false }()
	s.limit = limit
	move := s.moving[:0]
	for t := range s.blocked {
		move = append(move, t)
	}
	for _, c := range s.classes {
		if c.slope == 0 {
			continue
		}
		for _, e := range c.heap {
			move = append(move, e.tenant)
		}
	}
	for _, t := range move {
		s.place(t, s.service(t))
	}
	clear(move)
	s.moving = move
}

// block keeps account of the tenants that a greater limit would help.
func (s *Scheduler) block(t *Tenant) {
	if t.waiting > 0 {
		s.blocked[t] = struct{}{}
	} else {
		delete(s.blocked, t)
	}
}
