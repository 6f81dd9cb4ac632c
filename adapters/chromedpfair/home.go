package chromedpfair

import (
	"context"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/target"
)

// A home is the browser context of a tenant, with ReuseSameTenant: what its
// pages store is there, for all of them. It outlives them, until it has to make
// way for that of another tenant, or its browser ends.
type home struct {
	tenant  string
	browser *browser
	options *ContextOptions

	making sync.Mutex           // held while the browser context is made
	id     cdp.BrowserContextID // once it is

	// Guarded by the lock of the set.
	pages int    // in it, those being opened and closed included
	used  uint64 // when, in the order of all uses
	gone  bool   // its tenant has no home any more, or another one

	mu      sync.Mutex
	members map[target.ID]bool // the pages of the set, from when their targets are known until they are gone
	opening int                // pages whose targets are not known yet
	leases  int                // begun so far
	out     map[*page]int      // leased pages, and the numbers of their leases
	strays  map[target.ID]int  // pages of unknown origin, and how many leases had begun when they were first seen
}

func newHome(tenant string, b *browser, o *ContextOptions) *home {
	return &home{
		tenant: tenant, browser: b, options: o,
		members: make(map[target.ID]bool), out: make(map[*page]int), strays: make(map[target.ID]int),
	}
}

// adopt makes the browser context of a fresh page the home.
func (h *home) adopt(p *page) {
	h.id = p.context
	h.members[p.target] = true
	p.home = h
}

// place returns the browser context, which the first caller makes while others
// wait.
func (h *home) place(ctx context.Context) (cdp.BrowserContextID, error) {
	h.making.Lock()
	defer h.making.Unlock()
	if h.id != "" {
		return h.id, nil
	}
	id, err := h.browser.makeContext(ctx, h.options)
	h.id = id
	return id, err
}

// create creates the target of a page, which is known as a member from the
// first moment.
func (h *home) create(ctx context.Context, p *page) error {
	h.mu.Lock()
	h.opening++
	h.mu.Unlock()
	err := p.create(ctx)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.opening--
	if err == nil {
		h.members[p.target] = true
	}
	return err
}

// left forgets a page that is gone.
func (h *home) left(p *page) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.members, p.target)
}

// begin notes that the page is leased.
func (h *home) begin(p *page) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.leases++
	h.out[p] = h.leases
}

// end notes that it is not leased any more.
func (h *home) end(p *page) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.out, p)
}

// opened reports whether the page has opened popups that are not forgotten.
func (h *home) opened(p *page) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(p.popups) > 0
}

// forget forgets the popups of a page: none is left.
func (h *home) forget(p *page) {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(p.popups)
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.told)
}

// settle takes back what a lease has allowed to the browser context as a whole,
// unless another lease of the tenant may rely on it. It keeps one from beginning
// meanwhile.
func (h *home) settle(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.out) > 0 {
		return nil
	}
	return h.browser.setDownloads(ctx, h.id, "")
}

// family returns those pages of the home that a page of it has opened, and those
// that they have, and the strays that no lease can have opened that still lasts.
// Found is what the browser context has. Its popups the page remembers when they
// are gone: they may have opened others.
func (h *home) family(p *page, found []*target.Info) (family []target.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	infos := make(map[target.ID]*target.Info, len(found))
	for _, t := range found {
		infos[t.TargetID] = t
	}
	for id := range h.strays {
		if infos[id] == nil {
			delete(h.strays, id)
		}
	}
	for _, t := range found {
		if h.members[t.TargetID] {
			continue
		}
		opener := h.openerLocked(p, t, infos)
		if opener == p.target || opener == "" && h.strayLocked(t.TargetID) {
			p.popups[t.TargetID] = true
			family = append(family, t.TargetID)
		}
	}
	return family
}

// openerLocked returns the member that a page comes from, the target of p also
// if its popup has opened it and is gone, "" if that is not known.
func (h *home) openerLocked(p *page, t *target.Info, infos map[target.ID]*target.Info) target.ID {
	for range infos { // openers make no circle, but that is up to the browser
		frame := target.ID(t.OpenerFrameID)
		if p.popups[t.TargetID] || p.popups[frame] || frame == p.target {
			return p.target
		}
		if h.members[t.OpenerID] {
			return t.OpenerID
		}
		if t = infos[t.OpenerID]; t == nil {
			return ""
		}
	}
	return ""
}

// strayLocked reports whether a page that nobody is known to have opened is to
// go: a lease that had begun when it was first seen may want it.
func (h *home) strayLocked(id target.ID) bool {
	if h.opening > 0 {
		return false // it may be one of the set's
	}
	born, seen := h.strays[id]
	if !seen {
		born = h.leases
		h.strays[id] = born
	}
	for _, lease := range h.out {
		if lease <= born {
			return false
		}
	}
	return true
}
