package httpfair_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/fairpool/fairpool/adapters/httpfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

// newProxy returns a proxy for an API, as one would write it.
func newProxy(api string, transport http.RoundTripper) http.Handler {
	target, err := url.Parse(api)
	if err != nil {
		panic(err)
	}
	return &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: transport,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			var rejection *httpfair.Rejection
			if errors.As(err, &rejection) {
				rejection.ServeHTTP(w, r)
				return
			}
			w.WriteHeader(http.StatusBadGateway)
		},
	}
}

// An upgraded connection is a response whose body can be written to.
func TestAnUpgradedConnectionHoldsItsSlotUntilItEnds(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	_, transport := newClient(t, sem, httpfair.TransportOptions{})
	api := newServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "echo")
		w.WriteHeader(http.StatusSwitchingProtocols)
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		io.Copy(conn, buffered)
	}))
	proxy := newServer(t, newProxy(api.URL, transport))

	conn, err := net.Dial("tcp", proxy.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	require.NoError(t, err)
	answers := bufio.NewReader(conn)
	resp, err := http.ReadResponse(answers, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
	for _, line := range []string{"one\n", "two\n"} {
		_, err = io.WriteString(conn, line)
		require.NoError(t, err)
		answer, err := answers.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, line, answer)
		require.Equal(t, 1, sem.Stats().InUse)
	}
	conn.Close()
	eventually(t, func() bool { return sem.Stats().InUse == 0 })
}
