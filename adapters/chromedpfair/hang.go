package chromedpfair

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// looks is when to ask whether a page hangs; never if nobody wants to know.
func (h *Health) looks() (ticks <-chan time.Time, stop func()) {
	if h.HangAfter == 0 {
		return nil, func() {}
	}
	ticker := time.NewTicker(h.Every)
	return ticker.C, ticker.Stop
}

// hangs asks the page for an answer, which it gives when no script of its own
// runs, and reports whether there was none within Health.HangAfter, nor an
// excuse. Where the browser does not answer either, it is not for the page to
// blame.
func (s *session) hangs(health *Health) bool {
	ctx, cancel := context.WithTimeout(s.ctx, health.HangAfter)
	defer cancel()
	defer context.AfterFunc(s.page.life, cancel)()
	before, _ := s.excuses.seen()
	_, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: "0"})
	if !errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	after, excused := s.excuses.seen()
	return !excused && after == before && s.page.browser.ask(health.Timeout) == nil
}

// excuses are what keeps a page from answering though it does not hang: a
// dialog that is open, and the wait for the server that it goes to, during which
// the browser lets no question through to the page.
type excuses struct {
	mu       sync.Mutex
	dialog   bool
	navigate bool
	count    int // of excuses so far
}

// hear is told of every event of the page whose main frame is top.
func (e *excuses) hear(event any, top cdp.FrameID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch event := event.(type) {
	case *cdppage.EventJavascriptDialogOpening:
		e.dialog = true
		e.count++
	case *cdppage.EventJavascriptDialogClosed:
		e.dialog = false
	case *cdppage.EventFrameStartedLoading:
		if event.FrameID == top {
			e.navigate = true
			e.count++
		}
	case *cdppage.EventFrameNavigated: // and loads on, in the page
		if event.Frame.ParentID == "" {
			e.navigate = false
		}
	case *cdppage.EventFrameStoppedLoading: // or stays where it is
		if event.FrameID == top {
			e.navigate = false
		}
	}
}

// seen returns how many excuses there have been, and whether there is one now.
func (e *excuses) seen() (count int, now bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.count, e.dialog || e.navigate
}
