package pool

import (
	"context"
	"time"

	"github.com/fairpool/fairpool/fairshare"
)

// An heir is an Acquire that gets a resource built for it, before those who
// wait: what is idle may all be dead.
type heir struct {
	tenant string
	grant  chan fairshare.Grant // closed if there will be none
	gone   bool                 // nobody receives the grant
}

// passLocked ends the wait of an heir without a resource. A nil heir is nobody.
func (h *heir) passLocked() {
	if h != nil {
		close(h.grant)
	}
}

// renew destroys the resource of g, which could not be prepared, and returns the
// grant of one that nobody has had yet, or that is built in its place. The grant is
// zero if that fails or takes long: then the caller waits with the others. It
// returns an error if ctx ends first.
func (p *Pool[T]) renew(ctx context.Context, tenant string, since time.Duration, g fairshare.Grant, s *slot[T]) (fairshare.Grant, error) {
	if g.Finish() == nil { // revoked, and taken back
		return fairshare.Grant{}, nil
	}
	h := &heir{tenant: tenant, grant: make(chan fairshare.Grant, 1)}
	p.line.Lock()
	p.billLocked(s, PrepareFailed)
	p.retireLocked(s, PrepareFailed)
	p.suspectOthersLocked(s, tenant, PrepareFailed)
	if unused := p.unusedLocked(); !p.line.EligibleLocked(tenant) {
		s.heir = h // when the place of s is free
	} else if unused != nil {
		p.line.WithdrawLocked(&unused.Slot)
		h.grant <- p.line.GiveLocked(&unused.Slot, tenant)
	} else if !p.buildLocked(build[T]{heir: h}) {
		s.heir = h
	}
	p.balanceLocked()
	longest := p.slowAfterLocked(false)
	if limit := p.config.Sharing.AcquireTimeout; limit > 0 {
		longest = min(longest, since+limit-p.line.NowLocked())
	}
	p.line.Unlock()
	timer := time.NewTimer(longest)
	defer timer.Stop()
	var gaveUp error
	select {
	case g := <-h.grant:
		return g, nil
	case <-timer.C:
	case <-p.ctx.Done(): // Close; the others learn it too
	case <-ctx.Done():
		gaveUp = ctx.Err()
	}
	p.line.Lock()
	h.gone = true
	p.line.Unlock()
	select {
	case g := <-h.grant: // at the last moment
		if gaveUp == nil {
			return g, nil
		}
		g.Release()
	default:
	}
	return fairshare.Grant{}, gaveUp
}

// unusedLocked returns an idle resource that nobody has had yet, nil if there is
// none.
func (p *Pool[T]) unusedLocked() *slot[T] {
	for _, ready := range p.line.SlotsLocked() {
		if s := ready.Owner.(*slot[T]); ready.IsReadyLocked() && !s.prepared {
			return s
		}
	}
	return nil
}

// inheritLocked builds what the heir of s waits for, whose tenant pays for that
// rather than for the end of s.
func (p *Pool[T]) inheritLocked(s *slot[T]) {
	h := s.heir
	if h == nil {
		return
	}
	s.heir = nil
	p.dischargeLocked(s)
	if h.gone || !p.buildLocked(build[T]{payer: s, heir: h}) {
		h.passLocked()
	}
}
