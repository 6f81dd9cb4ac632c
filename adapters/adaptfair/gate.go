package adaptfair

import (
	"context"

	"github.com/fairpool/fairpool/fairshare"
)

// A Permit is a slot that was granted: a fairshare.Permit or a pool.Lease.
type Permit interface {
	Release()
}

// A Source grants slots and can be resized: a *fairshare.Semaphore or a *pool.Pool.
type Source[P Permit] interface {
	Slots
	Acquire(ctx context.Context, tenant string) (P, error)
	Suspend()
	Resume()
}

// A Gate grants the slots of a Source, and has a Limiter resize them. It is a gate
// for httpfair.Middleware and grpcfair.NewServerInterceptor, and slots for
// httpfair.NewTransport and grpcfair.NewClientInterceptor.
type Gate[P Permit] struct {
	source  Source[P]
	limiter *Limiter
}

// NewGate returns a gate whose limit begins with the capacity of the source. The
// error is one of New or of Limiter.Drive.
func NewGate[P Permit](source Source[P], cfg Config) (*Gate[P], error) {
	limiter, err := New(cfg)
	if err != nil {
		return nil, err
	}
	if err := limiter.Drive(source); err != nil {
		return nil, err
	}
	return &Gate[P]{source, limiter}, nil
}

// Acquire waits for a slot on behalf of the tenant, as the source does, with its
// errors. The caller ends the Held.
func (g *Gate[P]) Acquire(ctx context.Context, tenant string) (Held[P], error) {
	g.limiter.wait(1)
	p, err := g.source.Acquire(ctx, tenant)
	g.limiter.wait(-1)
	if err != nil {
		return Held[P]{}, err
	}
	return Held[P]{p, g.limiter.Begin()}, nil
}

// Limiter returns the limiter of the gate, for its Stats.
func (g *Gate[P]) Limiter() *Limiter { return g.limiter }

// Stats returns the totals of the source, but that the capacity is the greatest limit.
func (g *Gate[P]) Stats() fairshare.Stats {
	var stats fairshare.Stats
	if s, ok := any(g.source).(interface{ Stats() fairshare.Stats }); ok {
		stats = s.Stats()
	}
	stats.Capacity = g.limiter.Stats().Max
	return stats
}

// Resize sets the greatest limit. httpfair.Transport does so when the other side
// refuses calls.
func (g *Gate[P]) Resize(most int) error { return g.limiter.bound(most) }

// Suspend has every Acquire wait until Resume.
func (g *Gate[P]) Suspend() { g.source.Suspend() }

// Resume ends a Suspend.
func (g *Gate[P]) Resume() { g.source.Resume() }

// A Held is a slot of a Gate. It may be copied: the first of the methods that end it
// counts.
type Held[P Permit] struct {
	permit P
	call   *Call
}

// Permit returns the slot of the source, such as a pool.Lease with the resource to
// use. It must not be released by itself.
func (h Held[P]) Permit() P { return h.permit }

// Release gives the slot back after a call that was served.
func (h Held[P]) Release() { h.end(true, h.permit.Release) }

// Fail gives the slot back after a call that the protected side refused, or did not
// serve in time.
func (h Held[P]) Fail() { h.end(false, h.permit.Release) }

// Destroy gives the slot back after a call that broke the resource, if there is one.
func (h Held[P]) Destroy() {
	end := h.permit.Release
	if lease, ok := any(h.permit).(interface{ Destroy() }); ok {
		end = lease.Destroy
	}
	h.end(false, end)
}

func (h Held[P]) end(served bool, end func()) {
	if h.call == nil {
		return
	}
	h.call.End(served)
	end()
}

// Context returns a context that ends when the lease, if it is one, is asked back.
func (h Held[P]) Context(parent context.Context) (context.Context, context.CancelFunc) {
	if lease, ok := any(h.permit).(interface {
		Context(context.Context) (context.Context, context.CancelFunc)
	}); ok {
		return lease.Context(parent)
	}
	return parent, func() {}
}
