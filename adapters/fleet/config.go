package fleet

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"
)

// A Config describes a Member. Engine and Terms are required.
type Config struct {
	// Engine is where the fleet keeps its state.
	Engine Engine

	// Terms are those of the whole fleet.
	Terms Terms

	// Process is the name of this start of the process. No two may ever have
	// the same. "" means the name of the host and a random number.
	Process string

	// Margin is how long before the end of its TTL the process regards its
	// grant as over: for what the engine's clock may be ahead, and for the
	// time that it takes to notice. It is at least 1.25 Refresh. 0 means 1.5.
	Margin time.Duration

	// Timeout ends a sync that gets no answer. 0 means half of Refresh.
	Timeout time.Duration

	// Fencer ends what a process had whose grant has expired. nil: nobody
	// does, and Terms.Quarantine has to be long enough for it to end by
	// itself. All members have one, or none.
	Fencer Fencer

	// AssumeFresh lets the first process of a fleet begin at once. Otherwise
	// an engine that knows nothing of the fleet waits for TTL and Quarantine,
	// for processes to appear whose grants it may have lost. If that is what
	// has happened, AssumeFresh breaks the capacity: it is for tests, and for
	// the first start.
	AssumeFresh bool

	// OnExpired is called, in a goroutine of its own, when the grant is lost:
	// work under a slot is to stop.
	OnExpired func(err error)

	// Logger is told what went wrong. nil is silent.
	Logger *slog.Logger
}

// check fills in the defaults, or returns all that is wrong.
func (c Config) check() (Config, error) {
	c.Terms = c.Terms.withDefaults()
	c.Terms.Fence = c.Fencer != nil
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("fleet: "+format, args...)) }
	if c.Engine == nil {
		wrong("Config.Engine is nil")
	}
	if c.Process == "" {
		c.Process = newProcess()
	}
	if len(c.Process) > 256 {
		wrong("Config.Process is %d bytes long, must be at most 256", len(c.Process))
	}
	if err := c.Terms.check(); err != nil {
		return c, errors.Join(append(errs, err)...)
	}
	refresh := c.Terms.Refresh
	if c.Margin == 0 {
		c.Margin = refresh + refresh/2
	}
	if c.Timeout == 0 {
		c.Timeout = refresh / 2
	}
	if least := c.Terms.maxStep(); c.Margin < least {
		wrong("Config.Margin is %v, must be at least 1.25 Terms.Refresh, %v, by which the engine's clock may jump", c.Margin, least)
	}
	if c.Timeout < time.Millisecond {
		wrong("Config.Timeout is %v, must be at least 1ms", c.Timeout)
	}
	if least := c.Margin + refresh + refresh/5 + c.Timeout; c.Terms.TTL < least {
		wrong("Terms.TTL is %v, must be at least %v: Margin of %v, 1.2 Refresh and Timeout of %v", c.Terms.TTL, least, c.Margin, c.Timeout)
	}
	return c, errors.Join(errs...)
}

func newProcess() string {
	host, err := os.Hostname()
	if err != nil {
		host = "host"
	}
	return fmt.Sprintf("%.100s-%s", host, rand.Text()[:16])
}
