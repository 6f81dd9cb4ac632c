package httpfair_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/httpfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// newClient returns a client whose requests take slots of sem, and the base
// transport that sends them.
func newClient(t *testing.T, sem *fairshare.Semaphore, opt httpfair.TransportOptions) (*http.Client, *httpfair.Transport) {
	t.Helper()
	base := http.DefaultTransport.(*http.Transport).Clone()
	transport, err := httpfair.NewTransport(sem, base, opt)
	require.NoError(t, err)
	client := &http.Client{Transport: transport}
	t.Cleanup(client.CloseIdleConnections)
	return client, transport
}

// get sends a request of the tenant, which has to succeed.
func get(t *testing.T, client *http.Client, url, tenant string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(fairshare.WithTenant(within(t), tenant), "GET", url, nil)
	require.NoError(t, err)
	resp, err := client.Do(r)
	require.NoError(t, err)
	return resp
}

func text(s string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, s) }
}

func TestASlotIsHeldUntilTheBodyIsReadToItsEnd(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	client, transport := newClient(t, sem, httpfair.TransportOptions{})
	server := newServer(t, text("hello"))
	resp := get(t, client, server.URL, "a")
	require.Equal(t, 1, sem.Stats().InUse)
	require.Equal(t, 1, transport.Stats().InFlight)
	for name, s := range sem.Tenants() {
		require.Equal(t, "a", name)
		require.Equal(t, 1, s.Held)
	}
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "hello", string(body))
	require.Zero(t, sem.Stats().InUse)
	require.Zero(t, transport.Stats().InFlight)
	require.NoError(t, resp.Body.Close())
	require.Zero(t, transport.Stats().InFlight)
	require.Equal(t, "GET", resp.Request.Method)
}

func TestASlotIsHeldUntilTheBodyIsClosed(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	client, _ := newClient(t, sem, httpfair.TransportOptions{})
	server := newServer(t, text(strings.Repeat("hello", 100_000)))
	resp := get(t, client, server.URL, "a")
	_, err := io.ReadFull(resp.Body, make([]byte, 10))
	require.NoError(t, err)
	require.Equal(t, 1, sem.Stats().InUse)
	require.NoError(t, resp.Body.Close())
	require.Zero(t, sem.Stats().InUse)
}

func TestAResponseWithoutABodyHoldsNothing(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	client, _ := newClient(t, sem, httpfair.TransportOptions{})
	server := newServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	for range 3 {
		get(t, client, server.URL, "a") // the body is not closed
	}
	require.Zero(t, sem.Stats().InUse)
}

// A brokenTransport fails.
type brokenTransport struct{ do func(*http.Request) error }

func (b brokenTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	err := b.do(r)
	r.Body.Close()
	return nil, err
}

// closeCounter is a body that knows how often it was closed.
type closeCounter struct {
	io.Reader
	closed int
}

func (c *closeCounter) Close() error { c.closed++; return nil }

func TestTheSlotComesBackWhenARequestFails(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	broken := errors.New("broken")
	transport, err := httpfair.NewTransport(sem, brokenTransport{func(*http.Request) error {
		require.Equal(t, 1, sem.Stats().InUse)
		return broken
	}}, httpfair.TransportOptions{})
	require.NoError(t, err)
	body := &closeCounter{Reader: strings.NewReader("x")}
	_, err = transport.RoundTrip(ask("POST", "http://x/", "a", body))
	require.ErrorIs(t, err, broken)
	require.Equal(t, 1, body.closed)
	require.Zero(t, sem.Stats().InUse)
	require.Zero(t, transport.Stats().InFlight)
	transport.CloseIdleConnections() // which this base cannot
}

func TestTheSlotComesBackWhenTheBasePanics(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	transport, err := httpfair.NewTransport(sem, brokenTransport{func(*http.Request) error { panic("oh no") }}, httpfair.TransportOptions{})
	require.NoError(t, err)
	require.Panics(t, func() { transport.RoundTrip(ask("GET", "http://x/", "a", nil)) })
	require.Zero(t, sem.Stats().InUse)
}

