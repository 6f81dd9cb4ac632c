package httpfair_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fairpool/fairpool/adapters/httpfair"
	"github.com/fairpool/fairpool/fairshare"
	"github.com/stretchr/testify/require"
)

func TestRemotePrefix(t *testing.T) {
	for _, c := range []struct {
		remote     string
		ipv4, ipv6 int
		want       string
	}{
		{"192.0.2.77:4711", 24, 64, "192.0.2.0/24"},
		{"192.0.2.77:4711", 32, 64, "192.0.2.77/32"},
		{"192.0.2.77", 24, 64, "192.0.2.0/24"},
		{"[2001:db8:1:2:3:4:5:6]:443", 24, 64, "2001:db8:1:2::/64"},
		{"[2001:db8:1:2:3:4:5:6]:443", 24, 48, "2001:db8:1::/48"},
		{"2001:db8:1:2:3:4:5:6", 24, 64, "2001:db8:1:2::/64"},
		{"[::ffff:192.0.2.77]:443", 24, 64, "192.0.2.0/24"}, // IPv4 in IPv6
		{"[fe80::1%eth0]:443", 24, 64, "fe80::/64"},
		{"192.0.2.77:4711", 0, 0, "0.0.0.0/0"},
		{"@", 24, 64, ""}, // a Unix socket
		{"", 24, 64, ""},
		{"localhost:80", 24, 64, ""},
	} {
		got := httpfair.RemotePrefix(c.ipv4, c.ipv6)(&http.Request{RemoteAddr: c.remote})
		require.Equal(t, c.want, got, c.remote)
	}
}

func TestRemotePrefixRefusesImpossibleBits(t *testing.T) {
	for _, bits := range [][2]int{{-1, 64}, {33, 64}, {24, -1}, {24, 129}} {
		require.Panics(t, func() { httpfair.RemotePrefix(bits[0], bits[1]) })
	}
}

func TestAKeyDoesNotShowInTheNameOfItsTenant(t *testing.T) {
	const key = "sk-live-4f7b2a"
	r := httptest.NewRequest("GET", "/", nil)
	tenant := httpfair.APIKey("Authorization")
	require.Empty(t, tenant(r))
	r.Header.Set("Authorization", "Bearer "+key)
	name := tenant(r)
	require.Equal(t, httpfair.KeyTenant("Bearer "+key), name)
	require.NotContains(t, name, "4f7b2a")
	require.NotEqual(t, name, httpfair.KeyTenant("Bearer "+key+"b"))
	require.Regexp(t, `^key-[0-9a-f]{32}$`, name)
}

// Names are told apart by every byte and harm nothing, whatever they are.
func TestTenantsOfOddBytes(t *testing.T) {
	names := []string{
		"'; DROP TABLE tenants; --", `"quoted"`, "a\x00b", "a\x00c", "\xff\xfe", "ä", "a\u0308",
		"a\r\nRetry-After: 0", strings.Repeat("x", 10_000), strings.Repeat("x", 9_999) + "y", "*", " ", "../../etc/passwd",
	}
	sem := newSemaphore(t, fairshare.Config{Capacity: 1, Default: fairshare.Share{MaxWaiting: 1}})
	held, err := sem.Acquire(t.Context(), "holder")
	require.NoError(t, err)
	next := ""
	middleware, err := httpfair.Middleware(sem, func(*http.Request) string { return next }, httpfair.Options{})
	require.NoError(t, err)
	served := make(chan string, len(names))
	h := middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served <- fairshare.TenantFrom(r.Context())
	}))
	for i, name := range names {
		next = name
		r := ask("GET", "/", "", nil)
		go do(h, r)
		eventually(t, func() bool { return sem.Stats().Waiting == i+1 })

		refused := do(h, r) // its own queue is full, and only its own
		require.Equal(t, http.StatusTooManyRequests, refused.Code, "%q", name)
		require.Len(t, refused.Header().Values("Retry-After"), 1)
		require.NotContains(t, refused.Body.String(), "xxxx")
	}
	held.Release()
	var got []string
	for range names {
		got = append(got, <-served)
	}
	require.ElementsMatch(t, names, got)
}

// What a header can carry over the wire arrives as it is.
func TestTenantsOfOddBytesOverTheWire(t *testing.T) {
	sem := newSemaphore(t, fairshare.Config{Capacity: 1})
	seen := make(chan string, 1)
	server := newServer(t, fair(t, sem, httpfair.Options{}, func(w http.ResponseWriter, r *http.Request) {
		seen <- fairshare.TenantFrom(r.Context())
	}))
	for _, name := range []string{"\xff\xfe\x80", "tab\tand \"quotes\"", strings.Repeat("é", 5000), "名"} {
		resp, err := server.Client().Do(ask("GET", server.URL, name, nil))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, name, <-seen)
	}
}
