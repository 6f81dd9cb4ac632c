package sched

// maxDeparted is how many departed tenants are remembered. Those in debt may
// exceed it by maxDebtors times, so that leaving and coming back does not wipe
// a debt, and a stream of new names still cannot fill the memory. Names
// longer than maxName are not remembered: their bytes are memory too.
const (
	maxDeparted = 1 << 14
	maxDebtors  = 4
	maxName     = 256
)

// presence moves t to the list it belongs in: the holders, the departed, or
// none while it only waits or is joined.
func (s *Scheduler) presence(t *Tenant) {
	var home *tenantList
	switch {
	case t.held > 0:
		home = &s.holders
	case t.waiting == 0 && t.joined == 0:
		home = &s.departed
	}
	if t.list == home {
		return
	}
	if t.list != nil {
		t.list.remove(t)
	}
	if home != nil {
		home.pushBack(t)
	}
	if home != &s.departed {
		return
	}
	if len(t.name) > maxName {
		s.departed.remove(t)
		s.drop(t)
		return
	}
	s.forget()
}

func (s *Scheduler) drop(t *Tenant) {
	delete(s.tenants, t.name)
	if s.latest == t {
		s.latest = nil
	}
}

// forget keeps the departed tenants bounded, the longest departed go first.
// One that is in debt, or still carries the caller's Data, goes to the back
// of the line instead; two looks for each departure are enough to get ahead
// of the growth.
func (s *Scheduler) forget() {
	for range 2 {
		if s.departed.len <= s.maxDeparted {
			return
		}
		t := s.departed.first
		s.departed.remove(t)
		if (t.Data != nil || s.service(t) > s.virtual) && s.departed.len < maxDebtors*s.maxDeparted {
			s.departed.pushBack(t)
			continue
		}
		s.drop(t)
	}
}