func TestWithoutASlotNothingIsSentAndTheBodyIsClosed(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1, Default: fairshare.Share{MaxWaiting: 1}})
	transport, err := httpfair.NewTransport(sem, brokenTransport{func(*http.Request) error {
		t.Error("sent")
		return nil
	}}, httpfair.TransportOptions{})
	require.NoError(t, err)
	held, err := sem.Acquire(t.Context(), "holder")
	require.NoError(t, err)

	ctx, cancel := context.WithCancel(fairshare.WithTenant(t.Context(), "a"))
	body := &closeCounter{Reader: strings.NewReader("x")}
	failed := make(chan error)
	go func() {
		_, err := transport.RoundTrip(ask("POST", "http://x/", "", body).WithContext(ctx))
		failed <- err
	}()
	eventually(t, func() bool { return sem.Stats().Waiting == 1 })

	other := &closeCounter{Reader: strings.NewReader("x")}
	_, err = transport.RoundTrip(ask("POST", "http://x/", "", other).WithContext(ctx))
	var rejection *httpfair.Rejection
	require.ErrorAs(t, err, &rejection)
	require.ErrorIs(t, err, fairshare.ErrQueueFull)
	require.Equal(t, http.StatusTooManyRequests, rejection.Status)
	require.Equal(t, "a", rejection.Tenant)
	require.Equal(t, 1, other.closed)

	cancel()
	require.ErrorIs(t, <-failed, context.Canceled)
	require.Equal(t, 1, body.closed)
	held.Release()
}

// limited answers with the given status and headers while it is told to.
type limited struct {
	status func() int
	header http.Header
}

func (l *limited) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status := l.status()
	if status != http.StatusOK {
		for name, values := range l.header {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(status)
	fmt.Fprintln(w, status)
}

func TestCapacityShrinksWhenTheAPIIsOverloadedAndWaitsAsLongAsItSays(t *testing.T) {
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		sem := newSemaphore(t, fairshare.Config{Capacity: 8})
		client, transport := newClient(t, sem, httpfair.TransportOptions{Min: 2, IncreaseAfter: time.Millisecond})
		answer := status
		server := newServer(t, &limited{func() int { return answer }, http.Header{"Retry-After": {"1"}}})
		resp := get(t, client, server.URL, "a")
		require.Equal(t, status, resp.StatusCode, "the answer is passed on")
		resp.Body.Close()
		stats := transport.Stats()
		require.Equal(t, 5, stats.Capacity)
		require.Equal(t, 2, stats.Min)
		require.Equal(t, 8, stats.Max)
		require.EqualValues(t, 1, stats.Overloads)
		require.EqualValues(t, 1, stats.Decreases)
		require.EqualValues(t, 1, stats.Pauses)
		require.Positive(t, stats.PausedFor)
		require.Equal(t, 5, sem.Stats().Capacity)

		answer = http.StatusOK
		begun := time.Now()
		get(t, client, server.URL, "a").Body.Close()
		require.GreaterOrEqual(t, time.Since(begun)+stats.PausedFor/10, stats.PausedFor)
	}
}

func TestCapacityGrowsAgainWhileRequestsSucceed(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 3})
	client, transport := newClient(t, sem, httpfair.TransportOptions{IncreaseAfter: time.Millisecond})
	answer := http.StatusTooManyRequests
	server := newServer(t, &limited{func() int { return answer }, nil})
	for range 2 {
		get(t, client, server.URL, "a").Body.Close()
	}
	require.Equal(t, 1, transport.Stats().Capacity)
	answer = http.StatusOK
	for transport.Stats().Capacity < 2 { // until a millisecond is over
		get(t, client, server.URL, "a").Body.Close()
	}
	require.Equal(t, 2, transport.Stats().Capacity)
	get(t, client, server.URL, "a").Body.Close()
	require.Equal(t, 2, transport.Stats().Capacity, "one of two slots was used")
}

