package main

import (
	"context"

	"github.com/jackc/puddle/v2"
)

var puddlePeer = peer{"puddle", "resources, first come", false, openPuddle}

type puddleLender struct {
	pool *puddle.Pool[*int]
}

func openPuddle(slots int) (lender, error) {
	p, err := puddle.NewPool(&puddle.Config[*int]{
		Constructor: func(context.Context) (*int, error) { return new(int), nil },
		Destructor:  func(*int) {},
		MaxSize:     int32(slots),
	})
	return puddleLender{p}, err
}

func (l puddleLender) Cycle(ctx context.Context, _ string) error {
	resource, err := l.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	resource.Release()
	return nil
}

func (l puddleLender) Hold(ctx context.Context, _ string) (func(), error) {
	resource, err := l.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	return resource.Release, nil
}

func (l puddleLender) Close() { l.pool.Close() }
