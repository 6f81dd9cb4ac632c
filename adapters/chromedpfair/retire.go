package chromedpfair

import (
	"slices"
	"time"
)

// leaveTimeout is how long a browser may take to end by itself.
const leaveTimeout = 3 * time.Second

// A Retirement is why a browser is, or was, replaced.
type Retirement string

const (
	TabsServed Retirement = "tabs served" // Retire.MaxTabsServed
	Age        Retirement = "age"         // Retire.MaxAge
	Memory     Retirement = "memory"      // Retire.MaxMemory
)

// retire has a browser replaced, when it is its turn.
func (s *browserSet) retire(b *browser, why Retirement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dueLocked(b, why)
	s.balanceLocked()
}

func (s *browserSet) dueLocked(b *browser, why Retirement) {
	if b.state == serving && b.retiring == "" {
		b.retiring = why
	}
}

// retireLocked drains the next browser that is due, unless one drains already:
// when its successor runs, or at once if there is no room for one.
func (s *browserSet) retireLocked() {
	var next *browser
	for _, b := range s.browsers {
		if most := s.cfg.Retire.MaxTabsServed; most > 0 && b.served >= most {
			s.dueLocked(b, TabsServed)
		}
		if b.state == draining {
			return
		}
		if b.state == serving && b.retiring != "" && next == nil {
			next = b
		}
	}
	if next == nil {
		return
	}
	s.launchLocked() // it may have become due just now
	if s.starting == 0 && s.aliveLocked() >= s.wanted || !s.roomLocked() && s.starting == 0 {
		s.drainLocked(next)
	}
}

// drainLocked has a browser open nothing more, and end when its last page is
// closed or its time is up.
func (s *browserSet) drainLocked(b *browser) {
	s.log.Info("browser is retired", "browser", b, "because", b.retiring, "tabs", b.leased, "memory", b.resident)
	s.count.retired[b.retiring]++
	b.state = draining
	s.abandonLocked(b)
	for _, p := range b.fresh {
		s.closesLocked(p)
	}
	b.fresh = nil
	deadline := time.AfterFunc(s.cfg.Retire.Drain, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if b.state == draining {
			s.log.Warn("browser is killed: its time to drain is over", "browser", b, "tabs", b.leased)
			s.count.cut++
			s.endLocked(b, ErrBrowserRetired)
			s.balanceLocked()
		}
	})
	stop := b.stop
	b.stop = func() { deadline.Stop(); stop() }
	s.drainedLocked(b)
}

// drainedLocked ends a draining browser with no page left.
func (s *browserSet) drainedLocked(b *browser) {
	if b.state == draining && b.pages() == 0 {
		s.endLocked(b, nil)
	}
}

// endLocked ends a browser and frees its place when all of it is gone. The
// cause is for the contexts of its pages; nil if there are none, and then the
// browser is asked first.
func (s *browserSet) endLocked(b *browser, cause error) {
	b.state = ending
	s.abandonLocked(b)
	b.stop()
	if cause != nil {
		b.end(&LostError{cause, b.number}) // kills it
	}
	go func() {
		if cause == nil {
			b.leave(leaveTimeout)
		}
		if err := b.bury(); err != nil {
			s.log.Error("browser leaves something behind", "browser", b, "error", err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.browsers = slices.DeleteFunc(s.browsers, func(other *browser) bool { return other == b })
		s.balanceLocked()
	}()
}
