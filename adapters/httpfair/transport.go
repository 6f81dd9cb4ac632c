package httpfair

import (
	"net/http"
	"strconv"
	"time"

	"github.com/fairpool/fairpool/adapters/internal/upstream"
)

// Slots are what a Transport waits for: a *fairshare.Semaphore or a *pool.Pool.
// The Transport suspends and resizes them; nobody else should, unless
// TransportOptions.Fixed is set.
type Slots[P Permit] interface {
	Gate[P]
	Resize(capacity int) error
	Suspend()
	Resume()
}

// TransportOptions are those of a Transport. The zero value is a good one.
type TransportOptions struct {
	// Fixed has the slots left alone, whatever the API answers.
	Fixed bool

	// Min is the least number of slots that a 429 or 503 may leave. 0 means 1.
	// The most is the capacity that the slots had at first.
	Min int

	// IncreaseAfter is how long after a change the number of slots may grow by a
	// step: by a twentieth of the range from Min, and at least by one. After a
	// Retry-After it is at least twenty times as long as that. 0 means five seconds.
	IncreaseAfter time.Duration

	// MaxPause is the longest that a Retry-After is heeded. 0 means one minute.
	MaxPause time.Duration

	// Leak is told of requests whose slot was held for longer than LeakAfter, and
	// again when such a one ends; and of responses that were dropped without
	// being read to their end or closed, which are closed when the garbage
	// collector notices. It is called from various goroutines.
	Leak func(Leak)

	// LeakAfter is how long a slot may be held before it is reported. 0 means
	// for ever.
	LeakAfter time.Duration
}

// A Leak is a request that held its slot for too long, or a response that was
// lost.
type Leak struct {
	Tenant  string
	Request string        // method and URL, without query or password
	Held    time.Duration // the slot, so far or in the end
	Stack   string        // of the RoundTrip
	Ended   bool          // the second report: the slot has come back
	Lost    bool          // nobody could have closed the body any more
}

// TransportStats are the figures of a Transport. How many requests wait, and how
// many slots the tenants hold, the Stats and Tenants of the slots tell.
type TransportStats struct {
	Capacity  int // slots in force, but for the pause; with Fixed, those at first
	Min, Max  int // within which it is
	InFlight  int
	PausedFor time.Duration // from now on nothing is sent

	// Since the start.
	Overloads uint64 // responses of status 429 or 503
	Increases uint64 // of Capacity
	Decreases uint64
	Pauses    uint64
	Leaks     uint64 // requests that held a slot for longer than LeakAfter
	Lost      uint64 // responses that were dropped
	Err       error  // of the last Resize that failed or Leak that panicked
}

// A Transport is an http.RoundTripper for which each request takes a slot, fairly
// among the tenants that the contexts of the requests carry. It may be used by
// several goroutines. It is for one API: its capacity is that of the whole.
type Transport struct {
	base     http.RoundTripper
	upstream *upstream.Upstream
}

// NewTransport returns a Transport that sends requests by way of base, nil
// meaning http.DefaultTransport. It returns an error that names each wrong field
// of opt.
func NewTransport[P Permit](slots Slots[P], base http.RoundTripper, opt TransportOptions) (*Transport, error) {
	cfg := upstream.Config{
		Fixed: opt.Fixed, Min: opt.Min, IncreaseAfter: opt.IncreaseAfter, MaxPause: opt.MaxPause, LeakAfter: opt.LeakAfter,
	}
	if leak := opt.Leak; leak != nil {
		cfg.Leak = func(l upstream.Leak) {
			leak(Leak{Tenant: l.Tenant, Request: l.Call, Held: l.Held, Stack: l.Stack, Ended: l.Ended, Lost: l.Lost})
		}
	}
	up, err := upstream.New(slots, cfg, "httpfair: TransportOptions")
	if err != nil {
		return nil, err
	}
	if base == nil {
		base = http.DefaultTransport
	}
	return &Transport{base, up}, nil
}

// RoundTrip waits for a slot, sends the request and returns the response. The
// slot goes back when the body of the response is read to its end or closed, or
// RoundTrip fails. If there is no slot the error is a *Rejection.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	call, refusal := t.upstream.Begin(req.Context(), func() string { return describe(req) })
	if refusal != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, reject(refusal)
	}
	sent := false
	defer func() {
		if !sent {
			call.End()
		}
	}()
	own := req
	if ctx := call.Context(); ctx != req.Context() {
		own = req.WithContext(ctx)
	}
	resp, err := t.base.RoundTrip(own)
	if err != nil {
		return resp, err
	}
	if resp.Request == own {
		resp.Request = req
	}
	switch {
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable:
		call.Overloaded(retryAfter(resp.Header, time.Now()))
	case resp.StatusCode < 500:
		call.Succeeded()
	}
	sent = true
	return hold(resp, call), nil
}

// CloseIdleConnections closes those of the base, if it can.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// Stats returns the figures of the moment.
func (t *Transport) Stats() TransportStats { return TransportStats(t.upstream.Stats()) }

// describe names a request in a report. A query may carry secrets.
func describe(req *http.Request) string {
	if req.URL == nil {
		return req.Method
	}
	u := *req.URL
	u.RawQuery, u.Fragment, u.User = "", "", nil
	return req.Method + " " + u.String()
}

// retryAfter reads Retry-After, which is a number of seconds, or a date on the
// clock of whoever has sent it; 0 if there is none.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return max(0, at.Sub(now))
}
