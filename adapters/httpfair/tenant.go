package httpfair

import (
	"net/http"

	"github.com/fairpool/fairpool/adapters/internal/gate"
	"github.com/fairpool/fairpool/fairshare"
)

// A TenantFunc tells who a request is for. "" leaves the tenant that its context
// carries already. If there is none, the request is refused where the slots have
// fairshare.Config.RequireTenant; otherwise it belongs to the anonymous tenant, which
// all such requests share. Whoever can invent names can be many tenants: a name has to
// come from something that was checked before.
type TenantFunc func(*http.Request) string

// Header takes the tenant from a header that a trusted proxy or an earlier
// middleware has set. The value may be any bytes.
func Header(name string) TenantFunc {
	return func(r *http.Request) string { return r.Header.Get(name) }
}

// APIKey takes the tenant from a header that carries a secret, such as
// Authorization. The name is KeyTenant of its value, so that the secret shows
// neither in figures nor in errors.
func APIKey(header string) TenantFunc {
	return func(r *http.Request) string { return KeyTenant(r.Header.Get(header)) }
}

// KeyTenant is the name of the tenant with the given key, to give it a share of
// its own: "key-" and half of the SHA-256 in hexadecimal, "" for the empty key. A
// key that can be guessed can be guessed from it.
func KeyTenant(key string) string { return gate.KeyTenant(key) }

// RemotePrefix takes the network that a request comes from as the tenant: the
// first bits of Request.RemoteAddr, such as 32 or 24 of an IPv4 address, and 64
// of an IPv6 address, of which one customer usually has that many. Behind a
// proxy that address is the proxy's, unless an earlier middleware has corrected
// it. What is no IP address leaves the tenant open. RemotePrefix panics if there
// are no addresses with so many bits.
func RemotePrefix(ipv4Bits, ipv6Bits int) TenantFunc {
	network := gate.NewNetwork("httpfair: RemotePrefix", ipv4Bits, ipv6Bits)
	return func(r *http.Request) string { return network.Of(r.RemoteAddr) }
}

// Identify returns a middleware that has the context of a request carry its
// tenant, and nothing else: for handlers that share out what they use further
// down, by a Transport or a pool.
func Identify(tenant TenantFunc) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			name := tenant(r)
			if name == "" {
				next.ServeHTTP(w, r)
				return
			}
			serve(next, w, r, r.WithContext(fairshare.WithTenant(r.Context(), name)))
		})
	}
}

// serve calls next with a copy of the request r that the server knows. The
// server removes the files of a form that it knows of.
func serve(next http.Handler, w http.ResponseWriter, r, copied *http.Request) {
	defer func() {
		if r.MultipartForm == nil {
			r.MultipartForm = copied.MultipartForm
		}
	}()
	next.ServeHTTP(w, copied)
}
