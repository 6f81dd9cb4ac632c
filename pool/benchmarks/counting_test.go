package main

import (
	"context"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// counting is a lender that knows what was asked of it.
type counting struct {
	*semaphore.Weighted
	cycles  atomic.Int64
	blocked atomic.Int64 // cycles that did not get a slot at once
	ballast int          // bytes that a cycle needs while it waits

	mu        sync.Mutex
	byTenant  map[string]int
	atRelease []int64 // cycles begun when a held slot was released
}

func newCounting(slots int) *counting {
	return &counting{Weighted: semaphore.NewWeighted(int64(slots)), byTenant: make(map[string]int)}
}

func (c *counting) peer() peer {
	return peer{"counting", func(int) (lender, error) { return c, nil }}
}

func (c *counting) Cycle(ctx context.Context, tenant string) error {
	c.cycles.Add(1)
	c.mu.Lock()
	c.byTenant[tenant]++
	c.mu.Unlock()
	if !c.TryAcquire(1) {
		c.blocked.Add(1)
		var ballast []byte
		if c.ballast > 0 {
			ballast = make([]byte, c.ballast)
		}
		if err := c.Acquire(ctx, 1); err != nil {
			return err
		}
		if len(ballast) > 0 {
			ballast[0]++ // keeps it alive until here
		}
	}
	c.Release(1)
	return nil
}

func (c *counting) Hold(string) (func(), error) {
	err := c.Acquire(context.Background(), 1)
	return func() {
		c.mu.Lock()
		c.atRelease = append(c.atRelease, c.cycles.Load())
		c.mu.Unlock()
		c.Release(1)
	}, err
}

func (c *counting) Close() {}
