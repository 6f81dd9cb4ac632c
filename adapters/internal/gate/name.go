package gate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
)

// KeyTenant is the name of the tenant with the given secret key, "" for the
// empty key.
func KeyTenant(key string) string {
	if key == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(key))
	return "key-" + hex.EncodeToString(sum[:16])
}

// A Network is what addresses have in common that count as one tenant: so many
// of their first bits.
type Network struct{ ipv4Bits, ipv6Bits int }

// NewNetwork panics, in the name of the given function, if no address has so
// many bits.
func NewNetwork(function string, ipv4Bits, ipv6Bits int) Network {
	if ipv4Bits < 0 || ipv4Bits > 32 || ipv6Bits < 0 || ipv6Bits > 128 {
		panic(fmt.Sprintf("%s(%d, %d), must be within 0 to 32 and 0 to 128", function, ipv4Bits, ipv6Bits))
	}
	return Network{ipv4Bits, ipv6Bits}
}

// Of returns the name of the network of an address, with or without a port; ""
// if it is no IP address.
func (n Network) Of(address string) string {
	var addr netip.Addr
	if withPort, err := netip.ParseAddrPort(address); err == nil {
		addr = withPort.Addr()
	} else if addr, err = netip.ParseAddr(address); err != nil {
		return ""
	}
	addr = addr.Unmap().WithZone("")
	bits := n.ipv6Bits
	if addr.Is4() {
		bits = n.ipv4Bits
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return ""
	}
	return prefix.String()
}
