package fleet

import (
	"fmt"
	"runtime/debug"

	"github.com/fairpool/fairpool/fairshare"
)

// protect calls code of the user, whose panic becomes a *fairshare.PanicError.
func protect(what string, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("fleet: %w", &fairshare.PanicError{Func: what, Value: v, Stack: string(debug.Stack())})
		}
	}()
	return f()
}
