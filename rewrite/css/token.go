package css

import (
	"bytes"

	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
)

// escapedName reads an identifier that begins at or after low and has an escape at j, forward because that cannot be done
// backward, and handles the function that it may name.
func (s *scanner) escapedName(buf []byte, low, j int, final bool) int {
	start := nameStart(buf, low, j)
	end, complete := nameEnd(buf, j, final)
	switch {
	case end == j && complete:
		return j + 1 // a backslash before a newline is a delimiter
	case end-start > maxName:
		s.mode = name
	case !complete:
		return hold(start)
	case end < len(buf) && buf[end] == '(':
		s.function(buf[start:end])
		return end + 1
	}
	return end
}

// scanName goes to the end of an identifier that is too long to matter.
func (s *scanner) scanName(buf []byte, i int, final bool) int {
	end, complete := nameEnd(buf, i, final)
	if !complete {
		return hold(end)
	}
	s.mode = normal
	if end < len(buf) && buf[end] == '(' {
		s.function(nil)
		end++
	}
	return end
}

// nameEnd returns the end of the identifier that goes on at i. If more bytes could change it, complete is false and end is
// where to look again.
func nameEnd(buf []byte, i int, final bool) (end int, complete bool) {
	for i < len(buf) {
		switch {
		case classes[buf[i]]&className != 0:
			i++
		case buf[i] != '\\':
			return i, true
		case i+1 == len(buf):
			if final {
				return i + 1, true
			}
			return i, false
		case isNewline(buf[i+1]):
			return i, true
		default:
			n, whole := escapeEnd(buf, i+1)
			if !whole && !final {
				return i, false
			}
			i = n
		}
	}
	return i, final
}

// escapeEnd returns the end of the escape whose character begins at i (CSS Syntax 3, 4.3.7); whole is false if more bytes
// could belong to it. Of a character of several bytes the first is enough, the others are part of what an escape can stand in.
func escapeEnd(buf []byte, i int) (end int, whole bool) {
	n := i
	for n < len(buf) && n < i+6 && ascii.HexValue(buf[n]) >= 0 {
		n++
	}
	switch {
	case n == i:
		return i + 1, true
	case n == len(buf):
		return n, false
	case buf[n] == '\r':
		if n+1 == len(buf) {
			return n + 1, false
		}
		if buf[n+1] == '\n' {
			n++
		}
		return n + 1, true
	case ascii.IsSpace(buf[n]):
		return n + 1, true
	}
	return n, true
}

// function handles the parenthesis behind a name.
func (s *scanner) function(name []byte) {
	switch s.functionKind(name) {
	case "":
		if s.functions > 0 {
			s.functions++
		}
	case "url":
		s.mode = open
	default:
		s.functions++
	}
}

// functionKind returns the lower-case name if it is one of those that matter.
func (s *scanner) functionKind(name []byte) string {
	if len(name) < 3 {
		return ""
	}
	if bytes.IndexByte(name, '\\') >= 0 {
		s.ref = appendUnescaped(s.ref[:0], name)
		name = s.ref
	}
	for _, known := range [...]string{"url", "src", "image-set", "-webkit-image-set", "image"} {
		if len(name) == len(known) && ascii.EqualFold(name, known) {
			return known
		}
	}
	return ""
}

// atKeyword handles the @ at i; first says that it begins a statement.
func (s *scanner) atKeyword(buf []byte, i int, final, first bool) int {
	end, complete := nameEnd(buf, i+1, final)
	if !complete && end-i <= maxName {
		return hold(i)
	}
	s.declaration = false
	if end-i > maxName {
		s.mode = name
		return end
	}
	s.ref = appendUnescaped(s.ref[:0], buf[i+1:end])
	s.namespace = false
	switch {
	case ascii.EqualFold(s.ref, "import"):
		s.imports = true
	case ascii.EqualFold(s.ref, "namespace"):
		s.namespace = first
	case ascii.EqualFold(s.ref, "font-face"):
		s.fontFace = true
	case ascii.EqualFold(s.ref, "property"):
		s.property = true
	}
	return end
}

// unquoted judges the unquoted URL that begins at i (CSS Syntax 3, 4.3.6).
func (s *scanner) unquoted(buf []byte, i int, final bool) int {
	end, complete, spoilt := unquotedEnd(buf, i+s.known, final)
	switch {
	case spoilt, s.namespace, s.passes(buf[i:end]):
		s.known, s.mode, s.namespace = 0, url, false
		return end
	case !complete && end-i <= s.limit():
		s.known = end - i
		return hold(i)
	}
	s.known, s.mode = 0, url
	if with, gated := s.judge(buf[i:end], !complete); gated {
		s.replace(buf, i, end, with)
		if !complete {
			s.mode = skipURL
		}
	}
	return end
}

