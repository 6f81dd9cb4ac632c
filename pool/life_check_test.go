package pool_test

import (
	"cmp"
	"fmt"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
)

// A snapshot is what the pool says of itself at rest.
type snapshot struct {
	pool.Stats
	tenants map[string]fairshare.TenantStats
	holders int
}

func (s *snapshot) existing() int { return s.alive() + s.Building + s.Destroying }
func (s *snapshot) alive() int    { return s.Leased + s.Resetting + s.Checking + s.Warm }

// demand is for how many waiters there would be a slot if there were enough,
// and a tenant, if there is one, that might have one now.
func (s *snapshot) demand(headroom int) (demand int, eligible string) {
	free := s.Capacity - s.InUse
	further := 0 // beyond the first slot of each tenant
	for name, t := range s.tenants {
		if t.Waiting == 0 || t.Cap > 0 && t.Held >= t.Cap {
			continue
		}
		room := t.Waiting
		if t.Cap > 0 {
			room = min(room, t.Cap-t.Held)
		}
		if t.Held == 0 {
			demand++
			room--
		}
		further += room
		if free > 0 && (free > headroom || t.Held == 0) {
			eligible = name
		}
	}
	if headroom > 0 { // more of them if they come before some that hold none
		further = min(further, max(0, free-headroom-demand))
	}
	return demand + further, eligible
}

func (l *life) complain(format string, args ...any) {
	l.t.Helper()
	stats := l.p.Stats()
	failing := stats.BuildErr != nil
	stats.BuildErr, stats.DestroyErr, stats.ShareFuncErr = nil, nil, nil // with their stacks
	l.t.Errorf("seed %d, step %d: %s\nfailing: %v, %+v", l.seed, l.steps, fmt.Sprintf(format, args...), failing, stats)
	for name, t := range l.p.Tenants() {
		if t.Held+t.Waiting > 0 {
			l.t.Logf("%s: %+v", name, t)
		}
	}
}

