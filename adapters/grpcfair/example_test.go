package grpcfair_test

import (
	"context"
	"fmt"
	"net"

	"github.com/fairpool/fairpool/adapters/grpcfair"
	"github.com/fairpool/fairpool/fairshare"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

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
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
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
	resp, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	fmt.Println(resp.GetStatus(), err)
	for name, stats := range sem.Tenants() {
		fmt.Println(name, stats.Acquired)
	}
	// Output:
	// SERVING <nil>
	// acme 1
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
	// grpcfair: Unavailable: fairshare: acquire for tenant "": fairshare: closed
	// Unavailable - busy with the calls of all users
}
