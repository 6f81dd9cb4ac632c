package pool

// wornLocked returns why a slot that nobody holds has served long enough, ""
// if it has not.
func (p *Pool[T]) wornLocked(s *slot[T]) Retirement {
	age := &p.config.Age
	switch {
	case age.MaxUses > 0 && s.uses >= age.MaxUses:
		return Uses
	case s.expires > 0 && p.line.NowLocked() >= s.expires:
		return Lifetime
	case s.epoch != p.epoch && p.rolling == nil:
		return Replaced // it is its turn
	}
	return ""
}

// postponeLocked reports whether a worn slot goes on serving until its
// successor is built: if that is wanted and there is room for both.
func (p *Pool[T]) postponeLocked(s *slot[T], why Retirement) bool {
	if s.replacing != "" && why != Uses {
		if why == Lifetime {
			s.replacing = why // it goes even if the build fails
		}
		return true
	}
	switch why {
	case Replaced:
		if p.suspended || p.failing.holds() || p.busyLocked() || p.expectsRoomLocked() {
			return true // better an old one than none
		}
		p.rolling = s
	case Lifetime:
		wanted := p.line.ReadyLocked() + 1
		if s.IsReadyLocked() {
			wanted--
		}
		if p.line.DemandLocked() > 0 || wanted > p.config.Sizes.MinIdle {
			return false
		}
		if p.roomLocked() && p.busyLocked() {
			p.alarm.behind = true
			return true
		}
	default:
		return false
	}
	if p.buildLocked(build[T]{replaces: s}) {
		s.replacing = why
		return true
	}
	s.succeed = why == Replaced
	return false
}

// expectsRoomLocked reports whether there is no room for another resource until
// a destructor returns that does not hang.
func (p *Pool[T]) expectsRoomLocked() bool {
	return !p.roomLocked() && p.live+p.building < p.capacity && p.dying > p.hanging
}

// replacedLocked retires the slot that a build was to replace. If the build
// failed, a slot past its lifetime goes all the same.
func (p *Pool[T]) replacedLocked(old *slot[T], failure error) {
	if old == nil {
		return
	}
	if p.rolling == old {
		p.rolling = nil
	}
	why := old.replacing
	old.replacing = ""
	if old.retired != "" || failure != nil && why != Lifetime {
		return
	}
	if old.IsReadyLocked() {
		p.retireLocked(old, why)
	} else {
		old.retired = why // on return
	}
}

// rollLocked replaces the next resource of an earlier generation, if
// ResetGradually asked for it. Those that are leased have their turn when they
// return.
func (p *Pool[T]) rollLocked() {
	if !p.gradual || p.rolling != nil || p.closed {
		return
	}
	if p.stale == 0 && p.outdated == 0 { // those of an earlier generation are still to come
		p.gradual = false
		return
	}
	for _, ready := range p.line.SlotsLocked() {
		s := ready.Owner.(*slot[T])
		if s.epoch != p.epoch && ready.IsReadyLocked() {
			if !p.postponeLocked(s, Replaced) {
				p.retireLocked(s, Replaced)
			}
			return
		}
	}
}

// Reset replaces every resource that is alive now: the warm ones at once, the
// leased ones on return, those being built when they are ready.
func (p *Pool[T]) Reset() {
	p.line.Lock()
	defer p.line.Unlock()
	p.forgiveLocked()
	p.resetLocked(false)
}

// ResetGradually replaces every resource that is alive now, one after the
// other, and each only when its successor is built if there is room for both.
// The others serve on meanwhile. It returns at once.
func (p *Pool[T]) ResetGradually() {
	p.line.Lock()
	defer p.line.Unlock()
	p.forgiveLocked()
	p.resetLocked(true)
}

func (p *Pool[T]) resetLocked(gradually bool) {
	p.epoch++
	p.gradual = gradually
	p.fresh, p.filling, p.outdated = 0, 0, p.building
	p.stale = p.live
	p.rolling = nil
	p.watchLocked()
	if !gradually {
		p.retireWarmLocked(Replaced, always, nil)
	}
	p.balanceLocked()
}
