package main

import (
	"context"

	"github.com/fairpool/fairpool/pool"
)

var fairpoolPeer = peer{"fairpool", "resources, fair", true, openFairpool}

type fairpoolLender struct {
	pool *pool.Pool[*int]
}

func openFairpool(slots int) (lender, error) {
	return openFairpoolWith(slots, func(*pool.Config[*int]) {})
}

func openFairpoolWith(slots int, set func(*pool.Config[*int])) (fairpoolLender, error) {
	c := pool.Config[*int]{
		Constructor: func(context.Context) (*int, error) { return new(int), nil },
		MaxSize:     slots,
	}
	set(&c)
	p, err := pool.New(c)
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

func (l fairpoolLender) Hold(ctx context.Context, tenant string) (func(), error) {
	lease, err := l.pool.Acquire(ctx, tenant)
	return lease.Release, err
}

func (l fairpoolLender) Close() { l.pool.Close() }
