package httpfair

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/fairpool/fairpool/adapters/internal/gate"
	"github.com/fairpool/fairpool/fairshare"
)

// A Rejection says why a request got no slot. It is the answer to it, as an
// http.Handler, and an error, of Transport.RoundTrip: the ErrorHandler of an
// httputil.ReverseProxy may find it by errors.As and have it answer.
type Rejection struct {
	Tenant string

	// Status is 429 if it was a bound of the tenant's own that stood in the
	// way, 403 if the request names no tenant and RequireTenant is set, 413 if it
	// costs more slots than its tenant can ever hold, else 503.
	Status int

	// RetryAfter is when the client may try again: as long as one more request of
	// the tenant was expected to wait, and up to half as long again at random. If
	// that is not known it is as long as this one has waited, or within a second. It is 0 if the client has gone, the request names no tenant or it costs too much.
	RetryAfter time.Duration

	// Err is a *fairshare.AcquireError. Its text names other tenants: it is for
	// the log, not for the client.
	Err error
}

func reject(refusal *gate.Refusal) *Rejection {
	r := &Rejection{
		Tenant:     refusal.Tenant,
		Status:     http.StatusServiceUnavailable,
		RetryAfter: refusal.RetryAfter,
		Err:        refusal.Err,
	}
	switch {
	case refusal.Nameless:
		r.Status = http.StatusForbidden
	case refusal.TooLarge:
		r.Status = http.StatusRequestEntityTooLarge
	case refusal.Own:
		r.Status = http.StatusTooManyRequests
	}
	return r
}

func (r *Rejection) Error() string {
	return fmt.Sprintf("httpfair: %d %s: %v", r.Status, http.StatusText(r.Status), r.Err)
}

func (r *Rejection) Unwrap() error { return r.Err }

// ServeHTTP answers with Status, Retry-After in whole seconds if it is known,
// and a line of text.
func (r *Rejection) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	// A flood is refused thousands of times a second. So the values are ready, and
	// the keys are in their canonical form, which Header.Set would check.
	h := w.Header()
	if r.RetryAfter > 0 {
		seconds := (r.RetryAfter + time.Second - 1) / time.Second
		h["Retry-After"] = []string{strconv.FormatInt(int64(seconds), 10)}
	}
	delete(h, "Content-Length")
	h["Content-Type"] = plainText
	h["X-Content-Type-Options"] = noSniff
	w.WriteHeader(r.Status)
	w.Write(r.text()) // if it fails the client has gone
}

var (
	plainText = []string{"text/plain; charset=utf-8"}
	noSniff   = []string{"nosniff"}

	textOwn      = []byte("Too many requests of yours are waiting.\n")
	textNameless = []byte("The server cannot tell whom the request is for.\n")
	textTooLarge = []byte("The request needs more than the server has for you.\n")
	textClosed   = []byte("The server is shutting down.\n")
	textBusy     = []byte("The server is busy with the requests of all its users.\n")
)

func (r *Rejection) text() []byte {
	switch {
	case r.Status == http.StatusTooManyRequests:
		return textOwn
	case r.Status == http.StatusForbidden:
		return textNameless
	case r.Status == http.StatusRequestEntityTooLarge:
		return textTooLarge
	case errors.Is(r.Err, fairshare.ErrClosed):
		return textClosed
	}
	return textBusy
}
