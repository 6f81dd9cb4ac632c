package httpfair

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/fairpool/fairpool/adapters/internal/gate"
)

// A Rejection says why a request got no slot. It is the answer to it, as an
// http.Handler, and an error, of Transport.RoundTrip: the ErrorHandler of an
// httputil.ReverseProxy may find it by errors.As and have it answer.
type Rejection struct {
	Tenant string

	// Status is 429 if it was a bound of the tenant's own that stood in the
	// way, 403 if the request names no tenant and RequireTenant is set, else 503.
	Status int

	// RetryAfter is when the client may try again. 0 means that nobody knows.
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
	if r.RetryAfter > 0 {
		seconds := (r.RetryAfter + time.Second - 1) / time.Second
		w.Header().Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	text := "The server is busy with the requests of all its users."
	switch r.Status {
	case http.StatusTooManyRequests:
		text = "Too many requests of yours are waiting."
	case http.StatusForbidden:
		text = "The server cannot tell whom the request is for."
	}
	http.Error(w, text, r.Status)
}
