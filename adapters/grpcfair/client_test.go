package grpcfair_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/grpcfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

func TestACallHoldsASlotUntilItReturns(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	answers := make(chan error, 1)
	client, fair, _ := fairClient(t, sem, grpcfair.ClientOptions{}, &service{unary: func(context.Context) error {
		require.Equal(t, 1, sem.Stats().InUse)
		return <-answers
	}})
	ctx := fairshare.WithTenant(within(t), "a")
	for _, want := range []error{nil, status.Error(codes.NotFound, "no such thing")} {
		answers <- want
		require.Equal(t, status.Code(want), status.Code(call(ctx, client)))
		require.Zero(t, sem.Stats().InUse)
		require.Zero(t, fair.Stats().InFlight)
	}
	for name, s := range sem.Tenants() {
		require.Equal(t, "a", name)
		require.EqualValues(t, 2, s.Acquired)
	}
}

func TestWithoutASlotNothingIsSent(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1, Default: fairshare.Share{MaxWaiting: 1}})
	client, _, _ := fairClient(t, sem, grpcfair.ClientOptions{}, &service{unary: func(context.Context) error {
		t.Error("sent")
		return nil
	}})
	held, err := sem.Acquire(t.Context(), "holder")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(fairshare.WithTenant(within(t), "a"))
	waited := make(chan error)
	go func() { waited <- call(ctx, client) }()
	eventually(t, func() bool { return sem.Stats().Waiting == 1 })

	err = call(ctx, client)
	require.Equal(t, codes.ResourceExhausted, status.Code(err))
	var rejection *grpcfair.Rejection
	require.ErrorAs(t, err, &rejection)
	require.ErrorIs(t, err, fairshare.ErrQueueFull)
	require.Positive(t, rejection.RetryAfter)
	_, err = client.FullDuplexCall(ctx)
	require.Equal(t, codes.ResourceExhausted, status.Code(err))

	cancel()
	err = <-waited
	require.Equal(t, codes.Canceled, status.Code(err))
	require.ErrorIs(t, err, context.Canceled)
	held.Release()
}

// endless sends and receives for as long as the client does.
func endless(stream pb.TestService_FullDuplexCallServer) error {
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
}

// A situation is one in which a stream ends.
type situation struct {
	ctx    context.Context
	cancel func()
	client pb.TestServiceClient
	conn   *grpc.ClientConn
	held   func() // requires that the slot is
}

