package html

import (
	stdhtml "html"
	"strings"
	"unicode/utf8"

	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
)

// legacyNames are the named character references that need no semicolon. (WHATWG HTML, 13.5)
var legacyNames = func() map[string]bool {
	m := map[string]bool{}
	for n := range strings.FieldsSeq(`AElig AMP Aacute Acirc Agrave Aring Atilde Auml COPY Ccedil ETH Eacute Ecirc Egrave Euml GT Iacute Icirc Igrave Iuml LT Ntilde
		Oacute Ocirc Ograve Oslash Otilde Ouml QUOT REG THORN Uacute Ucirc Ugrave Uuml Yacute aacute acirc acute aelig agrave amp aring
		atilde auml brvbar ccedil cedil cent copy curren deg divide eacute ecirc egrave eth euml frac12 frac14 frac34 gt iacute icirc
		iexcl igrave iquest iuml laquo lt macr micro middot nbsp not ntilde oacute ocirc ograve ordf ordm oslash otilde ouml para plusmn
		pound quot raquo reg sect shy sup1 sup2 sup3 szlig thorn times uacute ucirc ugrave uml uuml yacute yen yuml`) {
		m[n] = true
	}
	return m
}()

// missing are the references that package html of the standard library lacks.
var missing = map[string]string{"&nGt;": "\u226B\u20D2", "&nLt;": "\u226A\u20D2"}

// maxName is longer than any name of a character reference.
const maxName = 32

// appendText appends s with its character references decoded, NUL replaced and line ends normalised, as the value of an
// attribute (inAttr) or as text. (WHATWG HTML, 13.2.5.72 and 13.2.3.5)
func appendText(dst, s []byte, inAttr bool) []byte {
	for i := 0; i < len(s); {
		from := i
		for i < len(s) && !rewritten[s[i]] {
			i++
		}
		dst = append(dst, s[from:i]...)
		if i == len(s) {
			break
		}
		switch s[i] {
		case '&':
			var n int
			dst, n = appendReference(dst, s[i:], inAttr)
			i += n
			continue
		case 0:
			dst = append(dst, "\uFFFD"...)
		case '\r':
			dst = append(dst, '\n')
			if i+1 < len(s) && s[i+1] == '\n' {
				i++
			}
		}
		i++
	}
	return dst
}

// rewritten are the bytes that appendText does not leave as they are.
var rewritten = [256]bool{'&': true, 0: true, '\r': true}

// appendReference appends what the character reference that s begins with stands for, and returns its length; for
// none, the ampersand alone.
func appendReference(dst, s []byte, inAttr bool) ([]byte, int) {
	switch {
	case len(s) >= 5 && string(s[:5]) == "&amp;": // as nearly all are
		return append(dst, '&'), 5
	case len(s) > 1 && s[1] == '#':
		return appendNumeric(dst, s)
	}
	n := 1
	for n < len(s) && n <= maxName && ascii.IsAlphanumeric(s[n]) {
		n++
	}
	if n < len(s) && s[n] == ';' {
		ref := string(s[:n+1])
		if text, ok := missing[ref]; ok {
			return append(dst, text...), n + 1
		}
		if text := stdhtml.UnescapeString(ref); text != ref && !strings.HasSuffix(text, ";") || ref == "&semi;" {
			return append(dst, text...), n + 1
		}
	}
	for n = min(n, 7); n > 2; n-- {
		if !legacyNames[string(s[1:n])] {
			continue
		}
		if inAttr && n < len(s) && (s[n] == '=' || ascii.IsAlphanumeric(s[n])) {
			break
		}
		return append(dst, stdhtml.UnescapeString(string(s[:n])+";")...), n
	}
	return append(dst, '&'), 1
}

// appendNumeric implements the numeric character reference states.
func appendNumeric(dst, s []byte) ([]byte, int) {
	n, base := 2, rune(10)
	if n < len(s) && s[n]|0x20 == 'x' {
		n, base = 3, 16
	}
	first, r := n, rune(0)
	for ; n < len(s); n++ {
		d := rune(ascii.HexValue(s[n]))
		if d < 0 || d >= base {
			break
		}
		r = min(r*base+d, utf8.MaxRune+1)
	}
	if n == first {
		return append(dst, '&'), 1
	}
	if n < len(s) && s[n] == ';' {
		n++
	}
	switch {
	case r >= 0x80 && r <= 0x9f:
		r = windows1252[r-0x80]
	case r == 0:
		r = utf8.RuneError
	}
	return utf8.AppendRune(dst, r), n // a surrogate or what is out of range becomes U+FFFD
}

// windows1252 replaces the C1 controls. (WHATWG HTML, 13.2.5.80)
var windows1252 = [32]rune{0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D, 0x017D, 0x8F,
	0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D, 0x017E, 0x0178}

// appendEscaped appends s as the content of a double-quoted attribute value, in HTML and XML.
func appendEscaped(dst, s []byte) []byte {
	for _, c := range s {
		switch c {
		case '&':
			dst = append(dst, "&amp;"...)
		case '"':
			dst = append(dst, "&quot;"...)
		case '<':
			dst = append(dst, "&lt;"...)
		case '>':
			dst = append(dst, "&gt;"...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
