package chromedpfair

import (
	"context"
	"errors"
	"fmt"
	"sync"

	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// ErrDialog is wrapped by the error of a lease that has failed while the page
// showed a dialog, which keeps it from doing anything else.
var ErrDialog = errors.New("chromedpfair: the page waits for the answer to a dialog")

// A DialogPolicy is what becomes of the dialogs that a page opens: alert,
// confirm, prompt, and the question whether to leave.
type DialogPolicy int

const (
	// LeaveDialogs leaves them to the code of the lease. One that nobody
	// answers lasts until the caller's deadline; the error of Do then wraps
	// ErrDialog.
	LeaveDialogs DialogPolicy = iota
	// AcceptDialogs accepts them, a prompt with its default.
	AcceptDialogs
	// DismissDialogs dismisses them, but for the question whether to leave the
	// page: the code of the lease has said so.
	DismissDialogs
	// FailOnDialog ends the context of the lease, with a LostError for ErrDialog
	// as the cause, and closes the tab.
	FailOnDialog
)

// dialogs knows the dialog that the page shows, and answers it if told to.
type dialogs struct {
	mu     sync.Mutex
	open   *cdppage.EventJavascriptDialogOpening // nil: none
	answer func(*cdppage.EventJavascriptDialogOpening)
}

// policy is how the dialogs of the session are answered, nil if not here.
func (s *session) policy(policy DialogPolicy) func(*cdppage.EventJavascriptDialogOpening) {
	switch policy {
	case AcceptDialogs, DismissDialogs:
		return func(e *cdppage.EventJavascriptDialogOpening) {
			s.answer(s.ctx, e, policy == AcceptDialogs || e.Type == cdppage.DialogTypeBeforeunload)
		}
	case FailOnDialog:
		return func(e *cdppage.EventJavascriptDialogOpening) {
			s.page.end(&LostError{ErrDialog, s.page.browser.number})
		}
	}
	return nil
}

func (s *session) answer(ctx context.Context, e *cdppage.EventJavascriptDialogOpening, accept bool) {
	// Fails if somebody else was quicker.
	_, _ = chromedp.Call(s.on(ctx), cdppage.HandleJavaScriptDialog, cdppage.HandleJavaScriptDialogParams{
		Accept: accept, PromptText: e.DefaultPrompt,
	})
}

func (d *dialogs) hear(event any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch event := event.(type) {
	case *cdppage.EventJavascriptDialogOpening:
		d.open = event
		if d.answer != nil {
			go d.answer(event)
		}
	case *cdppage.EventJavascriptDialogClosed:
		d.open = nil
	}
}

// accept has every dialog of the session accepted from now on, one that is open
// included: the page is to be left.
func (d *dialogs) accept(ctx context.Context, s *session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answer = func(e *cdppage.EventJavascriptDialogOpening) { s.answer(ctx, e, true) }
	if d.open != nil {
		go d.answer(d.open)
	}
}

// shown returns an error that says which dialog is open, nil if none is.
func (d *dialogs) shown() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open == nil {
		return nil
	}
	return fmt.Errorf("%w: %s %q", ErrDialog, d.open.Type, d.open.Message)
}
