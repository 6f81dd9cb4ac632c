package soak

import (
	"context"
	"errors"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
)

const maxSize = 16

// A setup is a configuration that the soak runs, under its name.
type setup struct {
	name  string
	apply func(c *pool.Config[*thing], f *faults)
}

// setups are run one after the other.
var setups = []setup{
	{"plain", func(*pool.Config[*thing], *faults) {}},
	{"everything", func(c *pool.Config[*thing], f *faults) {
		sizes(c, f)
		hooks(c, f)
		guards(c, f)
		bounds(c, f)
	}},
	{"strict shares", func(c *pool.Config[*thing], f *faults) {
		hooks(c, f)
		c.Sharing.ShareFunc = func(capacity, tenants int) int {
			_ = f.strike(context.Background(), inShareFunc)
			return fairshare.EqualShare(capacity, tenants)
		}
		c.Sharing.Headroom = 0
	}},
	{"dedicated", func(c *pool.Config[*thing], f *faults) {
		sizes(c, f)
		c.Tenancy.Isolation = pool.Dedicated
		c.Health.Check = hook(f)
		c.Health.KeepAlive = 20 * f.unit
	}},
	{"impatient", func(c *pool.Config[*thing], f *faults) {
		bounds(c, f)
		c.Sharing.RejectLate = true
		c.Sharing.Horizon = fairshare.Instant
		c.Reclaim = pool.Reclaim{After: 10 * f.unit, Grace: 10 * f.unit}
	}},
}

// config is what all setups have in common, with that of s.
func (s setup) config(f *factory) pool.Config[*thing] {
	unit := f.faults.unit
	c := pool.Config[*thing]{
		Constructor:    f.construct,
		Destructor:     f.destruct,
		MaxSize:        maxSize,
		BuildTimeout:   50 * unit,
		DestroyTimeout: 50 * unit,
		Sharing: fairshare.Config{
			Tenants: map[string]fairshare.Share{
				"t0": {Weight: 3}, "t1": {Max: 1}, "t2": {Min: 2}, "t3": {Max: 3, Weight: 0.5}, "t4": {MaxWaiting: 1},
			},
			Headroom: 1,
		},
	}
	s.apply(&c, f.faults)
	return c
}

func hook(f *faults) func(context.Context, *thing) error {
	return func(ctx context.Context, _ *thing) error { return f.strike(ctx, inHook) }
}

func sizes(c *pool.Config[*thing], f *faults) {
	c.Sizes = pool.Sizes{MinIdle: 4, MaxIdle: 12, MaxConcurrentBuilds: 6}
	c.Age = pool.Age{MaxIdleTime: 50 * f.unit, MaxLifetime: 400 * f.unit, MaxLifetimeJitter: 100 * f.unit, MaxUses: 50}
}

func hooks(c *pool.Config[*thing], f *faults) {
	c.Health = pool.Health[*thing]{
		Check:        hook(f),
		CheckAfter:   2 * f.unit,
		CheckTimeout: 20 * f.unit,
		KeepAlive:    20 * f.unit,
		MarkBad: func(err error) bool {
			if f.strike(context.Background(), inTrace) != nil {
				return false
			}
			return errors.Is(err, errFailover)
		},
	}
	c.Tenancy = pool.Tenancy[*thing]{
		Prepare:        func(ctx context.Context, th *thing, _ pool.Handover) error { return f.strike(ctx, inHook) },
		Reset:          hook(f),
		PrepareTimeout: 20 * f.unit,
		ResetTimeout:   20 * f.unit,
	}
}

func guards(c *pool.Config[*thing], f *faults) {
	c.Guard = pool.Guard{LeakAfter: 20 * f.unit, DetectLost: true, ForbidNested: true}
	c.Reclaim = pool.Reclaim{After: 20 * f.unit, Grace: 10 * f.unit}
	told := func(context.Context, pool.Event) { _ = f.strike(context.Background(), inTrace) }
	begun := func(ctx context.Context, _ pool.Event) context.Context {
		_ = f.strike(ctx, inTrace)
		return ctx
	}
	c.Trace = pool.Trace{
		AcquireStart: begun, AcquireDone: told,
		WaitStart: begun, WaitDone: told,
		BuildStart: begun, BuildDone: told,
		PrepareStart: begun, PrepareDone: told,
		DestroyStart: begun, DestroyDone: told,
		Release: func(pool.Event) { _ = f.strike(context.Background(), inTrace) },
		Revoke:  func(pool.Event) { _ = f.strike(context.Background(), inTrace) },
		Leak:    func(pool.Leak) { _ = f.strike(context.Background(), inTrace) },
		Nested:  func(pool.Event) { _ = f.strike(context.Background(), inTrace) },
	}
}

func bounds(c *pool.Config[*thing], f *faults) {
	c.Sharing.Default.MaxWaiting = 20
	c.Sharing.MaxWaiting = 150
	c.Sharing.AcquireTimeout = 200 * f.unit
}
