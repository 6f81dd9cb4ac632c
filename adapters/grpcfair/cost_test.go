package grpcfair_test

import (
	"context"
	"testing"

	"github.com/fairpool/fairpool/adapters/grpcfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
)

func TestACallTakesAsManySlotsAsItCosts(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 4})
	s, err := grpcfair.NewServerInterceptor(sem, nil, grpcfair.ServerOptions{
		Cost: func(_ context.Context, method string, req any) int {
			require.Equal(t, "/x/Unary", method)
			return int(req.(*pb.SimpleRequest).ResponseSize)
		},
	})
	require.NoError(t, err)
	inUse := 0
	call := func(cost int32) error {
		_, err := s.Unary(context.Background(), &pb.SimpleRequest{ResponseSize: cost}, &grpc.UnaryServerInfo{FullMethod: "/x/Unary"},
			func(context.Context, any) (any, error) {
				inUse = sem.Stats().InUse
				return nil, nil
			})
		return err
	}
	for cost, want := range map[int32]int{-1: 1, 0: 1, 1: 1, 3: 3, 4: 4} {
		require.NoError(t, call(cost))
		require.Equal(t, want, inUse)
		require.Zero(t, sem.Stats().InUse)
	}
	refused := status.Convert(call(5))
	require.Equal(t, codes.ResourceExhausted, refused.Code())
	require.Contains(t, refused.Message(), "needs more")
	require.Empty(t, refused.Details(), "time changes nothing")
}

func TestCostNeedsAGateThatGrantsSeveral(t *testing.T) {
	p, err := pool.New(pool.Config[int]{MaxSize: 1, Constructor: func(context.Context) (int, error) { return 1, nil }})
	require.NoError(t, err)
	defer p.Close()
	_, err = grpcfair.NewServerInterceptor(p, nil, grpcfair.ServerOptions{Cost: func(context.Context, string, any) int { return 1 }})
	require.ErrorContains(t, err, "grpcfair: ServerOptions.Cost is set, but a *pool.Pool[int] grants one slot at a time")
}
