package rules

import (
	"bytes"

	"github.com/caddy-consent/caddy-consent/rules/internal/ascii"
)

// unusual reports whether the path holds an escape, or an empty segment that matters: a URL parser leaves them (URL standard,
// 4.4), but a server may read %74r as tr (RFC 3986, 6.2.2.2) and // as /.
func (a *address) unusual() bool {
	return bytes.IndexByte(a.path, '%') >= 0 || a.known && bytes.Contains(a.path, []byte("//"))
}

// appendPlain appends a path as such a server reads it: without escapes of printable ASCII and without empty segments.
func appendPlain(dst, path []byte) []byte {
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '%' {
			if x, digits := ascii.Hex(path[i+1:], 2); digits == 2 && x > ' ' && x < 0x7F {
				c, i = byte(x), i+2
			}
		}
		if n := len(dst); c != '/' || n == 0 || dst[n-1] != '/' {
			dst = append(dst, c)
		}
	}
	return dst
}

// matchPlain judges an address by its path as a server may read it. It only gates: what is let through has to be spelled as
// it is written.
func (s *Set) matchPlain(a address, c Context) (Match, bool) {
	var buf [256]byte
	a.path = appendPlain(buf[:0], a.path)
	if best := s.lookup(&a); best != nil && s.gatesURL(best, c) {
		return s.match(best.vendor, best.text), true
	}
	if v, text := s.paths.lookup(&a); v >= 0 && !s.vendors[v].pass {
		return s.match(v, text), true
	}
	return Match{}, false
}
