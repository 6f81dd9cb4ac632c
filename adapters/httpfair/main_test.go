package httpfair_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/httpfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	}))
}

// newSemaphore returns a semaphore to which, when the test ends, everything has
// to come back.
func newSemaphore(t *testing.T, cfg fairshare.Config) *fairshare.Semaphore {
	t.Helper()
	sem, err := fairshare.NewSemaphore(cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		eventually(t, func() bool { s := sem.Stats(); return s.InUse == 0 && s.Waiting == 0 })
	})
	return sem
}

// fair puts the middleware before a handler; the tenant is in X-Tenant.
func fair[P httpfair.Permit](t *testing.T, g httpfair.Gate[P], opt httpfair.Options, h http.HandlerFunc) http.Handler {
	t.Helper()
	middleware, err := httpfair.Middleware(g, httpfair.Header("X-Tenant"), opt)
	require.NoError(t, err)
	return middleware(h)
}

func newServer(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server
}

// ask makes a request of the tenant, as a client and as a server see it.
func ask(method, url, tenant string, body io.Reader) *http.Request {
	r, err := http.NewRequest(method, url, body)
	if err != nil {
		panic(err)
	}
	r.Header.Set("X-Tenant", tenant)
	return r
}

// do sends a request to a handler without a network.
func do(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, 20*time.Second, time.Millisecond)
}

// within ends what a test waits for if it hangs.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}
