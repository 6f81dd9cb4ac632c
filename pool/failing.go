package pool

import (
	"math/rand/v2"
	"time"

	"github.com/fairpool/fairpool/fairshare"
)

// failedLocked reports a failed build to the request that had set it off, or,
// if no resource is alive or under way, to all; and puts off the next one.
func (p *Pool[T]) failedLocked(r fairshare.Request, err error) {
	if p.closed {
		return
	}
	p.failing.err = err
	p.reports.log("build failed", "error", err)
	if p.live+p.building == p.stuck {
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
