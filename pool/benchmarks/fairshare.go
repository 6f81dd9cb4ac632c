package main

import (
	"context"

	"github.com/fairpool/fairpool/fairshare"
)

var fairsharePeer = peer{"fairshare.Semaphore", "permits, fair", true, openFairshare}

type fairshareLender struct {
	semaphore *fairshare.Semaphore
}

func openFairshare(slots int) (lender, error) {
	s, err := fairshare.NewSemaphore(fairshare.Config{Capacity: slots})
	return fairshareLender{s}, err
}

func (l fairshareLender) Cycle(ctx context.Context, tenant string) error {
	permit, err := l.semaphore.Acquire(ctx, tenant)
	if err != nil {
		return err
	}
	permit.Release()
	return nil
}

func (l fairshareLender) Hold(ctx context.Context, tenant string) (func(), error) {
	permit, err := l.semaphore.Acquire(ctx, tenant)
	return permit.Release, err
}

func (l fairshareLender) Close() { l.semaphore.Close() }
