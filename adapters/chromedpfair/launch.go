package chromedpfair

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// aliveLocked is the number of browsers that serve or will soon, and are to
// stay.
func (s *browserSet) aliveLocked() int {
	alive := s.starting
	for _, b := range s.browsers {
		if b.state == serving && b.retiring == "" {
			alive++
		}
	}
	return alive
}

// roomLocked reports whether there may be another browser.
func (s *browserSet) roomLocked() bool { return len(s.browsers)+s.starting < s.cfg.Browsers }

// launchLocked launches the browsers that are missing, one at a time.
func (s *browserSet) launchLocked() {
	if s.starting > 0 || !s.roomLocked() || s.relaunch.holds() || s.aliveLocked() >= s.wanted {
		return
	}
	s.starting++
	s.last++
	go s.launches(s.last, s.addressLocked())
}

// addressLocked is a remote browser to which nothing is connected, "" if
// browsers are launched.
func (s *browserSet) addressLocked() string {
	taken := make(map[string]int)
	for _, b := range s.browsers {
		taken[b.address]++
	}
	for _, address := range s.cfg.Remote {
		if taken[address] == 0 {
			return address
		}
		taken[address]-- // it may be there twice
	}
	return ""
}

func (s *browserSet) launches(number uint64, address string) {
	b, err := launch(number, address, s.cfg, s.log)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.starting--
	if err != nil {
		s.failedLocked(err)
		s.balanceLocked()
		return
	}
	s.count.started++
	b.state = serving
	b.stop = s.watch(b)
	s.browsers = append(s.browsers, b)
	s.log.Info("browser started", "browser", b)
	if s.closed {
		s.endLocked(b, nil)
	}
	s.balanceLocked()
}

// failedLocked puts off the next launch. If no browser is left, nobody who
// waits is to wait for that.
func (s *browserSet) failedLocked(err error) {
	s.log.Error("browser does not start", "error", err)
	s.relaunch.failed(err, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.relaunch.timer = nil
		s.balanceLocked()
	})
	if !slices.ContainsFunc(s.browsers, func(b *browser) bool { return b.state == serving }) {
		s.failOrdersLocked(err)
	}
}

// watch looks after a browser for as long as it runs: it asks whether it still
// answers, notices when it has died, and when it is due for replacement.
func (s *browserSet) watch(b *browser) (stop func()) {
	stopped := make(chan struct{})
	go func() {
		ticks := time.NewTicker(s.cfg.Health.Every)
		defer ticks.Stop()
		var old <-chan time.Time
		if age := s.cfg.Retire.MaxAge; age > 0 {
			timer := time.NewTimer(age + rand.N(age/10+1))
			defer timer.Stop()
			old = timer.C
		}
		for {
			select {
			case <-stopped:
				return
			case <-b.ctx.Done():
				s.died(b)
				return
			case <-old:
				s.retire(b, Age)
			case <-ticks.C:
				s.checks(b)
			}
		}
	}()
	return func() { close(stopped) }
}

func (s *browserSet) checks(b *browser) {
	err := b.ask(s.cfg.Health.Timeout)
	resident := b.memory()
	s.mu.Lock()
	defer s.mu.Unlock()
	b.resident = resident
	if most := s.cfg.Retire.MaxMemory; most > 0 && resident > most && b.served > 0 { // else a limit too low would let nobody in
		s.dueLocked(b, Memory)
		s.balanceLocked()
	}
	if errors.Is(err, context.DeadlineExceeded) && b.state != ending {
		s.log.Error("browser hangs", "browser", b, "error", err)
		s.count.hung++
		s.endLocked(b, ErrBrowserHung)
		s.balanceLocked()
	}
}

// died takes notice of a browser that ended without being told to.
func (s *browserSet) died(b *browser) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.state == ending {
		return
	}
	s.log.Error("browser died", "browser", b)
	s.count.died++
	s.endLocked(b, ErrBrowserDied)
	if !b.opened { // launching it again at once would lead to the same
		s.failedLocked(errStillborn)
	}
	s.balanceLocked()
}

var errStillborn = errors.New("chromedpfair: the browser died before it opened a tab")

// relaunch is when the next launch may be tried: after a failed one, a while
// later, twice as long each time.
type relaunch struct {
	backoff  *backoff.ExponentialBackOff
	timer    *time.Timer // until then
	err      error
	failures int
}

const (
	firstPause = 100 * time.Millisecond
	maxPause   = 10 * time.Second
)

func newRelaunch() relaunch {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval, b.Multiplier = firstPause, maxPause, 2
	return relaunch{backoff: b}
}

func (r *relaunch) holds() bool { return r.timer != nil }

func (r *relaunch) failed(err error, again func()) {
	r.stop()
	r.err = err
	r.failures++
	r.timer = time.AfterFunc(r.backoff.NextBackOff(), again)
}

// succeeded forgets the failures: a browser has opened a page.
func (r *relaunch) succeeded() {
	r.backoff.Reset()
	r.err = nil
}

func (r *relaunch) stop() {
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
}

// hint is what to add to the error of somebody who waited in vain.
func (r *relaunch) hint() string {
	if r.err == nil {
		return ""
	}
	return fmt.Sprintf(" (the last browser failed to start: %v)", r.err)
}
