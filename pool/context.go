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
// is, or when the lease is asked back, with a cause that wraps ErrRevoked; and
// the pool knows from it that an Acquire comes from a holder, see
// Guard.ForbidNested. The caller calls cancel when the work is over.
func (l Lease[T]) Context(parent context.Context) (ctx context.Context, cancel context.CancelFunc) {
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
