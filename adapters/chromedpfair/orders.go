package chromedpfair

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fairpool/fairpool/pool"
)

// A pageOrder is somebody who waits for a page.
type pageOrder struct {
	done chan struct{}
	page *page
	err  error
}

// open returns a fresh page: one that is ready, or the first that is opened.
// For want of a browser it waits for one, as long as ctx allows. discard ends
// the page.
func (s *browserSet) open(ctx context.Context) (*page, error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, pool.ErrClosed
	}
	o := &pageOrder{done: make(chan struct{})}
	s.orders = append(s.orders, o)
	s.balanceLocked()
	s.mu.Unlock()
	select {
	case <-o.done:
		return o.page, o.err
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.orders, o); i >= 0 {
		s.orders = slices.Delete(s.orders, i, i+1)
		return nil, fmt.Errorf("chromedpfair: wait for a tab: %w%s", context.Cause(ctx), s.relaunch.hint())
	}
	return o.page, o.err // it came together with the end of ctx
}

// serveLocked gives fresh pages to those who wait, and has more opened as far
// as there are places.
func (s *browserSet) serveLocked() {
	for len(s.orders) > 0 {
		b := s.leastLocked(func(b *browser) bool { return len(b.fresh) > 0 })
		if b == nil {
			break
		}
		p := b.fresh[0]
		b.fresh = b.fresh[1:]
		if p.lost() != nil {
			s.closesLocked(p)
			continue
		}
		b.leased++
		b.served++
		o := s.orders[0]
		s.orders = s.orders[1:]
		o.page = p
		close(o.done)
	}
	coming, demand := 0, len(s.orders)
	for _, b := range s.browsers {
		demand += b.leased
		if b.state == serving {
			coming += min(b.opening, s.cfg.TabsPerBrowser-b.leased)
		}
	}
	s.wantLocked(demand)
	for ; coming < len(s.orders); coming++ {
		b := s.leastLocked(func(b *browser) bool {
			return b.leased+b.opening < s.cfg.TabsPerBrowser && b.pages() < s.cfg.TabsPerBrowser+s.cfg.Prewarm
		})
		if b == nil {
			return
		}
		s.openLocked(b)
	}
}

// wantLocked has browsers launched that together may lease that many tabs.
func (s *browserSet) wantLocked(tabs int) {
	need := (tabs + s.cfg.TabsPerBrowser - 1) / s.cfg.TabsPerBrowser
	s.wanted = max(s.wanted, min(need, s.cfg.Browsers))
}

// leastLocked returns the browser with the fewest tabs of those that may lease
// one more and suit; one that is to be retired only for want of another.
func (s *browserSet) leastLocked(suits func(*browser) bool) (least *browser) {
	for _, b := range s.browsers {
		if b.state != serving || b.leased >= s.cfg.TabsPerBrowser || !suits(b) {
			continue
		}
		switch {
		case least == nil, least.retiring != "" && b.retiring == "":
			least = b
		case (least.retiring == "") == (b.retiring == "") && b.leased+b.opening < least.leased+least.opening:
			least = b
		}
	}
	return least
}

// prewarmLocked opens the pages to be kept ready.
func (s *browserSet) prewarmLocked() {
	for _, b := range s.browsers {
		for b.state == serving && b.retiring == "" && len(b.fresh)+b.opening < s.cfg.Prewarm &&
			b.pages() < s.cfg.TabsPerBrowser+s.cfg.Prewarm {
			s.openLocked(b)
		}
	}
}

func (s *browserSet) openLocked(b *browser) {
	b.opening++
	s.openings++
	go s.opens(b)
}

// tooManyFailures is how many pages in a row may fail to open before the
// browser counts as hanging.
const tooManyFailures = 3

func (s *browserSet) opens(b *browser) {
	p, err := b.openPage(s.cfg)
	s.mu.Lock()
	defer s.mu.Unlock()
	b.opening--
	s.openings--
	switch {
	case err == nil && b.state == serving && p.lost() == nil:
		b.opened, b.failed = true, 0
		s.relaunch.succeeded()
		b.fresh = append(b.fresh, p)
		context.AfterFunc(p.life, func() { s.spoiled(p) })
	case err == nil:
		s.closesLocked(p)
	case b.state == serving && !b.gone():
		s.log.Warn("tab does not open", "browser", b, "error", err)
		if b.failed++; b.failed >= tooManyFailures {
			s.count.hung++
			s.endLocked(b, ErrBrowserHung)
		} else if len(s.orders) > 0 {
			o := s.orders[0]
			s.orders = s.orders[1:]
			o.err = fmt.Errorf("chromedpfair: %w (browser %d)", err, b.number)
			close(o.done)
		}
	}
	s.drainedLocked(b)
	s.balanceLocked()
}

// failOrdersLocked tells all who wait that they wait in vain.
func (s *browserSet) failOrdersLocked(err error) {
	for _, o := range s.orders {
		o.err = err
		close(o.done)
	}
	s.orders = nil
}

// spoiled throws away a fresh page that was lost before anybody had it.
func (s *browserSet) spoiled(p *page) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := p.browser
	if i := slices.Index(b.fresh, p); i >= 0 {
		b.fresh = slices.Delete(b.fresh, i, i+1)
		s.closesLocked(p)
		s.balanceLocked()
	}
}

// discard ends a page that open has returned. It does not wait: the channel is
// closed when the page is gone and its place free.
func (s *browserSet) discard(p *page) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.browser.leased--
	gone := s.closesLocked(p)
	s.balanceLocked() // its browser may lease another
	return gone
}

func (s *browserSet) closesLocked(p *page) <-chan struct{} {
	p.browser.closing++
	s.closings++
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		err := p.close(s.cfg.OpenTimeout)
		s.mu.Lock()
		defer s.mu.Unlock()
		b := p.browser
		b.closing--
		s.closings--
		if err != nil {
			s.log.Warn("tab does not close", "browser", b, "error", err)
		}
		if errors.Is(err, context.DeadlineExceeded) && b.state != ending {
			s.count.hung++
			s.endLocked(b, ErrBrowserHung)
		}
		s.drainedLocked(b)
		s.balanceLocked()
	}()
	return gone
}
