package chromedpfair

import (
	"context"
	"time"
)

// A cleaning is the way of a kept tab from the end of a lease to being clean. To
// the pool the tab is idle meanwhile: the next lease of its tenant waits for what
// is left of that, and if another tenant needs the room, nobody does.
type cleaning struct {
	stop context.CancelFunc
	done chan struct{}
	over bool // guarded by the lock of the tab
}

// cleans has a page cleaned. If it does not become clean the page is closed, and
// the tab gets another one for the next lease.
func (s *browserSet) cleans(t *Tab, p *page) {
	ctx, stop := context.WithTimeout(p.life, cleanTimeout)
	c := &cleaning{stop: stop, done: make(chan struct{})}
	s.mu.Lock()
	s.cleanings++
	s.mu.Unlock()
	t.mu.Lock()
	t.cleaning = c
	t.mu.Unlock()
	go func() {
		defer close(c.done)
		defer stop()
		err := p.clean(ctx, s.cfg)
		unwanted := t.cleaned(c, err)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.cleanings--
		if err == nil && !unwanted {
			return
		}
		if !unwanted && p.lost() == nil {
			s.count.unclean++
			s.log.Warn("tab is not kept: it does not become clean", "browser", p.browser, "tenant", p.home.tenant, "error", err)
		}
		s.discardLocked(p)
	}()
}

// cleaned takes notice of the end of a cleaning, and parts the tab from its page
// if that is not clean, or if the pool does not want the tab any more.
func (t *Tab) cleaned(c *cleaning, err error) (unwanted bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c.over = true
	if err != nil || t.ended {
		t.page = nil
	}
	return t.ended
}

// abandon notes that the pool does not want the tab any more, and reports whether
// it is being cleaned: then its page is closed by who does that.
func (t *Tab) abandon() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	if c := t.cleaning; c != nil && !c.over {
		c.stop()
		return true
	}
	return false
}

// returned waits, for a moment at most, until the pool has the tab back: a caller
// that asks for another at once is to find its own among those that are idle, and
// not take one away from another tenant.
func (t *Tab) returned() {
	t.mu.Lock()
	back := t.back
	t.mu.Unlock()
	select {
	case <-back:
	case <-time.After(50 * time.Millisecond): // it was hijacked, or the machine is busy
	}
}

// settle waits until the tab is not being cleaned, as long as ctx allows.
func (t *Tab) settle(ctx context.Context) error {
	t.mu.Lock()
	c := t.cleaning
	t.mu.Unlock()
	if c == nil {
		return nil
	}
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