// unquotedEnd looks from i on for the end of an unquoted URL: white space, parenthesis or the end of the sheet. If it does not
// come, complete is false and end is where to look again. A spoilt URL is a bad-url token, which fetches nothing.
func unquotedEnd(buf []byte, i int, final bool) (end int, complete, spoilt bool) {
	for {
		for i < len(buf) && classes[buf[i]]&classURL == 0 {
			i++
		}
		switch {
		case i == len(buf):
			return i, final, false
		case buf[i] == ')', ascii.IsSpace(buf[i]):
			return i, true, false
		case buf[i] != '\\':
			return i, true, true
		case i+1 == len(buf):
			if final {
				return i + 1, true, false
			}
			return i, false, false
		case isNewline(buf[i+1]):
			return i, true, true
		}
		n, whole := escapeEnd(buf, i+1)
		if !whole && !final {
			return i, false, false
		}
		i = n
	}
}

// stringToken handles the string whose quote is at i. If it stands for a URL, or could, it is held until it is complete.
func (s *scanner) stringToken(buf []byte, i int, final, fetches bool) int {
	s.quote = buf[i]
	loose := !fetches && (s.custom || s.top)
	if s.namespace || !fetches && !loose {
		s.mode, s.namespace = text, false // @namespace has one name, so the next one is not its
		return i + 1
	}
	end, closed := stringEnd(buf, i+max(1, s.known), s.quote)
	if !closed && final {
		end = len(buf)
	}
	complete := closed || final
	inside := buf[i+1 : end]
	switch {
	case s.passes(inside), loose && s.harmless(inside, complete), closed && isNewline(buf[end]):
		s.known, s.mode = 0, text // a string that is cut off by a line's end is none
		return end
	case !complete && end-i <= s.limit():
		s.known = end - i
		return hold(i)
	}
	s.known, s.mode = 0, text
	gated := false
	if !loose || s.custom && !s.relative(inside, complete) {
		var with []byte
		if with, gated = s.judge(inside, !complete); gated {
			s.replace(buf, i+1, end, with)
			if !complete {
				s.mode = skipText
			}
		}
	}
	if loose && !gated && s.mayImport(inside, complete) {
		s.hiddenImport(buf, i+1, end, complete)
	}
	return end
}

// harmless reports whether a string that is not itself fetched can be passed: in a custom property unless it begins like an
// absolute URL, and everywhere unless a preload scanner, which does not know strings, would find @import in it.
func (s *scanner) harmless(inside []byte, whole bool) bool {
	if s.custom {
		return s.relative(inside, whole) && !s.mayImport(inside, whole)
	}
	return whole && !s.mayImport(inside, whole)
}

// relative reports that a string does not begin like an absolute URL, as far as it is there.
func (s *scanner) relative(inside []byte, whole bool) bool {
	head := inside[:min(len(inside), 64)]
	s.ref = appendUnescaped(s.ref[:0], head)
	ref := bytes.TrimLeft(s.ref, leading)
	return (whole && len(head) == len(inside) || len(ref) >= 16) && !absolute(ref)
}

// leading are the characters that the URL standard removes before a URL: C0 controls and spaces.
const leading = "\x00\x01\x02\x03\x04\x05\x06\x07\x08\t\n\v\f\r\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f "

// mayImport reports whether a preload scanner could find @import in a string, as far as that is there.
func (s *scanner) mayImport(inside []byte, whole bool) bool {
	return s.top && !s.nested && (!whole || bytes.IndexByte(inside, '@') >= 0)
}

// hiddenImport judges the @import that a preload scanner may see inside of a string before the first block. The rest of
// a string that is too long to hold is cut off.
func (s *scanner) hiddenImport(buf []byte, i, end int, complete bool) {
	inner := scanner{Options: s.Options, top: true}
	s.nested = true
	inner.scan(buf[i:end], true)
	s.nested = false
	if !bytes.Equal(inner.dst, buf[i:end]) {
		s.replace(buf, i, end, inner.dst)
	}
	if !complete {
		s.mode = skipText
	}
}

// absolute reports whether a reference without leading characters names a host.
func absolute(ref []byte) bool {
	if len(ref) > 1 && (ref[0] == '/' || ref[0] == '\\') {
		return ref[1] == '/' || ref[1] == '\\' || ref[1] <= ' '
	}
	for _, scheme := range [...]string{"http", "ws", "ftp"} {
		if len(ref) >= len(scheme) && ascii.EqualFold(ref[:len(scheme)], scheme) {
			return true
		}
	}
	return bytes.ContainsAny(ref[:min(len(ref), 16)], "\t\n\r") // which the URL standard removes
}

// passes recognises, without decoding, the references that contact nobody and the ones that can be long.
func (s *scanner) passes(raw []byte) bool {
	return len(raw) > 0 && raw[0] == '#' || !s.imports && len(raw) >= 5 && ascii.EqualFold(raw[:5], "data:")
}

func (s *scanner) limit() int {
	if s.Limit > 0 {
		return s.Limit
	}
	return defaultLimit
}

// destination tells what the URL at hand is fetched as.
func (s *scanner) destination() rewrite.Destination {
	switch {
	case s.imports:
		return rewrite.DestinationStyle
	case s.font:
		return rewrite.DestinationFont
	}
	return rewrite.DestinationImage
}
