package adaptfair

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
)

// A Config bounds the limit. The zero value is a good one.
type Config struct {
	// Min and Max are the least and the greatest limit. 0 means 1 for Min. For
	// Max it means the MaxSize of a pool, and 1,000 otherwise.
	Min, Max int
}

const defaultMax = 1000

// Slots are what a Limiter resizes: a *fairshare.Semaphore, a *pool.Pool, or what
// wraps one, such as a *pgxfair.Pool. Nobody else should resize them.
type Slots interface {
	Resize(capacity int) error
}

// A Limiter finds out how many calls the protected side bears at once, and resizes
// Slots to that. It has to be told when each call begins and ends: by a Gate, by the
// Trace of a pool, or by Begin. Its methods may be called from any goroutine.
type Limiter struct {
	config Config

	mu       sync.Mutex
	law      law
	resize   func(int) error // nil until Drive
	applied  int
	applying bool
	err      error
}

// Stats are the figures of a Limiter.
type Stats struct {
	Limit    int // that is thought right
	Level    int // in force: the limit, or for a moment what is tried instead
	Min, Max int
	InFlight int
	Moves    uint64 // of the limit, since the start
	Err      error  // of the last Resize that failed
}

// New returns a Limiter, which does nothing before Drive. It returns an error that
// names what is wrong with cfg.
func New(cfg Config) (*Limiter, error) {
	switch {
	case cfg.Min < 0:
		return nil, fmt.Errorf("adaptfair: Config.Min is %d, must not be negative; 0 means 1", cfg.Min)
	case cfg.Max < 0:
		return nil, fmt.Errorf("adaptfair: Config.Max is %d, must not be negative", cfg.Max)
	case cfg.Max > 0 && cfg.Min > cfg.Max:
		return nil, fmt.Errorf("adaptfair: Config.Min is %d, more than the Max of %d", cfg.Min, cfg.Max)
	}
	return &Limiter{config: cfg}, nil
}

// Drive has the Limiter resize the slots from now on. It begins with the capacity
// that they have. It returns an error if that is not within Min and Max, or the
// Limiter drives slots already.
func (l *Limiter) Drive(slots Slots) error {
	least, most := max(l.config.Min, 1), l.config.Max
	capacity := 0
	switch s := slots.(type) {
	case interface{ Stats() fairshare.Stats }:
		capacity = s.Stats().Capacity
	case interface{ Stats() pool.Stats }:
		stats := s.Stats()
		capacity = stats.Capacity
		if most == 0 {
			most = stats.MaxSize
		} else if most > stats.MaxSize {
			return fmt.Errorf("adaptfair: Config.Max is %d, more than the MaxSize of %d", most, stats.MaxSize)
		}
	default:
		return errors.New("adaptfair: the slots have no Stats with a capacity to begin with")
	}
	if most == 0 {
		most = max(defaultMax, capacity)
	}
	if capacity < least || capacity > most {
		return fmt.Errorf("adaptfair: the slots have a capacity of %d, must be between Min, %d, and Max, %d", capacity, least, most)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.resize != nil {
		return errors.New("adaptfair: the Limiter drives slots already")
	}
	inFlight, waiting := l.law.inFlight, l.law.waiting
	l.law = newLaw(least, most, capacity, time.Now())
	l.law.inFlight, l.law.waiting = inFlight, waiting
	l.resize, l.applied = slots.Resize, capacity
	return nil
}

// Stats returns the figures of the moment.
func (l *Limiter) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Stats{
		Limit: l.law.limit, Level: l.law.level, Min: l.law.min, Max: l.law.max,
		InFlight: l.law.inFlight, Moves: l.law.moves, Err: l.err,
	}
}

// A Call is one that the protected side works on.
type Call struct {
	limiter *Limiter
	begun   time.Time
	ended   atomic.Bool
}

// Begin notes that a call has got its slot and goes out. The caller calls End. A Gate
// is better: it sees also who waits, and so whether the load fills the limit although
// a slot takes a moment to get from one call to the next.
func (l *Limiter) Begin() *Call {
	c := &Call{limiter: l, begun: time.Now()}
	l.begin(c.begun)
	return c
}

// End notes that the call has ended, and whether it was served: not if it was refused,
// timed out or failed otherwise for want of capacity. It comes before the slot is
// given back. Further calls do nothing.
func (c *Call) End(served bool) {
	if !c.ended.Swap(true) {
		now := time.Now()
		c.limiter.end(now, now.Sub(c.begun), served)
	}
}

// Trace returns hooks for the configuration of a pool whose resources are places at
// the protected side, such as connections with a database. A call begins when a
// resource is acquired, and ends when it is released.
func (l *Limiter) Trace() pool.Trace {
	return pool.Trace{
		AcquireDone: func(_ context.Context, e pool.Event) {
			if e.Err == nil {
				l.begin(time.Now())
			}
		},
		Release: func(e pool.Event) { l.end(time.Now(), e.Took, true) },
		WaitStart: func(ctx context.Context, _ pool.Event) context.Context {
			l.wait(1)
			return ctx
		},
		WaitDone: func(context.Context, pool.Event) { l.wait(-1) },
	}
}

// wait notes that so many more wait for a slot, or fewer.
func (l *Limiter) wait(more int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.law.wait(time.Now(), more)
}

func (l *Limiter) begin(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.law.start(now)
}

func (l *Limiter) end(now time.Time, took time.Duration, served bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.resize == nil {
		l.law.inFlight--
		return
	}
	l.law.end(now, took, served)
	l.applyLocked()
}

// bound changes the greatest limit.
func (l *Limiter) bound(most int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if most < l.law.min {
		return fmt.Errorf("adaptfair: Resize to %d, less than the Min of %d", most, l.law.min)
	}
	l.law.bound(time.Now(), most)
	l.applyLocked()
	return nil
}

// applyLocked tells the slots of a new level, one caller at a time.
func (l *Limiter) applyLocked() {
	if l.applying {
		return // whoever does it looks again
	}
	l.applying = true
	defer func() { l.applying = false }()
	for l.applied != l.law.level {
		level := l.law.level
		l.mu.Unlock()
		err := l.resize(level) // which may run code of the user, such as a ShareFunc
		l.mu.Lock()
		l.applied = level
		if err != nil {
			l.err = err
		}
	}
}
