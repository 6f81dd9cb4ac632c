package main

import (
	"context"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// counting is a lender that knows what was asked of it. It has no lock of its
// own for goroutines to be blocked on.
type counting struct {
	*semaphore.Weighted
	cycles  atomic.Int64
	blocked atomic.Int64 // cycles that did not get a slot at once
	opened  atomic.Int64 // cycles begun when the first held slot was released
	late    atomic.Int64 // cycles begun when their context had ended
	tenants sync.Map     // name to nothing
	ballast int          // bytes that a cycle needs while it waits
}

func newCounting(slots int) *counting {
	return &counting{Weighted: semaphore.NewWeighted(int64(slots))}
}

func (c *counting) peer() peer {
	return peer{"counting", "", false, func(int) (lender, error) { return c, nil }}
}

func (c *counting) Cycle(ctx context.Context, tenant string) error {
	c.cycles.Add(1)
	if ctx.Err() != nil {
		c.late.Add(1)
	}
	c.tenants.LoadOrStore(tenant, nil)
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

func (c *counting) Hold(ctx context.Context, _ string) (func(), error) {
	err := c.Acquire(ctx, 1)
	return func() {
		c.opened.CompareAndSwap(0, c.cycles.Load())
		c.Release(1)
	}, err
}

func (c *counting) Close() {}

func (c *counting) tenantCount() (n int) {
	c.tenants.Range(func(any, any) bool { n++; return true })
	return n
}
