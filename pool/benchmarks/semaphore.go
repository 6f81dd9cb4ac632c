package main

import (
	"context"

	"golang.org/x/sync/semaphore"
)

var semaphorePeer = peer{"x/sync/semaphore", "permits, first come", false, openSemaphore}

type semaphoreLender struct {
	weighted *semaphore.Weighted
}

func openSemaphore(slots int) (lender, error) {
	return semaphoreLender{semaphore.NewWeighted(int64(slots))}, nil
}

func (l semaphoreLender) Cycle(ctx context.Context, _ string) error {
	if err := l.weighted.Acquire(ctx, 1); err != nil {
		return err
	}
	l.weighted.Release(1)
	return nil
}

func (l semaphoreLender) Hold(ctx context.Context, _ string) (func(), error) {
	err := l.weighted.Acquire(ctx, 1)
	return func() { l.weighted.Release(1) }, err
}

func (l semaphoreLender) Close() {}
