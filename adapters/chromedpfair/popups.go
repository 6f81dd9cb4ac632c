package chromedpfair

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/target"
)

// closePopups closes the popups of a page of a home until none is left: one that
// closes may have opened another meanwhile, which comes a little later. With self
// it closes the page too.
func (p *page) closePopups(ctx context.Context, self bool) error {
	none := 0
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		left, err := p.closeThose(ctx, self)
		if err != nil {
			return err
		}
		if none++; left > 0 {
			none = 0
		}
		if none == 2 || none == 1 && !p.home.opened(p) {
			p.home.forget(p)
			return nil
		}
		if none == 1 {
			pause = 20 * time.Millisecond
		}
		select {
		case <-time.After(pause):
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
	var group sync.WaitGroup
	for _, id := range those {
		if p.tells(id) {
			group.Go(func() { // all at once: one that waits for its turn would open others meanwhile
				// One that is closing already is not found, which is as well.
				_, _ = cdp.Call(ctx, p.browser.conn, target.CloseTarget, target.CloseTargetParams{TargetID: id})
			})
		}
	}
	group.Wait()
	return len(those), nil
}

// tellAgain is when a page that has been told to close is told again. The browser
// waits half a second for a page that does not answer, from when it was told
// last: to tell it all the time would keep it open for good.
const tellAgain = time.Second

// tells reports whether the page is to be told to close now.
func (p *page) tells(id target.ID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if at, told := p.told[id]; told && now.Sub(at) < tellAgain {
		return false
	}
	p.told[id] = now
	return true
}
