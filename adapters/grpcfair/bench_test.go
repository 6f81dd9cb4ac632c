package grpcfair_test

import (
	"context"
	"testing"

	"github.com/fairpool/fairpool/adapters/grpcfair"
	"github.com/fairpool/fairpool/fairshare"
	"google.golang.org/grpc"
)

// What the interceptors add to a call, nobody else being there.
func BenchmarkUnary(b *testing.B) {
	newSem := func() *fairshare.Semaphore {
		sem, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 8})
		if err != nil {
			b.Fatal(err)
		}
		return sem
	}
	server, err := grpcfair.NewServerInterceptor(newSem(), nil, grpcfair.ServerOptions{})
	if err != nil {
		b.Fatal(err)
	}
	client, err := grpcfair.NewClientInterceptor(newSem(), grpcfair.ClientOptions{})
	if err != nil {
		b.Fatal(err)
	}
	ctx := fairshare.WithTenant(context.Background(), "a")
	b.Run("server", func(b *testing.B) {
		info := &grpc.UnaryServerInfo{FullMethod: "/acme.Orders/List"}
		handler := func(context.Context, any) (any, error) { return nil, nil }
		b.ReportAllocs()
		for b.Loop() {
			if _, err := server.Unary(ctx, nil, info, handler); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("client", func(b *testing.B) {
		invoker := func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return nil }
		b.ReportAllocs()
		for b.Loop() {
			if err := client.Unary(ctx, "/service/method", nil, nil, nil, invoker); err != nil {
				b.Fatal(err)
			}
		}
	})
}
