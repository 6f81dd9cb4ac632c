package chromedpfair

import (
	"context"
	"fmt"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/inspector"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// A page is a tab in a browser context of its own: what is in it, no other page
// sees.
type page struct {
	browser *browser
	context cdp.BrowserContextID

	// life ends, with the cause, when the page is of no use any more. That is
	// told to whoever has it before anything is done about it.
	life context.Context
	end  context.CancelCauseFunc

	chromedp context.Context // to run actions on
	detach   func()          // ends it, and waits until chromedp has let go
	detached <-chan struct{} // closed when the tab is gone
	dialogs  dialogs
	excuses  excuses
}

// openPage opens a page in a fresh browser context, to which nobody may
// download anything.
//
// chromedp could do that itself, but would leave the browser context behind if
// it were stopped halfway. And no context of a caller gets near the first Run:
// it would bound the page's message loop for good.
func (b *browser) openPage(cfg *Config) (*page, error) {
	ctx, cancel := context.WithTimeout(b.ctx, cfg.OpenTimeout)
	defer cancel()
	dispose := true
	made, err := cdp.Call(ctx, b.conn, target.CreateBrowserContext, target.CreateBrowserContextParams{DisposeOnDetach: &dispose})
	if err != nil {
		return nil, fmt.Errorf("create a browser context: %w", err)
	}
	p := &page{browser: b, context: made.BrowserContextID}
	p.life, p.end = context.WithCancelCause(b.ctx)
	p.chromedp, p.detach = chromedp.NewContext(b.ctx,
		chromedp.WithExistingBrowserContext(p.context), chromedp.WithListener(p.hear))
	if err := p.attach(ctx); err != nil {
		p.close(cfg.OpenTimeout)
		return nil, err
	}
	p.detached, _ = chromedp.Detached(p.chromedp)
	go p.watch(&cfg.Health)
	return p, nil
}

func (p *page) attach(ctx context.Context) error {
	if _, err := cdp.Call(ctx, p.browser.conn, cdpbrowser.SetDownloadBehavior, cdpbrowser.SetDownloadBehaviorParams{
		Behavior: cdpbrowser.SetDownloadBehaviorBehaviorDeny, BrowserContextID: p.context,
	}); err != nil {
		return fmt.Errorf("forbid downloads: %w", err)
	}
	stop := context.AfterFunc(ctx, p.detach)
	err := chromedp.Do(p.chromedp)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("open a tab: %w", err)
	}
	return nil
}

// hear is told of every event of the page, in chromedp's message loop.
func (p *page) hear(event any) {
	switch event.(type) {
	case *inspector.EventTargetCrashed:
		p.end(&LostError{ErrTabCrashed, p.browser.number})
	default:
		p.dialogs.hear(event)
		p.excuses.hear(event, cdp.FrameID(chromedp.FromContext(p.chromedp).Target.TargetID))
	}
}

// watch sees to it that the end of the tab is the end of the page, and that a
// page that hangs ends if it is not to.
func (p *page) watch(health *Health) {
	looks, stop := health.looks()
	defer stop()
	for {
		select {
		case <-looks:
			if p.hangs(health) {
				p.end(&LostError{ErrTabHung, p.browser.number})
			}
			continue
		case <-p.detached:
		case <-p.chromedp.Done(): // somebody called chromedp.Cancel, or the browser is gone
		case <-p.life.Done():
		}
		break
	}
	if !p.browser.gone() {
		p.end(&LostError{ErrTabClosed, p.browser.number})
	}
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
	select {
	case <-p.detached:
		return &LostError{ErrTabClosed, p.browser.number}
	default:
		return nil
	}
}

// close ends the page and disposes of its browser context with everything in
// it: popups, workers, storage. That asks no page for leave, so neither scripts
// that do not end nor dialogs hold it up. It waits until all is gone.
func (p *page) close(timeout time.Duration) error {
	p.end(&LostError{ErrTabClosed, p.browser.number})
	ctx, cancel := context.WithTimeout(p.browser.ctx, timeout)
	defer cancel()
	_, err := cdp.Call(ctx, p.browser.conn, target.DisposeBrowserContext, target.DisposeBrowserContextParams{BrowserContextID: p.context})
	p.detach()
	if err == nil || p.browser.gone() {
		return nil // if not by itself, it is gone with its browser
	}
	return fmt.Errorf("close a tab: %w", err)
}
