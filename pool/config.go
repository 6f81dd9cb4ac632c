package pool

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/fairpool/fairpool/fairshare"
)

// A Config describes a Pool. Constructor and MaxSize are required; the rest
// has useful zero values.
type Config[T any] struct {
	// Constructor builds a resource. It runs in a goroutine of its own, on a
	// context of the pool: the end of an Acquire does not end the build,
	// BuildTimeout and Close do. An error, a panic, a call of runtime.Goexit
	// and a nil interface all count as a failed build.
	Constructor func(ctx context.Context) (T, error)

	// Destructor ends a resource. It runs in a goroutine of its own; until it
	// returns the resource counts against MaxSize. A panic in it counts as a
	// return and shows in Stats. nil means that there is nothing to do.
	Destructor func(T)

	// MaxSize is the most resources that exist at once, those being built and
	// destroyed included, between 1 and 2^31-1. It is the capacity too unless
	// Sharing.Capacity is less.
	MaxSize int

	// Sharing says who gets how much. Its zero value shares equally.
	Sharing fairshare.Config

	// BuildTimeout ends the context of a Constructor. 0 means one minute.
	BuildTimeout time.Duration
}

// check returns the configuration with its defaults, or all that is wrong.
func (c Config[T]) check() (Config[T], error) {
	var errs []error
	if c.Constructor == nil {
		errs = append(errs, errors.New("pool: Config.Constructor is nil"))
	}
	if c.Destructor == nil {
		c.Destructor = func(T) {}
	}
	if c.MaxSize < 1 || c.MaxSize > math.MaxInt32 {
		errs = append(errs, fmt.Errorf("pool: Config.MaxSize is %d, must be between 1 and %d", c.MaxSize, math.MaxInt32))
	} else if c.Sharing.Capacity > c.MaxSize {
		errs = append(errs, fmt.Errorf("pool: Config.Sharing.Capacity is %d, more than the MaxSize of %d", c.Sharing.Capacity, c.MaxSize))
	}
	if c.Sharing.Capacity == 0 && c.MaxSize > 0 {
		c.Sharing.Capacity = c.MaxSize
	}
	if c.BuildTimeout < 0 {
		errs = append(errs, fmt.Errorf("pool: Config.BuildTimeout is %v, must not be negative; 0 means one minute", c.BuildTimeout))
	} else if c.BuildTimeout == 0 {
		c.BuildTimeout = time.Minute
	}
	return c, errors.Join(errs...)
}
