package pool

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/jackc/puddle/v2"
)

// ErrBuildTimeout is the failure of a build whose Constructor did not return
// when its context had ended.
var ErrBuildTimeout = errors.New("pool: Constructor did not return within the BuildTimeout")

var errNilResource = errors.New("pool: Constructor returned a nil interface")

// An order is a build that is due.
type order[T any] struct {
	request  fairshare.Request // that set it off, the zero Request if none did
	payer    *slot[T]          // dead; its tenant is charged for the build
	replaces *slot[T]          // to be retired when the build succeeds
	idle     bool              // it is for MinIdle

	epoch uint64
	probe bool // the first one after a failure
	hangs bool // it has outlasted BuildTimeout, and counts as failed
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
	go p.build(&o)
	return true
}

// build runs one build to its end, whatever becomes of the request that set it
// off. The resource goes to whoever is next by then.
func (p *Pool[T]) build(o *order[T]) {
	start := time.Now()
	timer := time.AfterFunc(p.config.BuildTimeout+graceOfHooks, func() { p.buildHangs(o) })
	resource, err := p.register.Acquire(context.Background())
	timer.Stop()
	took := time.Since(start)
	p.line.Lock()
	defer p.line.Unlock()
	p.building--
	p.buildTime += took
	if o.hangs {
		p.stuck--
	} else {
		p.endLocked(o, err)
	}
	if err != nil {
		if !p.closed {
			p.failing.total++
		}
		p.failedLocked(o.request, err)
	} else {
		p.bornLocked(resource, o.epoch)
	}
	p.balanceLocked() // the end of a backoff makes room for more builds
	p.news.tell()
}

// buildHangs gives up on a constructor that does not heed its context: it counts
// as a failure, and others are tried. Its place stays taken, and the request that
// set it off goes on waiting for whatever comes first.
func (p *Pool[T]) buildHangs(o *order[T]) {
	p.line.Lock()
	defer p.line.Unlock()
	if p.closed {
		return
	}
	err := fmt.Errorf("%w of %v", ErrBuildTimeout, p.config.BuildTimeout)
	o.hangs = true
	p.stuck++
	p.buildHanged++
	p.endLocked(o, err)
	p.failedLocked(noRequest, err)
	p.balanceLocked()
	p.news.tell()
}

// endLocked ends what others make of a build: that they wait for it, and pay for
// it.
func (p *Pool[T]) endLocked(o *order[T], err error) {
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
