package pool

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// faults collects what is wrong with a configuration.
type faults []error

func (f *faults) add(format string, args ...any) {
	*f = append(*f, fmt.Errorf("pool: Config."+format, args...))
}

// duration checks that d, of the named field, is neither negative nor so short that
// only a forgotten unit explains it, and fills in the default for 0.
func (f *faults) duration(field string, d *time.Duration, fallback time.Duration) {
	if *d > 0 && *d < time.Millisecond {
		f.add("%s is %v, must be at least 1ms; for seconds write %d*time.Second", field, *d, int64(*d))
	}
	f.short(field, d, fallback)
}

// short is duration for a field that may be as short as a nanosecond.
func (f *faults) short(field string, d *time.Duration, fallback time.Duration) {
	if *d < 0 {
		f.add("%s is %v, must not be negative", field, *d)
	} else if *d == 0 {
		*d = fallback
	}
	*d = min(*d, longest)
}

// longest is for ever. The sum of a few is still a time.Duration.
const longest = math.MaxInt64 / 4

func (f *faults) count(field string, n int) {
	if n < 0 {
		f.add("%s is %d, must not be negative", field, n)
	}
}

// check returns the configuration with its defaults, or all that is wrong.
func (c Config[T]) check() (Config[T], error) {
	var f faults
	if c.Constructor == nil {
		f.add("Constructor is nil")
	}
	if c.Destructor == nil {
		c.Destructor = func(T) {}
	}
	if c.MaxSize < 1 || c.MaxSize > math.MaxInt32 {
		f.add("MaxSize is %d, must be between 1 and %d", c.MaxSize, math.MaxInt32)
	} else if c.Sharing.Capacity > c.MaxSize {
		f.add("Sharing.Capacity is %d, more than the MaxSize of %d", c.Sharing.Capacity, c.MaxSize)
	}
	if c.Sharing.Capacity == 0 && c.MaxSize > 0 {
		c.Sharing.Capacity = c.MaxSize
	}
	f.duration("BuildTimeout", &c.BuildTimeout, 10*time.Second)
	first, most := 50*time.Millisecond, max(time.Second, c.Backoff.Min)
	if c.Backoff.Max > 0 {
		first = min(first, c.Backoff.Max)
	}
	f.duration("Backoff.Min", &c.Backoff.Min, first)
	f.duration("Backoff.Max", &c.Backoff.Max, most)
	if c.Backoff.Min > 0 && c.Backoff.Max > 0 && c.Backoff.Min > c.Backoff.Max {
		f.add("Backoff.Min is %v, more than the Max of %v", c.Backoff.Min, c.Backoff.Max)
	}
	f.duration("DestroyTimeout", &c.DestroyTimeout, time.Minute)
	c.checkSizes(&f)
	c.checkAge(&f)
	c.checkHooks(&f)
	f.duration("Guard.LeakAfter", &c.Guard.LeakAfter, 0)
	f.duration("Reclaim.After", &c.Reclaim.After, 0)
	f.duration("Reclaim.Grace", &c.Reclaim.Grace, 10*time.Second)
	return c, errors.Join(f...)
}

func (c *Config[T]) checkSizes(f *faults) {
	f.count("Sizes.MinIdle", c.Sizes.MinIdle)
	f.count("Sizes.MaxIdle", c.Sizes.MaxIdle)
	f.count("Sizes.MaxConcurrentBuilds", c.Sizes.MaxConcurrentBuilds)
	if c.Sizes.MinIdle > c.MaxSize && c.MaxSize > 0 {
		f.add("Sizes.MinIdle is %d, more than the MaxSize of %d", c.Sizes.MinIdle, c.MaxSize)
	}
	if c.Sizes.MaxIdle > 0 && c.Sizes.MinIdle > c.Sizes.MaxIdle {
		f.add("Sizes.MinIdle is %d, more than the MaxIdle of %d", c.Sizes.MinIdle, c.Sizes.MaxIdle)
	}
}

func (c *Config[T]) checkAge(f *faults) {
	f.duration("Age.MaxIdleTime", &c.Age.MaxIdleTime, 0)
	f.duration("Age.MaxLifetime", &c.Age.MaxLifetime, 0)
	f.duration("Age.MaxLifetimeJitter", &c.Age.MaxLifetimeJitter, 0)
	f.count("Age.MaxUses", c.Age.MaxUses)
	if c.Age.MaxLifetimeJitter > 0 && c.Age.MaxLifetime == 0 {
		f.add("Age.MaxLifetimeJitter is %v without a MaxLifetime", c.Age.MaxLifetimeJitter)
	}
}

func (c *Config[T]) checkHooks(f *faults) {
	if c.Health.Check == nil {
		switch {
		case c.Health.CheckAfter != 0:
			f.add("Health.CheckAfter is %v without a Check", c.Health.CheckAfter)
		case c.Health.CheckTimeout != 0:
			f.add("Health.CheckTimeout is %v without a Check", c.Health.CheckTimeout)
		case c.Health.KeepAlive != 0:
			f.add("Health.KeepAlive is %v without a Check", c.Health.KeepAlive)
		}
	}
	if c.Tenancy.Prepare == nil && c.Tenancy.PrepareTimeout != 0 {
		f.add("Tenancy.PrepareTimeout is %v without a Prepare", c.Tenancy.PrepareTimeout)
	}
	if c.Tenancy.Prepare == nil && c.Tenancy.PrepareInline {
		f.add("Tenancy.PrepareInline is true without a Prepare")
	}
	if c.Tenancy.Reset == nil && c.Tenancy.ResetTimeout != 0 {
		f.add("Tenancy.ResetTimeout is %v without a Reset", c.Tenancy.ResetTimeout)
	}
	if c.Tenancy.ResetIdle && (c.Tenancy.Prepare == nil || c.Tenancy.Reset == nil) {
		f.add("Tenancy.ResetIdle is true without a Prepare and a Reset")
	}
	if c.Tenancy.Isolation != Shared && c.Tenancy.Isolation != Dedicated {
		f.add("Tenancy.Isolation is %d, must be Shared or Dedicated", c.Tenancy.Isolation)
	}
	f.short("Health.CheckAfter", &c.Health.CheckAfter, 500*time.Millisecond)
	f.duration("Health.CheckTimeout", &c.Health.CheckTimeout, 5*time.Second)
	f.duration("Health.KeepAlive", &c.Health.KeepAlive, 0)
	f.duration("Tenancy.PrepareTimeout", &c.Tenancy.PrepareTimeout, 5*time.Second)
	f.duration("Tenancy.ResetTimeout", &c.Tenancy.ResetTimeout, 5*time.Second)
}
