package main

import (
	"context"

	commons "github.com/jolestar/go-commons-pool/v2"
)

// go-commons-pool is the Go relative of Apache Commons Pool. A caller that comes
// by takes a released resource before one that waits. It reports the end of a
// context as an error of its own, which is why Cycle asks the context.
var commonsPeer = peer{"go-commons-pool", "resources, who comes by", false, openCommons}

type commonsLender struct {
	pool *commons.ObjectPool
}

func openCommons(slots int) (lender, error) {
	config := commons.NewDefaultPoolConfig()
	config.MaxTotal, config.MaxIdle = slots, slots
	factory := commons.NewPooledObjectFactorySimple(func(context.Context) (any, error) { return new(int), nil })
	return commonsLender{commons.NewObjectPool(context.Background(), factory, config)}, nil
}

func (l commonsLender) Cycle(ctx context.Context, _ string) error {
	resource, err := l.pool.BorrowObject(ctx)
	if err != nil {
		if ended := ctx.Err(); ended != nil {
			return ended
		}
		return err
	}
	return l.pool.ReturnObject(ctx, resource)
}

func (l commonsLender) Hold(ctx context.Context, _ string) (func(), error) {
	resource, err := l.pool.BorrowObject(ctx)
	if err != nil {
		return nil, err
	}
	return func() { l.pool.ReturnObject(context.Background(), resource) }, nil
}

func (l commonsLender) Close() { l.pool.Close(context.Background()) }
