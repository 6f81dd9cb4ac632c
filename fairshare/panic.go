package fairshare

import (
	"fmt"
	"strings"
)

// A PanicError is a panic of a function that a configuration supplies, such as
// Config.ShareFunc, or a constructor or hook of a pool.
type PanicError struct {
	Func  string // which function, such as "Constructor" or "ShareFunc(10, 3)"
	Value any    // of the panic
	Stack string // of the goroutine that panicked
}

// Error returns one line without the stack.
func (e *PanicError) Error() string {
	return e.Func + " panicked: " + inOneLine.Replace(fmt.Sprint(e.Value))
}

var inOneLine = strings.NewReplacer("\n", `\n`, "\r", `\r`)

// Unwrap returns the value of the panic if it is an error, else nil.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
