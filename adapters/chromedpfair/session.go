package chromedpfair

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/inspector"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// A session is an attachment of chromedp to a page. What a lease sets on its
// page belongs to the session and ends with it: headers, emulation, interception,
// injected scripts, exposed functions. So each lease has a session that nobody
// has used.
type session struct {
	page   *page
	ctx    context.Context // chromedp's, to run actions on
	cancel func()          // detaches, and waits for that; the tab stays open

	detached <-chan struct{}
	replaced atomic.Bool // on purpose
	dressed  bool        // ContextOptions are in force; for whoever prepares the page

	dialogs dialogs
	excuses excuses
}

// attach gives the page a session, in place of the one that it had.
//
// No context of a caller gets near the first Run: it would bound the message
// loop of the session for good.
func (p *page) attach(ctx context.Context, cfg *Config) error {
	s := &session{page: p}
	s.ctx, s.cancel = chromedp.NewContext(p.browser.ctx,
		chromedp.WithTargetID(p.target), chromedp.WithDetachOnCancel(), chromedp.WithListener(s.hear))
	// So that tabs that the code of a lease opens by itself are the tenant's too.
	chromedp.FromContext(s.ctx).BrowserContextID = p.context
	s.dialogs.answer = s.policy(cfg.Dialogs)
	stop := context.AfterFunc(ctx, s.cancel)
	err := chromedp.Do(s.ctx)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		s.leave()
		return err
	}
	s.detached, _ = chromedp.Detached(s.ctx)
	p.mu.Lock()
	p.session = s
	p.mu.Unlock()
	go s.watch(&cfg.Health)
	return nil
}

// leave ends the session on purpose.
func (s *session) leave() {
	s.replaced.Store(true)
	s.cancel()
}

// cut reports whether the session has ended by itself: the tab is gone.
func (s *session) cut() bool {
	select {
	case <-s.detached:
		return !s.replaced.Load()
	default:
		return false
	}
}

// on returns a context to run actions with, which ends with ctx.
func (s *session) on(ctx context.Context) context.Context { return &sessionContext{ctx, s.ctx} }

// A sessionContext is a context of a caller by which chromedp finds the session.
type sessionContext struct {
	context.Context
	session context.Context
}

func (c *sessionContext) Value(key any) any {
	if found, ok := c.session.Value(key).(*chromedp.Context); ok {
		return found
	}
	return c.Context.Value(key)
}

// hear is told of every event of the page, in chromedp's message loop.
func (s *session) hear(event any) {
	switch event.(type) {
	case *inspector.EventTargetCrashed:
		s.page.end(&LostError{ErrTabCrashed, s.page.browser.number})
	default:
		s.dialogs.hear(event)
		s.excuses.hear(event, cdp.FrameID(s.page.target))
	}
}

// watch sees to it that the end of the tab is the end of the page, and that a
// page that hangs ends if it is not to.
func (s *session) watch(health *Health) {
	p := s.page
	looks, stop := health.looks()
	defer stop()
	for {
		select {
		case <-looks:
			if s.hangs(health) {
				p.end(&LostError{ErrTabHung, p.browser.number})
			}
			continue
		case <-s.detached:
		case <-s.ctx.Done(): // somebody called chromedp.Cancel, or the browser is gone
		case <-p.life.Done():
		}
		break
	}
	if !s.replaced.Load() && !p.browser.gone() {
		p.end(&LostError{ErrTabClosed, p.browser.number})
	}
}

// An aspect of a page is what neither a new session nor a new document changes
// back.
type aspect struct {
	Width, Height int   // of its window
	Now           int64 // by its clock, in milliseconds
	skew          time.Duration
}

// differs returns what is different from what was before.
func (a aspect) differs(before aspect) error {
	if d := a.skew - before.skew; d.Abs() > mostSkew {
		return fmt.Errorf("the clock of the page is off by %v", d)
	}
	if a.Width != before.Width || a.Height != before.Height {
		return fmt.Errorf("the window is %d x %d, and was %d x %d", a.Width, a.Height, before.Width, before.Height)
	}
	return nil
}

// checkClean removes what a session does not take along, and looks at the rest.
// A page whose clock stands still does not answer.
const checkClean = `(window.name = "", new Promise(done => setTimeout(() => done({
	url: location.href, history: history.length, width: innerWidth, height: innerHeight, now: Date.now(),
}), 0)))`

// check makes sure that the page is blank, without a name and a history, and
// returns its aspect.
func (s *session) check(ctx context.Context) (a aspect, err error) {
	ctx = s.on(ctx)
	if _, err := chromedp.Call(ctx, cdppage.ResetNavigationHistory, cdp.Empty{}); err != nil {
		return a, fmt.Errorf("forget the history: %w", err)
	}
	if _, err := chromedp.Call(ctx, cdppage.SetBypassCSP, cdppage.SetBypassCSPParams{}); err != nil {
		return a, fmt.Errorf("heed the policy of pages: %w", err)
	}
	var found struct {
		URL     string
		History int64
		aspect
	}
	if err := s.evaluate(ctx, checkClean, &found); err != nil {
		return a, fmt.Errorf("look at the page: %w", err)
	}
	if found.URL != blank || found.History != 1 {
		return a, fmt.Errorf("the page is at %q with a history of %d", found.URL, found.History)
	}
	a = found.aspect
	a.skew = time.Until(time.UnixMilli(a.Now))
	return a, nil
}

// evaluate runs JavaScript as if a user had asked for it, awaits a promise, and
// stores the value in result.
func (s *session) evaluate(ctx context.Context, js string, result any) error {
	yes := true
	answer, err := chromedp.Call(s.on(ctx), runtime.Evaluate, runtime.EvaluateParams{
		Expression: js, AwaitPromise: &yes, ReturnByValue: &yes, UserGesture: &yes,
	})
	if err != nil {
		return err
	}
	if answer.ExceptionDetails != nil {
		return errors.New(answer.ExceptionDetails.Text)
	}
	return json.Unmarshal(answer.Result.Value, result)
}
