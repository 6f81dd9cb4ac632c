package httpfair

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/fairpool/fairpool/adapters/internal/gate"
	"github.com/fairpool/fairpool/fairshare"
)

// A Permit is a slot that was granted: a fairshare.Permit or a pool.Lease.
type Permit interface {
	Release()
}

// A Gate grants slots: a *fairshare.Semaphore or a *pool.Pool. Its Sharing says
// how long the queues may get and how long a request may wait.
type Gate[P Permit] interface {
	Acquire(ctx context.Context, tenant string) (P, error)
}

// Options of a Middleware. The zero value is a good one.
type Options struct {
	// ReadAhead is up to how many bytes of the body of a request are read into
	// memory while the request waits. A server that speaks HTTP/1 notices that a
	// client has hung up only when it has read the whole body; a longer body is
	// read that far. So the requests that wait use at most ReadAhead bytes each,
	// and Config.MaxWaiting bounds their number. A request that is served or
	// refused at once has nothing read ahead, nor has one that expects a 100
	// Continue: its client is not to send in vain. 0 means 64 KiB, a negative
	// number means that nothing is read ahead.
	ReadAhead int64

	// Skip returns whether a request is handled at once and without a slot, such
	// as one of a load balancer that asks whether the server is well. nil skips
	// none.
	Skip func(*http.Request) bool

	// Cost returns how many slots a request takes, all at once; less than 1 counts
	// as 1. One that takes more than its tenant can ever hold is rejected. It needs
	// a gate that grants several slots with one permit, such as a
	// *fairshare.Semaphore. nil means 1 for each.
	Cost func(*http.Request) int

	// MaxRetryAfter bounds what clients are told to wait. 0 means one minute.
	MaxRetryAfter time.Duration

	// Reject answers a request that got no slot. nil has the Rejection do it.
	// It is called too if the client has gone, and nobody will see the answer.
	Reject func(http.ResponseWriter, *http.Request, *Rejection)
}

// Middleware returns a middleware that has requests wait for a slot of the gate,
// fairly among tenants, and holds it until the handler returns. A nil tenant
// leaves the tenant that the context of a request carries. It returns an error
// that names what is wrong with opt.
func Middleware[P Permit](g Gate[P], tenant TenantFunc, opt Options) (func(http.Handler) http.Handler, error) {
	if opt.ReadAhead == 0 {
		opt.ReadAhead = defaultReadAhead
	}
	if opt.MaxRetryAfter == 0 {
		opt.MaxRetryAfter = gate.DefaultMaxRetryAfter
	}
	if opt.MaxRetryAfter < time.Second {
		return nil, fmt.Errorf("httpfair: Options.MaxRetryAfter is %v, must be at least a second, or 0 for %v", opt.MaxRetryAfter, gate.DefaultMaxRetryAfter)
	}
	if opt.Reject == nil {
		opt.Reject = func(w http.ResponseWriter, r *http.Request, rejection *Rejection) { rejection.ServeHTTP(w, r) }
	}
	m := &middleware[P]{gate.NewDoor(g, opt.MaxRetryAfter), tenant, opt}
	if opt.Cost != nil {
		if err := m.door.CheckCost("httpfair: Options"); err != nil {
			return nil, err
		}
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { m.serve(next, w, r) })
	}, nil
}

type middleware[P Permit] struct {
	door    *gate.Door[P]
	tenant  TenantFunc
	options Options
}

func (m *middleware[P]) serve(next http.Handler, w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	if m.tenant != nil {
		if name := m.tenant(r); name != "" {
			ctx = fairshare.WithTenant(ctx, name)
		}
	}
	if m.options.Skip != nil && m.options.Skip(r) {
		serve(next, w, r, r.WithContext(ctx))
		return
	}
	cost := 1
	if m.options.Cost != nil {
		cost = m.options.Cost(r)
	}
	body := readAhead(r, m.options.ReadAhead)
	if body != nil {
		defer body.settle(w)
	}
	permit, refusal := m.door.EnterN(ctx, cost)
	if refusal != nil {
		if body != nil {
			body.settle(w)
		}
		m.options.Reject(w, r, reject(refusal))
		return
	}
	end := gate.Abandon[P]
	defer func() { end(permit) }()
	ctx, cancel := gate.Context(gate.WithPermit(ctx, permit), permit)
	defer cancel()
	copied := r.WithContext(ctx)
	if body != nil {
		body.stop()
		copied.Body = body
	}
	serve(next, w, r, copied)
	end = P.Release
}

// Granted returns the slot that Middleware has got for the request whose context
// ctx is, and whether there is one of that type: a fairshare.Permit, or a
// pool.Lease with the resource to use. The handler may end it before it returns;
// nothing is lost if it does not.
func Granted[P Permit](ctx context.Context) (P, bool) { return gate.PermitFrom[P](ctx) }
