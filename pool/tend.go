package pool

import (
	"cmp"
	"slices"
	"time"
)

// An alarm is one timer for everything that is due at some time.
type alarm struct {
	at    time.Duration // 0: not set
	timer *time.Timer

	behind bool // something is due that needs a build, when fewer run
}

// alarmLocked has tend called at the given time, or earlier. 0 is never.
func (p *Pool[T]) alarmLocked(at time.Duration) {
	if at == 0 || p.closed || p.alarm.at != 0 && p.alarm.at <= at {
		return
	}
	p.alarm.at = at
	wait := max(0, at-p.line.NowLocked())
	if p.alarm.timer == nil {
		p.alarm.timer = time.AfterFunc(wait, p.tend)
	} else {
		p.alarm.timer.Reset(wait)
	}
}

// tend does what is due: it retires and checks idle resources, reports leaks
// and revokes leases.
func (p *Pool[T]) tend() {
	p.line.Lock()
	p.alarm.at = 0
	if p.closed {
		p.line.Unlock()
		return
	}
	now := p.line.NowLocked()
	if p.ages {
		p.ageLocked(now)
	}
	if p.config.Guard.LeakAfter > 0 {
		p.alarmLocked(p.leakingLocked(now))
	}
	var revoked map[*revocation]Holder
	if p.config.Reclaim.After > 0 {
		revoked = p.reclaimLocked()
	}
	p.line.Unlock()
	for r, holder := range revoked {
		p.announce(r, holder)
	}
}

// ageLocked looks after the idle resources: those past their time, those idle
// for too long, those to be checked.
func (p *Pool[T]) ageLocked(now time.Duration) {
	var worn, idle []*slot[T]
	var unchecked *slot[T]
	age := &p.config.Age
	for _, ready := range p.line.SlotsLocked() {
		if !ready.IsReadyLocked() {
			continue
		}
		s := ready.Owner.(*slot[T])
		if s.expires > 0 && now >= s.expires {
			worn = append(worn, s)
		}
		if age.MaxIdleTime > 0 && now >= s.unused+age.MaxIdleTime {
			idle = append(idle, s)
		}
		if unchecked == nil || s.trusted < unchecked.trusted {
			unchecked = s
		}
	}
	for _, s := range worn {
		if !p.postponeLocked(s, Lifetime) {
			p.retireLocked(s, Lifetime)
		}
	}
	slices.SortFunc(idle, func(a, b *slot[T]) int { return cmp.Compare(a.unused, b.unused) })
	for _, s := range idle {
		if s.IsReadyLocked() && p.line.ReadyLocked() > p.config.Sizes.MinIdle+p.line.KeptLocked() {
			p.retireLocked(s, Idle)
		}
	}
	if every := p.config.Health.KeepAlive; every > 0 && p.checking == 0 &&
		unchecked != nil && unchecked.IsReadyLocked() && now >= unchecked.trusted+every {
		p.checkIdleLocked(unchecked)
	}
	for _, ready := range p.line.SlotsLocked() {
		if ready.IsReadyLocked() {
			p.idleLocked(ready.Owner.(*slot[T]))
		}
	}
	p.balanceLocked()
}

// idleLocked sets the alarm for a slot that is ready, or for the one idle for
// longest, which it may have made one too many.
func (p *Pool[T]) idleLocked(s *slot[T]) {
	if !p.ages {
		return
	}
	now := p.line.NowLocked()
	if s.expires > now {
		p.alarmLocked(s.expires)
	}
	if after := p.config.Age.MaxIdleTime; after > 0 && p.line.ReadyLocked() > p.config.Sizes.MinIdle {
		oldest := p.line.OldestReadyLocked().Owner.(*slot[T])
		due := max(now+1, min(s.unused, oldest.unused)+after)
		if p.line.KeptLocked() > 0 {
			due = now + after // those that are kept do not go now
		}
		p.alarmLocked(due)
	}
	if every := p.config.Health.KeepAlive; every > 0 && p.checking == 0 {
		p.alarmLocked(max(now+1, s.trusted+every))
	}
}
