package url

import (
	"bytes"
	"net/netip"
	"strconv"

	"golang.org/x/net/idna"

	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
)

// uts46 is the URL standard's "domain to ASCII" with beStrict false (URL standard, 3.3): UTS #46, non-transitional,
// without the checks that browsers leave out.
var uts46 = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.CheckHyphens(false), idna.StrictDomainName(false),
	idna.VerifyDNSLength(false), idna.CheckJoiners(true), idna.BidiRule())

// appendHost appends the serialised host. (URL standard, 3.5 "host parser", for special schemes)
func appendHost(dst, s []byte) ([]byte, bool) {
	if s[0] == '[' {
		return appendIPv6(dst, s)
	}
	start := len(dst)
	plain := true
	for _, c := range s {
		if c >= 0x80 || c == '%' {
			plain = false
			break
		}
		if forbiddenDomain(c) {
			return dst, false
		}
		dst = append(dst, ascii.Lower(c))
	}
	if !plain {
		var ok bool
		if dst, ok = appendDomain(dst[:start], s); !ok {
			return dst, false
		}
	}
	if endsInNumber(dst[start:]) {
		return finishIPv4(dst, start)
	}
	return dst, true
}

// appendDomain handles percent-encoded and non-ASCII hosts. A name that x/net/idna calls invalid but still maps is kept:
// a browser with newer Unicode tables may contact it, and what is kept is judged.
func appendDomain(dst, s []byte) ([]byte, bool) {
	decoded := bytes.ToValidUTF8(AppendDecoded(nil, s), []byte("\uFFFD"))
	name, err := uts46.ToASCII(string(decoded))
	if name == "" || (err != nil && !isASCII(name)) {
		return dst, false
	}
	for i := range len(name) {
		if forbiddenDomain(name[i]) {
			return dst, false
		}
		dst = append(dst, ascii.Lower(name[i]))
	}
	return dst, true
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// forbiddenDomain reports the forbidden domain code points. (URL standard, 3.2)
func forbiddenDomain(c byte) bool {
	if c <= ' ' || c == 0x7f {
		return true
	}
	switch c {
	case '#', '%', '/', ':', '<', '>', '?', '@', '[', '\\', ']', '^', '|':
		return true
	}
	return false
}

// endsInNumber implements the "ends in a number checker". (URL standard, 3.5)
func endsInNumber(host []byte) bool {
	host = bytes.TrimSuffix(host, []byte{'.'})
	last := host[bytes.LastIndexByte(host, '.')+1:]
	if len(last) == 0 {
		return false
	}
	digits := true
	for _, c := range last {
		digits = digits && c >= '0' && c <= '9'
	}
	if digits {
		return true
	}
	_, ok := ipv4Number(last)
	return ok
}

// finishIPv4 replaces dst[start:] by the dotted form of the IPv4 address that it spells. (URL standard, 3.5 "IPv4 parser")
func finishIPv4(dst []byte, start int) ([]byte, bool) {
	host := bytes.TrimSuffix(dst[start:], []byte{'.'})
	var parts [4]uint64
	n := 0
	for {
		dot := bytes.IndexByte(host, '.')
		part := host
		if dot >= 0 {
			part = host[:dot]
		}
		v, ok := ipv4Number(part)
		if !ok || n == 4 {
			return dst, false
		}
		parts[n] = v
		n++
		if dot < 0 {
			break
		}
		host = host[dot+1:]
	}
	var addr uint64
	for i, v := range parts[:n] {
		if i < n-1 {
			if v > 255 {
				return dst, false
			}
			addr |= v << (24 - 8*i)
			continue
		}
		if v >= 1<<(8*(5-n)) {
			return dst, false
		}
		addr |= v
	}
	dst = dst[:start]
	for i := 3; i >= 0; i-- {
		dst = strconv.AppendUint(dst, addr>>(8*i)&255, 10)
		if i > 0 {
			dst = append(dst, '.')
		}
	}
	return dst, true
}

// ipv4Number implements the "IPv4 number parser"; values are capped far above what an address can hold.
func ipv4Number(s []byte) (uint64, bool) {
	base := uint64(10)
	switch {
	case len(s) == 0:
		return 0, false
	case len(s) >= 2 && s[0] == '0' && s[1]|0x20 == 'x':
		s, base = s[2:], 16
	case s[0] == '0':
		base = 8
	}
	var v uint64
	for _, c := range s {
		d := ascii.HexValue(c)
		if d < 0 || uint64(d) >= base {
			return 0, false
		}
		v = min(v*base+uint64(d), 1<<40)
	}
	return v, true
}

// appendIPv6 appends the bracketed address in the form of RFC 5952, which is the URL standard's "IPv6 serializer" but for
// IPv4-mapped addresses, which the standard writes in hexadecimal.
func appendIPv6(dst, s []byte) ([]byte, bool) {
	if s[len(s)-1] != ']' || bytes.IndexByte(s, '%') >= 0 {
		return dst, false
	}
	a, err := netip.ParseAddr(string(s[1 : len(s)-1]))
	if err != nil || !a.Is6() {
		return dst, false
	}
	dst = append(dst, '[')
	if !a.Is4In6() {
		dst = a.AppendTo(dst)
		return append(dst, ']'), true
	}
	b := a.As16()
	dst = append(dst, "::ffff:"...)
	dst = appendHex16(dst, uint16(b[12])<<8|uint16(b[13]))
	dst = append(dst, ':')
	dst = appendHex16(dst, uint16(b[14])<<8|uint16(b[15]))
	return append(dst, ']'), true
}

func appendHex16(dst []byte, v uint16) []byte {
	if v >= 16 {
		dst = appendHex16(dst, v>>4)
	}
	return append(dst, "0123456789abcdef"[v&15])
}
