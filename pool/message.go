package pool

import "fmt"

// count says how many there are of a thing.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// A restated error is another one in the words of this package.
type restated struct {
	text string
	err  error
}

func (r *restated) Error() string { return r.text }
func (r *restated) Unwrap() error { return r.err }
