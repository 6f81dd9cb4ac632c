package debugfair_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fairpool/fairpool/adapters/debugfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// seats is a semaphore as a Source.
func seats(t *testing.T, capacity int) (*fairshare.Semaphore, debugfair.Source) {
	t.Helper()
	s, err := fairshare.NewSemaphore(fairshare.Config{Capacity: capacity})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s, debugfair.Semaphore(s)
}

// newPage is a page that lives as long as the test.
func newPage(t *testing.T, cfg debugfair.Config) *debugfair.Page {
	t.Helper()
	page, err := debugfair.New(cfg)
	require.NoError(t, err)
	t.Cleanup(page.Close)
	return page
}

// request is one that a browser on this machine makes.
func request(method, target string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	r.RemoteAddr = "127.0.0.1:50000"
	r.Host = "localhost:8080"
	return r
}

func answer(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestByDefaultOnlyThisMachineIsAnsweredAndByItsOwnName(t *testing.T) {
	_, source := seats(t, 1)
	page := newPage(t, debugfair.Config{Pools: []debugfair.Pool{{Name: "seats", Source: source}}})
	for _, c := range []struct {
		from, host, header string
		allowed            bool
	}{
		{"127.0.0.1:1", "localhost:8080", "", true},
		{"127.0.0.1:1", "LOCALHOST", "", true},
		{"127.0.0.1:1", "localhost.:80", "", true},
		{"127.9.9.9:1", "127.0.0.1:8080", "", true},
		{"[::1]:1", "[::1]:8080", "", true},
		{"[::1]:1", "[::1]", "", true},
		{"[::ffff:127.0.0.1]:1", "localhost", "", true},

		{"192.168.1.7:1", "localhost:8080", "", false},
		{"10.0.0.1:1", "10.0.0.2:8080", "", false},
		{"[fe80::1%eth0]:1", "localhost", "", false},
		{"@", "localhost", "", false}, // a Unix socket: who knows who is behind it
		{"", "localhost", "", false},

		// A name of somebody else's that resolves to this machine.
		{"127.0.0.1:1", "evil.example:8080", "", false},
		{"127.0.0.1:1", "localhost.evil.example", "", false},
		{"127.0.0.1:1", "127.0.0.1.evil.example", "", false},
		{"127.0.0.1:1", "0.0.0.0:8080", "", false},
		{"127.0.0.1:1", "", "", false},

		// A proxy on this machine.
		{"127.0.0.1:1", "localhost", "X-Forwarded-For", false},
		{"127.0.0.1:1", "localhost", "Forwarded", false},
		{"127.0.0.1:1", "localhost", "X-Real-IP", false},
		{"127.0.0.1:1", "localhost", "Via", false},
	} {
		for _, path := range []string{"/", "/?format=json", "/?format=text", "/page.js", "/events"} {
			if c.allowed && path == "/events" {
				continue // it would not end
			}
			r := request("GET", path)
			r.RemoteAddr, r.Host = c.from, c.host
			if c.header != "" {
				r.Header.Set(c.header, "203.0.113.9")
			}
			w := answer(page, r)
			if c.allowed {
				require.Equal(t, http.StatusOK, w.Code, "%+v %s", c, path)
			} else {
				require.Equal(t, http.StatusForbidden, w.Code, "%+v %s", c, path)
				require.NotContains(t, w.Body.String(), "seats")
			}
		}
	}
}

func TestAuthorizeHasTheSayAlone(t *testing.T) {
	_, source := seats(t, 1)
	page := newPage(t, debugfair.Config{
		Pools:     []debugfair.Pool{{Name: "seats", Source: source}},
		Authorize: func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer sesame" },
	})
	r := request("GET", "/?format=text")
	require.Equal(t, http.StatusForbidden, answer(page, r).Code, "not even this machine")
	r.Header.Set("Authorization", "Bearer sesame")
	r.RemoteAddr, r.Host = "203.0.113.9:1", "ops.example.com"
	require.Equal(t, http.StatusOK, answer(page, r).Code)
}

func TestOtherSitesReadNothing(t *testing.T) {
	_, source := seats(t, 1)
	page := newPage(t, debugfair.Config{Pools: []debugfair.Pool{{Name: "seats", Source: source}}})
	for _, c := range []struct {
		site, mode, dest string
		status           int
	}{
		{"same-origin", "cors", "empty", http.StatusOK},
		{"none", "navigate", "document", http.StatusOK},
		{"cross-site", "navigate", "document", http.StatusOK}, // a link
		{"cross-site", "navigate", "iframe", http.StatusForbidden},
		{"cross-site", "no-cors", "script", http.StatusForbidden},
		{"cross-site", "cors", "empty", http.StatusForbidden},
		{"same-site", "cors", "empty", http.StatusForbidden}, // another port of this machine
	} {
		r := request("GET", "/?format=json")
		r.Header.Set("Sec-Fetch-Site", c.site)
		r.Header.Set("Sec-Fetch-Mode", c.mode)
		r.Header.Set("Sec-Fetch-Dest", c.dest)
		require.Equal(t, c.status, answer(page, r).Code, "%+v", c)
	}
	h := answer(page, request("GET", "/")).Header()
	require.Empty(t, h.Get("Access-Control-Allow-Origin"))
	require.Equal(t, "same-origin", h.Get("Cross-Origin-Resource-Policy"))
	require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
}

func TestThePolicyAllowsNothingInlineNorFromElsewhere(t *testing.T) {
	_, source := seats(t, 1)
	page := newPage(t, debugfair.Config{Pools: []debugfair.Pool{{Name: "seats", Source: source}}})
	policy := answer(page, request("GET", "/")).Header().Get("Content-Security-Policy")
	require.Contains(t, policy, "default-src 'none'")
	require.Contains(t, policy, "frame-ancestors 'none'")
	require.NotContains(t, policy, "unsafe")
	require.NotContains(t, policy, "http")
	require.NotContains(t, policy, "*")
}

func TestThePageCannotBeUsedToChangeAnything(t *testing.T) {
	_, source := seats(t, 1)
	page := newPage(t, debugfair.Config{Pools: []debugfair.Pool{{Name: "seats", Source: source}}})
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} {
		require.Equal(t, http.StatusMethodNotAllowed, answer(page, request(method, "/")).Code, method)
	}
	require.Equal(t, http.StatusOK, answer(page, request("HEAD", "/events")).Code, "and ends")
}

