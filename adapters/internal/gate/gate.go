package gate

import "context"

// A Permit is a slot that was granted: a fairshare.Permit or a pool.Lease.
type Permit interface {
	Release()
}

// A Gate grants slots: a *fairshare.Semaphore or a *pool.Pool.
type Gate[P Permit] interface {
	Acquire(ctx context.Context, tenant string) (P, error)
}

// Several is a gate that grants several slots with one permit: a
// *fairshare.Semaphore.
type Several[P Permit] interface {
	AcquireN(ctx context.Context, tenant string, n int) (P, error)
}

// Context returns the context for work under a permit: that of a lease, which
// ends when the lease is asked back, or else the parent itself. The caller calls
// cancel when the work is over.
func Context[P Permit](parent context.Context, p P) (ctx context.Context, cancel context.CancelFunc) {
	if lease, ok := any(p).(interface {
		Context(context.Context) (context.Context, context.CancelFunc)
	}); ok {
		return lease.Context(parent)
	}
	return parent, func() {}
}

// Abandon ends a permit whose holder has failed in the midst of its work: what a
// lease stands for is in an unknown state, and destroyed.
func Abandon[P Permit](p P) {
	if lease, ok := any(p).(interface{ Destroy() }); ok {
		lease.Destroy()
		return
	}
	p.Release()
}

// Fail ends a permit whose call was not served, for want of capacity or otherwise:
// what finds out how much is borne, such as adaptfair.Gate, is to know.
func Fail[P Permit](p P) {
	if held, ok := any(p).(interface{ Fail() }); ok {
		held.Fail()
		return
	}
	p.Release()
}

type permitKey[P Permit] struct{}

// WithPermit returns a copy of ctx that carries a permit.
func WithPermit[P Permit](ctx context.Context, p P) context.Context {
	return context.WithValue(ctx, permitKey[P]{}, p)
}

// PermitFrom returns the permit that ctx carries, and whether there is one of
// that type.
func PermitFrom[P Permit](ctx context.Context) (P, bool) {
	p, ok := ctx.Value(permitKey[P]{}).(P)
	return p, ok
}
