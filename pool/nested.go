package pool

import (
	"context"
	"errors"
	"slices"

	"github.com/fairpool/fairpool/fairshare"
)

// ErrNested ends an Acquire that would wait for the caller itself, because of the
// capacity, Headroom, or the tenant's Max or strict share, see Guard.ForbidNested. Who
// needs several resources takes them together with AcquireN.
var ErrNested = errors.New("pool: every lease that could serve the caller is held by callers that wait (AcquireN takes several at once)")

// waits counts the Acquires of the holder of a lease that are under way.
type waits struct {
	grant  fairshare.Grant
	n      int
	slots  int    // that the smallest of them asks for
	tenant string // that all of them are for, unless they are mixed
	mixed  bool
}

// add notes one that begins, for a number of slots, or with -1 one that is over.
func (w *waits) add(g fairshare.Grant, n, slots int, tenant string) {
	if w.grant != g || w.n == 0 {
		*w = waits{grant: g, slots: slots, tenant: tenant}
	}
	w.n += n
	w.slots = min(w.slots, slots)
	w.mixed = w.mixed || w.tenant != tenant
}

// of returns the number for a lease.
func (w *waits) of(g fairshare.Grant) int {
	if w.grant != g {
		return 0
	}
	return w.n
}

// noteNested returns a source that is ask, and knows whether the caller waits
// for itself.
func (p *Pool[T]) noteNested(ask source) source {
	return func(ctx context.Context, tenant string) (fairshare.Grant, error) {
		leave, err := p.enterNested(ctx, tenant, 1)
		if err != nil {
			return fairshare.Grant{}, err
		}
		if leave != nil {
			defer leave()
		}
		return ask(ctx, tenant)
	}
}

// enterNested takes note of an Acquire of n resources by a caller that holds leases of this
// pool already, as far as ctx tells, until leave is called, which is nil if there
// is nothing to note. If it closes the circle in which every holder waits for
// another lease, of the pool or of the tenant, that is reported, and an error if
// it is forbidden.
func (p *Pool[T]) enterNested(ctx context.Context, tenant string, n int) (leave func(), err error) {
	if ctx.Err() != nil || !p.line.Admits(tenant) { // it will not wait
		return nil, nil
	}
	var held []fairshare.Grant
	for c, _ := ctx.Value(leaseKey{}).(*leaseContext); c != nil; c = c.outer {
		if s := c.grant.Slot(); s != nil {
			if own, ok := s.Owner.(*slot[T]); ok && own.pool == p {
				held = append(held, c.grant)
			}
		}
	}
	if len(held) == 0 {
		return nil, nil
	}
	note := func(begun int) {
		for _, g := range held {
			if s := p.owner(g); s != nil {
				s.nested.add(g, begun, n, tenant)
			}
		}
	}
	leave = func() {
		p.line.Lock()
		defer p.line.Unlock()
		note(-1)
	}
	p.line.Lock()
	defer p.line.Unlock()
	note(1)
	if p.closed || !p.stuckLocked(tenant, n) {
		return leave, nil
	}
	p.deadlocks++
	p.reports.log("dead-lock: every lease is held by a caller that waits for another", "tenant", tenant)
	if nested := p.config.Trace.Nested; nested != nil {
		p.reports.tell(func() { p.guard("Trace", func() { nested(Event{Tenant: tenant, Err: ErrNested}) }) })
	}
	if p.config.Guard.ForbidNested {
		note(-1)
		return nil, p.line.ExplainLocked(tenant, &AcquireError{Err: ErrNested})
	}
	return leave, nil
}

// stuckLocked reports whether n more leases for the tenant cannot be had unless
// holders that wait themselves give theirs back. It supposes that all others return
// theirs: whoever may be served then does not wait in vain, and returns what it holds
// in the end.
func (p *Pool[T]) stuckLocked(tenant string, n int) bool {
	var stuck []*slot[T]
	for _, held := range p.line.SlotsLocked() {
		s := held.Owner.(*slot[T])
		if g, ok := held.GrantLocked(); ok && s.nested.of(g) > 0 {
			stuck = append(stuck, s)
		}
	}
	for {
		was := len(stuck)
		stuck = slices.DeleteFunc(stuck, func(s *slot[T]) bool {
			return !s.nested.mixed && p.servableLocked(stuck, s.nested.tenant, s.nested.slots)
		})
		if len(stuck) == was {
			return len(stuck) > 0 && !p.servableLocked(stuck, tenant, n)
		}
	}
}

// servableLocked reports whether the tenant might get n leases if only those of the
// given slots stayed out.
func (p *Pool[T]) servableLocked(out []*slot[T], tenant string, n int) bool {
	own := 0
	tenants := map[string]bool{tenant: true}
	for _, s := range out {
		name := s.TenantLocked()
		tenants[name] = true
		if name == tenant {
			own++
		}
	}
	free := p.capacity - len(out)
	if own > 0 {
		free -= p.config.Sharing.Headroom
	}
	most := p.line.CapLocked(tenant, len(tenants))
	return n <= free && (most == 0 || own+n <= most)
}
