package main

import (
	"context"
	"database/sql/driver"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/fairpool/fairpool/adapters/adaptfair"
	"github.com/fairpool/fairpool/adapters/grpcfair"
	"github.com/fairpool/fairpool/adapters/httpfair"
	"github.com/fairpool/fairpool/adapters/pgxfair"
	"github.com/fairpool/fairpool/adapters/sqlfair"
	"github.com/fairpool/fairpool/fairshare"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// newGate is a gate whose capacity is a guess.
func newGate() *adaptfair.Gate[fairshare.Permit] {
	sem, err := fairshare.NewSemaphore(fairshare.Config{Capacity: 20, Default: fairshare.Share{MaxWaiting: 20}})
	if err != nil {
		panic(err)
	}
	gate, err := adaptfair.NewGate(sem, adaptfair.Config{})
	if err != nil {
		panic(err)
	}
	return gate
}

func Example_httpServer() {
	gate := newGate()
	fair, err := httpfair.Middleware(gate, httpfair.Header("X-Tenant"), httpfair.Options{})
	if err != nil {
		panic(err)
	}
	handler := fair(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("in flight:", gate.Limiter().Stats().InFlight)
	}))
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	fmt.Println("limit:", gate.Limiter().Stats().Limit)
	// Output:
	// in flight: 1
	// limit: 20
}

func Example_httpClient() {
	gate := newGate()
	transport, err := httpfair.NewTransport(gate, nil, httpfair.TransportOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Println(transport.Stats().Max, "at most, as long as the API refuses nothing; now", gate.Limiter().Stats().Limit)
	// Output:
	// 1000 at most, as long as the API refuses nothing; now 20
}

func Example_grpcServer() {
	fair, err := grpcfair.NewServerInterceptor(newGate(), grpcfair.Metadata("tenant"), grpcfair.ServerOptions{})
	if err != nil {
		panic(err)
	}
	server := grpc.NewServer(grpc.ChainUnaryInterceptor(fair.Unary), grpc.ChainStreamInterceptor(fair.Stream))
	server.Stop()
	// Output:
}

func Example_grpcClient() {
	fair, err := grpcfair.NewClientInterceptor(newGate(), grpcfair.ClientOptions{})
	if err != nil {
		panic(err)
	}
	conn, err := grpc.NewClient("passthrough:///127.0.0.1:1",
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithChainUnaryInterceptor(fair.Unary))
	if err != nil {
		panic(err)
	}
	conn.Close()
	// Output:
}

// It needs a server, so it is compiled only.
func Example_pgxfair() {
	limiter, err := adaptfair.New(adaptfair.Config{})
	if err != nil {
		panic(err)
	}
	cfg, err := pgxfair.ParseConfig("postgres://localhost/shop?pool_max_conns=50")
	if err != nil {
		panic(err)
	}
	cfg.Trace = limiter.Trace()
	db, err := pgxfair.NewWithConfig(context.Background(), cfg)
	if err != nil {
		panic(err)
	}
	defer db.Close()
	if err := limiter.Drive(db); err != nil {
		panic(err)
	}
}

// It needs a driver, so it is compiled only.
func Example_sqlfair() {
	var connector driver.Connector // of any driver
	limiter, err := adaptfair.New(adaptfair.Config{})
	if err != nil {
		panic(err)
	}
	db, conns, err := sqlfair.Open(connector, sqlfair.Config{MaxOpenConns: 50, Trace: limiter.Trace()})
	if err != nil {
		panic(err)
	}
	defer db.Close()
	if err := limiter.Drive(conns); err != nil {
		panic(err)
	}
}
