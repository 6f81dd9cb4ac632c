package fairshare

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/fairpool/fairpool/fairshare/sched"
)

// A Share is what one tenant may claim. The zero Share is an equal claim
// without bounds.
type Share struct {
	// Weight is the tenant's relative claim: with weights 1 and 3 and both
	// waiting all the time, the slot-time is shared 25:75. 0 means 1; else it
	// lies between 1e-6 and 1e6.
	Weight float64

	// Min is the number of held slots below which the tenant is served before
	// all others. It is a promise about the next slots that come free, not
	// about now. The Mins of all named tenants together fit in the capacity.
	// As part of Config.Default it applies to each unnamed tenant, as far as
	// the capacity reaches.
	Min int

	// Max is the most slots that the tenant may hold at once, even while
	// others are free. 0 means no cap.
	Max int

	// MaxWaiting is the greatest length of the tenant's queue. Beyond it
	// Acquire fails at once with ErrQueueFull. 0 means no bound.
	MaxWaiting int
}

// Instant, as Config.Horizon, orders tenants by held slots over weight alone,
// without memory of what they had before.
const Instant time.Duration = math.MaxInt64

// A Config describes a Semaphore, and the sharing of a pool.Pool.
type Config struct {
	// Capacity is the number of slots, at least 1 and at most 2^31-1.
	Capacity int

	// Default is the share of a tenant that Tenants does not name.
	Default Share

	// Tenants are the shares of tenants known by name. The map is copied.
	Tenants map[string]Share

	// RequireTenant has an Acquire fail at once with ErrNoTenant if it names no
	// tenant and its context carries none; a TryAcquire without a name takes
	// nothing, and neither does a Join. Otherwise all who forget to name
	// themselves are one tenant, the anonymous one.
	RequireTenant bool

	// ShareFunc switches to strict shares: a tenant of weight w may hold at
	// most max(MinShare, ShareFunc(capacity, tenants))*w slots, rounded down
	// but at least 1, even while slots are free; tenants is the number of
	// those that hold, wait or are joined. It is called again whenever the
	// capacity or that number has changed, by the goroutine whose call changed
	// it, and never under a lock. A result outside 0 to capacity counts as the
	// nearer of the two; a panic counts as 0 and shows in Stats.ShareFuncErr.
	// It must not call runtime.Goexit: the goroutine may have a slot already.
	//
	// nil is work-conserving: no slot is idle while somebody waits who may
	// have it.
	ShareFunc func(capacity, tenants int) int

	// MinShare is the least that ShareFunc may leave a tenant; 0 means 1.
	MinShare int

	// Horizon is how far ahead the slots that a tenant holds are counted
	// against it, see package sched. 0 follows the mean holding time, which is
	// right for nearly everybody. A single hold, however long, at most doubles
	// it, so that it stays below the mean where long holds are rare.
	Horizon time.Duration

	// Burst is the slot-time that an absent tenant may save up and spend on
	// being served first when it returns. 0 means four mean holding times, or
	// four times Horizon if that is set. Twice is the least: a smaller or negative
	// Burst means that.
	Burst time.Duration

	// Headroom is the number of last free slots that only tenants holding none
	// may take: a newcomer is served at once, at the price of utilization.
	Headroom int

	// MaxWaiting is the greatest number of waiters of all tenants together.
	// Beyond it, the tenant with the longest queue over weight loses the last
	// waiter in it, which fails with ErrQueueFull; a newcomer that would itself
	// have the longest queue fails instead. The first waiter of every tenant
	// comes before the second of any other. If all tenants that wait have one
	// waiter each, the first waiter of a heavier tenant replaces that of the
	// lightest. 0 means no bound.
	MaxWaiting int

	// AcquireTimeout ends a wait with ErrAcquireTimeout, whatever the deadline
	// of the caller, which may be about the work to follow. One timer serves
	// all waiters. 0 means none; else it is at least a millisecond.
	AcquireTimeout time.Duration

	// RejectLate has an Acquire fail at once with ErrLate if all slots are in
	// use and the estimated wait is longer than the context or AcquireTimeout
	// allows. The estimate goes by how fast the tenant's queue has moved lately;
	// if nobody of the tenant waits, by its share, its debt and the latest
	// releases. After a slow spell it is right again within a few dozen releases.
	// The clock is read with every Acquire and Release then.
	RejectLate bool
}

// EqualShare is capacity/tenants, the strict share of aio-fairshare: of 10
// slots, 1 tenant may hold 10, 2 tenants 5 each, 3 tenants 3, 5 tenants 2 and
// 10 tenants 1.
func EqualShare(capacity, tenants int) int { return capacity / tenants }

const (
	minWeight = 1e-6
	maxWeight = 1e6
)