// check checks the invariants, while everything is at rest.
func (l *life) check() {
	if l.t.Failed() {
		return
	}
	s := &snapshot{Stats: l.p.Stats(), tenants: make(map[string]fairshare.TenantStats)}
	for name, t := range l.p.Tenants() {
		s.tenants[name] = t
	}
	for range l.p.Holders() {
		s.holders++
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.checkSize(s)
	l.checkLeases(s)
	l.checkCharges(s)
	l.checkCalls(s)
	switch {
	case s.Closed:
		l.checkClosed(s)
	case !s.Suspended:
		l.checkWakeups(s)
	}
	l.capacities, l.before = l.capacities[:0], s
}

// checkSize checks invariant 1.
func (l *life) checkSize(s *snapshot) {
	building, live, dying := l.f.count()
	if n := s.existing(); n > l.size {
		l.complain("%d resources in a pool of %d", n, l.size)
	} else if building+live+dying > n {
		l.complain("%d being built, %d alive, %d dying, and the pool knows of %d", building, live, dying, n)
	}
	most := s.Capacity
	if l.before != nil {
		most = max(most, l.before.Capacity, l.before.InUse)
	}
	for _, c := range l.capacities {
		most = max(most, c)
	}
	if s.InUse > most {
		l.complain("%d slots in use, allowed were %d", s.InUse, most)
	}
	if m := l.config.Sizes.MaxIdle; m > 0 && s.Warm > m {
		l.complain("%d resources are warm, at most %d should be", s.Warm, m)
	}
}

// checkLeases checks invariant 2, and that those who have leases and the pool
// agree on them.
func (l *life) checkLeases(s *snapshot) {
	leases := 0
	for _, x := range l.leases {
		alive := x.alive()
		if alive {
			leases++
		}
		if x.revoked == nil || !alive {
			continue
		}
		select {
		case <-x.revoked:
			if x.since.IsZero() {
				x.since = time.Now()
			} else if time.Since(x.since) >= l.config.Reclaim.Grace {
				l.complain("%s keeps thing %d for %v after the revocation", x.tenant, x.thing.id, time.Since(x.since))
			}
		default:
		}
	}
	if s.Leased != s.holders+l.tally.returning {
		l.complain("%d leases and %d holders, and %d return", s.Leased, s.holders, l.tally.returning)
	}
	if s.Leased < leases {
		l.complain("%d leases are out, the pool knows of %d", leases, s.Leased)
	}
	if !l.traced {
		return
	}
	// A TryAcquire has its lease before AcquireStart.
	if most := leases + l.tally.hooks + l.inline() + l.tally.handing + l.tally.sleeping; s.Leased > most {
		l.complain("%d leases, explained are %d", s.Leased, most)
	}
	if least := leases + l.tally.hooks; s.Leased < least && s.Revocations == 0 {
		l.complain("%d leases, explained are %d", s.Leased, least)
	}
}

// checkCharges checks invariant 7: that tenants pay for leases, resets,
// destructors and builds, and nothing else.
func (l *life) checkCharges(s *snapshot) {
	held, waiting := 0, 0
	for _, t := range s.tenants {
		held += t.Held
		waiting += t.Waiting
	}
	if held != s.InUse || waiting != s.Waiting {
		l.complain("the tenants hold %d slots and wait for %d", held, waiting)
	}
	extra := s.InUse - s.Leased - s.Resetting
	least, most := 0, s.Building
	if l.traced {
		for _, d := range l.tally.dying {
			if time.Since(d.since) >= l.config.DestroyTimeout {
				continue
			}
			switch d.why {
			case pool.Destroyed, pool.BadResource, pool.PrepareFailed, pool.ResetFailed, pool.Revoked:
				least++
				most++
			}
		}
	} else {
		most += s.Destroying
	}
	if extra < least || extra > most {
		l.complain("%d slots in use beyond those leased and being reset, explained are %d to %d", extra, least, most)
	}
}

// inline is how many callers may be in a Prepare of their own, also after it was
// said to take too long.
func (l *life) inline() int {
	if !l.config.Tenancy.PrepareInline {
		return 0
	}
	return int(l.hooks.Load())
}

// checkCalls checks that no caller is left behind.
func (l *life) checkCalls(s *snapshot) {
	asking := 0
	inline := l.inline()
	for _, c := range l.calls {
		if c.asking.Load() {
			asking++
		}
		if (c.asking.Load() || c.warming.Load()) && l.tally.sleeping == 0 && inline == 0 && l.isLate(c) {
			l.complain("a call of %q outlasts its context", c.tenant)
		}
	}
	if s.Waiting > asking {
		l.complain("%d waiters and %d callers", s.Waiting, asking)
	}
	most := s.Waiting + l.tally.hooks + inline + l.tally.sleeping
	if l.config.Tenancy.Prepare != nil {
		most += s.Building + s.Destroying // the last try waits for a new resource, in no queue
	}
	if l.traced && asking > most {
		l.complain("%d callers, explained are %d", asking, most)
	}
	if limit := l.config.Sharing.AcquireTimeout; limit > 0 && s.OldestWait > limit {
		l.complain("somebody waits for %v, longer than the AcquireTimeout", s.OldestWait)
	}
	if l.before != nil && l.suspended && l.before.Suspended && s.Leased > l.before.Leased {
		l.complain("%d grants while suspended", s.Leased-l.before.Leased)
	}
}

// isLate reports whether a call goes on although its context has ended.
func (l *life) isLate(c *call) bool {
	if c.ctx.Err() == nil {
		return false
	}
	if c.ended.IsZero() {
		c.ended = time.Now()
	}
	return time.Since(c.ended) > 0
}

// checkWakeups checks invariant 4: nobody waits who could be served, or for
// whom a resource could be built.
func (l *life) checkWakeups(s *snapshot) {
	sharing, sizes := &l.config.Sharing, &l.config.Sizes
	demand, eligible := s.demand(sharing.Headroom)
	if sharing.ShareFunc != nil {
		demand = min(demand, 1) // it may lag behind the share
	}
	dedicated := l.config.Tenancy.Isolation == pool.Dedicated
	if eligible != "" && s.Warm > 0 && !dedicated {
		l.complain("%s waits beside a warm resource", eligible)
	}
	now, builds := time.Now(), l.f.buildCount()
	coming := s.Building + l.goingSoon(s)
	room := s.existing() < s.Capacity
	backoff := s.BuildErr != nil
	if builds != l.builds || s.Building > 0 || !backoff || eligible == "" || !room {
		l.builds, l.lastBuild = builds, now
	}
	if now.Sub(l.lastBuild) > 10*time.Second {
		l.complain("%s waits, and nothing is built for %v", eligible, now.Sub(l.lastBuild))
	}
	if dedicated && coming == 0 && !backoff {
		l.checkOwn(s)
	}
	if backoff || s.Building >= cmp.Or(sizes.MaxConcurrentBuilds, 1) {
		return
	}
	if room && s.Building < demand && eligible != "" {
		l.complain("%s waits, there is room, and only %d are built for %d waiters", eligible, s.Building, demand)
	}
	if room && s.Building == 0 && s.Warm+s.Checking < sizes.MinIdle {
		l.complain("%d resources are idle, %d should be", s.Warm, sizes.MinIdle)
	}
	if dedicated && eligible != "" && s.Warm > 0 && coming == 0 {
		l.complain("%s waits, and no room is made", eligible)
	}
}

// goingSoon is the number of resources whose destructors may be expected to
// return.
func (l *life) goingSoon(s *snapshot) int {
	if !l.traced {
		return s.Destroying
	}
	n := 0
	for _, d := range l.tally.dying {
		if time.Since(d.since) < l.config.DestroyTimeout {
			n++
		}
	}
	return n
}

// checkOwn checks that a tenant does not wait beside an idle resource that is
// dedicated to it, while nothing is made for others.
func (l *life) checkOwn(s *snapshot) {
	if s.Resetting+s.Checking > 0 || s.Leased != len(l.leases) {
		return // one cannot tell which are idle
	}
	busy := make(map[*thing]bool)
	for _, x := range l.leases {
		busy[x.thing] = true
	}
	free := s.Capacity - s.InUse
	for _, k := range l.known {
		t := s.tenants[k.owner]
		if busy[k.thing] || k.thing.ended.Load() || t.Waiting == 0 || t.Cap > 0 && t.Held >= t.Cap {
			continue
		}
		if free > 0 && (free > l.config.Sharing.Headroom || t.Held == 0) {
			l.complain("%s waits beside thing %d, which is its own", k.owner, k.thing.id)
		}
	}
}

// checkClosed checks that nothing begins after Close.
func (l *life) checkClosed(s *snapshot) {
	if s.Waiting+s.Warm > 0 {
		l.complain("%d waiters and %d warm resources after Close", s.Waiting, s.Warm)
	}
	builds := l.f.buildCount()
	if l.before != nil && l.before.Closed && builds > l.builds {
		l.complain("%d builds after Close", builds-l.builds)
	}
	l.builds = builds
}
