package grpcfair_test

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/fairpool/fairpool/adapters/grpcfair"
	"github.com/fairpool/fairpool/fairshare"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// An acme is a service.
type acme struct {
	pb.UnimplementedTestServiceServer
}

func (acme) EmptyCall(context.Context, *pb.Empty) (*pb.Empty, error) { return &pb.Empty{}, nil }

func ExampleServerInterceptor() {
	sem, err := fairshare.NewSemaphore(fairshare.Config{
		Capacity: 64,                              // calls handled at once
		Default:  fairshare.Share{MaxWaiting: 10}, // of one tenant
	})
	if err != nil {
		panic(err)
	}
	fair, err := grpcfair.NewServerInterceptor(sem, grpcfair.Metadata("tenant"), grpcfair.ServerOptions{})
	if err != nil {
		panic(err)
	}
	server := grpc.NewServer(
		grpc.ChainUnaryInterceptor(fair.Unary),
		grpc.ChainStreamInterceptor(fair.Stream),
	)
	pb.RegisterTestServiceServer(server, acme{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go server.Serve(listener)
	defer server.Stop()

	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	ctx := metadata.AppendToOutgoingContext(context.Background(), "tenant", "acme")
	_, err = pb.NewTestServiceClient(conn).EmptyCall(ctx, &pb.Empty{})
	fmt.Println(status.Code(err))
	for name, stats := range sem.Tenants() {
		fmt.Println(name, stats.Acquired)
	}
	// Output:
	// OK
	// acme 1
}

// Streams that stay open for hours have slots of their own here, so that calls never
// wait for them.
func ExampleServerInterceptor_streams() {
	calls, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 64, Default: fairshare.Share{MaxWaiting: 10}})
	if err != nil {
		panic(err)
	}
	subscriptions, err := fairshare.NewSemaphore(fairshare.Config{
		Capacity:       10_000,
		Default:        fairshare.Share{Max: 100}, // of one tenant
		AcquireTimeout: time.Second,               // nobody waits for hours
	})
	if err != nil {
		panic(err)
	}
	tenant := grpcfair.Metadata("tenant")
	unary, err := grpcfair.NewServerInterceptor(calls, tenant, grpcfair.ServerOptions{})
	if err != nil {
		panic(err)
	}
	streams, err := grpcfair.NewServerInterceptor(subscriptions, tenant, grpcfair.ServerOptions{})
	if err != nil {
		panic(err)
	}
	server := grpc.NewServer(
		grpc.ChainUnaryInterceptor(unary.Unary),
		grpc.ChainStreamInterceptor(streams.Stream),
		grpc.KeepaliveParams(keepalive.ServerParameters{ // after which a stream has to be opened again
			MaxConnectionAge: time.Hour, MaxConnectionAgeGrace: time.Minute,
		}),
	)
	server.Stop()
	// Output:
}

func ExampleClientInterceptor() {
	sem, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 10}) // calls in flight, at most
	if err != nil {
		panic(err)
	}
	fair, err := grpcfair.NewClientInterceptor(sem, grpcfair.ClientOptions{})
	if err != nil {
		panic(err)
	}
	conn, err := grpc.NewClient("passthrough:///127.0.0.1:1", // where nobody listens
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithChainUnaryInterceptor(fair.Unary),
		grpc.WithChainStreamInterceptor(fair.Stream),
	)
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	ctx := fairshare.WithTenant(context.Background(), "acme")
	_, err = grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	fmt.Println(status.Code(err), fair.Stats().Capacity, "of", fair.Stats().Max)
	// Output:
	// Unavailable 10 of 10
}

func ExampleRejection() {
	sem, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 1})
	if err != nil {
		panic(err)
	}
	sem.Close()
	fair, err := grpcfair.NewClientInterceptor(sem, grpcfair.ClientOptions{})
	if err != nil {
		panic(err)
	}
	err = fair.Unary(context.Background(), "/acme.Service/Method", nil, nil, nil, nil)
	fmt.Println(err)
	fmt.Println(status.Convert(err).Code(), "-", status.Convert(err).Message())
	// Output:
	// grpcfair: Unavailable: fairshare: acquire for tenant "": closed
	// Unavailable - shutting down
}
