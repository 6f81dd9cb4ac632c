package grpcfair

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/fairpool/fairpool/adapters/internal/gate"
	"github.com/fairpool/fairpool/fairshare"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A Permit is a slot that was granted: a fairshare.Permit or a pool.Lease.
type Permit interface {
	Release()
}

// A Gate grants slots: a *fairshare.Semaphore or a *pool.Pool. Its Sharing says
// how long the queues may get and how long a call may wait.
type Gate[P Permit] interface {
	Acquire(ctx context.Context, tenant string) (P, error)
}

// ServerOptions are those of a ServerInterceptor. The zero value is a good one.
type ServerOptions struct {
	// MaxRetryAfter bounds what clients are told to wait. 0 means one minute.
	MaxRetryAfter time.Duration

	// Cost returns how many slots a call takes, all at once; less than 1 counts as
	// 1. The request of a stream is nil. A call that takes more than its tenant can
	// ever hold is rejected. It needs a gate that grants several slots with one permit,
	// such as a *fairshare.Semaphore. nil means 1 for each.
	Cost func(ctx context.Context, method string, req any) int

	// Skip returns whether calls of a full method, such as "/acme.Orders/List",
	// are handled at once and without a slot. nil means Infrastructure.
	Skip func(method string) bool
}

// Infrastructure returns whether a method is one of grpc.health.v1 or
// grpc.reflection. Load balancers and tools call these. Each client that checks
// the health of a server keeps a Watch stream open all the time.
func Infrastructure(method string) bool {
	return strings.HasPrefix(method, "/grpc.health.v1.") || strings.HasPrefix(method, "/grpc.reflection.")
}

// A ServerInterceptor has the calls to a server wait for a slot, fairly among
// tenants. Its methods are the interceptors to give to grpc.NewServer; they share
// the slots.
type ServerInterceptor struct {
	tenant TenantFunc
	skip   func(method string) bool
	cost   func(ctx context.Context, method string, req any) int
	admit  func(ctx context.Context, cost int, handle func(context.Context) error) (*Rejection, error)
}

// NewServerInterceptor returns interceptors that have calls wait for a slot of
// the gate. A nil tenant leaves the tenant that the context of a call carries. It
// returns an error that names what is wrong with opt.
func NewServerInterceptor[P Permit](g Gate[P], tenant TenantFunc, opt ServerOptions) (*ServerInterceptor, error) {
	if opt.MaxRetryAfter == 0 {
		opt.MaxRetryAfter = gate.DefaultMaxRetryAfter
	}
	if opt.MaxRetryAfter < 0 {
		return nil, fmt.Errorf("grpcfair: ServerOptions.MaxRetryAfter is %v, must not be negative; 0 means %v", opt.MaxRetryAfter, gate.DefaultMaxRetryAfter)
	}
	if opt.Skip == nil {
		opt.Skip = Infrastructure
	}
	door := gate.NewDoor(g, opt.MaxRetryAfter)
	if opt.Cost == nil {
		opt.Cost = func(context.Context, string, any) int { return 1 }
	} else if err := door.CheckCost("grpcfair: ServerOptions"); err != nil {
		return nil, err
	}
	return &ServerInterceptor{tenant, opt.Skip, opt.Cost, func(ctx context.Context, cost int, handle func(context.Context) error) (*Rejection, error) {
		permit, refusal := door.EnterN(ctx, cost)
		if refusal != nil {
			return reject(refusal), nil
		}
		end := gate.Abandon[P]
		defer func() { end(permit) }()
		ctx, cancel := gate.Context(gate.WithPermit(ctx, permit), permit)
		defer cancel()
		err := handle(ctx)
		switch status.Code(err) {
		case codes.Unavailable, codes.ResourceExhausted, codes.DeadlineExceeded:
			end = gate.Fail[P]
		default:
			end = P.Release
		}
		return nil, err
	}}, nil
}

// Unary is a grpc.UnaryServerInterceptor.
func (s *ServerInterceptor) Unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (resp any, err error) {
	own := s.identify(ctx, info.FullMethod)
	if s.skip(info.FullMethod) {
		return handler(own, req)
	}
	rejection, err := s.admit(own, s.cost(own, info.FullMethod, req), func(ctx context.Context) (err error) {
		resp, err = handler(ctx, req)
		return err
	})
	if rejection != nil {
		// It fails only if the call is over.
		_ = grpc.SetTrailer(ctx, rejection.trailer())
		return nil, rejection
	}
	return resp, err
}

// Stream is a grpc.StreamServerInterceptor.
func (s *ServerInterceptor) Stream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	own := s.identify(stream.Context(), info.FullMethod)
	if s.skip(info.FullMethod) {
		return handler(srv, &serverStream{stream, own})
	}
	rejection, err := s.admit(own, s.cost(own, info.FullMethod, nil), func(ctx context.Context) error {
		return handler(srv, &serverStream{stream, ctx})
	})
	if rejection != nil {
		stream.SetTrailer(rejection.trailer())
		return rejection
	}
	return err
}

func (s *ServerInterceptor) identify(ctx context.Context, method string) context.Context {
	if s.tenant == nil {
		return ctx
	}
	name := s.tenant(ctx, method)
	if name == "" {
		return ctx
	}
	return fairshare.WithTenant(ctx, name)
}

// A serverStream is a stream with a context of its own.
type serverStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *serverStream) Context() context.Context { return s.ctx }

// Granted returns the slot that a ServerInterceptor has got for the call whose
// context ctx is, and whether there is one of that type: a fairshare.Permit, or a
// pool.Lease with the resource to use. The handler may end it before it returns;
// nothing is lost if it does not.
func Granted[P Permit](ctx context.Context) (P, bool) { return gate.PermitFrom[P](ctx) }
