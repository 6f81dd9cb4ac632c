package pool

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/fairpool/fairpool/fairshare"
)

var errNilResource = errors.New("pool: Constructor returned a nil interface")

// growLocked starts builds: while more waiters could use a slot than are being
// built, and there is room below the capacity. r is the request that set it
// off, the zero Request if it was something else; then the builds count as set
// off by whoever is next.
func (p *Pool[T]) growLocked(r fairshare.Request) {
	for p.fresh < p.line.DemandLocked() && p.buildLocked(r) {
		r = fairshare.Request{}
	}
}

// buildLocked starts one build, if there is room for it and no backoff.
func (p *Pool[T]) buildLocked(r fairshare.Request) bool {
	if p.closed || p.live+p.building+p.dying >= p.capacity || p.failing.holds() {
		return false
	}
	if r == (fairshare.Request{}) {
		r = p.line.NextLocked()
	}
	probe := p.failing.err != nil
	if probe {
		p.failing.probing = true
	}
	p.building++
	p.fresh++
	go p.build(p.epoch, r, probe)
	return true
}

// build runs one build to its end, whatever becomes of the request that set it
// off. The resource goes to whoever is next by then.
func (p *Pool[T]) build(epoch uint64, r fairshare.Request, probe bool) {
	resource, err := p.register.Acquire(context.Background())
	p.line.Lock()
	defer p.line.Unlock()
	p.building--
	if epoch == p.epoch {
		p.fresh--
	}
	if probe {
		p.failing.probing = false
	}
	if err != nil {
		p.failedLocked(r, err)
		return
	}
	p.failing.end()
	p.built++
	p.live++
	s := resource.Value()
	s.resource, s.epoch = resource, epoch
	p.settleLocked(s)
	p.line.DispatchLocked() // the end of a backoff makes room for more builds
}

// construct is the constructor that the register calls, in a goroutine of its
// own, with a context that ends when the register is closed.
func (p *Pool[T]) construct(ctx context.Context) (*slot[T], error) {
	ctx, cancel := context.WithTimeout(ctx, p.config.BuildTimeout)
	defer cancel()
	s := &slot[T]{pool: p}
	s.Owner = s
	err := protect("Constructor", func() (err error) {
		s.value, err = p.config.Constructor(ctx)
		return err
	})
	if err == nil && any(s.value) == nil {
		err = errNilResource
	}
	return s, err
}

// failedLocked reports a failed build to the request that had set it off and
// puts off the next one.
func (p *Pool[T]) failedLocked(r fairshare.Request, err error) {
	if p.closed {
		return
	}
	p.failing.err = err
	p.failing.total++
	p.line.FailLocked(r, fairshare.BuildFailing, err)
	if p.failing.timer != nil {
		return // builds that fail together count as one attempt
	}
	var timer *time.Timer
	timer = time.AfterFunc(p.failing.backoff(), func() {
		p.line.Lock()
		defer p.line.Unlock()
		if p.failing.timer == timer {
			p.failing.timer = nil
			p.line.DispatchLocked()
		}
	})
	p.failing.timer = timer
}

// failing is the state of a pool whose last build failed: builds are tried
// one at a time, with exponential backoff between them, until one succeeds.
type failing struct {
	err      error
	total    uint64 // failed builds since the start
	attempts int
	timer    *time.Timer // until the next attempt is due
	probing  bool        // the attempt is under way
}

const (
	firstBackoff = 100 * time.Millisecond
	maxBackoff   = 10 * time.Second
)

// holds reports whether no build may start now. Builds that were under way
// when the first failed do not count: they may hang.
func (f *failing) holds() bool {
	return f.err != nil && (f.timer != nil || f.probing)
}

// backoff is how long to wait after one more failed attempt: it doubles from
// attempt to attempt, half of it at random.
func (f *failing) backoff() time.Duration {
	d := min(firstBackoff<<f.attempts, maxBackoff)
	if d < maxBackoff {
		f.attempts++
	}
	return d/2 + rand.N(d/2)
}

// end forgets the failures.
func (f *failing) end() {
	if f.timer != nil {
		f.timer.Stop()
	}
	f.err, f.attempts, f.timer = nil, 0, nil
}
