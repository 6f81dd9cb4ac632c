package grpcfair

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fairpool/fairpool/adapters/internal/upstream"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Slots are what calls of a client wait for: a *fairshare.Semaphore or a
// *pool.Pool. The ClientInterceptor suspends and resizes them; nobody else should,
// unless ClientOptions.Fixed is set.
type Slots[P Permit] interface {
	Gate[P]
	Resize(capacity int) error
	Suspend()
	Resume()
}

// ClientOptions are those of a ClientInterceptor. The zero value is a good one.
type ClientOptions struct {
	// Fixed has the slots left alone, whatever the service answers.
	Fixed bool

	// Min is the least number of slots that an overloaded service may leave. 0
	// means 1. The most is the capacity that the slots had at first.
	Min int

	// IncreaseAfter is how long after a change the number of slots may grow by a
	// step: by a twentieth of the range from Min, and at least by one. After a
	// RetryInfo it is at least twenty times as long as that. 0 means five seconds.
	IncreaseAfter time.Duration

	// MaxPause is the longest that a RetryInfo is heeded. 0 means one minute.
	MaxPause time.Duration

	// Leak is told of calls whose slot was held for longer than LeakAfter, and
	// again when such a one ends; and of streams that were dropped before they
	// ended, which are cancelled when the garbage collector notices. It is called
	// from various goroutines.
	Leak func(Leak)

	// LeakAfter is how long a slot may be held before it is reported. 0 means
	// for ever.
	LeakAfter time.Duration
}

// A Leak is a call that held its slot for too long, or a stream that was lost.
type Leak struct {
	Tenant string
	Method string
	Held   time.Duration // the slot, so far or in the end
	Stack  string        // of the call
	Ended  bool          // the second report: the slot has come back
	Lost   bool          // nobody could have ended the stream any more
}

// ClientStats are the figures of a ClientInterceptor. How many calls wait, and how
// many slots the tenants hold, the Stats and Tenants of the slots tell.
type ClientStats struct {
	Capacity  int // slots in force, but for the pause; with Fixed, those at first
	Min, Max  int // within which it is
	InFlight  int
	PausedFor time.Duration // from now on nothing is sent

	// Since the start.
	Overloads uint64 // calls that the service refused as overloaded
	Increases uint64 // of Capacity
	Decreases uint64
	Pauses    uint64
	Leaks     uint64 // calls that held a slot for longer than LeakAfter
	Lost      uint64 // streams that were dropped
	Err       error  // of the last Resize that failed or Leak that panicked
}

// A ClientInterceptor has the calls of a client wait for a slot, fairly among the
// tenants that their contexts carry. Its methods are the interceptors to give to
// grpc.NewClient; they share the slots. What repeats calls comes before them in
// the chain, so that each attempt waits for its turn.
type ClientInterceptor struct {
	upstream *upstream.Upstream
}

// NewClientInterceptor returns interceptors that have calls wait for one of the
// slots. It returns an error that names the wrong field of opt.
func NewClientInterceptor[P Permit](slots Slots[P], opt ClientOptions) (*ClientInterceptor, error) {
	cfg := upstream.Config{
		Fixed: opt.Fixed, Min: opt.Min, IncreaseAfter: opt.IncreaseAfter, MaxPause: opt.MaxPause, LeakAfter: opt.LeakAfter,
	}
	if leak := opt.Leak; leak != nil {
		cfg.Leak = func(l upstream.Leak) {
			leak(Leak{Tenant: l.Tenant, Method: l.Call, Held: l.Held, Stack: l.Stack, Ended: l.Ended, Lost: l.Lost})
		}
	}
	up, err := upstream.New(slots, cfg, "grpcfair: ClientOptions")
	if err != nil {
		return nil, err
	}
	return &ClientInterceptor{up}, nil
}

// Stats returns the figures of the moment.
func (c *ClientInterceptor) Stats() ClientStats { return ClientStats(c.upstream.Stats()) }

// Unary is a grpc.UnaryClientInterceptor. If there is no slot the error is a
// *Rejection.
func (c *ClientInterceptor) Unary(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoker grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	call, refusal := c.upstream.Begin(ctx, func() string { return method })
	if refusal != nil {
		return reject(refusal)
	}
	defer call.End()
	err := invoker(call.Context(), method, req, reply, cc, opts...)
	judge(call, err)
	return err
}

// Stream is a grpc.StreamClientInterceptor. If there is no slot the error is a
// *Rejection.
func (c *ClientInterceptor) Stream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	call, refusal := c.upstream.Begin(ctx, func() string { return method })
	if refusal != nil {
		return nil, reject(refusal)
	}
	ctx, cancel := context.WithCancel(call.Context())
	var once sync.Once // gRPC may say so twice
	finish := func(err error) {
		once.Do(func() {
			judge(call, err)
			cancel()
			call.End()
		})
	}
	started := false
	defer func() {
		if !started {
			cancel()
			call.End()
		}
	}()
	stream, err := streamer(ctx, desc, cc, method, append(slices.Clone(opts), grpc.OnFinish(finish))...)
	if err != nil {
		return nil, err
	}
	started = true
	held := &clientStream{stream}
	upstream.EndWith(held, call, cancel)
	return held, nil
}

// judge tells the call what its end means for the service.
func judge(call *upstream.Call, err error) {
	s := status.Convert(err)
	delay, told := retryDelay(s)
	switch s.Code() {
	case codes.ResourceExhausted:
		// gRPC itself uses the code for messages that are too long.
		if told || !strings.Contains(s.Message(), "larger than max") {
			call.Overloaded(delay)
		}
	case codes.Unavailable:
		if told { // else it may be the connection
			call.Overloaded(delay)
		}
	case codes.OK, codes.InvalidArgument, codes.NotFound, codes.AlreadyExists, codes.PermissionDenied,
		codes.FailedPrecondition, codes.OutOfRange, codes.Unimplemented, codes.Unauthenticated:
		call.Succeeded()
	}
}
