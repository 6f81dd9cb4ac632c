package chromedpfair

import (
	"context"
	"slices"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/target"
)

// closePopups closes the popups of a page of a home until none is left: one that
// closes may have opened another meanwhile. With self it closes the page too.
func (p *page) closePopups(ctx context.Context, self bool) error {
	for {
		left, err := p.closeThose(ctx, self)
		if err != nil {
			return err
		}
		if left == 0 {
			p.home.forget(p)
			return nil
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// closeThose closes what is there now, and returns how much that is.
func (p *page) closeThose(ctx context.Context, self bool) (left int, err error) {
	found, err := cdp.Call(ctx, p.browser.conn, target.GetTargets, target.GetTargetsParams{})
	if err != nil {
		return 0, err
	}
	here := slices.DeleteFunc(found.TargetInfos, func(t *target.Info) bool {
		return t.Type != "page" || t.BrowserContextID != p.context
	})
	those := p.home.family(p, here)
	if self && slices.ContainsFunc(here, func(t *target.Info) bool { return t.TargetID == p.target }) {
		those = append(those, p.target)
	}
	for _, id := range those {
		// One that is closing already is not found, which is as well.
		_, _ = cdp.Call(ctx, p.browser.conn, target.CloseTarget, target.CloseTargetParams{TargetID: id})
	}
	return len(those), nil
}
