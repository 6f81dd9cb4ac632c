package httpfair

import (
	"bytes"
	"io"
	"net/http"
)

// readAhead returns the body of r, of which up to most bytes have been read. What
// goes wrong meanwhile whoever reads the body learns.
func readAhead(r *http.Request, most int64) io.ReadCloser {
	if most == 0 || r.Body == nil || r.Body == http.NoBody || r.Header.Get("Expect") != "" {
		return r.Body
	}
	// Asking for one more byte is what finds the end.
	ahead, err := io.ReadAll(io.LimitReader(r.Body, most+1))
	rest := io.Reader(r.Body)
	if err != nil {
		rest = failing{err}
	}
	return &aheadBody{io.MultiReader(bytes.NewReader(ahead), rest), r.Body}
}

// An aheadBody is a body of which a part has been read.
type aheadBody struct {
	io.Reader
	io.Closer
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
