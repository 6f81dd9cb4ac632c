package upstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/fairpool/fairpool/adapters/internal/gate"
	"github.com/fairpool/fairpool/adapters/internal/unit"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/fairpool/fairpool/pool"
)

// Slots are what calls wait for: a *fairshare.Semaphore or a *pool.Pool.
type Slots[P gate.Permit] interface {
	gate.Gate[P]
	Resize(capacity int) error
	Suspend()
	Resume()
}

// A Config says how an Upstream behaves. The adapters document it.
type Config struct {
	Fixed         bool
	Min           int
	IncreaseAfter time.Duration
	MaxPause      time.Duration
	LeakAfter     time.Duration
	Leak          func(Leak)
}

// Stats are the figures of an Upstream.
type Stats struct {
	Capacity  int
	Min, Max  int
	InFlight  int
	PausedFor time.Duration

	Overloads uint64
	Increases uint64
	Decreases uint64
	Pauses    uint64
	Leaks     uint64
	Lost      uint64
	Err       error
}

// An Upstream is the other side of calls.
type Upstream struct {
	config  Config
	enter   func(context.Context) (context.Context, func(served bool), *gate.Refusal)
	resize  func(int) error
	suspend func()
	resume  func()

	mu        sync.Mutex
	aimd      aimd
	applied   setting
	applying  bool
	timer     *time.Timer // for the end of the pause
	overloads uint64
	leaks     uint64
	lost      uint64
	err       error
}

// A setting is what the slots are told.
type setting struct {
	capacity int
	paused   bool
}

// New returns an Upstream over slots, or an error that names each wrong field
// of cfg and its value after the given prefix.
func New[P gate.Permit](slots Slots[P], cfg Config, prefix string) (*Upstream, error) {
	capacity := capacityOf(slots)
	cfg, err := cfg.check(prefix, capacity)
	if err != nil {
		return nil, err
	}
	door := gate.NewDoor(slots, gate.DefaultMaxRetryAfter)
	return &Upstream{
		config: cfg,
		enter: func(ctx context.Context) (context.Context, func(served bool), *gate.Refusal) {
			p, refusal := door.Enter(ctx)
			if refusal != nil {
				return nil, nil, refusal
			}
			ctx, cancel := gate.Context(ctx, p)
			return ctx, func(served bool) {
				cancel()
				if served {
					p.Release()
				} else {
					gate.Fail(p)
				}
			}, nil
		},
		resize:  slots.Resize,
		suspend: slots.Suspend,
		resume:  slots.Resume,
		aimd:    newAIMD(cfg.Min, capacity, cfg.IncreaseAfter, time.Now()),
		applied: setting{capacity: capacity},
	}, nil
}

// capacityOf returns the capacity of slots, 0 if they do not tell it.
func capacityOf(slots any) int {
	switch s := slots.(type) {
	case interface{ Stats() fairshare.Stats }:
		return s.Stats().Capacity
	case interface{ Stats() pool.Stats }:
		return s.Stats().Capacity
	}
	return 0
}

func (c Config) check(prefix string, capacity int) (Config, error) {
	var errs []error
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf(prefix+format, args...))
	}
	switch {
	case capacity < 1 && !c.Fixed:
		wrong(".Fixed is false, but the slots have or tell no capacity to adapt")
	case c.Min < 0 || c.Min > capacity && !c.Fixed:
		wrong(".Min is %d, must be between 1 and the capacity of %d, or 0 for 1", c.Min, capacity)
	}
	for _, d := range []struct {
		field string
		value time.Duration
	}{{"IncreaseAfter", c.IncreaseAfter}, {"MaxPause", c.MaxPause}, {"LeakAfter", c.LeakAfter}} {
		if fault := unit.Fault(d.value); fault != "" {
			wrong(".%s is %v, %s", d.field, d.value, fault)
		}
	}
	if c.LeakAfter > 0 && c.Leak == nil {
		wrong(".LeakAfter is %v, but Leak, which would be told, is nil", c.LeakAfter)
	}
	if c.Min == 0 {
		c.Min = 1
	}
	if c.IncreaseAfter == 0 {
		c.IncreaseAfter = defaultIncreaseAfter
	}
	if c.MaxPause == 0 {
		c.MaxPause = defaultMaxPause
	}
	return c, errors.Join(errs...)
}

const (
	defaultIncreaseAfter = 5 * time.Second
	defaultMaxPause      = time.Minute
)

// Stats returns the figures of the moment.
func (u *Upstream) Stats() Stats {
	u.mu.Lock()
	defer u.mu.Unlock()
	return Stats{
		Capacity:  u.aimd.capacity,
		Min:       u.aimd.min,
		Max:       u.aimd.max,
		InFlight:  u.aimd.inFlight,
		PausedFor: max(0, time.Until(u.aimd.until)),

		Overloads: u.overloads,
		Increases: u.aimd.increases,
		Decreases: u.aimd.decreases,
		Pauses:    u.aimd.pauses,
		Leaks:     u.leaks,
		Lost:      u.lost,
		Err:       u.err,
	}
}

func (u *Upstream) succeeded(epoch uint64) {
	if u.config.Fixed {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.aimd.succeeded(time.Now(), epoch)
	u.applyLocked()
}

func (u *Upstream) overloaded(epoch uint64, pause time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.overloads++
	if u.config.Fixed {
		return
	}
	u.aimd.overloaded(time.Now(), epoch, min(pause, u.config.MaxPause))
	u.applyLocked()
}

// applyLocked tells the slots what has changed. They may run code of the user,
// such as a ShareFunc, so that is done without the lock, by one at a time.
func (u *Upstream) applyLocked() {
	if u.applying {
		return // whoever does it looks again
	}
	u.applying = true
	for {
		now := time.Now()
		want := setting{u.aimd.capacity, u.aimd.until.After(now)}
		if want.paused {
			u.wakeLocked(u.aimd.until.Sub(now))
		}
		was := u.applied
		if want == was {
			u.applying = false
			return
		}
		u.mu.Unlock()
		err := u.apply(was, want)
		u.mu.Lock()
		u.applied = want
		if err != nil {
			u.err = err
		}
	}
}

// apply takes the slots from one setting to another, so that there are never
// more than in both.
func (u *Upstream) apply(was, want setting) (err error) {
	if want.paused && !was.paused {
		u.suspend()
	}
	if want.capacity != was.capacity {
		err = u.resize(want.capacity)
	}
	if was.paused && !want.paused {
		u.resume()
	}
	return err
}

// wakeLocked has the end of the pause be noticed.
func (u *Upstream) wakeLocked(after time.Duration) {
	if u.timer != nil {
		u.timer.Reset(after)
		return
	}
	u.timer = time.AfterFunc(after, func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.applyLocked()
	})
}
