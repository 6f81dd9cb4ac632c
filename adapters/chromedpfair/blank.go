package chromedpfair

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// blank leaves what is loaded and closes popups and dialogs, and keeps what the
// browser context stores. It is for the tenant that had the page to have it
// again.
func (p *page) blank(ctx context.Context) error {
	ctx, cancel := p.bind(ctx)
	defer cancel()
	p.dialogs.refuse(func() {
		// Fails if somebody else was quicker.
		_, _ = chromedp.Call(ctx, cdppage.HandleJavaScriptDialog, cdppage.HandleJavaScriptDialogParams{Accept: true})
	})
	defer p.dialogs.refuse(nil)
	if err := p.closePopups(ctx); err != nil {
		return fmt.Errorf("close popups: %w", err)
	}
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		return fmt.Errorf("leave the page: %w", err)
	}
	return nil
}

func (p *page) closePopups(ctx context.Context) error {
	found, err := cdp.Call(ctx, p.browser.conn, target.GetTargets, target.GetTargetsParams{})
	if err != nil {
		return err
	}
	own := chromedp.FromContext(p.chromedp).Target.TargetID
	for _, info := range found.TargetInfos {
		if info.BrowserContextID != p.context || info.Type != "page" || info.TargetID == own {
			continue
		}
		_, failure := cdp.Call(ctx, p.browser.conn, target.CloseTarget, target.CloseTargetParams{TargetID: info.TargetID})
		err = errors.Join(err, failure)
	}
	return err
}

// dialogs knows whether the page waits for an answer, and gives one if told to.
type dialogs struct {
	mu     sync.Mutex
	open   bool
	answer func() // nil: leave them to whoever has the page
}

func (d *dialogs) hear(event any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch event.(type) {
	case *cdppage.EventJavascriptDialogOpening:
		d.open = true
	case *cdppage.EventJavascriptDialogClosed:
		d.open = false
	default:
		return
	}
	if d.open && d.answer != nil {
		go d.answer()
	}
}

// refuse has every dialog answered from now on, one that is open included.
func (d *dialogs) refuse(answer func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answer = answer
	if d.open && answer != nil {
		go answer()
	}
}
