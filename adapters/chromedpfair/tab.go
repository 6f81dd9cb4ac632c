package chromedpfair

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
	"github.com/fairpool/fairpool/pool"
)

// A Tab is a tab of a browser in a browser context of its own: cookies,
// storage, cache, permissions and logins are its own, and end with it.
type Tab struct {
	page *page
	keep bool // for its tenant

	mu     sync.Mutex
	used   bool
	tenant string
}

// Context returns a context to run chromedp's actions on. It is done when
// parent is, or when the tab is lost, with a *LostError as the cause; so no
// action outlives the page that it waits for. The caller calls cancel when the
// work is over. Closing the tab is the pool's business.
func (t *Tab) Context(parent context.Context) (ctx context.Context, cancel context.CancelFunc) {
	return t.page.bind(parent)
}

// Lost returns a *LostError if the tab is lost, else nil.
func (t *Tab) Lost() error { return t.page.lost() }

// Browser returns the number of the tab's browser, see Pool.Browsers.
func (t *Tab) Browser() uint64 { return t.page.browser.number }

// BrowserContext returns the browser context of the tab, for commands that ask
// for one. It is where all its state is.
func (t *Tab) BrowserContext() cdp.BrowserContextID { return t.page.context }

// admit holds the line between tenants: whatever else goes wrong, a tab that
// has served one tenant serves no other, and without keep nobody again.
func (t *Tab) admit(tenant string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case !t.used:
		t.used, t.tenant = true, tenant
	case t.tenant != tenant:
		return fmt.Errorf("chromedpfair: the tab has served tenant %q before %q", t.tenant, tenant)
	case !t.keep:
		return fmt.Errorf("chromedpfair: the tab has served tenant %q before", tenant)
	}
	return t.page.lost()
}

// clean makes a tab ready for its tenant's next lease. One that was lost with
// its browser is left to the next check, for which nobody pays.
func (t *Tab) clean(ctx context.Context) error {
	lost := t.Lost()
	if lost == nil {
		err := t.page.blank(ctx)
		if err == nil {
			return nil
		}
		t.page.end(&LostError{ErrTabClosed, t.Browser()})
		lost = fmt.Errorf("%w: %w", t.Lost(), err)
	}
	if errors.Is(lost, pool.ErrBadResource) {
		return lost
	}
	return nil
}

// bind returns a context that is parent, and ends with the page.
func (p *page) bind(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	stop := context.AfterFunc(p.life, func() { cancel(p.lost()) })
	return &pageContext{ctx, p.chromedp}, func() {
		stop()
		cancel(context.Canceled)
	}
}

// A pageContext is a context of a caller by which chromedp finds the page.
type pageContext struct {
	context.Context
	page context.Context
}

func (c *pageContext) Value(key any) any {
	if found, ok := c.page.Value(key).(*chromedp.Context); ok {
		return found
	}
	return c.Context.Value(key)
}
