package chromedpfair

import (
	"context"
	"errors"
	"fmt"

	"github.com/fairpool/fairpool/pool"
)

// Why a tab was lost.
var (
	ErrTabCrashed     = errors.New("chromedpfair: the page crashed")
	ErrTabClosed      = errors.New("chromedpfair: the tab was closed")
	ErrTabHung        = errors.New("chromedpfair: the page did not answer") // see Health.HangAfter
	ErrBrowserDied    = errors.New("chromedpfair: the browser died")
	ErrBrowserHung    = errors.New("chromedpfair: the browser did not answer and was killed")
	ErrBrowserRetired = errors.New("chromedpfair: the browser was retired and killed when the time to drain was over")
)

// A LostError is the cause of the end of a tab's context before its lease ended.
// It unwraps to one of the errors above, or to pool.ErrClosed. If it is about
// the tab and not its browser it unwraps to pool.ErrBadResource too: its tenant
// pays for the replacement. Whose fault the end of a browser is nobody knows.
type LostError struct {
	Reason  error
	Browser uint64 // its number: they are counted from 1 as they are started
}

func (e *LostError) Error() string { return fmt.Sprintf("%v (browser %d)", e.Reason, e.Browser) }

// Unwrap lets errors.Is find the reason, and the pool know what to do.
func (e *LostError) Unwrap() []error {
	switch e.Reason {
	case ErrTabCrashed, ErrTabClosed, ErrTabHung, ErrDialog:
		return []error{e.Reason, pool.ErrBadResource}
	}
	return []error{e.Reason}
}

// lostCause is the cause of the end of a context of ours. chromedp ends it
// without one when the connection to the browser breaks.
func lostCause(ctx context.Context, browser uint64) error {
	if ctx.Err() == nil {
		return nil
	}
	var lost *LostError
	if errors.As(context.Cause(ctx), &lost) {
		return lost
	}
	return &LostError{ErrBrowserDied, browser}
}
