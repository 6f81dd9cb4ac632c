package chromedpfair

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

const (
	// stepTimeout is half of how long a page may take, at least, for a step on
	// the way to be clean while its browser answers at once. Then another one is
	// opened, which is sooner: the page itself took less than that to open.
	stepTimeout = 400 * time.Millisecond

	// cleanTimeout is how long all of it may take, whoever is to blame.
	cleanTimeout = 5 * time.Second

	// mostSkew is how far the clock of a page may go astray.
	mostSkew = time.Second
)

var errStuck = errors.New("the page does not become clean")

// clean makes a page ready for its tenant's next lease: it leaves what is
// loaded, closes popups and dialogs, and replaces the session. What the browser
// context stores stays.
func (p *page) clean(ctx context.Context, cfg *Config) error {
	ctx, step, cancel := p.patiently(ctx)
	defer cancel()
	old := p.current()
	old.dialogs.accept(ctx, old)
	if err := p.leave(ctx, old); err != nil {
		return fmt.Errorf("leave the page: %w", cause(ctx, err))
	}
	step()
	if err := p.closePopups(ctx, false); err != nil {
		return fmt.Errorf("close popups: %w", cause(ctx, err))
	}
	if err := p.home.settle(ctx); err != nil {
		return cause(ctx, err)
	}
	step()
	if err := await(ctx, old.leave); err != nil {
		return fmt.Errorf("end the session: %w", err)
	}
	step()
	if err := p.attach(ctx, cfg); err != nil {
		return fmt.Errorf("begin a session: %w", cause(ctx, err))
	}
	step()
	after, err := p.current().check(ctx)
	if err != nil {
		return cause(ctx, err)
	}
	return after.differs(p.born)
}

// leave leaves what is loaded. Popups that show a dialog, or do much, could keep
// the page from that, and so could a script without end of one, which runs in the
// same process: popups are closed beforehand, and if it takes time they are closed
// meanwhile, and scripts are stopped.
func (p *page) leave(ctx context.Context, s *session) error {
	if _, err := p.closeThose(ctx, false); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		ticks := time.NewTicker(50 * time.Millisecond)
		defer ticks.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticks.C:
				// If this fails, so does what comes next.
				_, _ = p.closeThose(ctx, false)
				_, _ = chromedp.Call(s.on(ctx), runtime.TerminateExecution, cdp.Empty{})
			}
		}
	}()
	return chromedp.Do(s.on(ctx), chromedp.Navigate(blank))
}

// patiently returns a context that ends with ctx, or when there has been no
// step for twice stepTimeout, or twice the time in which the page was opened, and
// the page is to blame: its browser answers, and promptly. Where the machine is busy, to open another page would make it
// more so.
func (p *page) patiently(parent context.Context) (ctx context.Context, step, cancel func()) {
	ctx, end := context.WithCancelCause(parent)
	var steps atomic.Int64
	go func() {
		ticks := time.NewTicker(max(stepTimeout, p.took))
		defer ticks.Stop()
		for last := int64(-1); ; {
			select {
			case <-ctx.Done():
				return
			case <-ticks.C:
			}
			start, before := time.Now(), steps.Load()
			if before == last && p.browser.ask(stepTimeout) == nil && time.Since(start) < stepTimeout/5 && steps.Load() == last {
				end(errStuck)
			}
			last = before
		}
	}()
	return ctx, func() { steps.Add(1) }, func() { end(context.Canceled) }
}

// await calls f and waits for it, or until ctx ends.
func await(ctx context.Context, f func()) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// cause returns why ctx has ended, if it has, beside err.
func cause(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if err == nil || cause == nil || errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w: %w", cause, err)
}
