package pool

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/jackc/puddle/v2"
)

// A build is a resource that is being built.
type build[T any] struct {
	payer    *slot[T] // dead; its tenant is charged for the build
	replaces *slot[T] // to be retired when the build succeeds
	heir     *heir    // gets the resource before those who wait
	idle     bool     // it is for MinIdle

	epoch uint64
	probe bool        // it is to find out whether builds work again
	slow  bool        // it takes so long that another may start in its stead
	hung  bool        // it outlasted BuildTimeout and has not returned, and counts as failed
	built uint64      // how many were built before it began
	ended bool        // the Constructor has returned
	timer *time.Timer // until it is slow, and then until it is hung
}

// growLocked starts builds while more waiters could use a slot than builds are
// under way, and there is room below the capacity.
func (p *Pool[T]) growLocked() {
	for p.fresh < p.line.DemandLocked() && p.buildLocked(build[T]{}) {
	}
	p.makeRoomLocked()
}

// roomLocked reports whether another resource may come to be.
func (p *Pool[T]) roomLocked() bool { return p.live+p.building+p.dying < p.capacity }

// buildLocked starts b, if there is room for it, no backoff, and not as many
// builds under way as may be.
func (p *Pool[T]) buildLocked(b build[T]) bool {
	if p.closed || p.suspended && p.warming == 0 || !p.roomLocked() || p.failing.holds() || p.busyLocked() {
		return false
	}
	b.epoch, b.probe, b.built = p.epoch, p.failing.err != nil, p.built
	if b.probe {
		p.failing.probing = true
	}
	if b.payer != nil {
		p.line.ChargeLocked(&b.payer.Slot)
	}
	if b.idle {
		p.filling++
	}
	p.building++
	p.fresh++
	b.timer = time.AfterFunc(p.slowAfterLocked(b.probe), func() { p.takesLong(&b) })
	go p.build(&b)
	return true
}

// build runs one build to its end, whoever has asked for it. The resource goes to
// whoever is next by then.
func (p *Pool[T]) build(b *build[T]) {
	start := time.Now()
	resource, err := p.register.Acquire(context.Background())
	took := time.Since(start)
	p.line.Lock()
	defer p.line.Unlock()
	b.timer.Stop()
	b.ended = true
	p.building--
	if b.epoch != p.epoch {
		p.outdated--
	}
	p.buildTime += took
	switch {
	case b.hung:
		p.slow--
		p.stuck--
		if err == nil {
			p.registerLocked(resource, b.epoch)
			p.retireLocked(resource.Value(), TooLate)
		}
	default:
		p.giveUpLocked(b)
		if b.slow {
			p.slow--
		}
		p.endBuildLocked(b, err)
		if err == nil {
			p.buildMean += (took - p.buildMean) / time.Duration(min(p.built+1, 8))
			p.bornLocked(resource, b)
		}
	}
	if p.building == 0 && p.line.DemandLocked() == 0 {
		p.ramp = firstBuilds
	}
	p.balanceLocked() // the end of a backoff makes room for more builds
	p.news.tell()
}

// takesLong is called when b has been under way for long: first it is slow, in
// the end it is hung.
func (p *Pool[T]) takesLong(b *build[T]) {
	p.line.Lock()
	defer p.line.Unlock()
	switch {
	case b.ended || p.closed:
		return
	case !b.slow:
		p.giveUpLocked(b)
		b.slow = true
		p.slow++
		b.timer.Reset(p.config.BuildTimeout + graceOfHooks - p.slowAfterLocked(b.probe))
		if b.probe {
			p.refuseLocked() // before another one begins
		}
	default:
		b.hung = true
		p.stuck++
		p.buildHangs++
		p.reports.log("constructor hangs", "timeout", p.config.BuildTimeout)
		p.endBuildLocked(b, &contextEnded{nil, ErrBuildTimeout, "Constructor", p.config.BuildTimeout})
	}
	p.balanceLocked()
	p.news.tell()
}

// giveUpLocked stops counting on b: another may start in its stead.
func (p *Pool[T]) giveUpLocked(b *build[T]) {
	if b.slow { // already
		return
	}
	if b.epoch == p.epoch {
		p.fresh--
		if b.idle {
			p.filling--
		}
	}
	if b.probe {
		p.failing.probing = false
	}
}

// endBuildLocked tells those who depend on b that it is over.
func (p *Pool[T]) endBuildLocked(b *build[T], err error) {
	if b.payer != nil {
		p.line.ReleaseLocked(&b.payer.Slot)
	}
	p.replacedLocked(b.replaces, err) // first: there may be no room for both
	if err != nil {
		b.heir.passLocked()
		if b.hung && p.built > b.built { // others that began later have worked
			p.failing.total++
			return
		}
		p.failedLocked(err)
	}
}

// bornLocked puts a new resource to use.
func (p *Pool[T]) bornLocked(resource *puddle.Resource[*slot[T]], b *build[T]) {
	p.failing.end()
	p.ramp++
	s := resource.Value()
	p.registerLocked(resource, b.epoch)
	if age := &p.config.Age; age.MaxLifetime > 0 {
		s.expires = p.line.NowLocked() + age.MaxLifetime
		if age.MaxLifetimeJitter > 0 {
			s.expires += rand.N(age.MaxLifetimeJitter)
		}
	}
	if h := b.heir; h != nil && !h.gone {
		if p.unfitLocked(s) == "" && p.line.EligibleLocked(h.tenant) {
			h.grant <- p.line.GiveLocked(&s.Slot, h.tenant)
			return
		}
		h.passLocked()
	}
	p.settleLocked(s)
}

// registerLocked counts a resource that has come to be among those alive.
func (p *Pool[T]) registerLocked(resource *puddle.Resource[*slot[T]], epoch uint64) {
	s := resource.Value()
	s.resource, s.epoch = resource, epoch
	p.built++
	p.live++
	if epoch != p.epoch {
		p.stale++
	}
}

// firstBuilds is how many builds a pool begins with at once. Each that succeeds
// lets one more run beside the others, so that their number doubles in the time
// of a build, and a few that are quick serve a burst of short work.
const firstBuilds = 4

// busyLocked reports whether as many builds run as may.
func (p *Pool[T]) busyLocked() bool {
	if most := p.config.Sizes.MaxConcurrentBuilds; most > 0 {
		return p.building-p.stuck >= most
	}
	return p.failing.err == nil && p.building-p.slow >= p.ramp // else there is one at a time anyway
}

// slowAfterLocked is how long a build may take before another may start in its
// stead: a probe as long as the longest pause between two of them, any other build
// four times as long as those that succeeded lately.
func (p *Pool[T]) slowAfterLocked(probe bool) time.Duration {
	longest, most := p.config.Backoff.Max, p.config.BuildTimeout/2
	if probe {
		return min(longest, most)
	}
	if p.built == 0 {
		return most
	}
	return min(max(longest, 4*p.buildMean), most)
}
