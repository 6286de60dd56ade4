// Package ipmask takes the part out of IP addresses that points to a person: in values, in the request headers that carry
// them, and in arbitrary bytes such as finished log lines.
package ipmask

import (
	"errors"
	"net/netip"
)

// Masker cuts addresses to their network. The zero value keeps nothing of an address; use Default or New. It is immutable and safe
// for concurrent use.
type Masker struct{ v4, v6 int }

// Default keeps 24 bits of IPv4 and 48 of IPv6 addresses, as web analytics that anonymise do.
var Default = Masker{24, 48}

// errBits names the way out.
var errBits = errors.New("IP mask: use 0 to 32 bits for IPv4 and 0 to 128 for IPv6; 24 and 48 are usual, less keeps less")

// New returns a Masker that keeps the first v4 bits of IPv4 addresses and the first v6 of IPv6 addresses.
func New(v4, v6 int) (Masker, error) {
	if v4 < 0 || v4 > 32 || v6 < 0 || v6 > 128 {
		return Masker{}, errBits
	}
	return Masker{v4, v6}, nil
}

// The prefixes of IPv6 addresses that hold an IPv4 address: 6to4 (RFC 3056), Teredo (RFC 4380), NAT64 (RFC 6052), NAT64 of
// local use (RFC 8215), and the deprecated IPv4-compatible ones (RFC 4291).
var (
	sixToFour  = netip.MustParsePrefix("2002::/16")
	teredo     = netip.MustParsePrefix("2001::/32")
	nat64      = netip.MustParsePrefix("64:ff9b::/96")
	nat64Local = netip.MustParsePrefix("64:ff9b:1::/48")
	compatible = netip.MustParsePrefix("::/96")
)

// Mask returns the network of an address, without zone. An IPv6 address that stands for an IPv4 address is masked as
// that one and becomes it, so that an IPv6 mask cannot keep more of it than is kept of IPv4. An invalid address stays invalid.
func (m Masker) Mask(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	bits := m.v6
	if a.Is6() {
		a = embedded(a)
	}
	if a.Is4() {
		bits = m.v4
	} else if nat64Local.Contains(a) {
		bits = min(bits, 48) // where in the rest the IPv4 address is depends on the network
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Addr{}
	}
	return p.Addr()
}

// embedded returns the IPv4 address that an IPv6 address stands for, or the address itself.
func embedded(a netip.Addr) netip.Addr {
	b := a.As16()
	switch {
	case sixToFour.Contains(a):
		return netip.AddrFrom4([4]byte(b[2:6]))
	case teredo.Contains(a):
		return netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]}) // the client's, inverted; before it is the server's
	case nat64.Contains(a), compatible.Contains(a) && (b[12] != 0 || b[13] != 0):
		return netip.AddrFrom4([4]byte(b[12:16]))
	}
	return a
}
