package grpcfair

import (
	"context"

	"github.com/fairpool/fairpool/adapters/internal/gate"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
)

// A TenantFunc returns the tenant that a call to a server is for, from the context
// of the call and its full method, such as "/acme.Orders/List". ""
// leaves the tenant that the context carries already, and if there is none, the
// anonymous tenant, which all such calls share. Whoever can invent names can be
// many tenants: a name has to come from something that was checked before.
type TenantFunc func(ctx context.Context, method string) string

// Metadata takes the tenant from the metadata of a call that a trusted proxy or an
// earlier interceptor has set. Of several values the first counts. The value may
// be any bytes if the key ends in "-bin".
func Metadata(key string) TenantFunc {
	return func(ctx context.Context, _ string) string {
		values := metadata.ValueFromIncomingContext(ctx, key)
		if len(values) == 0 {
			return ""
		}
		return values[0]
	}
}

// APIKey takes the tenant from metadata that carry a secret, such as
// "authorization". The name is KeyTenant of the value, so that the secret shows
// neither in figures nor in errors.
func APIKey(key string) TenantFunc {
	secret := Metadata(key)
	return func(ctx context.Context, method string) string { return KeyTenant(secret(ctx, method)) }
}

// KeyTenant is the name of the tenant with the given key, to give it a share of
// its own: "key-" and half of the SHA-256 in hexadecimal, "" for the empty key. A
// key that can be guessed can be guessed from it. Package httpfair names tenants
// alike.
func KeyTenant(key string) string { return gate.KeyTenant(key) }

// RemotePrefix takes the network that a call comes from as the tenant: the first
// bits of the address of the peer, such as 32 or 24 of an IPv4 address, and 64 of
// an IPv6 address, of which one customer usually has that many. Behind a proxy
// that address is the proxy's. What is no IP address leaves the tenant open.
// RemotePrefix panics if there are no addresses with so many bits.
func RemotePrefix(ipv4Bits, ipv6Bits int) TenantFunc {
	network := gate.NewNetwork("grpcfair: RemotePrefix", ipv4Bits, ipv6Bits)
	return func(ctx context.Context, _ string) string {
		p, ok := peer.FromContext(ctx)
		if !ok || p.Addr == nil {
			return ""
		}
		return network.Of(p.Addr.String())
	}
}
