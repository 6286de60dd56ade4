package ipmask

import (
	"net/netip"

	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
)

// find6 reads the IPv6 address whose first colon is at i (RFC 4291, 2.2).
func find6(text []byte, low, i int) (a found, ok bool) {
	p := groups{text: text, gap: -1}
	a.start = i
	for a.start > low && i-a.start < 4 && ascii.HexValue(text[a.start-1]) >= 0 {
		a.start--
	}
	p.read(a.start)
	if !p.plausible() {
		if p.n > 8 {
			a.end = p.end // it need not be read again from its next colon
		}
		return a, false
	}
	glued := a.start > low && isLetter(text[a.start-1]) || p.end < len(text) && isLetter(text[p.end])
	if glued && !p.digit {
		return a, false // a name as in std::cbegin
	}
	a.addr, a.end = p.address(), p.end
	if p.quad {
		a.end = skipPort(text, a.end)
	}
	a.end = skipZone(text, a.end, a.addr)
	if a.end < len(text) && text[a.end] == ']' && a.start > 0 && text[a.start-1] == '[' {
		if end := skipPort(text, a.end+1); end > a.end+1 {
			a.end, a.bracket = end, true
		}
	}
	return a, true
}

// groups are the parts of what may be an IPv6 address.
type groups struct {
	text  []byte
	value [8]uint16
	n     int // parts read; those beyond the eighth are not kept
	gap   int // how many parts were before "::", -1 without one
	pairs bool
	digit bool // a decimal digit is among them
	quad  bool // the last 32 bits are dotted
	end   int
}

// read takes as many groups as there are from i on.
func (p *groups) read(i int) {
	p.pairs = true
	for {
		begin := i
		var v uint16
		for i < len(p.text) && i-begin < 4 && ascii.HexValue(p.text[i]) >= 0 {
			p.digit = p.digit || isDigit(p.text[i])
			v = v<<4 | uint16(ascii.HexValue(p.text[i]))
			i++
		}
		if i > begin {
			if p.dotted(begin, i) {
				return
			}
			p.add(v)
			p.pairs = p.pairs && i-begin == 2
			p.end = i
		}
		sep, size := separator(p.text, i)
		if sep != ':' {
			return
		}
		if next, nextSize := separator(p.text, i+size); next == ':' {
			if p.gap >= 0 {
				return
			}
			p.gap = p.n
			i += size + nextSize
			p.end = i
			continue
		}
		if i == begin || i+size == len(p.text) || ascii.HexValue(p.text[i+size]) < 0 {
			return // a colon that begins or ends what is no address, or punctuation behind one
		}
		i += size
	}
}

func (p *groups) add(v uint16) {
	if p.n < len(p.value) {
		p.value[p.n] = v
	}
	p.n++
}

// dotted reads the group at begin as the first octet of a dotted end.
func (p *groups) dotted(begin, end int) bool {
	var b [4]byte
	v := 0
	for _, c := range p.text[begin:end] {
		if !isDigit(c) {
			return false
		}
		v = v*10 + int(c-'0')
	}
	if v > 255 {
		return false
	}
	b[0] = byte(v)
	next, ok := dotted(p.text, end, b[1:])
	if !ok {
		return false
	}
	p.add(uint16(b[0])<<8 | uint16(b[1]))
	p.add(uint16(b[2])<<8 | uint16(b[3]))
	p.quad, p.pairs, p.end = true, false, next
	return true
}

// plausible tells addresses from times, hardware addresses and fingerprints: these have neither "::" nor eight groups, or
// more than eight groups of two digits.
func (p *groups) plausible() bool {
	if p.gap >= 0 {
		return p.n > 0
	}
	return p.n == 8 || p.n > 8 && !p.pairs
}

func (p *groups) address() netip.Addr {
	var b [16]byte
	n := min(p.n, 8)
	for k := range n {
		at := k
		if p.gap >= 0 && k >= p.gap {
			at = 8 - (n - k)
		}
		b[2*at], b[2*at+1] = byte(p.value[k]>>8), byte(p.value[k])
	}
	return netip.AddrFrom16(b)
}

// skipZone returns the end of a zone that follows at i (RFC 4007, 11; RFC 6874), or i. A percent sign that begins an encoded
// byte instead ends the address, except after a link-local one.
func skipZone(text []byte, i int, a netip.Addr) int {
	if i+1 >= len(text) || text[i] != '%' {
		return i
	}
	n := i + 1
	if i+3 < len(text) && text[n] == '2' && text[n+1] == '5' {
		n += 2
	} else if i+2 < len(text) && ascii.HexValue(text[n]) >= 0 && ascii.HexValue(text[n+1]) >= 0 && !a.IsLinkLocalUnicast() {
		return i
	}
	begin := n
	for n < len(text) && n < begin+32 && (isDigit(text[n]) || isLetter(text[n]) || text[n] == '-' || text[n] == '.') {
		n++
	}
	if n == begin {
		return i
	}
	return n
}
