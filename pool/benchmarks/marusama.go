package main

import (
	"context"

	"github.com/marusama/semaphore/v2"
)

// The semaphore of marusama counts with compare-and-swap. A release wakes all
// who wait, and whoever is first takes the permit.
var marusamaPeer = peer{"marusama/semaphore", "permits, who comes by", false, openMarusama}

type marusamaLender struct {
	semaphore semaphore.Semaphore
}

func openMarusama(slots int) (lender, error) {
	return marusamaLender{semaphore.New(slots)}, nil
}

func (l marusamaLender) Cycle(ctx context.Context, _ string) error {
	if err := l.semaphore.Acquire(ctx, 1); err != nil {
		return err
	}
	l.semaphore.Release(1)
	return nil
}

func (l marusamaLender) Hold(ctx context.Context, _ string) (func(), error) {
	err := l.semaphore.Acquire(ctx, 1)
	return func() { l.semaphore.Release(1) }, err
}

func (l marusamaLender) Close() {}
