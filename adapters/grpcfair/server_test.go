package grpcfair_test

import (
	"context"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/grpcfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

func call(ctx context.Context, client pb.TestServiceClient, opts ...grpc.CallOption) error {
	_, err := client.UnaryCall(ctx, &pb.SimpleRequest{}, opts...)
	return err
}

func TestACallHoldsASlotUntilItsHandlerReturns(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	client := fairServer(t, sem, &service{unary: func(ctx context.Context) error {
		require.Equal(t, 1, sem.Stats().InUse)
		require.Equal(t, "a", fairshare.TenantFrom(ctx))
		_, ok := grpcfair.Granted[fairshare.Permit](ctx)
		require.True(t, ok)
		return nil
	}})
	for range 3 {
		require.NoError(t, call(as(within(t), "a"), client))
	}
}

func TestAStreamHoldsASlotUntilItsHandlerReturns(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	client := fairServer(t, sem, &service{duplex: func(stream pb.TestService_FullDuplexCallServer) error {
		require.Equal(t, "a", fairshare.TenantFrom(stream.Context()))
		for {
			if _, err := stream.Recv(); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
			if err := stream.Send(&pb.StreamingOutputCallResponse{}); err != nil {
				return err
			}
		}
	}})
	stream, err := client.FullDuplexCall(as(within(t), "a"))
	require.NoError(t, err)
	for range 3 {
		require.NoError(t, stream.Send(&pb.StreamingOutputCallRequest{}))
		_, err = stream.Recv()
		require.NoError(t, err)
		require.Equal(t, 1, sem.Stats().InUse)
	}
	require.NoError(t, stream.CloseSend())
	_, err = stream.Recv()
	require.ErrorIs(t, err, io.EOF)
	eventually(t, func() bool { return sem.Stats().InUse == 0 })
}

func TestTheErrorOfTheHandlerIsPassedOn(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	client := fairServer(t, sem, &service{
		unary: func(context.Context) error { return status.Error(codes.NotFound, "no such thing") },
		output: func(pb.TestService_StreamingOutputCallServer) error {
			return status.Error(codes.NotFound, "no such thing")
		},
	})
	require.Equal(t, codes.NotFound, status.Code(call(within(t), client)))
	stream, err := client.StreamingOutputCall(within(t), &pb.StreamingOutputCallRequest{})
	require.NoError(t, err)
	_, err = stream.Recv()
	require.Equal(t, codes.NotFound, status.Code(err))
}

// retryDelay is what RetryInfo and the trailer say.
func retryDelay(t *testing.T, err error, trailer metadata.MD) (delay time.Duration, ok bool) {
	t.Helper()
	for _, detail := range status.Convert(err).Details() {
		if info, is := detail.(*errdetails.RetryInfo); is {
			delay, ok = info.RetryDelay.AsDuration(), true
		}
	}
	pushback := trailer.Get("grpc-retry-pushback-ms")
	require.Equal(t, ok, len(pushback) == 1)
	if ok {
		ms, err := time.ParseDuration(pushback[0] + "ms")
		require.NoError(t, err)
		require.InDelta(t, delay, ms, float64(time.Millisecond))
	}
	return delay, ok
}

func TestWhatGetsNoSlotFails(t *testing.T) {
	for name, c := range map[string]struct {
		cfg   fairshare.Config
		limit time.Duration // of the call
		close bool
		code  codes.Code
		retry bool
	}{
		"its own queue is full":    {cfg: fairshare.Config{Capacity: 1, Default: fairshare.Share{MaxWaiting: 1}}, code: codes.ResourceExhausted, retry: true},
		"at its cap for too long":  {cfg: fairshare.Config{Capacity: 9, Default: fairshare.Share{Max: 1}, AcquireTimeout: 20 * time.Millisecond}, code: codes.ResourceExhausted, retry: true},
		"the queue of all is full": {cfg: fairshare.Config{Capacity: 1, MaxWaiting: 1}, code: codes.Unavailable, retry: true},
		"waited for too long":      {cfg: fairshare.Config{Capacity: 1, AcquireTimeout: 20 * time.Millisecond}, code: codes.Unavailable, retry: true},
		"the deadline of the call": {cfg: fairshare.Config{Capacity: 1}, limit: 50 * time.Millisecond, code: codes.DeadlineExceeded},
		"closed":                   {cfg: fairshare.Config{Capacity: 1}, close: true, code: codes.Unavailable, retry: true},
	} {
		t.Run(name, func(t *testing.T) {
			sem := newSemaphore(t, c.cfg)
			finish := make(chan struct{})
			client := fairServer(t, sem, &service{
				unary:  func(context.Context) error { <-finish; return nil },
				output: func(pb.TestService_StreamingOutputCallServer) error { t.Error("handled"); return nil },
			})
			release := sync.OnceFunc(func() { close(finish) })
			t.Cleanup(release) // also if the test fails
			ctx := as(within(t), "secret-name")
			done := make(chan error, 2)
			go func() { done <- call(ctx, client) }()
			eventually(t, func() bool { return sem.Stats().InUse == 1 })
			go func() { done <- call(ctx, client) }()
			eventually(t, func() bool { return sem.Stats().Waiting+int(sem.Stats().Canceled) == 1 })
			if c.close {
				sem.Close()
			}
			if c.limit > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, c.limit)
				defer cancel()
			}
			var trailer metadata.MD
			err := call(ctx, client, grpc.Trailer(&trailer))
			require.Equal(t, c.code, status.Code(err), "%v", err)
			delay, ok := retryDelay(t, err, trailer)
			require.Equal(t, c.retry, ok)
			require.Equal(t, c.retry, delay > 0)
			require.NotContains(t, err.Error(), "secret-name")

			if c.limit == 0 { // streams fare alike
				stream, err := client.StreamingOutputCall(ctx, &pb.StreamingOutputCallRequest{})
				require.NoError(t, err)
				_, err = stream.Recv()
				require.Equal(t, c.code, status.Code(err), "%v", err)
				_, ok = retryDelay(t, err, stream.Trailer())
				require.Equal(t, c.retry, ok)
			}
			release()
			<-done
			<-done
		})
	}
}

