package main

import (
	"context"

	"github.com/failsafe-go/failsafe-go/bulkhead"
)

// The bulkhead of failsafe-go lends permits, through a buffered channel. It is
// used by itself, without an executor around it.
var bulkheadPeer = peer{"failsafe-go bulkhead", "permits, first come", false, openBulkhead}

type bulkheadLender struct {
	bulkhead bulkhead.Bulkhead[any]
}

func openBulkhead(slots int) (lender, error) {
	return bulkheadLender{bulkhead.New[any](uint(slots))}, nil
}

func (l bulkheadLender) Cycle(ctx context.Context, _ string) error {
	if err := l.bulkhead.AcquirePermit(ctx); err != nil {
		return err
	}
	l.bulkhead.ReleasePermit()
	return nil
}

func (l bulkheadLender) Hold(ctx context.Context, _ string) (func(), error) {
	err := l.bulkhead.AcquirePermit(ctx)
	return l.bulkhead.ReleasePermit, err
}

func (l bulkheadLender) Close() {}
