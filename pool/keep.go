package pool

import (
	"context"
	"fmt"
)

// balanceLocked does what may be due whenever a resource came or went.
func (p *Pool[T]) balanceLocked() {
	p.line.DispatchLocked()
	if p.alarm.behind && !p.busyLocked() {
		p.alarm.behind = false
		p.alarmLocked(p.line.NowLocked() + 1)
	}
	p.rollLocked()
	p.refillLocked()
}

// refillLocked builds what is missing to MinIdle: one at a time, or, while
// somebody waits in Warm, as many as there may be.
func (p *Pool[T]) refillLocked() {
	most := 1
	if p.warming > 0 {
		most = p.config.MaxSize
	}
	for p.filling < most && p.spareLocked() < p.config.Sizes.MinIdle {
		if !p.buildLocked(build[T]{idle: true}) {
			return
		}
	}
}

// spareLocked is how many resources will be warm when the builds and the checks
// are over.
func (p *Pool[T]) spareLocked() int {
	return p.line.ReadyLocked() + p.checking + max(0, p.fresh-p.line.DemandLocked())
}

// trimLocked retires what is more than MaxIdle.
func (p *Pool[T]) trimLocked() {
	if most := p.config.Sizes.MaxIdle; most > 0 {
		p.retireWarmLocked(Surplus, func() bool { return p.line.ReadyLocked() > most+p.line.KeptLocked() }, nil)
	}
}

// Warm builds resources until MinIdle of them are alive, leased ones included,
// as many at a time as MaxConcurrentBuilds allows. It returns early with an
// error if a build fails, if the capacity is less than MinIdle, if ctx ends or
// if the pool is closed. What was built stays.
func (p *Pool[T]) Warm(ctx context.Context) error {
	p.line.Lock()
	defer p.line.Unlock()
	p.warming++
	defer func() { p.warming-- }()
	least, failures := p.config.Sizes.MinIdle, p.failing.total
	for {
		p.refillLocked()
		switch {
		case p.closed:
			return &restated{fmt.Sprintf("pool: Warm: the pool is closed, with %s alive", count(p.live, "resource")), ErrClosed}
		case p.live >= least:
			return nil
		case p.failing.total > failures && p.failing.err != nil: // none has succeeded since
			return fmt.Errorf("pool: Warm: %s alive of the %d of MinIdle: %w", count(p.live, "resource"), least, p.failing.err)
		case p.capacity < least:
			return fmt.Errorf("pool: Warm: MinIdle is %d, more than the capacity of %d", least, p.capacity)
		}
		news := p.news.next()
		p.line.Unlock()
		select {
		case <-news:
		case <-ctx.Done():
		}
		ended := ctx.Err()
		p.line.Lock()
		if ended != nil {
			return fmt.Errorf("pool: Warm: %w with %s alive of the %d of MinIdle, and %d being built", ended, count(p.live, "resource"), least, p.building)
		}
	}
}

// news tells those who wait for resources to come or go.
type news struct {
	changed chan struct{}
}

func (n *news) next() <-chan struct{} {
	if n.changed == nil {
		n.changed = make(chan struct{})
	}
	return n.changed
}

func (n *news) tell() {
	if n.changed != nil {
		close(n.changed)
		n.changed = nil
	}
}
