package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
)

// An option is one thing that a pool.Config can ask for.
type option struct {
	name   string
	set    func(*pool.Config[*int])
	nested bool // the caller holds a lease already
	slow   bool // takes microseconds
}

// What would end a lease or a resource is far off: what is measured is what it
// takes to watch for it.
const (
	farOff   = time.Hour
	manyUses = 1 << 30
)

// configOptions are all that adds to a cycle, or might.
func configOptions() []option {
	hook := func(context.Context, *int) error { return nil }
	nothing := func(context.Context, pool.Event) {}
	return []option{
		{name: "Sizes.MinIdle", set: func(c *pool.Config[*int]) { c.Sizes.MinIdle = 2 }},
		{name: "Sizes.MaxIdle", set: func(c *pool.Config[*int]) { c.Sizes.MaxIdle = c.MaxSize }},
		{name: "Age.MaxUses", set: func(c *pool.Config[*int]) { c.Age.MaxUses = manyUses }},
		{name: "Age.MaxIdleTime", set: func(c *pool.Config[*int]) { c.Age.MaxIdleTime = farOff }},
		{name: "Age.MaxLifetime", set: func(c *pool.Config[*int]) { c.Age.MaxLifetime = farOff }},
		{name: "Health.Check, resource trusted", set: func(c *pool.Config[*int]) {
			c.Health.Check, c.Health.CheckAfter = hook, farOff
		}},
		{name: "Health.Check, called each time", slow: true, set: func(c *pool.Config[*int]) {
			c.Health.Check, c.Health.CheckAfter = hook, time.Nanosecond
		}},
		{name: "Tenancy.Prepare", slow: true, set: func(c *pool.Config[*int]) {
			c.Tenancy.Prepare = func(context.Context, *int, pool.Handover) error { return nil }
		}},
		{name: "Tenancy.Prepare, PrepareInline", slow: true, set: func(c *pool.Config[*int]) {
			c.Tenancy.Prepare = func(context.Context, *int, pool.Handover) error { return nil }
			c.Tenancy.PrepareInline = true
		}},
		{name: "Tenancy.Reset", slow: true, set: func(c *pool.Config[*int]) { c.Tenancy.Reset = hook }},
		{name: "Tenancy.Isolation: Dedicated", set: func(c *pool.Config[*int]) { c.Tenancy.Isolation = pool.Dedicated }},
		{name: "Guard.LeakAfter", slow: true, set: func(c *pool.Config[*int]) { c.Guard.LeakAfter = farOff }},
		{name: "Guard.DetectLost", slow: true, set: func(c *pool.Config[*int]) { c.Guard.DetectLost = true }},
		{name: "Guard.ForbidNested", set: func(c *pool.Config[*int]) { c.Guard.ForbidNested = true }},
		{name: "Guard.ForbidNested, ctx of a holder", set: func(c *pool.Config[*int]) { c.Guard.ForbidNested = true }, nested: true},
		{name: "Reclaim.After", set: func(c *pool.Config[*int]) { c.Reclaim.After = farOff }},
		{name: "Trace.AcquireDone", set: func(c *pool.Config[*int]) { c.Trace.AcquireDone = nothing }},
		{name: "Trace.WaitDone", set: func(c *pool.Config[*int]) { c.Trace.WaitDone = nothing }},
		{name: "Trace.Release", set: func(c *pool.Config[*int]) { c.Trace.Release = func(pool.Event) {} }},
		{name: "Logger", set: func(c *pool.Config[*int]) { c.Logger = slog.New(slog.DiscardHandler) }},
		{name: "Sharing.AcquireTimeout", set: func(c *pool.Config[*int]) { c.Sharing.AcquireTimeout = farOff }},
		{name: "Sharing.RejectLate", set: func(c *pool.Config[*int]) { c.Sharing.RejectLate = true }},
		{name: "Sharing.MaxWaiting", set: func(c *pool.Config[*int]) { c.Sharing.MaxWaiting = 1000 }},
		{name: "Sharing.ShareFunc", set: func(c *pool.Config[*int]) { c.Sharing.ShareFunc = fairshare.EqualShare }},
		{name: "MinIdle, MaxIdle, all of Age, LeakAfter, Reclaim and a Logger together", slow: true, set: func(c *pool.Config[*int]) {
			c.Sizes = pool.Sizes{MinIdle: 2, MaxIdle: c.MaxSize}
			c.Age = pool.Age{MaxIdleTime: farOff, MaxLifetime: farOff, MaxLifetimeJitter: farOff, MaxUses: manyUses}
			c.Guard.LeakAfter, c.Reclaim.After = farOff, farOff
			c.Logger = slog.New(slog.DiscardHandler)
		}},
	}
}