func TestAFloodIsRefusedWhileOthersAreServed(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 2, Default: fairshare.Share{MaxWaiting: 5}})
	client := fairServer(t, sem, &service{unary: func(ctx context.Context) error {
		time.Sleep(2 * time.Millisecond)
		return nil
	}})
	stop := make(chan struct{})
	done := make(chan struct{}, 20)
	var refused atomic.Int64
	for range cap(done) {
		go func() {
			defer func() { done <- struct{}{} }()
			for {
				select {
				case <-stop:
					return
				default:
				}
				if status.Code(call(as(within(t), "flood"), client)) == codes.ResourceExhausted {
					refused.Add(1)
				}
			}
		}()
	}
	eventually(t, func() bool { return refused.Load() > 100 })
	for range 20 {
		require.NoError(t, call(as(within(t), "other"), client))
	}
	close(stop)
	for range cap(done) {
		<-done
	}
}

// A client with a retry policy waits for as long as it is told.
func TestARetryPolicyHeedsTheServer(t *testing.T) {
	const patience = 700 * time.Millisecond
	sem := newSemaphore(t, fairshare.Config{Capacity: 1, AcquireTimeout: patience})
	fair, err := grpcfair.NewServerInterceptor(sem, nil, grpcfair.ServerOptions{})
	require.NoError(t, err)
	s := &service{unary: func(context.Context) error { return nil }}
	client, _ := dial(t, serve(t, s, grpc.UnaryInterceptor(fair.Unary)), grpc.WithDefaultServiceConfig(`{"methodConfig": [{
		"name": [{}],
		"retryPolicy": {
			"maxAttempts": 5, "initialBackoff": "0.001s", "maxBackoff": "0.001s", "backoffMultiplier": 1,
			"retryableStatusCodes": ["UNAVAILABLE"]
		}
	}]}`))
	held, err := sem.Acquire(t.Context(), "holder")
	require.NoError(t, err)
	begun := time.Now()
	done := make(chan error)
	go func() { done <- call(within(t), client) }()
	eventually(t, func() bool { return sem.Stats().Canceled == 1 })
	held.Release()
	require.NoError(t, <-done)
	require.EqualValues(t, 1, sem.Stats().Canceled, "one attempt in vain")
	require.GreaterOrEqual(t, time.Since(begun), patience*19/10, "it waited as long again")
}

func TestACallThatIsCancelledWhileQueuedLeavesTheQueue(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	client := fairServer(t, sem, &service{unary: func(context.Context) error { return nil }})
	held, err := sem.Acquire(t.Context(), "holder")
	require.NoError(t, err)
	defer held.Release()
	ctx, cancel := context.WithCancel(within(t))
	done := make(chan error)
	go func() { done <- call(as(ctx, "a"), client) }()
	eventually(t, func() bool { return sem.Stats().Waiting == 1 })
	cancel()
	require.Equal(t, codes.Canceled, status.Code(<-done))
	eventually(t, func() bool { return sem.Stats().Waiting == 0 })
	require.EqualValues(t, 1, sem.Stats().Canceled)
}

// recovering is an interceptor outside ours, as services have it.
func recovering(panics chan<- any) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (_ any, err error) {
		defer func() {
			if v := recover(); v != nil {
				panics <- v
				err = status.Error(codes.Internal, "panic")
			}
		}()
		return handler(ctx, req)
	}
}

