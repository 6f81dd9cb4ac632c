package pool

import (
	"context"

	"github.com/fairpool/fairpool/fairshare"
)

// A leaseContext is the context of work with a resource. It knows the lease,
// and by its parents those that the caller holds besides.
type leaseContext struct {
	context.Context
	cancel context.CancelCauseFunc
	grant  fairshare.Grant
	outer  *leaseContext // nil if there is none
}

type leaseKey struct{}

func (c *leaseContext) Value(key any) any {
	if key == (leaseKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// Context returns a context for work with the resource. It is done when parent
// is, or when the lease is asked back, with a cause that wraps ErrRevoked. It
// carries the tenant of the lease, so that what is acquired with it is charged to
// the same tenant; and the pool knows from it that an Acquire comes from a holder,
// see Guard.ForbidNested. The caller calls cancel when the work is over.
func (l Lease[T]) Context(parent context.Context) (ctx context.Context, cancel context.CancelFunc) {
	return l.context(parent, l.Tenant())
}

// context is Context for a caller that knows the tenant.
func (l Lease[T]) context(parent context.Context, tenant string) (ctx context.Context, cancel context.CancelFunc) {
	if fairshare.TenantFrom(parent) != tenant {
		parent = fairshare.WithTenant(parent, tenant)
	}
	inner, cancelCause := context.WithCancelCause(parent)
	outer, _ := parent.Value(leaseKey{}).(*leaseContext)
	c := &leaseContext{inner, cancelCause, l.grant, outer}
	r := l.revocation()
	if r == nil {
		cancelCause(errEnded)
		return c, func() {}
	}
	r.watch(c)
	return c, func() {
		r.forget(c)
		cancelCause(context.Canceled)
	}
}
