// Package restate has errors of package pool speak in the name of the adapter that
// the caller uses.
package restate

import "strings"

// As returns an error of pool.New in the name of the adapter, whose configuration has
// the same fields.
func As(adapter string, err error) error {
	lines := strings.Split(err.Error(), "\n")
	for i, line := range lines {
		lines[i] = adapter + ": " + strings.TrimPrefix(line, "pool: ")
	}
	return &restated{strings.Join(lines, "\n"), err}
}

type restated struct {
	text string
	err  error
}

func (r *restated) Error() string { return r.text }
func (r *restated) Unwrap() error { return r.err }
