package pool

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/fairpool/fairpool/fairshare"
)

// A PanicError is a panic of a function of the configuration.
type PanicError = fairshare.PanicError

// newPanicError is the error for a panic that was just recovered.
func newPanicError(what string, value any) error {
	return &PanicError{Func: what, Value: value, Stack: string(debug.Stack())}
}

var errGoexit = errors.New("called runtime.Goexit")

// protect runs code of the user in a goroutine of its own and waits for it.
// Neither a panic nor runtime.Goexit in it reaches the caller: they become
// errors, a panic a *PanicError.
func protect(what string, fn func() error) error { return <-protected(what, fn) }

// protected is protect without the wait: the result arrives on the channel.
func protected(what string, fn func() error) <-chan error {
	done := make(chan error, 1)
	go shielded(what, fn, func(err error) { done <- err })
	return done
}

// shielded is protect for a goroutine that may end with that. It calls done with
// the result.
func shielded(what string, fn func() error, done func(error)) {
	var err error
	returned := false
	defer func() {
		if v := recover(); v != nil {
			err = newPanicError(what, v)
		} else if !returned {
			err = fmt.Errorf("%s %w", what, errGoexit)
		}
		done(err)
	}()
	err = fn()
	returned = true
}
