package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// A storm is a crowd of waiters whose context ends. The time is that from the
// cancel until the last of them has returned.
type storm struct {
	lender  lender
	slots   int
	tenants []string
	waiters int
}

func openStorm(p peer, slots, waiters, tenants int) (load, error) {
	l, err := p.openFull(slots)
	return &storm{l, slots, tenantNames(tenants), waiters}, err
}

func (m *storm) Round() (sample, error) {
	release, err := holdAll(m.lender, m.slots)
	if err != nil {
		return sample{}, err
	}
	defer release()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	results := make([]error, m.waiters)
	var group sync.WaitGroup
	for i := range results {
		group.Go(func() { results[i] = m.lender.Cycle(ctx, m.tenants[i%len(m.tenants)]) })
	}
	if err := settle(m.waiters); err != nil {
		return sample{}, err
	}
	s := timed(m.waiters, func() {
		cancel()
		group.Wait()
	})
	for _, err := range results {
		if !errors.Is(err, context.Canceled) {
			return s, fmt.Errorf("a waiter of the storm returned %v, not context.Canceled", err)
		}
	}
	return s, nil
}

func (m *storm) Close() { m.lender.Close() }