func TestThePageIsServedBelowAnyPath(t *testing.T) {
	_, source := seats(t, 1)
	page := newPage(t, debugfair.Config{Pools: []debugfair.Pool{{Name: "seats", Source: source}}})
	mux := http.NewServeMux()
	mux.Handle("/debug/fairpool/", page)
	mux.Handle("/stripped/", http.StripPrefix("/stripped", page))
	for _, at := range []string{"/debug/fairpool/", "/stripped/"} {
		w := answer(mux, request("GET", at))
		require.Equal(t, http.StatusOK, w.Code)
		require.True(t, strings.HasPrefix(w.Body.String(), "<!doctype html>"))
		w = answer(mux, request("GET", at+"page.js"))
		require.Equal(t, http.StatusOK, w.Code)
		require.Equal(t, "text/javascript; charset=utf-8", w.Header().Get("Content-Type"))
		require.Contains(t, answer(mux, request("GET", at+"uplot.LICENSE")).Body.String(), "MIT License")
		require.Equal(t, http.StatusNotFound, answer(mux, request("GET", at+"nothing.js")).Code)
		require.Equal(t, http.StatusNotFound, answer(mux, request("GET", at+"..%2fpage.go")).Code)
		require.Equal(t, http.StatusBadRequest, answer(mux, request("GET", at+"?format=xml")).Code)
		require.Equal(t, http.StatusBadRequest, answer(mux, request("GET", at+"?format=json&at=noon")).Code)
	}
	require.Equal(t, "/debug/fairpool/", answer(mux, request("GET", "/debug/fairpool")).Header().Get("Location"))
}
