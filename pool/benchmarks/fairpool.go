package main

import (
	"context"

	"github.com/fairpool/fairpool/pool"
)

var fairpoolPeer = peer{"fairpool", openFairpool}

type fairpoolLender struct {
	pool *pool.Pool[*int]
}

func openFairpool(slots int) (lender, error) {
	p, err := pool.New(pool.Config[*int]{
		Constructor: func(context.Context) (*int, error) { return new(int), nil },
		MaxSize:     slots,
	})
	return fairpoolLender{p}, err
}

func (l fairpoolLender) Cycle(ctx context.Context, tenant string) error {
	lease, err := l.pool.Acquire(ctx, tenant)
	if err != nil {
		return err
	}
	lease.Release()
	return nil
}

func (l fairpoolLender) Hold(tenant string) (func(), error) {
	lease, err := l.pool.Acquire(context.Background(), tenant)
	return lease.Release, err
}

func (l fairpoolLender) Close() { l.pool.Close() }
