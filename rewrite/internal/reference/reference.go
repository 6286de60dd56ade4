// Package reference finds the URLs in values that hold more than one URL: those of elements and of header fields alike.
package reference

import (
	"bytes"
	"iter"

	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
)

// Srcset yields the URLs of image candidates. (WHATWG HTML, 4.8.4.2.2 "parse a srcset attribute")
func Srcset(s []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for {
			for len(s) > 0 && (ascii.IsSpace(s[0]) || s[0] == ',') {
				s = s[1:]
			}
			if len(s) == 0 {
				return
			}
			n := 0
			for n < len(s) && !ascii.IsSpace(s[n]) {
				n++
			}
			ref := s[:n]
			s = s[n:]
			if trimmed := bytes.TrimRight(ref, ","); len(trimmed) < len(ref) {
				ref = trimmed
			} else {
				s = skipDescriptors(s)
			}
			if !yield(ref) {
				return
			}
		}
	}
}

// skipDescriptors skips up to the comma that ends a candidate; parentheses hide commas.
func skipDescriptors(s []byte) []byte {
	parens := false
	for i, c := range s {
		switch {
		case c == '(':
			parens = true
		case c == ')':
			parens = false
		case c == ',' && !parens:
			return s[i+1:]
		}
	}
	return nil
}

// Refresh returns the URL of a refresh. (WHATWG HTML, 4.2.5.3 "shared declarative refresh steps")
func Refresh(s []byte) (ref []byte, ok bool) {
	s = ascii.TrimSpace(s)
	n := 0
	for n < len(s) && (s[n] >= '0' && s[n] <= '9' || s[n] == '.') {
		n++
	}
	if n == 0 {
		return nil, false
	}
	rest := ascii.TrimSpace(s[n:])
	if len(rest) == len(s[n:]) && len(rest) > 0 && rest[0] != ';' && rest[0] != ',' {
		return nil, false
	}
	if len(rest) > 0 && (rest[0] == ';' || rest[0] == ',') {
		rest = ascii.TrimSpace(rest[1:])
	}
	if len(rest) == 0 {
		return nil, false
	}
	ref = rest
	if len(rest) >= 3 && ascii.EqualFold(rest[:3], "url") {
		if after := ascii.TrimSpace(rest[3:]); len(after) > 0 && after[0] == '=' {
			ref = ascii.TrimSpace(after[1:])
		}
	}
	if len(ref) > 0 && (ref[0] == '"' || ref[0] == '\'') {
		q := ref[0]
		ref = ref[1:]
		if i := bytes.IndexByte(ref, q); i >= 0 {
			ref = ref[:i]
		}
	}
	return ref, true
}