func TestOtherErrorsOfTheAPIDoNotCount(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 8})
	client, transport := newClient(t, sem, httpfair.TransportOptions{})
	server := newServer(t, &limited{func() int { return http.StatusInternalServerError }, http.Header{"Retry-After": {"10"}}})
	get(t, client, server.URL, "a").Body.Close()
	require.Equal(t, 8, transport.Stats().Capacity)
	require.Zero(t, transport.Stats().PausedFor)
}

func TestRetryAfterIsReadAsSecondsOrAsADate(t *testing.T) {
	now := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		retryAfter, date string
		want             time.Duration
	}{
		{"", "", 0},
		{"0", "", 0},
		{"7", "", 7 * time.Second},
		{"7.5", "", 0},
		{"-7", "", 0},
		{"soon", "", 0},
		{"99999999999999999999", "", 0},
		{"Thu, 26 Nov 2026 09:00:30 GMT", "", 30 * time.Second},
		{"Thu, 26 Nov 2026 08:00:00 GMT", "", 0},
		{"Thu, 26 Nov 2026 12:00:30 GMT", "Thu, 26 Nov 2026 12:00:00 GMT", 30 * time.Second}, // its clock is ahead
	} {
		h := http.Header{}
		if c.retryAfter != "" {
			h.Set("Retry-After", c.retryAfter)
		}
		if c.date != "" {
			h.Set("Date", c.date)
		}
		require.Equal(t, c.want, httpfair.RetryAfter(h, now), c.retryAfter)
	}
}

func TestWrongTransportOptionsAreNamed(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 4})
	_, err := httpfair.NewTransport(sem, nil, httpfair.TransportOptions{Min: 5})
	require.EqualError(t, err, "httpfair: TransportOptions.Min is 5, must be between 1 and the capacity of 4, or 0 for 1")
	transport, err := httpfair.NewTransport(sem, nil, httpfair.TransportOptions{})
	require.NoError(t, err)
	require.NotNil(t, transport)
}

// A flooding tenant's requests wait for each other, not others for them.
func TestTenantsTakeTurnsAtAnAPI(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 2})
	client, _ := newClient(t, sem, httpfair.TransportOptions{})
	server := newServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { time.Sleep(5 * time.Millisecond) }))
	done := make(chan struct{}, 60)
	for range 60 {
		go func() {
			get(t, client, server.URL, "flood").Body.Close()
			done <- struct{}{}
		}()
	}
	eventually(t, func() bool { return sem.Stats().Waiting > 50 })
	get(t, client, server.URL, "other").Body.Close()
	require.Greater(t, sem.Stats().Waiting, 20, "the other one was served long before the flood was over")
	for range 60 {
		<-done
	}
}

func TestBehindAReverseProxyTheRejectionAnswers(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1, Default: fairshare.Share{MaxWaiting: 1}})
	_, transport := newClient(t, sem, httpfair.TransportOptions{})
	api := newServer(t, text("hello"))
	proxy := newServer(t, httpfair.Identify(httpfair.Header("X-Tenant"))(newProxy(api.URL, transport)))
	resp, err := proxy.Client().Do(ask("GET", proxy.URL, "a", nil))
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, "hello", string(body))

	held, err := sem.Acquire(t.Context(), "holder")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(within(t))
	waited := make(chan struct{})
	go func() {
		defer close(waited)
		proxy.Client().Do(ask("GET", proxy.URL, "a", nil).WithContext(ctx))
	}()
	eventually(t, func() bool { return sem.Stats().Waiting == 1 })
	resp, err = proxy.Client().Do(ask("GET", proxy.URL, "a", nil))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusTooManyRequests, resp.StatusCode)
	require.Equal(t, "1", resp.Header.Get("Retry-After"))
	cancel()
	<-waited
	eventually(t, func() bool { return sem.Stats().Waiting == 0 })
	held.Release()
}

func TestATransportSendsNothingForNobodyWhereATenantIsRequired(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1, RequireTenant: true})
	transport, err := httpfair.NewTransport(sem, nil, httpfair.TransportOptions{})
	require.NoError(t, err)
	_, err = transport.RoundTrip(ask("GET", "http://127.0.0.1:1", "", nil))
	require.ErrorIs(t, err, fairshare.ErrNoTenant)
}
