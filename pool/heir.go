package pool

import (
	"context"

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
// grant of one that nobody has had yet, or that is built in its place. The grant is zero if none can be
// built, and the caller has to wait with the others. It returns an error if ctx
// ends first.
func (p *Pool[T]) renew(ctx context.Context, tenant string, g fairshare.Grant, s *slot[T]) (fairshare.Grant, error) {
	if g.Finish() == nil { // revoked, and taken back
		return fairshare.Grant{}, nil
	}
	h := &heir{tenant: tenant, grant: make(chan fairshare.Grant, 1)}
	p.line.Lock()
	p.billLocked(s, PrepareFailed)
	p.retireLocked(s, PrepareFailed)
	if s.prepared {
		p.suspectLocked()
	}
	if unused := p.unusedLocked(); !p.line.EligibleLocked(tenant) {
		s.heir = h // when the place of s is free
	} else if unused != nil {
		p.line.WithdrawLocked(&unused.Slot)
		h.grant <- p.line.GiveLocked(&unused.Slot, tenant)
	} else if !p.buildLocked(build[T]{heir: h}) {
		s.heir = h
	}
	p.balanceLocked()
	p.line.Unlock()
	select {
	case g := <-h.grant:
		return g, nil
	case <-ctx.Done():
	}
	p.line.Lock()
	h.gone = true
	p.line.Unlock()
	select {
	case g := <-h.grant:
		g.Release()
	default:
	}
	return fairshare.Grant{}, ctx.Err()
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