// check returns the share with its defaults filled in, or an error that names
// the field, called what in the message, and its value.
func (s Share) check(what string) (Share, error) {
	if s.Weight == 0 {
		s.Weight = 1
	}
	switch {
	case !(s.Weight >= minWeight && s.Weight <= maxWeight): // NaN is neither
		return s, fmt.Errorf("%s.Weight is %v, must be between %v and %v, or 0 for 1", what, s.Weight, minWeight, maxWeight)
	case s.Min < 0:
		return s, fmt.Errorf("%s.Min is %d, must not be negative", what, s.Min)
	case s.Max < 0:
		return s, fmt.Errorf("%s.Max is %d, must not be negative; 0 means no cap", what, s.Max)
	case s.Max > 0 && s.Min > s.Max:
		return s, fmt.Errorf("%s.Min is %d, more than its Max of %d", what, s.Min, s.Max)
	case s.MaxWaiting < 0:
		return s, fmt.Errorf("%s.MaxWaiting is %d, must not be negative; 0 means no bound", what, s.MaxWaiting)
	}
	return s, nil
}

// check returns the scheduler's configuration, or all that is wrong with c, which
// the errors call by the given name. What is compared with a Capacity that is wrong
// itself is not told.
func (c Config) check(name string) (sched.Config, error) {
	var errs []error
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf(name+"."+format, args...))
	}
	capacity := c.Capacity
	if c.Capacity < 1 || c.Capacity > math.MaxInt32 {
		wrong("Capacity is %d, must be between 1 and %d", c.Capacity, math.MaxInt32)
		capacity = math.MaxInt
	}
	switch {
	case c.MinShare < 0:
		wrong("MinShare is %d, must not be negative; 0 means 1", c.MinShare)
	case c.MinShare > 0 && c.ShareFunc == nil:
		wrong("MinShare is %d without a ShareFunc, where it means nothing; for a guaranteed minimum see Share.Min", c.MinShare)
	case c.MinShare > capacity:
		wrong("MinShare is %d, more than the Capacity of %d", c.MinShare, c.Capacity)
	}
	if c.Horizon < 0 {
		wrong("Horizon is %v, must not be negative; 0 follows the mean holding time", c.Horizon)
	}
	switch {
	case c.Headroom < 0:
		wrong("Headroom is %d, must not be negative; 0 means none", c.Headroom)
	case c.Headroom > capacity:
		wrong("Headroom is %d, more than the Capacity of %d", c.Headroom, c.Capacity)
	}
	if c.MaxWaiting < 0 {
		wrong("MaxWaiting is %d, must not be negative; 0 means no bound", c.MaxWaiting)
	}
	switch {
	case c.AcquireTimeout < 0:
		wrong("AcquireTimeout is %v, must not be negative; 0 means none", c.AcquireTimeout)
	case c.AcquireTimeout > 0 && c.AcquireTimeout < time.Millisecond:
		wrong("AcquireTimeout is %v, must be at least 1ms; for seconds write %d*time.Second", c.AcquireTimeout, int64(c.AcquireTimeout))
	}
	fallback, err := c.Default.check(name + ".Default")
	if err != nil {
		errs = append(errs, err)
	} else if fallback.Min > capacity {
		wrong("Default.Min is %d, more than the Capacity of %d", fallback.Min, c.Capacity)
	}
	shares := make(map[string]sched.Share, len(c.Tenants))
	guaranteed := 0
	if _, anonymous := c.Tenants[""]; anonymous && c.RequireTenant {
		wrong(`Tenants[""] is set, but with RequireTenant nobody is without a name`)
	}
	for _, tenant := range slices.Sorted(maps.Keys(c.Tenants)) {
		what := fmt.Sprintf("%s.Tenants[%s]", name, quote(tenant))
		share, err := c.Tenants[tenant].check(what)
		if err == nil && share.Min > capacity {
			err = fmt.Errorf("%s.Min is %d, more than the Capacity of %d", what, share.Min, c.Capacity)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		shares[tenant] = sched.Share(share)
		guaranteed += share.Min
	}
	if guaranteed > capacity {
		wrong("Tenants have Mins that sum to %d, more than the Capacity of %d", guaranteed, c.Capacity)
	}
	return sched.Config{
		Capacity: c.Capacity,
		Default:  sched.Share(fallback),
		Shares:   shares,
		Strict:   c.ShareFunc != nil,
		Horizon:  c.Horizon,
		Burst:    c.Burst,
		Headroom: c.Headroom,

		RankQueues: c.MaxWaiting > 0,
	}, errors.Join(errs...)
}

// quote shows a tenant's name in a message: odd bytes escaped, long names cut.
func quote(tenant string) string {
	const most = 64
	if len(tenant) <= most {
		return fmt.Sprintf("%q", tenant)
	}
	return fmt.Sprintf("%q... (%d bytes)", tenant[:most], len(tenant))
}
