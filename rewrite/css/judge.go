package css

import (
	"bytes"
	"unicode/utf8"

	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/encoding"
	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
	weburl "github.com/caddy-consent/caddy-consent/rewrite/url"
)

// judge asks about a reference as it stands in the sheet; if it is gated, with is what must stand there instead, in memory
// that is reused. Of a reference that is cut off nothing is kept.
func (s *scanner) judge(raw []byte, cut bool) (with []byte, gated bool) {
	destination := s.destination()
	s.imports = false
	s.ref = appendUnescaped(s.ref[:0], raw)
	var v rewrite.Verdict
	for ref := range s.Readings.Of(s.ref) {
		abs, hostStart, hostEnd, ok := s.Resolve(s.abs[:0], ref)
		s.abs = abs
		if !ok {
			if destination == rewrite.DestinationStyle && s.gatedData(ref, cut) {
				return []byte("about:invalid"), true
			}
			continue
		}
		s.resource = rewrite.Resource{URL: abs, HostStart: hostStart, HostEnd: hostEnd, Destination: destination, Element: "style"}
		if v = s.Policy.Resource(&s.resource); v.Gate {
			break
		}
	}
	if !v.Gate {
		return nil, false
	}
	if s.OnChange != nil {
		s.OnChange(v)
	}
	if v.Drop || cut {
		return []byte("about:invalid"), true
	}
	vendor := v.Vendor
	if vendor == "" {
		vendor = "-"
	}
	with = append(s.abs[:0], rewrite.InertCSS...)
	for _, part := range [...]string{s.Mark, v.Purpose, vendor} {
		with = append(with, part...)
		with = append(with, ',')
	}
	with = appendEncoded(with, s.ref)
	s.abs = with
	return with, true
}

// maxDepth is how deep style sheets may lie in data: URLs of each other; a deeper one is gated.
const maxDepth = 4

// gatedData reports whether a data: URL holds a style sheet that something in is gated of, or one that cannot be told.
func (s *scanner) gatedData(ref []byte, cut bool) bool {
	scheme, rest := weburl.Scheme(ref)
	if string(scheme) != "data" {
		return false
	}
	_, text, ok := encoding.Data(rest)
	if !ok {
		return false
	}
	if cut || s.depth == maxDepth || encoding.Swallows(text, 0) { // it is read as the sheet around is
		return true
	}
	inner := scanner{Options: s.Options, declaration: true, top: true, depth: s.depth + 1}
	inner.scan(text, true)
	return !bytes.Equal(inner.dst, text)
}

const upperHex = "0123456789ABCDEF"

// appendEncoded percent-encodes a reference as decodeURIComponent undoes it, and so that it needs no quotes, neither in CSS
// nor in HTML. Bytes that are not UTF-8 become U+FFFD, as they do in a style sheet.
func appendEncoded(dst, ref []byte) []byte {
	for i := 0; i < len(ref); {
		c := ref[i]
		if c < utf8.RuneSelf {
			i++
			if c == '/' || c == ':' || c == '.' || c == '~' || classes[c]&className != 0 {
				dst = append(dst, c)
			} else {
				dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
			}
			continue
		}
		r, size := utf8.DecodeRune(ref[i:])
		i += size
		var b [utf8.UTFMax]byte
		for _, c := range b[:utf8.EncodeRune(b[:], r)] {
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}

// appendUnescaped appends raw, the inside of a name, a string or an unquoted URL, without its escapes (CSS Syntax 3, 4.3.5
// and 4.3.7).
func appendUnescaped(dst, raw []byte) []byte {
	for i := 0; i < len(raw); {
		c := raw[i]
		i++
		switch {
		case c != '\\':
			dst = append(dst, c)
		case i == len(raw):
			// The end of the sheet: a string ends without this backslash, a name or URL with U+FFFD. Neither names a host.
		case raw[i] == '\r':
			if i++; i < len(raw) && raw[i] == '\n' {
				i++
			}
		case isNewline(raw[i]):
			i++
		case ascii.HexValue(raw[i]) < 0:
			dst = append(dst, raw[i])
			i++
		default:
			var r rune
			for n := 0; n < 6 && i < len(raw) && ascii.HexValue(raw[i]) >= 0; n++ {
				r = r<<4 | rune(ascii.HexValue(raw[i]))
				i++
			}
			if r == 0 || r > utf8.MaxRune {
				r = utf8.RuneError
			}
			dst = utf8.AppendRune(dst, r)
			if i+1 < len(raw) && raw[i] == '\r' && raw[i+1] == '\n' {
				i++
			}
			if i < len(raw) && ascii.IsSpace(raw[i]) {
				i++
			}
		}
	}
	return dst
}
