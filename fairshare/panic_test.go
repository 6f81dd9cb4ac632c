package fairshare_test

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// requirePanic fails unless err is a panic, in one line, of code in the file.
func requirePanic(t *testing.T, err error, file string) *fairshare.PanicError {
	t.Helper()
	var e *fairshare.PanicError
	require.ErrorAs(t, err, &e)
	require.Contains(t, e.Stack, file)
	for _, text := range []string{err.Error(), e.Error()} {
		require.NotContains(t, text, "\n")
		require.NotContains(t, text, ".go:", "nor is the stack in the text")
	}
	return e
}

func TestAPanicErrorIsOneLineAndLeadsToItsValue(t *testing.T) {
	e := &fairshare.PanicError{Func: "Check", Value: &fs.PathError{Op: "open", Path: "a\nb", Err: fs.ErrNotExist}, Stack: "main.go:1"}
	require.EqualError(t, e, `Check panicked: open a\nb: file does not exist`)
	require.ErrorIs(t, e, fs.ErrNotExist)
	e.Value = "two\r\nlines"
	require.EqualError(t, e, `Check panicked: two\r\nlines`)
	require.NoError(t, errors.Unwrap(e))
}
