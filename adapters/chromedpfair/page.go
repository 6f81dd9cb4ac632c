package chromedpfair

import (
	"context"
	"fmt"
	"sync"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/target"
)

// A page is a tab. Its browser context is its own, or the home of a tenant,
// which other pages of that tenant share.
type page struct {
	browser *browser
	context cdp.BrowserContextID
	target  target.ID
	home    *home // nil: the browser context is its own; as it is when somebody gets the page

	// life ends, with the cause, when the page is of no use any more. That is
	// told to whoever has it before anything is done about it.
	life context.Context
	end  context.CancelCauseFunc

	took   time.Duration      // to be opened
	born   aspect             // with ReuseSameTenant
	popups map[target.ID]bool // closed, or to be closed; guarded by the lock of home

	mu      sync.Mutex
	session *session
	told    map[target.ID]time.Time // pages, to close
}

// openPage opens a page at a home, or, if that is nil, in a fresh browser
// context.
//
// chromedp could do that itself, but would leave a browser context or a target
// behind if it were stopped halfway.
func (b *browser) openPage(cfg *Config, h *home, o *ContextOptions) (_ *page, err error) {
	ctx, cancel := context.WithTimeout(b.ctx, cfg.OpenTimeout)
	defer cancel()
	p := &page{browser: b, home: h, popups: make(map[target.ID]bool), told: make(map[target.ID]time.Time)}
	if h != nil {
		p.context, err = h.place(ctx)
	} else {
		p.context, err = b.makeContext(ctx, o)
	}
	if err != nil {
		return nil, err
	}
	p.life, p.end = context.WithCancelCause(b.ctx)
	start := time.Now()
	if err := p.open(ctx, cfg); err != nil {
		p.close(cfg.OpenTimeout, h == nil)
		return nil, fmt.Errorf("open a tab: %w", err)
	}
	p.took = time.Since(start)
	return p, nil
}

// makeContext makes a browser context that goes with our connection, and to
// which nobody may download anything.
func (b *browser) makeContext(ctx context.Context, o *ContextOptions) (cdp.BrowserContextID, error) {
	dispose := true
	made, err := cdp.Call(ctx, b.conn, target.CreateBrowserContext, target.CreateBrowserContextParams{
		DisposeOnDetach: &dispose, ProxyServer: o.ProxyServer, ProxyBypassList: o.ProxyBypassList,
	})
	if err != nil {
		err = fmt.Errorf("create a browser context: %w", err)
		if !o.plain() {
			err = fmt.Errorf("ProxyServer %q, ProxyBypassList %q: %w", o.ProxyServer, o.ProxyBypassList, err)
		}
		return "", err
	}
	if err := b.setDownloads(ctx, made.BrowserContextID, ""); err != nil {
		b.disposeContext(ctx, made.BrowserContextID)
		return "", err
	}
	return made.BrowserContextID, nil
}

func (b *browser) disposeContext(ctx context.Context, id cdp.BrowserContextID) error {
	_, err := cdp.Call(ctx, b.conn, target.DisposeBrowserContext, target.DisposeBrowserContextParams{BrowserContextID: id})
	return err
}

// setDownloads lets the pages of a browser context save files in the folder, or
// nowhere if it is "".
func (b *browser) setDownloads(ctx context.Context, id cdp.BrowserContextID, folder string) error {
	params := cdpbrowser.SetDownloadBehaviorParams{
		Behavior: cdpbrowser.SetDownloadBehaviorBehaviorDeny, BrowserContextID: id,
	}
	if folder != "" {
		params.Behavior, params.DownloadPath = cdpbrowser.SetDownloadBehaviorBehaviorAllow, folder
	}
	if _, err := cdp.Call(ctx, b.conn, cdpbrowser.SetDownloadBehavior, params); err != nil {
		return fmt.Errorf("set DownloadPath %q: %w", folder, err)
	}
	return nil
}

func (p *page) open(ctx context.Context, cfg *Config) error {
	create := p.create
	if p.home != nil {
		create = func(ctx context.Context) error { return p.home.create(ctx, p) }
	}
	if err := create(ctx); err != nil {
		return err
	}
	if err := p.attach(ctx, cfg); err != nil {
		return err
	}
	if !cfg.ReuseSameTenant {
		return nil
	}
	var err error
	p.born, err = p.current().check(ctx)
	return err
}

func (p *page) create(ctx context.Context) error {
	window := true // a window of its own: a hidden page gets no animation frames
	made, err := cdp.Call(ctx, p.browser.conn, target.CreateTarget, target.CreateTargetParams{
		URL: blank, BrowserContextID: p.context, NewWindow: &window,
	})
	p.target = made.TargetID
	return err
}

// ready prepares a page that is blank for a lease.
func (p *page) ready(ctx context.Context, soiled bool, o *ContextOptions) error {
	s := p.current()
	if soiled {
		if err := s.emptyClipboard(ctx); err != nil {
			return fmt.Errorf("empty the clipboard: %w", err)
		}
		p.browser.clipboard.emptied()
	}
	if o.DownloadPath != "" {
		if err := p.browser.setDownloads(ctx, p.context, o.DownloadPath); err != nil {
			return err
		}
	}
	return s.dress(ctx, o)
}

// blank is what a page shows between two leases.
const blank = "about:blank"

// current is the session of the page.
func (p *page) current() *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.session
}

// lost returns why the page is of no use any more, nil if it is. Whoever has it
// may have met the end of the tab, in an error of chromedp, before its life has
// ended with it.
func (p *page) lost() error {
	if p.life.Err() != nil {
		return lostCause(p.life, p.browser.number)
	}
	if p.browser.gone() {
		return &LostError{ErrBrowserDied, p.browser.number}
	}
	if s := p.current(); s != nil && s.cut() {
		return &LostError{ErrTabClosed, p.browser.number}
	}
	return nil
}

// close ends the page and waits until it is gone. With dispose its browser
// context goes too, and everything in it: popups, workers, storage. That asks
// no page for leave, so neither scripts that do not end nor dialogs hold it up.
// Without, the browser gives a page that does not answer half a second.
func (p *page) close(timeout time.Duration, dispose bool) error {
	p.end(&LostError{ErrTabClosed, p.browser.number})
	ctx, cancel := context.WithTimeout(p.browser.ctx, timeout)
	defer cancel()
	var err error
	if dispose {
		err = p.browser.disposeContext(ctx, p.context)
	} else {
		err = p.closePopups(ctx, true)
	}
	if s := p.current(); s != nil {
		s.leave()
	}
	if err == nil || p.browser.gone() {
		return nil // if not by itself, it is gone with its browser
	}
	return fmt.Errorf("close a tab: %w", err)
}
