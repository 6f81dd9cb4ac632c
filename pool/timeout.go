package pool

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrBuildTimeout is the error of a Constructor that took longer than
// Config.BuildTimeout, and the cause with which its context ends.
var ErrBuildTimeout = errors.New("pool: the Constructor took longer than BuildTimeout")

// ErrHookTimeout is the error of a Check, a Prepare or a Reset that took longer
// than its timeout, and the cause with which its context ends.
var ErrHookTimeout = errors.New("pool: the hook took longer than its timeout")

// A contextEnded is an error of a Constructor or a hook that says that a context
// has ended. It was not the context of the caller who gets the error, so errors.Is
// finds neither context.DeadlineExceeded nor context.Canceled in it. It finds all
// else that the function returned, and kind.
type contextEnded struct {
	err  error // what the function returned, nil if it did not return
	kind error // ErrBuildTimeout or ErrHookTimeout; nil if the function ended a context of its own

	what  string
	limit time.Duration
}

func (e *contextEnded) Error() string {
	switch {
	case e.kind == nil:
		return e.err.Error()
	case e.err == nil:
		return fmt.Sprintf("pool: %s did not return within its timeout of %v", e.what, e.limit)
	}
	return fmt.Sprintf("pool: %s took longer than its timeout of %v: %v", e.what, e.limit, e.err)
}

func (e *contextEnded) Unwrap() error { return e.kind }

func (e *contextEnded) Is(target error) bool {
	return target != context.DeadlineExceeded && target != context.Canceled && errors.Is(e.err, target)
}

func (e *contextEnded) As(target any) bool { return errors.As(e.err, target) }

// ofContext reports whether err says that a context has ended.
func ofContext(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// ownError returns an error that a Constructor or a hook returned, so that nobody
// takes it for that of the caller's context. ctx is the context that the function
// had, and kind the cause with which its timeout ends it.
func ownError(ctx context.Context, err, kind error, what string, limit time.Duration) error {
	if !ofContext(err) {
		return err
	}
	if !errors.Is(context.Cause(ctx), kind) {
		kind = nil
	}
	return &contextEnded{err, kind, what, limit}
}

// returnedError is the error that the user's function returned.
func returnedError(err error) error {
	if e, ok := err.(*contextEnded); ok && e.err != nil {
		return e.err
	}
	return err
}
