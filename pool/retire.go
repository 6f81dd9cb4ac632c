package pool

import "sync"

// A Retirement is why a resource is, or was, destroyed.
type Retirement string

const (
	Destroyed     Retirement = "destroyed"      // by Lease.Destroy or a panic under Do
	BadResource   Retirement = "bad resource"   // ErrBadResource from Do
	CheckFailed   Retirement = "check failed"   //
	PrepareFailed Retirement = "prepare failed" //
	ResetFailed   Retirement = "reset failed"   // Tenancy.Reset
	Idle          Retirement = "idle"           // Age.MaxIdleTime
	Lifetime      Retirement = "lifetime"       // Age.MaxLifetime
	Uses          Retirement = "uses"           // Age.MaxUses
	Surplus       Retirement = "surplus"        // Sizes.MaxIdle
	Displaced     Retirement = "displaced"      // to make room for another tenant, with Dedicated
	Replaced      Retirement = "replaced"       // Reset, ResetGradually or MarkBad
	Resized       Retirement = "resized"        // Resize
	Revoked       Retirement = "revoked"        // Reclaim or Revoke, and not returned in time
	Lost          Retirement = "lost"           // Guard.DetectLost
	TooLate       Retirement = "too late"       // built after BuildTimeout, for nobody
	Evicted       Retirement = "evicted"        // Pool.Evict
	Stopped       Retirement = "stopped"        // Close or Shutdown
)

// returnedLocked takes a slot back from its holder.
func (p *Pool[T]) returnedLocked(s *slot[T]) {
	p.endedLocked(s)
	p.usedLocked(s)
	resets := p.config.Tenancy.Reset != nil && p.unfitLocked(s) == ""
	if resets && !(p.config.Tenancy.ResetIdle && p.line.AwaitedLocked()) {
		p.cleanLocked(s)
		return
	}
	p.line.ReleaseLocked(&s.Slot)
	p.settleLocked(s)
	if resets && s.IsReadyLocked() { // none of those who wait may have it
		p.line.WithdrawLocked(&s.Slot)
		p.line.ChargeLocked(&s.Slot)
		p.cleanLocked(s)
	}
}

// cleanLocked has a slot be reset. Its tenant is charged until that is over.
func (p *Pool[T]) cleanLocked(s *slot[T]) {
	p.resetting++
	go p.newCall(p.ctx, resetting, s, Handover{Tenant: s.TenantLocked()}).run()
}

// endedLocked does what is due at the end of every lease.
func (p *Pool[T]) endedLocked(s *slot[T]) {
	if s.leaked {
		p.leakEndedLocked(s)
	}
}

// cleaned takes back a slot that was reset.
func (p *Pool[T]) cleaned(s *slot[T], err error) {
	p.judge(s, err)
	p.line.Lock()
	defer p.line.Unlock()
	p.resetting--
	if err != nil {
		s.charged = true
		p.retireLocked(s, ResetFailed)
		p.balanceLocked()
		return
	}
	p.line.ReleaseLocked(&s.Slot)
	p.settleLocked(s)
}

// takeBack is takeBackLocked for a caller without the lock.
func (p *Pool[T]) takeBack(s *slot[T], why Retirement) {
	p.line.Lock()
	defer p.line.Unlock()
	p.takeBackLocked(s, why)
}

// takeBackLocked retires a slot whose lease has just ended, at somebody's cost.
func (p *Pool[T]) takeBackLocked(s *slot[T], why Retirement) {
	p.endedLocked(s)
	p.billLocked(s, why)
	p.retireLocked(s, why)
	p.balanceLocked()
}

// settleLocked decides what becomes of a live slot that nobody holds: the next
// waiter gets it, or it stays warm, or it is retired.
func (p *Pool[T]) settleLocked(s *slot[T]) {
	if p.timed {
		s.unused = p.line.NowLocked()
		s.trusted = s.unused
	}
	why := p.unfitLocked(s)
	if why == "" {
		if why = p.wornLocked(s); why != "" && p.postponeLocked(s, why) {
			why = ""
		}
	}
	if why != "" {
		p.retireLocked(s, why)
	} else {
		p.line.PutLocked(&s.Slot)
		if s.IsReadyLocked() {
			p.idleLocked(s)
			p.trimLocked()
		}
	}
	p.watchLocked()
	p.balanceLocked()
}

// unfitLocked returns why a slot cannot go on, "" if it can.
func (p *Pool[T]) unfitLocked(s *slot[T]) Retirement {
	switch {
	case p.closed:
		return Stopped
	case s.retired != "":
		return s.retired
	case s.epoch != p.epoch && !p.gradual:
		return Replaced
	case p.overLocked():
		return Resized
	}
	return ""
}

// overLocked reports whether more slots are alive than the capacity, which
// Resize may have lowered, has place for.
func (p *Pool[T]) overLocked() bool { return p.live > p.capacity }

// retireLocked has the register destroy a slot that nobody holds. Its place is
// free once the destructor has returned.
func (p *Pool[T]) retireLocked(s *slot[T], why Retirement) {
	if s.charged {
		p.forgetLocked(s) // the line forgets it with the charge
	} else {
		p.removeLocked(s)
	}
	p.dying++
	s.retired = why
	p.retired[why]++
	s.resource.Destroy() // runs the destructor in a goroutine
}

// removeLocked takes a slot that nobody holds out of the pool.
func (p *Pool[T]) removeLocked(s *slot[T]) {
	p.line.DropLocked(&s.Slot)
	p.forgetLocked(s)
}

func (p *Pool[T]) forgetLocked(s *slot[T]) {
	p.live--
	if s.epoch != p.epoch {
		p.stale--
	}
}

// retireWarmLocked retires warm slots, the longest idle first, for as long as
// more says so. Each is added to leave, if there is one, until its destructor
// has returned.
func (p *Pool[T]) retireWarmLocked(why Retirement, more func() bool, leave *sync.WaitGroup) {
	for oldest := p.line.OldestReadyLocked(); oldest != nil && more(); oldest = p.line.OldestReadyLocked() {
		s := oldest.Owner.(*slot[T])
		if leave != nil {
			leave.Add(1)
			s.leave = leave
		}
		p.retireLocked(s, why)
	}
}

func always() bool { return true }
