package pool

import (
	"context"
	"errors"

	"github.com/fairpool/fairpool/fairshare"
)

// ErrNested ends an Acquire that would wait for the caller itself, because of the
// capacity or of the tenant's Max, see Guard.ForbidNested.
var ErrNested = errors.New("pool: every lease is held by a caller that waits for another")

// waits counts the Acquires of the holder of a lease that are under way.
type waits struct {
	grant  fairshare.Grant
	n      int
	tenant string // that all of them are for, unless they are mixed
	mixed  bool
}

func (w *waits) add(g fairshare.Grant, n int, tenant string) {
	if w.grant != g || w.n == 0 {
		*w = waits{grant: g, tenant: tenant}
	}
	w.n += n
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
	note := func(n int) {
		for _, g := range held {
			if s := p.owner(g); s != nil {
				s.nested.add(g, n, tenant)
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

// stuckLocked reports whether n more leases cannot be had, or not by the tenant,
// unless holders that wait for others give theirs back.
func (p *Pool[T]) stuckLocked(tenant string, n int) bool {
	leases, waiting, own, ownWaiting := 0, 0, 0, 0
	for _, held := range p.line.SlotsLocked() {
		g, ok := held.GrantLocked()
		if !ok {
			continue
		}
		nested := &held.Owner.(*slot[T]).nested
		waits := nested.of(g) > 0
		leases++
		if waits {
			waiting++
		}
		if held.TenantLocked() == tenant {
			own++
			if waits && !nested.mixed && nested.tenant == tenant {
				ownWaiting++
			}
		}
	}
	if leases > 0 && (leases == waiting || n > 1) && waiting+n > p.capacity {
		return true
	}
	most := p.line.MaxLocked(tenant)
	return most > 0 && (own == ownWaiting || n > 1) && ownWaiting+n > most
}
