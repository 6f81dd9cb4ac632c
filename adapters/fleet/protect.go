package fleet

import (
	"fmt"
	"runtime/debug"
)

// protect calls code of the user, whose panic becomes an error with the stack.
func protect(what string, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("fleet: panic in %s: %v\n%s", what, v, debug.Stack())
		}
	}()
	return f()
}
