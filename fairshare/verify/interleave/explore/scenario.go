package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/fairshare/verify/interleave/turns"
)

// A scenario is who uses a semaphore at the same time.
type scenario struct {
	name     string
	bound    int // interruptions
	cfg      fairshare.Config
	tenants  []string // of those that acquire a slot and release it, one each
	canceled int      // so many of them, the first ones, may be cancelled
	tries    int      // so many of them, the last ones, do not wait
	resizes  []int    // one after the other
	closes   bool
	full     bool // all slots are taken, for as long as it lasts
}

var scenarios = []scenario{
	{name: "3 callers, 1 slot", bound: 2, cfg: slots(1), tenants: []string{"a", "b", "a"}},
	{name: "3 callers, 2 slots", bound: 1, cfg: slots(2), tenants: []string{"a", "b", "a"}},
	{name: "3 callers, 1 slot, a cancel", bound: 1, cfg: slots(1), tenants: []string{"a", "b", "a"}, canceled: 1},
	{name: "2 callers, 1 slot, 2 cancels", bound: 2, cfg: slots(1), tenants: []string{"a", "b"}, canceled: 2},
	{name: "2 callers, 1 slot, a cancel, Close", bound: 1, cfg: slots(1), tenants: []string{"a", "a"}, canceled: 1, closes: true},
	{name: "2 callers, no slot, a cancel, Close", bound: 2, cfg: slots(1), full: true, tenants: []string{"a", "a"}, canceled: 1, closes: true},
	{name: "3 callers, one of them with TryAcquire", bound: 1, cfg: slots(1), tenants: []string{"a", "b", "a"}, tries: 1},
	{name: "2 callers, Resize down and up", bound: 2, cfg: slots(1), tenants: []string{"a", "b"}, resizes: []int{0, 1}},
	{name: "3 callers, two of them of a tenant with a Max of 1", bound: 1,
		cfg:     fairshare.Config{Capacity: 2, Tenants: map[string]fairshare.Share{"a": {Max: 1}}},
		tenants: []string{"a", "a", "b"}},
}

func slots(n int) fairshare.Config { return fairshare.Config{Capacity: n} }

// run is one run: everybody does what they do once, and in the end all slots
// are back.
func (sc scenario) run() func() string {
	s, err := fairshare.NewSemaphore(sc.cfg)
	if err != nil {
		turns.Fail(err.Error())
	}
	capacity, holders := sc.cfg.Capacity, 0
	var taken []fairshare.Permit
	for sc.full && len(taken) < capacity {
		p, _ := s.TryAcquire("other")
		taken = append(taken, p)
	}
	for i, tenant := range sc.tenants {
		name := fmt.Sprint("caller ", i, " for ", tenant)
		ctx := context.Background()
		if i < sc.canceled {
			var cancel context.CancelFunc
			ctx, cancel = context.WithCancel(ctx)
			turns.Go(fmt.Sprint("the context of caller ", i), cancel)
		}
		turns.Go(name, func() {
			p, ok := sc.acquire(ctx, s, tenant, i >= len(sc.tenants)-sc.tries)
			if !ok {
				return
			}
			if holders++; holders > sc.cfg.Capacity {
				turns.Fail(fmt.Sprintf("%d hold one of %d slots", holders, sc.cfg.Capacity))
			}
			turns.Pause("has its slot")
			holders--
			p.Release()
			p.Release() // does nothing
		})
	}
	if sc.resizes != nil {
		turns.Go("Resize", func() {
			for _, capacity = range sc.resizes {
				if err := s.Resize(capacity); err != nil {
					turns.Fail(err.Error())
				}
			}
		})
	}
	if sc.closes {
		turns.Go("Close", s.Close)
	}
	return func() string {
		for _, p := range taken {
			p.Release()
		}
		if st := s.Stats(); st.InUse != 0 || st.Waiting != 0 {
			return fmt.Sprintf("in the end %d slots are in use and %d wait", st.InUse, st.Waiting)
		}
		return sc.refill(s, capacity)
	}
}

// acquire takes a slot, false if there is a reason not to get one.
func (sc scenario) acquire(ctx context.Context, s *fairshare.Semaphore, tenant string, try bool) (fairshare.Permit, bool) {
	if try {
		return s.TryAcquire(tenant)
	}
	p, err := s.Acquire(ctx, tenant)
	switch {
	case err == nil:
		return p, true
	case errors.Is(err, fairshare.ErrClosed) && sc.closes:
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
	default:
		turns.Fail(fmt.Sprintf("an Acquire fails with %v", err))
	}
	return p, false
}

// refill takes all slots, which must be there.
func (sc scenario) refill(s *fairshare.Semaphore, capacity int) string {
	if sc.closes {
		return ""
	}
	for n := range capacity {
		if _, ok := s.TryAcquire(fmt.Sprint("new ", n)); !ok {
			return fmt.Sprintf("in the end %d of %d slots can be had", n, capacity)
		}
	}
	return ""
}
