package grpcfair_test

import (
	"context"
	"net"
	"testing"

	"github.com/fairpool/fairpool/adapters/grpcfair"
	"github.com/fairpool/fairpool/fairshare"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/interop/grpc_testing"
)

// A call on the loopback, by itself, with a slot at the server, and with one at
// the client.
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
	for name, c := range map[string]struct {
		server []grpc.ServerOption
		client []grpc.DialOption
	}{
		"without": {},
		"server":  {server: []grpc.ServerOption{grpc.UnaryInterceptor(server.Unary)}},
		"client":  {client: []grpc.DialOption{grpc.WithUnaryInterceptor(client.Unary)}},
	} {
		b.Run(name, func(b *testing.B) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			s := grpc.NewServer(c.server...)
			pb.RegisterTestServiceServer(s, &service{unary: func(context.Context) error { return nil }})
			go s.Serve(listener)
			defer s.Stop()
			conn, err := grpc.NewClient(listener.Addr().String(), append(c.client, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close()
			stub := pb.NewTestServiceClient(conn)
			b.ReportAllocs()
			for b.Loop() {
				if err := call(context.Background(), stub); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