func TestAPanicDestroysTheResourceAndGoesOn(t *testing.T) {
	p, err := pool.New(pool.Config[string]{
		Constructor: func(context.Context) (string, error) { return "tab", nil },
		MaxSize:     1,
	})
	require.NoError(t, err)
	defer p.Close()
	fair, err := grpcfair.NewServerInterceptor(p, nil, grpcfair.ServerOptions{})
	require.NoError(t, err)
	panics := make(chan any, 1)
	s := &service{unary: func(ctx context.Context) error {
		lease, ok := grpcfair.Granted[pool.Lease[string]](ctx)
		require.True(t, ok)
		panic(lease.Value())
	}}
	client, _ := dial(t, serve(t, s, grpc.ChainUnaryInterceptor(recovering(panics), fair.Unary)))
	require.Equal(t, codes.Internal, status.Code(call(within(t), client)))
	require.Equal(t, "tab", <-panics)
	eventually(t, func() bool { return p.Stats().Destroyed == 1 })
	require.Zero(t, p.Stats().Leased)
}

func TestALeaseThatIsAskedBackEndsTheContextOfTheCall(t *testing.T) {
	p, err := pool.New(pool.Config[string]{
		Constructor: func(context.Context) (string, error) { return "tab", nil },
		MaxSize:     1,
	})
	require.NoError(t, err)
	defer p.Close()
	client := fairServer(t, p, &service{unary: func(ctx context.Context) error {
		p.Revoke(nil, func(pool.Holder) bool { return true })
		<-ctx.Done()
		return status.Error(codes.Aborted, context.Cause(ctx).Error())
	}})
	err = call(within(t), client)
	require.Equal(t, codes.Aborted, status.Code(err))
	require.ErrorContains(t, err, "revoked")
}

func TestTheRejectionIsThereForOuterInterceptors(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	sem.Close()
	fair, err := grpcfair.NewServerInterceptor(sem, grpcfair.Metadata("tenant"), grpcfair.ServerOptions{})
	require.NoError(t, err)
	seen := make(chan error, 1)
	outer := func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		resp, err := handler(ctx, req)
		seen <- err
		return resp, err
	}
	client, _ := dial(t, serve(t, &service{}, grpc.ChainUnaryInterceptor(outer, fair.Unary)))
	require.Equal(t, codes.Unavailable, status.Code(call(as(within(t), "a"), client)))
	err = <-seen
	var rejection *grpcfair.Rejection
	require.ErrorAs(t, err, &rejection)
	require.Equal(t, "a", rejection.Tenant)
	require.ErrorIs(t, err, fairshare.ErrClosed)
}

func TestTheTenantOfACall(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	for _, c := range []struct {
		name   string
		tenant grpcfair.TenantFunc
		want   string
	}{
		{"none", nil, ""},
		{"metadata", grpcfair.Metadata("tenant-bin"), "\x00\xff' OR 1=1"},
		{"metadata of several values", grpcfair.Metadata("several"), "one"},
		{"no such metadata", grpcfair.Metadata("nothing"), ""},
		{"long metadata", grpcfair.Metadata("long"), strings.Repeat("x", 10_000)},
		{"key", grpcfair.APIKey("authorization"), grpcfair.KeyTenant("Bearer s3cret")},
		{"no such key", grpcfair.APIKey("nothing"), ""},
		{"address", grpcfair.RemotePrefix(8, 64), "127.0.0.0/8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fair, err := grpcfair.NewServerInterceptor(sem, c.tenant, grpcfair.ServerOptions{})
			require.NoError(t, err)
			s := &service{unary: func(ctx context.Context) error {
				require.Equal(t, c.want, fairshare.TenantFrom(ctx))
				return nil
			}}
			client, _ := dial(t, serve(t, s, grpc.UnaryInterceptor(fair.Unary)))
			ctx := metadata.AppendToOutgoingContext(within(t), "tenant-bin", "\x00\xff' OR 1=1",
				"several", "one", "several", "two", "long", strings.Repeat("x", 10_000), "authorization", "Bearer s3cret")
			require.NoError(t, call(ctx, client))
		})
	}
	require.Empty(t, grpcfair.RemotePrefix(32, 64)(context.Background(), ""))
	require.NotContains(t, grpcfair.KeyTenant("Bearer s3cret"), "s3cret")
	require.Panics(t, func() { grpcfair.RemotePrefix(33, 64) })
}

func TestWrongOptionsAreNamed(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 4})
	_, err := grpcfair.NewServerInterceptor(sem, nil, grpcfair.ServerOptions{MaxRetryAfter: -1})
	require.EqualError(t, err, "grpcfair: ServerOptions.MaxRetryAfter is -1ns, must not be negative; 0 means 1m0s")
	_, err = grpcfair.NewClientInterceptor(sem, grpcfair.ClientOptions{Min: 5})
	require.EqualError(t, err, "grpcfair: ClientOptions.Min is 5, must be between 1 and the capacity of 4, or 0 for 1")
}

func TestACallWithoutATenantIsUnauthenticatedWhereOneIsRequired(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1, RequireTenant: true})
	client := fairServer(t, sem, &service{unary: func(context.Context) error { return nil }})
	var trailer metadata.MD
	err := call(within(t), client, grpc.Trailer(&trailer))
	require.Equal(t, codes.Unauthenticated, status.Code(err))
	_, retry := retryDelay(t, err, trailer)
	require.False(t, retry)
	require.NoError(t, call(as(within(t), "a"), client))
}
