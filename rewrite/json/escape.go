package json

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
)

// char returns the first character of the inside of a string and the bytes that write it; n is 0 if more bytes could
// change it. A surrogate is returned as it is. Bytes that are not ASCII are returned one by one: none of them matters here.
func char(raw []byte) (c rune, n int) {
	switch {
	case len(raw) == 0:
		return 0, 0
	case raw[0] != '\\':
		return rune(raw[0]), 1
	case len(raw) == 1:
		return 0, 0
	case raw[1] != 'u':
		return simpleEscape(raw[1]), 2
	}
	for n = 2; n < 6; n++ {
		if n == len(raw) {
			return 0, 0
		}
		d := ascii.HexValue(raw[n])
		if d < 0 {
			return utf8.RuneError, n // not JSON: the escape ends before what does not belong to it
		}
		c = c<<4 | rune(d)
	}
	return c, 6
}

func simpleEscape(c byte) rune {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return rune(c)
}

// appendUnit appends the text of the first unit, a character or a pair of surrogates, and returns its length in the raw text.
// A lone surrogate is written as UTF-8 would, so that it can be told apart and given back.
func appendUnit(dst, raw []byte) ([]byte, int) {
	if raw[0] != '\\' {
		return append(dst, raw[0]), 1
	}
	c, n := char(raw)
	if n == 0 {
		return append(dst, raw...), len(raw) // cut off: not JSON
	}
	if utf16.IsSurrogate(c) {
		if low, m := char(raw[n:]); m == 6 {
			if pair := utf16.DecodeRune(c, low); pair != utf8.RuneError {
				return utf8.AppendRune(dst, pair), n + m
			}
		}
		return append(dst, 0xe0|byte(c>>12), 0x80|byte(c>>6)&0x3f, 0x80|byte(c)&0x3f), n
	}
	return utf8.AppendRune(dst, c), n
}

// appendUnescaped appends the text of the inside of a string.
func appendUnescaped(dst, raw []byte) []byte {
	for len(raw) > 0 {
		plain := bytes.IndexByte(raw, '\\')
		if plain < 0 {
			plain = len(raw)
		}
		dst = append(dst, raw[:plain]...)
		if raw = raw[plain:]; len(raw) > 0 {
			var n int
			dst, n = appendUnit(dst, raw)
			raw = raw[n:]
		}
	}
	return dst
}

// commonPrefix returns how many bytes b and the text that raw writes have in common at their beginning, in whole units of
// raw, and how many bytes these are there.
func commonPrefix(raw, b []byte) (n, rawN int) {
	var unit [8]byte
	for rawN < len(raw) {
		text, size := appendUnit(unit[:0], raw[rawN:])
		if !bytes.HasPrefix(b[n:], text) {
			break
		}
		n += len(text)
		rawN += size
	}
	return n, rawN
}

// commonSuffix is commonPrefix for the end; raw writes a. Units can only be told from the beginning, so it walks through all of raw.
func commonSuffix(raw, a, b []byte) (n, rawN int) {
	most := 0
	for most < len(a) && most < len(b) && a[len(a)-1-most] == b[len(b)-1-most] {
		most++
	}
	var unit [8]byte
	at, rawAt := 0, 0
	for rawAt < len(raw) && len(a)-at > most {
		text, size := appendUnit(unit[:0], raw[rawAt:])
		at += len(text)
		rawAt += size
	}
	return len(a) - at, len(raw) - rawAt
}

// style is how a string escapes what need not be escaped.
type style struct{ slash, markup, ascii bool }

func styleOf(raw []byte) style {
	s := style{
		slash:  bytes.Contains(raw, []byte(`\/`)),
		markup: bytes.Contains(raw, []byte(`\u003c`)) || bytes.Contains(raw, []byte(`\u003C`)),
		ascii:  true,
	}
	for _, c := range raw {
		s.ascii = s.ascii && c < utf8.RuneSelf
	}
	return s
}

const hexDigits = "0123456789abcdef"

// appendEscaped appends text as the inside of a string (RFC 8259, 7).
func appendEscaped(dst, text []byte, s style) []byte {
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			dst = appendASCII(dst, c, s)
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case r == utf8.RuneError && size == 1 && lone(text[i:]):
			dst = appendUnicode(dst, uint16(text[i]&0x0f)<<12|uint16(text[i+1]&0x3f)<<6|uint16(text[i+2]&0x3f))
			size = 3
		case r == utf8.RuneError && size == 1, !s.ascii && r != '\u2028' && r != '\u2029':
			dst = append(dst, text[i:i+size]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			dst = appendUnicode(appendUnicode(dst, uint16(high)), uint16(low))
		default:
			dst = appendUnicode(dst, uint16(r))
		}
		i += size
	}
	return dst
}

// lone reports whether text begins with a lone surrogate as appendUnit writes it.
func lone(text []byte) bool {
	return len(text) >= 3 && text[0] == 0xed && text[1] >= 0xa0 && text[1] <= 0xbf && text[2]&0xc0 == 0x80
}

func appendASCII(dst []byte, c byte, s style) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	case '/':
		if s.slash {
			dst = append(dst, '\\')
		}
		return append(dst, c)
	case '<', '>', '&':
		if s.markup {
			return appendUnicode(dst, uint16(c))
		}
	}
	if c < ' ' {
		return appendUnicode(dst, uint16(c))
	}
	return append(dst, c)
}

func appendUnicode(dst []byte, c uint16) []byte {
	return append(dst, '\\', 'u', hexDigits[c>>12], hexDigits[c>>8&15], hexDigits[c>>4&15], hexDigits[c&15])
}
