package pool

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/jackc/puddle/v2"
)

var errNilResource = errors.New("pool: Constructor returned a nil interface")

// An order is a build that is due.
type order[T any] struct {
	request  fairshare.Request // that set it off, the zero Request if none did
	payer    *slot[T]          // dead; its tenant is charged for the build
	replaces *slot[T]          // to be retired when the build succeeds
	idle     bool              // it is for MinIdle

	epoch uint64
	probe bool // the first one after a failure
}

// growLocked starts builds: while more waiters could use a slot than are being
// built, and there is room below the capacity. r is the request that set it
// off, the zero Request if it was something else; then the builds count as set
// off by whoever is next.
func (p *Pool[T]) growLocked(r fairshare.Request) {
	for p.fresh < p.line.DemandLocked() {
		if r == (fairshare.Request{}) {
			r = p.line.NextLocked()
		}
		if !p.buildLocked(order[T]{request: r}) {
			break
		}
		r = fairshare.Request{}
	}
	p.makeRoomLocked()
}

// roomLocked reports whether another resource may come to be.
func (p *Pool[T]) roomLocked() bool { return p.live+p.building+p.dying < p.capacity }

// buildLocked starts a build, if there is room for it and no backoff.
func (p *Pool[T]) buildLocked(o order[T]) bool {
	if p.closed || !p.roomLocked() || p.failing.holds() || p.busyLocked() {
		return false
	}
	o.epoch, o.probe = p.epoch, p.failing.err != nil
	if o.probe {
		p.failing.probing = true
	}
	if o.payer != nil {
		p.line.ChargeLocked(&o.payer.Slot)
	}
	if o.idle {
		p.filling++
	}
	p.building++
	p.fresh++
	go p.build(o)
	return true
}

// build runs one build to its end, whatever becomes of the request that set it
// off. The resource goes to whoever is next by then.
func (p *Pool[T]) build(o order[T]) {
	start := time.Now()
	resource, err := p.register.Acquire(context.Background())
	took := time.Since(start)
	p.line.Lock()
	defer p.line.Unlock()
	p.building--
	p.buildTime += took
	if o.epoch == p.epoch {
		p.fresh--
		if o.idle {
			p.filling--
		}
	}
	if o.probe {
		p.failing.probing = false
	}
	if o.payer != nil {
		p.line.ReleaseLocked(&o.payer.Slot)
	}
	p.replacedLocked(o.replaces, err) // first: there may be no room for both
	if err != nil {
		p.failedLocked(o.request, err)
	} else {
		p.bornLocked(resource, o.epoch)
	}
	p.balanceLocked() // the end of a backoff makes room for more builds
	p.news.tell()
}

// bornLocked puts a new resource to use.
func (p *Pool[T]) bornLocked(resource *puddle.Resource[*slot[T]], epoch uint64) {
	p.failing.end()
	p.built++
	p.live++
	s := resource.Value()
	s.resource, s.epoch = resource, epoch
	if epoch != p.epoch {
		p.stale++
	}
	if age := &p.config.Age; age.MaxLifetime > 0 {
		s.expires = p.line.NowLocked() + age.MaxLifetime
		if age.MaxLifetimeJitter > 0 {
			s.expires += rand.N(age.MaxLifetimeJitter)
		}
	}
	p.settleLocked(s)
}

// failedLocked reports a failed build to the request that had set it off, or,
// if no resource is alive or under way, to all; and puts off the next one.
func (p *Pool[T]) failedLocked(r fairshare.Request, err error) {
	if p.closed {
		return
	}
	p.failing.err = err
	p.failing.total++
	p.reports.log("build failed", "error", err)
	if p.live+p.building == 0 {
		p.line.FailAllLocked(fairshare.BuildFailing, err)
	} else {
		p.line.FailLocked(r, fairshare.BuildFailing, err)
	}
	if p.failing.timer != nil {
		return // builds that fail together count as one attempt
	}
	var timer *time.Timer
	timer = time.AfterFunc(p.failing.backoff(), func() {
		p.line.Lock()
		defer p.line.Unlock()
		if p.failing.timer == timer {
			p.failing.timer = nil
			p.balanceLocked()
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