// Each of the ways in which gRPC says that a stream ends.
func TestAStreamHoldsASlotUntilItEnds(t *testing.T) {
	refuse := errors.New("refused by another interceptor")
	for name, end := range map[string]func(t *testing.T, s situation){
		"both sides are done": func(t *testing.T, s situation) {
			stream, err := s.client.FullDuplexCall(s.ctx)
			require.NoError(t, err)
			require.NoError(t, stream.Send(&pb.StreamingOutputCallRequest{}))
			_, err = stream.Recv()
			require.NoError(t, err)
			require.NoError(t, stream.CloseSend())
			s.held()
			_, err = stream.Recv()
			require.ErrorIs(t, err, io.EOF)
		},
		"the server fails": func(t *testing.T, s situation) {
			stream, err := s.client.StreamingOutputCall(s.ctx, &pb.StreamingOutputCallRequest{})
			require.NoError(t, err)
			_, err = stream.Recv()
			require.NoError(t, err)
			s.held()
			_, err = stream.Recv()
			require.Equal(t, codes.DataLoss, status.Code(err))
		},
		"the only answer is there": func(t *testing.T, s situation) {
			stream, err := s.client.StreamingInputCall(s.ctx)
			require.NoError(t, err)
			require.NoError(t, stream.Send(&pb.StreamingInputCallRequest{}))
			s.held()
			_, err = stream.CloseAndRecv()
			require.NoError(t, err)
		},
		"its context ends": func(t *testing.T, s situation) {
			stream, err := s.client.FullDuplexCall(s.ctx)
			require.NoError(t, err)
			s.held()
			s.cancel()
			runtime.KeepAlive(stream)
		},
		"the connection is closed": func(t *testing.T, s situation) {
			stream, err := s.client.FullDuplexCall(s.ctx)
			require.NoError(t, err)
			s.held()
			require.NoError(t, s.conn.Close())
			runtime.KeepAlive(stream)
		},
		"it does not begin": func(t *testing.T, s situation) {
			require.NoError(t, s.conn.Close())
			_, err := s.client.FullDuplexCall(s.ctx)
			require.Error(t, err)
		},
		"the message cannot be sent": func(t *testing.T, s situation) {
			stream, err := s.client.FullDuplexCall(s.ctx, grpc.MaxCallSendMsgSize(10))
			require.NoError(t, err)
			s.held()
			err = stream.Send(&pb.StreamingOutputCallRequest{Payload: &pb.Payload{Body: make([]byte, 100)}})
			require.Equal(t, codes.ResourceExhausted, status.Code(err))
		},
		"the service is not there": func(t *testing.T, s situation) {
			stream, err := s.client.HalfDuplexCall(s.ctx)
			require.NoError(t, err)
			_, err = stream.Header()
			require.NoError(t, err) // the status comes with Recv
			_, err = stream.Recv()
			require.Equal(t, codes.Unimplemented, status.Code(err))
		},
		"the server goes away": func(t *testing.T, s situation) {
			stream, err := s.client.FullDuplexCall(s.ctx)
			require.NoError(t, err)
			require.NoError(t, stream.Send(&pb.StreamingOutputCallRequest{}))
			_, err = stream.Recv()
			require.Error(t, err)
			_, err = stream.Header()
			require.NoError(t, err)
		},
		"another interceptor refuses": func(t *testing.T, s situation) {
			_, err := s.client.FullDuplexCall(context.WithValue(s.ctx, refuseKey{}, refuse))
			require.ErrorIs(t, err, refuse)
		},
	} {
		t.Run(name, func(t *testing.T) {
			sem := newSemaphore(t, fairshare.Config{Capacity: 1})
			fair, err := grpcfair.NewClientInterceptor(sem, grpcfair.ClientOptions{})
			require.NoError(t, err)
			s := &service{
				duplex: endless,
				input: func(stream pb.TestService_StreamingInputCallServer) error {
					for {
						if _, err := stream.Recv(); err != nil {
							return stream.SendAndClose(&pb.StreamingInputCallResponse{})
						}
					}
				},
				output: func(stream pb.TestService_StreamingOutputCallServer) error {
					stream.Send(&pb.StreamingOutputCallResponse{})
					return status.Error(codes.DataLoss, "")
				},
			}
			if name == "the server goes away" {
				s.duplex = func(stream pb.TestService_FullDuplexCallServer) error {
					stream.Recv()
					return status.Error(codes.Unavailable, "going away")
				}
			}
			client, conn := dial(t, serve(t, s), grpc.WithChainStreamInterceptor(fair.Stream, refusing))
			ctx, cancel := context.WithCancel(within(t))
			defer cancel()
			end(t, situation{ctx, cancel, client, conn, func() {
				require.Equal(t, 1, sem.Stats().InUse)
				require.Equal(t, 1, fair.Stats().InFlight)
			}})
			eventually(t, func() bool { return sem.Stats().InUse == 0 })
			require.Zero(t, fair.Stats().InFlight)
			require.Zero(t, fair.Stats().Overloads)
		})
	}
}

type refuseKey struct{}

// refusing is an interceptor inside ours.
func refusing(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	if err, ok := ctx.Value(refuseKey{}).(error); ok {
		return nil, err
	}
	return streamer(ctx, desc, cc, method, opts...)
}

func TestAStreamThatIsDroppedIsReportedAndCancelled(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	leaks := make(chan grpcfair.Leak, 1)
	ended := make(chan error, 1)
	client, fair, _ := fairClient(t, sem, grpcfair.ClientOptions{Leak: func(l grpcfair.Leak) { leaks <- l }}, &service{
		duplex: func(stream pb.TestService_FullDuplexCallServer) error {
			err := endless(stream)
			ended <- err
			return err
		},
	})
	func() {
		stream, err := client.FullDuplexCall(fairshare.WithTenant(within(t), "a"))
		require.NoError(t, err)
		require.NoError(t, stream.Send(&pb.StreamingOutputCallRequest{}))
		_, err = stream.Recv()
		require.NoError(t, err)
	}()
	deadline := within(t)
	for lost := false; !lost; {
		runtime.GC()
		select {
		case l := <-leaks:
			require.True(t, l.Lost)
			require.Equal(t, "a", l.Tenant)
			require.Equal(t, pb.TestService_FullDuplexCall_FullMethodName, l.Method)
			require.Contains(t, l.Stack, "TestAStreamThatIsDropped")
			lost = true
		case <-time.After(10 * time.Millisecond):
		case <-deadline.Done():
			t.Fatal("it was not noticed")
		}
	}
	require.Error(t, <-ended)
	eventually(t, func() bool { return sem.Stats().InUse == 0 })
	require.EqualValues(t, 1, fair.Stats().Lost)
}

