package pool

import (
	"math/rand/v2"
	"time"

	"github.com/fairpool/fairpool/fairshare"
)

// failedLocked takes note of a build that failed, and puts off the next one. If
// that is an outage, those who wait learn it.
func (p *Pool[T]) failedLocked(err error) {
	if p.closed {
		return
	}
	p.failing.err = err
	p.failing.total++
	p.ramp = 1
	p.reports.log("build failed", "error", err)
	if p.failing.timer == nil { // builds that fail together count as one try
		p.failing.row++
		p.backOffLocked()
	}
	p.refuseLocked()
}

// backOffLocked lets no build start for a while. Then one is tried if somebody
// waits, or was refused meanwhile.
func (p *Pool[T]) backOffLocked() {
	f := &p.failing
	var pause time.Duration
	pause, f.tries = p.config.Backoff.pause(f.tries)
	f.until = p.line.NowLocked() + pause
	var timer *time.Timer
	timer = time.AfterFunc(pause, func() {
		p.line.Lock()
		defer p.line.Unlock()
		if f.timer != timer {
			return
		}
		f.timer = nil
		p.balanceLocked()
		if f.refused && p.hopelessLocked() {
			f.refused = false
			p.buildLocked(build[T]{})
		}
	})
	f.timer = timer
}

// pauseLocked is how long it is until the next build may start.
func (p *Pool[T]) pauseLocked() time.Duration {
	if p.failing.timer == nil {
		return 0
	}
	return max(0, p.failing.until-p.line.NowLocked())
}

// refusesLocked reports whether a request is told at once that there is nothing to
// wait for, because builds keep failing. One failure may be chance.
func (p *Pool[T]) refusesLocked(r fairshare.Request) bool {
	return p.failing.row > 1 && p.hopelessLocked() && !p.servesLocked(r)
}

// hopelessLocked reports whether the last build failed, none is under way that
// may soon do better, and callers are not to wait for one.
func (p *Pool[T]) hopelessLocked() bool {
	return p.failing.err != nil && p.building == p.slow && !p.suspended && !p.config.Backoff.Wait
}

// refuseLocked ends the waits of those who have nothing to wait for.
func (p *Pool[T]) refuseLocked() {
	if !p.hopelessLocked() {
		return
	}
	unserved := func(r fairshare.Request) bool { return !p.servesLocked(r) }
	if p.line.FailEachLocked(unserved, fairshare.BuildFailing, p.failing.err, p.pauseLocked()) {
		p.failing.refused = true
	}
}

// servesLocked reports whether as many resources are alive as the request is for,
// which may come free for it. One that is to be replaced on its return will not.
func (p *Pool[T]) servesLocked(r fairshare.Request) bool {
	alive := 0
	if p.config.Tenancy.Isolation == Dedicated {
		tenant := r.Tenant()
		for _, known := range p.line.SlotsLocked() {
			if known.TenantLocked() == tenant && (p.gradual || known.Owner.(*slot[T]).epoch == p.epoch) {
				alive++
			}
		}
	} else if alive = p.live; !p.gradual {
		alive -= p.stale
	}
	return alive >= r.Slots()
}

// forgiveLocked forgets all failures: of builds, and of Prepare by tenant.
func (p *Pool[T]) forgiveLocked() {
	p.failing.end()
	p.unprepared.forget()
}

// failing is the state of a pool whose last build failed: builds are tried with
// a pause between them, until one succeeds.
type failing struct {
	err     error
	total   uint64        // failed builds since the start
	row     int           // tries that failed, one after the other
	tries   int           // those of them that made the pause longer
	timer   *time.Timer   // while no build may start
	until   time.Duration // the end of that, in the time of the line
	probing bool          // a build is under way that may end the outage
	refused bool          // somebody was told that there is nothing to wait for
}

// holds reports whether no build may start now. Builds that were under way
// when the first failed do not count: they may hang.
func (f *failing) holds() bool {
	return f.err != nil && (f.timer != nil || f.probing)
}

// pause is how long to wait after one more failure, when there were some before,
// and how many there are now. Half of it is left to chance.
func (b Backoff) pause(failures int) (time.Duration, int) {
	d := b.Min
	for n := 0; n < failures && d < b.Max; n++ {
		d *= 2
	}
	if d < b.Max {
		failures++
	}
	d = min(d, b.Max)
	return d/2 + rand.N(d/2+1), failures
}

// end forgets the failures.
func (f *failing) end() {
	if f.timer != nil {
		f.timer.Stop()
	}
	f.err, f.row, f.tries, f.timer, f.refused = nil, 0, 0, nil, false
}
