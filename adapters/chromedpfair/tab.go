package chromedpfair

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/fairpool/fairpool/pool"
)

// A Tab is a tab of a browser. Its browser context, where cookies, storage,
// caches, permissions and logins are, is its own and ends with it, or, with
// ReuseSameTenant, that of its tenant.
type Tab struct {
	set *browserSet

	mu      sync.Mutex
	page    *page // nil before the first lease, and when it did not become clean after one
	used    bool
	tenant  string
	leased  bool
	spoiled bool // by its lease: not to be used again
	ended   bool // by the pool

	cleaning *cleaning     // the last one, nil if there was none
	back     chan struct{} // closed when the pool has it back from its lease
}

// Context returns a context to run chromedp's actions on. It is done when
// parent is, or when the tab is lost, with a *LostError as the cause; so no
// action outlives the page that it waits for. The caller calls cancel when the
// work is over. Closing the tab is the pool's business.
func (t *Tab) Context(parent context.Context) (ctx context.Context, cancel context.CancelFunc) {
	p := t.current()
	inner, end := context.WithCancelCause(parent)
	stop := context.AfterFunc(p.life, func() { end(p.lost()) })
	return p.current().on(inner), sync.OnceFunc(func() {
		stop()
		if inner.Err() != nil {
			t.spoil() // it was in the middle of something
		}
		end(context.Canceled)
	})
}

// Lost returns a *LostError if the tab is lost, else nil.
func (t *Tab) Lost() error {
	if p := t.current(); p != nil {
		return p.lost()
	}
	return nil
}

// Browser returns the number of the tab's browser, see Pool.Browsers.
func (t *Tab) Browser() uint64 { return t.current().browser.number }

// BrowserContext returns the browser context of the tab, for commands that ask
// for one. It is where all its state is.
func (t *Tab) BrowserContext() cdp.BrowserContextID { return t.current().context }

// AllowDownloads lets the pages of the tab save files in a folder, which is one
// on the machine of the browser, until the lease ends. With ReuseSameTenant that
// goes for all tabs of the tenant, until none of them is leased.
func (t *Tab) AllowDownloads(ctx context.Context, folder string) error {
	p := t.current()
	return p.browser.setDownloads(ctx, p.context, folder)
}

// explain adds to the error of a lease what it comes from, and has the tab not
// used again.
func (t *Tab) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	t.spoil()
	p := t.current()
	if dialog := p.current().dialogs.shown(); dialog != nil {
		err = fmt.Errorf("%w: %w", dialog, err)
	}
	if lost := p.lost(); lost != nil && !errors.As(err, new(*LostError)) {
		return fmt.Errorf("%w: %w", lost, err)
	}
	return cause(ctx, err)
}

func (t *Tab) current() *page {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.page
}

// spoil has the tab not used again.
func (t *Tab) spoil() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.spoiled = true
}

// prepare makes the tab ready for a lease of the tenant: it gets a page, unless
// it has one of the tenant's.
func (t *Tab) prepare(ctx context.Context, tenant string) error {
	if err := t.admit(tenant); err != nil {
		return err
	}
	if err := t.settle(ctx); err != nil {
		return fmt.Errorf("chromedpfair: wait for a tab to be clean: %w", err)
	}
	var options ContextOptions
	if f := t.set.cfg.Context; f != nil {
		options = f(tenant)
	}
	p := t.current()
	if p == nil {
		var err error
		if p, err = t.set.open(ctx, tenant, options); err != nil {
			return err
		}
	}
	if err := p.ready(ctx, t.begin(p), &options); err != nil {
		return fmt.Errorf("chromedpfair: prepare a tab: %w", cause(p.life, err))
	}
	return p.lost()
}

// admit holds the line between tenants: whatever else goes wrong, a tab that
// has served one tenant serves no other, and without ReuseSameTenant nobody
// again.
func (t *Tab) admit(tenant string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case !t.used:
		t.used, t.tenant = true, tenant
	case t.tenant != tenant:
		return fmt.Errorf("chromedpfair: the tab has served tenant %q before %q", t.tenant, tenant)
	case !t.set.cfg.ReuseSameTenant:
		return fmt.Errorf("chromedpfair: the tab has served tenant %q before", tenant)
	}
	t.spoiled = false
	return nil
}

// begin notes a lease, and reports whether the clipboard is to be emptied.
func (t *Tab) begin(p *page) (soiled bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.page, t.leased, t.back = p, true, make(chan struct{})
	if p.home != nil {
		p.home.begin(p)
	}
	return p.browser.clipboard.begin(t.tenant)
}

// end notes the end of a lease.
func (t *Tab) end() (p *page, spoiled bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.leased {
		t.leased = false
		defer close(t.back)
		t.page.browser.clipboard.end(t.tenant)
		if h := t.page.home; h != nil {
			h.end(t.page)
		}
	}
	return t.page, t.spoiled
}

var errSpoiled = errors.New("chromedpfair: the lease failed, and its tab is not kept")

// clean has a tab made ready for its tenant's next lease, for which it does not
// wait, or returns why the tab is not kept. One that was lost with its browser is
// left to the next check, for which nobody pays.
func (t *Tab) clean() error {
	p, spoiled := t.end()
	lost := p.lost()
	switch {
	case errors.Is(lost, pool.ErrBadResource):
		return lost
	case lost != nil:
		return nil
	case spoiled:
		return errSpoiled
	}
	t.set.cleans(t, p)
	return nil
}

// destroy ends the tab. What its tenant has wrecked it pays for until it is
// gone; a good one is no hurry.
func (t *Tab) destroy() {
	if t.abandon() {
		return
	}
	p, _ := t.end()
	if p == nil {
		return
	}
	wrecked := errors.Is(p.lost(), pool.ErrBadResource)
	gone := t.set.discard(p)
	if wrecked {
		<-gone
	}
}
