package grpcfair_test

import (
	"context"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/grpcfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/reflection"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
)

// infrastructure serves health, reflection and s behind interceptors.
func infrastructure(t *testing.T, sem *fairshare.Semaphore, opt grpcfair.ServerOptions, s *service) *grpc.ClientConn {
	t.Helper()
	fair, err := grpcfair.NewServerInterceptor(sem, grpcfair.Metadata("tenant"), opt)
	require.NoError(t, err)
	server := grpc.NewServer(grpc.UnaryInterceptor(fair.Unary), grpc.StreamInterceptor(fair.Stream))
	checks := health.NewServer()
	t.Cleanup(checks.Shutdown)
	healthpb.RegisterHealthServer(server, checks)
	pb.RegisterTestServiceServer(server, s)
	reflection.Register(server)
	conn, err := grpc.NewClient(listen(t, server), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestWatchesOfTheHealthHoldNoSlots(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 3})
	handled := make(chan struct{}, 1)
	conn := infrastructure(t, sem, grpcfair.ServerOptions{}, &service{unary: func(context.Context) error {
		handled <- struct{}{}
		return nil
	}})
	for range 2 * 3 {
		watch, err := healthpb.NewHealthClient(conn).Watch(within(t), &healthpb.HealthCheckRequest{})
		require.NoError(t, err)
		_, err = watch.Recv()
		require.NoError(t, err)
	}
	require.Zero(t, sem.Stats().InUse)
	require.NoError(t, call(as(within(t), "a"), pb.NewTestServiceClient(conn)))
	<-handled
	require.EqualValues(t, 1, sem.Stats().Acquired)
}

func TestHealthAndReflectionAnswerWhileAllSlotsAreTaken(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	conn := infrastructure(t, sem, grpcfair.ServerOptions{}, &service{})
	held, err := sem.Acquire(t.Context(), "holder")
	require.NoError(t, err)
	defer held.Release()
	_, err = healthpb.NewHealthClient(conn).Check(within(t), &healthpb.HealthCheckRequest{})
	require.NoError(t, err)
	stream, err := reflectionpb.NewServerReflectionClient(conn).ServerReflectionInfo(within(t))
	require.NoError(t, err)
	require.NoError(t, stream.Send(&reflectionpb.ServerReflectionRequest{
		MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{},
	}))
	answer, err := stream.Recv()
	require.NoError(t, err)
	require.Len(t, answer.GetListServicesResponse().GetService(), 4)
	require.NoError(t, stream.CloseSend())
}

func TestSkipReplacesTheExemptionOfTheInfrastructure(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	tenants := make(chan string, 1)
	conn := infrastructure(t, sem, grpcfair.ServerOptions{
		Skip: func(method string) bool { return method == "/grpc.testing.TestService/UnaryCall" },
	}, &service{unary: func(ctx context.Context) error {
		tenants <- fairshare.TenantFrom(ctx)
		_, granted := grpcfair.Granted[fairshare.Permit](ctx)
		require.False(t, granted)
		return nil
	}})
	held, err := sem.Acquire(t.Context(), "holder")
	require.NoError(t, err)
	defer held.Release()
	require.NoError(t, call(as(within(t), "a"), pb.NewTestServiceClient(conn)))
	require.Equal(t, "a", <-tenants, "the context carries the tenant all the same")
	ctx, cancel := context.WithTimeout(within(t), 50*time.Millisecond)
	defer cancel()
	_, err = healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{})
	require.Equal(t, codes.DeadlineExceeded, status.Code(err))
}

func TestTheTenantMayDependOnTheMethod(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	fair, err := grpcfair.NewServerInterceptor(sem, func(_ context.Context, method string) string { return method }, grpcfair.ServerOptions{})
	require.NoError(t, err)
	seen := make(chan string, 1)
	s := &service{
		unary: func(ctx context.Context) error {
			seen <- fairshare.TenantFrom(ctx)
			return nil
		},
		output: func(stream pb.TestService_StreamingOutputCallServer) error {
			seen <- fairshare.TenantFrom(stream.Context())
			return nil
		},
	}
	client, _ := dial(t, serve(t, s, grpc.UnaryInterceptor(fair.Unary), grpc.StreamInterceptor(fair.Stream)))
	require.NoError(t, call(within(t), client))
	require.Equal(t, "/grpc.testing.TestService/UnaryCall", <-seen)
	_, err = client.StreamingOutputCall(within(t), &pb.StreamingOutputCallRequest{})
	require.NoError(t, err)
	require.Equal(t, "/grpc.testing.TestService/StreamingOutputCall", <-seen)
}

// Two interceptors with slots of their own: however many streams stay open, calls
// are handled; and one tenant's streams leave room for those of another.
func TestStreamsThatStayOpenMayHaveSlotsOfTheirOwn(t *testing.T) {
	calls := newSemaphore(t, fairshare.Config{Capacity: 1})
	streams := newSemaphore(t, fairshare.Config{
		Capacity: 4, Default: fairshare.Share{Max: 3}, AcquireTimeout: 50 * time.Millisecond,
	})
	unary, err := grpcfair.NewServerInterceptor(calls, grpcfair.Metadata("tenant"), grpcfair.ServerOptions{})
	require.NoError(t, err)
	stream, err := grpcfair.NewServerInterceptor(streams, grpcfair.Metadata("tenant"), grpcfair.ServerOptions{})
	require.NoError(t, err)
	s := &service{
		unary: func(context.Context) error { return nil },
		duplex: func(stream pb.TestService_FullDuplexCallServer) error {
			<-stream.Context().Done()
			return stream.Context().Err()
		},
	}
	client, _ := dial(t, serve(t, s, grpc.UnaryInterceptor(unary.Unary), grpc.StreamInterceptor(stream.Stream)))
	subscribe := func(tenant string) pb.TestService_FullDuplexCallClient {
		stream, err := client.FullDuplexCall(as(within(t), tenant))
		require.NoError(t, err)
		return stream
	}
	for range 3 {
		subscribe("hog")
	}
	eventually(t, func() bool { return streams.Stats().InUse == 3 })
	_, err = subscribe("hog").Recv()
	require.Equal(t, codes.ResourceExhausted, status.Code(err))
	subscribe("other")
	eventually(t, func() bool { return streams.Stats().InUse == 4 })
	require.NoError(t, call(as(within(t), "other"), client))
}