func TestACallThatLastsIsReported(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	leaks := make(chan grpcfair.Leak, 2)
	finish := make(chan struct{})
	client, fair, _ := fairClient(t, sem, grpcfair.ClientOptions{
		LeakAfter: 10 * time.Millisecond,
		Leak:      func(l grpcfair.Leak) { leaks <- l },
	}, &service{unary: func(context.Context) error { <-finish; return nil }})
	done := make(chan error)
	go func() { done <- call(within(t), client) }()
	require.False(t, (<-leaks).Ended)
	close(finish)
	require.NoError(t, <-done)
	require.True(t, (<-leaks).Ended)
	require.EqualValues(t, 1, fair.Stats().Leaks)
}

// busyError is what a service says that is overloaded.
func busyError(code codes.Code, delay time.Duration) error {
	s, err := status.New(code, "busy").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(delay)})
	if err != nil {
		panic(err)
	}
	return s.Err()
}

func TestCapacityShrinksWhenTheServiceIsOverloaded(t *testing.T) {
	const delay = 100 * time.Millisecond
	for _, code := range []codes.Code{codes.ResourceExhausted, codes.Unavailable} {
		sem := newSemaphore(t, fairshare.Config{Capacity: 8})
		answers := make(chan error, 1)
		client, fair, _ := fairClient(t, sem, grpcfair.ClientOptions{}, &service{
			unary:  func(context.Context) error { return <-answers },
			output: func(pb.TestService_StreamingOutputCallServer) error { return <-answers },
		})
		answers <- busyError(code, delay)
		require.Equal(t, code, status.Code(call(within(t), client)))
		require.Equal(t, 5, fair.Stats().Capacity)
		require.Equal(t, 5, sem.Stats().Capacity)
		begun := time.Now()
		answers <- nil
		require.NoError(t, call(within(t), client))
		require.GreaterOrEqual(t, time.Since(begun), delay*9/10)

		answers <- busyError(code, 0)
		stream, err := client.StreamingOutputCall(within(t), &pb.StreamingOutputCallRequest{})
		require.NoError(t, err)
		_, err = stream.Recv()
		require.Equal(t, code, status.Code(err))
		eventually(t, func() bool { return sem.Stats().Capacity == 3 })
		require.EqualValues(t, 2, fair.Stats().Overloads)
		require.EqualValues(t, 1, fair.Stats().Pauses)
	}
}

func TestWhatMayNotBeAnOverloadDoesNotCount(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 8})
	answers := make(chan error, 1)
	client, fair, _ := fairClient(t, sem, grpcfair.ClientOptions{}, &service{unary: func(context.Context) error { return <-answers }})
	for _, err := range []error{
		status.Error(codes.Unavailable, "no RetryInfo"),
		status.Error(codes.ResourceExhausted, "grpc: received message larger than max (5 vs. 4)"),
		status.Error(codes.Internal, "broken"),
	} {
		answers <- err
		require.Equal(t, status.Code(err), status.Code(call(within(t), client)))
	}
	err := call(within(t), client, grpc.MaxCallSendMsgSize(-1))
	require.Equal(t, codes.ResourceExhausted, status.Code(err))
	require.Equal(t, 8, fair.Stats().Capacity)
	require.Zero(t, fair.Stats().Overloads)

	answers <- status.Error(codes.ResourceExhausted, "quota exceeded")
	require.Error(t, call(within(t), client))
	require.EqualValues(t, 1, fair.Stats().Overloads)
}

func TestCapacityGrowsAgainWhileCallsSucceed(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 2})
	answers := make(chan error, 1)
	client, fair, _ := fairClient(t, sem, grpcfair.ClientOptions{IncreaseAfter: time.Millisecond}, &service{unary: func(context.Context) error { return <-answers }})
	answers <- status.Error(codes.ResourceExhausted, "quota exceeded")
	require.Error(t, call(within(t), client))
	require.Equal(t, 1, fair.Stats().Capacity)
	for fair.Stats().Capacity < 2 { // until a millisecond is over
		answers <- status.Error(codes.NotFound, "which is an answer")
		require.Error(t, call(within(t), client))
	}
}
