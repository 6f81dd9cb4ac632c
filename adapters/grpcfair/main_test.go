package grpcfair_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/grpcfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newSemaphore returns a semaphore to which, when the test ends, everything has
// to come back.
func newSemaphore(t *testing.T, cfg fairshare.Config) *fairshare.Semaphore {
	t.Helper()
	sem, err := fairshare.NewSemaphore(cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		eventually(t, func() bool { s := sem.Stats(); return s.InUse == 0 && s.Waiting == 0 })
	})
	return sem
}

// A service does what the test says.
type service struct {
	pb.UnimplementedTestServiceServer
	unary  func(context.Context) error
	duplex func(pb.TestService_FullDuplexCallServer) error
	input  func(pb.TestService_StreamingInputCallServer) error
	output func(pb.TestService_StreamingOutputCallServer) error
}

func (s *service) UnaryCall(ctx context.Context, _ *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	return &pb.SimpleResponse{}, s.unary(ctx)
}

func (s *service) FullDuplexCall(stream pb.TestService_FullDuplexCallServer) error {
	return s.duplex(stream)
}

func (s *service) StreamingInputCall(stream pb.TestService_StreamingInputCallServer) error {
	return s.input(stream)
}

func (s *service) StreamingOutputCall(_ *pb.StreamingOutputCallRequest, stream pb.TestService_StreamingOutputCallServer) error {
	return s.output(stream)
}

// serve starts a server on the loopback and returns its address.
func serve(t *testing.T, s *service, opts ...grpc.ServerOption) string {
	t.Helper()
	server := grpc.NewServer(opts...)
	pb.RegisterTestServiceServer(server, s)
	return listen(t, server)
}

// listen has a server serve on the loopback until the test ends.
func listen(t *testing.T, server *grpc.Server) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Serve(listener)
	}()
	t.Cleanup(func() {
		server.Stop()
		<-done
	})
	return listener.Addr().String()
}

func dial(t *testing.T, address string, opts ...grpc.DialOption) (pb.TestServiceClient, *grpc.ClientConn) {
	t.Helper()
	conn, err := grpc.NewClient(address, append(opts, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return pb.NewTestServiceClient(conn), conn
}

// fairServer serves s behind interceptors; the tenant is in the metadata.
func fairServer[P grpcfair.Permit](t *testing.T, g grpcfair.Gate[P], s *service) pb.TestServiceClient {
	t.Helper()
	fair, err := grpcfair.NewServerInterceptor(g, grpcfair.Metadata("tenant"), grpcfair.ServerOptions{})
	require.NoError(t, err)
	client, _ := dial(t, serve(t, s, grpc.UnaryInterceptor(fair.Unary), grpc.StreamInterceptor(fair.Stream)))
	return client
}

// fairClient calls s by way of interceptors.
func fairClient(t *testing.T, sem *fairshare.Semaphore, opt grpcfair.ClientOptions, s *service) (pb.TestServiceClient, *grpcfair.ClientInterceptor, *grpc.ClientConn) {
	t.Helper()
	fair, err := grpcfair.NewClientInterceptor(sem, opt)
	require.NoError(t, err)
	client, conn := dial(t, serve(t, s), grpc.WithUnaryInterceptor(fair.Unary), grpc.WithStreamInterceptor(fair.Stream))
	return client, fair, conn
}

// as is the context of a call to a server on behalf of a tenant.
func as(ctx context.Context, tenant string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "tenant", tenant)
}

func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, 20*time.Second, time.Millisecond)
}

// within ends what a test waits for if it hangs.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}
