package chromedpfair

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/chromedp/cdproto"
	"github.com/fairpool/fairpool/pool"
)

// A pageOrder is somebody who waits for a page, or for a browser.
type pageOrder struct {
	tenant  string
	options ContextOptions
	browser bool // one that serves is all that is wanted

	done  chan struct{}
	page  *page
	err   error
	ended bool // nobody waits any more
	again bool // it is at its second home
}

// ready waits until there is a browser to open pages in, as long as ctx allows.
func (s *browserSet) ready(ctx context.Context) error {
	_, err := s.order(ctx, &pageOrder{browser: true})
	return err
}

// open returns a page that is blank: at the home of the tenant, or else one that
// is ready, or the first that is opened. For want of a browser it waits for one,
// as long as ctx allows. discard ends the page.
func (s *browserSet) open(ctx context.Context, tenant string, options ContextOptions) (*page, error) {
	return s.order(ctx, &pageOrder{tenant: tenant, options: options})
}

func (s *browserSet) order(ctx context.Context, o *pageOrder) (*page, error) {
	o.done = make(chan struct{})
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, pool.ErrClosed
	}
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
	select {
	case <-o.done: // it came together with the end of ctx
		return o.page, o.err
	default:
	}
	if i := slices.Index(s.orders, o); i >= 0 {
		s.orders = slices.Delete(s.orders, i, i+1)
	}
	o.ended = true
	return nil, fmt.Errorf("chromedpfair: wait for a tab: %w%s", context.Cause(ctx), s.relaunch.hint())
}

// serveLocked gives pages to those who wait, and has more opened as far as
// there are places.
func (s *browserSet) serveLocked() {
	s.orders = slices.DeleteFunc(s.orders, s.fillLocked)
	coming, demand := 0, len(s.orders)
	for _, b := range s.browsers {
		demand += b.leased + b.directed
		if b.state == serving {
			coming += min(b.opening-b.directed, max(0, s.cfg.TabsPerBrowser-b.leased)) // with homes it may lease more
		}
	}
	s.wantLocked(demand)
	for ; coming < len(s.orders); coming++ {
		b := s.leastLocked(s.placeLocked)
		if b == nil {
			return
		}
		s.openLocked(b)
	}
}

// placeLocked reports whether a browser has a place for a page to be leased.
func (s *browserSet) placeLocked(b *browser) bool {
	return b.leased+b.opening < s.cfg.TabsPerBrowser && b.pages() < s.cfg.TabsPerBrowser+s.cfg.Prewarm
}

// fillLocked fills an order, or has that done, and reports whether it could. At
// the home of a tenant there is always room: where it is its other pages
// decide, and to wait for theirs would be to wait for other tenants.
func (s *browserSet) fillLocked(o *pageOrder) bool {
	h := s.homes[o.tenant]
	switch {
	case o.browser:
		if !slices.ContainsFunc(s.browsers, func(b *browser) bool { return b.state == serving }) {
			return false
		}
		close(o.done)
		return true
	case h != nil:
		s.openForLocked(o, h.browser, h)
		return true
	case !o.options.plain():
		b := s.leastLocked(s.placeLocked)
		if b == nil {
			return false
		}
		if s.cfg.ReuseSameTenant {
			h = s.settleLocked(o, b)
		}
		s.openForLocked(o, b, h)
		return true
	}
	for {
		b := s.leastLocked(func(b *browser) bool { return len(b.fresh) > 0 })
		if b == nil {
			return false
		}
		p := b.fresh[0]
		b.fresh = b.fresh[1:]
		if p.lost() != nil {
			s.closesLocked(p)
			continue
		}
		if s.cfg.ReuseSameTenant {
			h := s.settleLocked(o, b)
			h.pages++
			h.adopt(p)
		}
		s.handLocked(o, p)
		return true
	}
}

// handLocked gives the page to who waits for it.
func (s *browserSet) handLocked(o *pageOrder, p *page) {
	p.browser.leased++
	p.browser.served++
	o.page = p
	close(o.done)
}

