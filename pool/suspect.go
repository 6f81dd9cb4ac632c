package pool

// maxChecks is how many idle resources are checked at once after one was found
// broken: each may take a whole CheckTimeout.
const maxChecks = 32

// suspectOthersLocked is due when a resource is unfit for a tenant: if it is dead,
// others may be. A new one is no sign of that, nor is a tenant that
// nothing can be prepared for.
func (p *Pool[T]) suspectOthersLocked(s *slot[T], tenant string, why Retirement) {
	_, used := s.BeforeLocked() // what is the holder's, a hook left behind may still write
	if why == CheckFailed || used && p.unprepared.tenants[tenant] == nil {
		p.suspectLocked()
	}
}

// suspectLocked puts all that is idle out of use until it has passed a Check: a
// server that goes away takes all its connections with it.
func (p *Pool[T]) suspectLocked() {
	if p.config.Health.Check == nil {
		return
	}
	now := p.line.NowLocked()
	for _, ready := range p.line.SlotsLocked() {
		if s := ready.Owner.(*slot[T]); ready.IsReadyLocked() && s.trusted < now {
			p.checkIdleLocked(s)
		}
	}
}

// checkIdleLocked withdraws an idle resource until it is checked.
func (p *Pool[T]) checkIdleLocked(s *slot[T]) {
	p.line.WithdrawLocked(&s.Slot)
	p.checking++
	if p.checks < maxChecks {
		p.checks++
		go p.checkIdle(s)
	} else {
		p.unchecked = append(p.unchecked, s)
	}
}

// checkIdle checks a withdrawn resource, and then others that are to be checked.
// One that fails leaves its place at once; whether another takes it is not decided
// here.
func (p *Pool[T]) checkIdle(s *slot[T]) {
	for s != nil {
		err := <-p.newCall(p.ctx, checking, s, Handover{}).begin().result
		p.judge(s, err)
		p.line.Lock()
		p.checkedLocked(s, err)
		s = nil
		if n := len(p.unchecked); n > 0 {
			s = p.unchecked[n-1]
			p.unchecked = p.unchecked[:n-1]
		} else {
			p.checks--
		}
		p.line.Unlock()
	}
}

func (p *Pool[T]) checkedLocked(s *slot[T], err error) {
	p.checking--
	why := p.unfitLocked(s)
	if err != nil {
		why = CheckFailed
	}
	switch {
	case why != "":
		p.retireLocked(s, why)
		if err != nil {
			p.suspectLocked()
		}
	default:
		s.trusted = p.line.NowLocked()
		p.line.PutBackLocked(&s.Slot)
		if s.IsReadyLocked() {
			p.idleLocked(s)
			p.trimLocked() // others may have come meanwhile
		}
	}
	p.alarmLocked(p.line.NowLocked() + 1) // others may have been due meanwhile
	p.balanceLocked()
}
