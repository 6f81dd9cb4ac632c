package chromedpfair

import (
	"context"
)

// settleLocked gives the tenant of an order a home in the browser.
func (s *browserSet) settleLocked(o *pageOrder, b *browser) *home {
	h := newHome(o.tenant, b, &o.options)
	s.homes[o.tenant] = h
	s.usedLocked(h)
	s.evictLocked()
	return h
}

func (s *browserSet) usedLocked(h *home) {
	s.uses++
	h.used = s.uses
}

// evictLocked ends the homes that are too many: those without a page, the one
// unused for longest first.
func (s *browserSet) evictLocked() {
	for len(s.homes) > s.cfg.MaxContexts {
		var oldest *home
		for _, h := range s.homes {
			if h.pages == 0 && (oldest == nil || h.used < oldest.used) && h.used != s.uses {
				oldest = h
			}
		}
		if oldest == nil {
			return
		}
		s.count.evicted++
		s.leaveHomeLocked(oldest)
	}
}

// leaveHomeLocked has the tenant be without a home. What is left of it goes with
// its last page.
func (s *browserSet) leaveHomeLocked(h *home) {
	h.gone = true
	if s.homes[h.tenant] == h {
		delete(s.homes, h.tenant)
	}
	if h.pages == 0 {
		s.disposeLocked(h)
	}
}

func (s *browserSet) disposeLocked(h *home) {
	if h.browser.state != serving {
		return // it goes with its browser
	}
	s.endingLocked(h.browser, func() error {
		h.making.Lock()
		defer h.making.Unlock()
		if h.id == "" {
			return nil
		}
		ctx, cancel := context.WithTimeout(h.browser.ctx, s.cfg.OpenTimeout)
		defer cancel()
		_ = h.browser.disposeContext(ctx, h.id) // or somebody else has
		return ctx.Err()
	}, func(error) {})
}

// abandonLocked leaves the homes in a browser that is not to serve any more.
func (s *browserSet) abandonLocked(b *browser) {
	for _, h := range s.homes {
		if h.browser == b {
			s.leaveHomeLocked(h)
		}
	}
}
