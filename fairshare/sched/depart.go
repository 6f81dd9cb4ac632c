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

// presence follows t in and out of the active tenants.
func (s *Scheduler) presence(t *Tenant) {
	active := t.held > 0 || t.waiting > 0 || t.joined > 0
	if active == t.active {
		return
	}
	t.active = active
	if active {
		t.seen = t.granted > 0
		s.active++
		return
	}
	s.active--
	s.Dismiss(t)
}

// Dismiss keeps to the bounds on what is remembered when t is not active, even
// if it never was.
func (s *Scheduler) Dismiss(t *Tenant) {
	long := len(t.name) > maxName
	switch {
	case t.active || !long && s.departed() <= s.maxDeparted:
	case s.tenants[t.name] != t: // forgotten already
	case long:
		s.drop(t)
	default:
		s.forget()
	}
}

// forget keeps the departed tenants bounded. The known tenants stand in a
// circle; whoever came back since the last look, is in debt, or carries the
// caller's Data is passed by. Three looks for each departure keep up with the
// growth, at the latest when there are as many departed as active tenants.
func (s *Scheduler) forget() {
	for range 3 {
		if s.departed() <= s.maxDeparted {
			return
		}
		t := s.known.first
		if s.spare(t) {
			t.seen = t.active
			s.known.remove(t)
			s.known.pushBack(t)
		} else {
			s.drop(t)
		}
	}
}

// spare reports whether forget passes t by.
func (s *Scheduler) spare(t *Tenant) bool {
	if t.active {
		return true
	}
	return s.departed() <= maxDebtors*s.maxDeparted && (t.seen || t.Data != nil || !t.fresh() && s.service(t) > s.virtual)
}

func (s *Scheduler) drop(t *Tenant) {
	s.known.remove(t)
	delete(s.tenants, t.name)
	if s.latest == t {
		s.latest = nil
	}
}

// departed is the number of tenants that are known but not active.
func (s *Scheduler) departed() int { return len(s.tenants) - s.active }