// openForLocked opens a page for one order.
func (s *browserSet) openForLocked(o *pageOrder, b *browser, h *home) {
	if h != nil {
		h.pages++
	}
	b.directed++
	b.opening++
	s.openings++
	go func() {
		p, err := b.openPage(s.cfg, h, &o.options)
		s.mu.Lock()
		defer s.mu.Unlock()
		b.directed--
		b.opening--
		s.openings--
		if err != nil && h != nil {
			h.pages--
		}
		s.openedLocked(o, b, h, p, err)
		s.drainedLocked(b)
		s.balanceLocked()
	}()
}

// openedLocked sees to an order whose page has been opened, or has not.
func (s *browserSet) openedLocked(o *pageOrder, b *browser, h *home, p *page, err error) {
	var refused *cdproto.Error
	switch {
	case err == nil && b.state == serving && p.lost() == nil && !o.ended:
		b.opened, b.failed = true, 0
		s.relaunch.succeeded()
		s.handLocked(o, p)
		return
	case err == nil:
		s.closesLocked(p)
	case b.state == serving && !b.gone():
		if h != nil && !h.gone && errors.As(err, &refused) { // the code of a lease may have ended it
			s.leaveHomeLocked(h)
			if !o.again {
				o.again = true
				break
			}
		}
		if s.failsLocked(b, err) && !o.ended {
			o.err = fmt.Errorf("chromedpfair: %w (browser %d)", err, b.number)
			close(o.done)
			return
		}
	}
	if o.ended {
		return
	}
	if s.closed {
		o.err = pool.ErrClosed
		close(o.done)
		return
	}
	s.orders = slices.Insert(s.orders, 0, o) // it was not for want of trying
}

// failsLocked notes that a page could not be opened, and reports whether the
// browser serves on.
func (s *browserSet) failsLocked(b *browser, err error) bool {
	s.log.Warn("tab does not open", "browser", b, "error", err)
	if b.failed++; b.failed < tooManyFailures {
		return true
	}
	s.count.hung++
	s.endLocked(b, ErrBrowserHung)
	return false
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
	p, err := b.openPage(s.cfg, nil, new(ContextOptions))
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
		if s.failsLocked(b, err) && len(s.orders) > 0 {
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
	return s.discardLocked(p)
}

func (s *browserSet) discardLocked(p *page) <-chan struct{} {
	p.browser.leased--
	gone := s.closesLocked(p)
	s.balanceLocked() // its browser may lease another
	return gone
}

func (s *browserSet) closesLocked(p *page) <-chan struct{} {
	h := p.home
	dispose := h == nil || h.gone && h.pages == 1
	return s.endingLocked(p.browser, func() error { return p.close(s.cfg.OpenTimeout, dispose) }, func(err error) {
		if h == nil {
			return
		}
		if err != nil && !h.gone {
			s.leaveHomeLocked(h) // whatever is left there goes with it
		}
		h.left(p)
		h.pages--
		s.usedLocked(h)
		if h.gone && h.pages == 0 && !dispose {
			s.disposeLocked(h)
		}
		s.evictLocked()
	})
}

// endingLocked has something of a browser end, which takes a place until it has,
// and calls then with the lock. If it takes too long, and the browser does not
// answer a plain question either, the browser hangs.
func (s *browserSet) endingLocked(b *browser, end func() error, then func(err error)) <-chan struct{} {
	b.closing++
	s.closings++
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		err := end()
		hung := errors.Is(err, context.DeadlineExceeded) && errors.Is(b.ask(s.cfg.Health.Timeout), context.DeadlineExceeded)
		s.mu.Lock()
		defer s.mu.Unlock()
		b.closing--
		s.closings--
		if err != nil {
			s.log.Warn("tab does not close", "browser", b, "error", err)
		}
		if hung && b.state != ending {
			s.count.hung++
			s.endLocked(b, ErrBrowserHung)
		}
		then(err)
		s.drainedLocked(b)
		s.balanceLocked()
	}()
	return gone
}
