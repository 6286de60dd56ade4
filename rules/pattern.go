package rules

import (
	"bytes"
	"strings"
)

// lower maps ASCII letters to lower case and leaves every other byte alone: no Unicode folding, as in URLs the Kelvin
// sign is not a K.
var lower = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
		if 'A' <= i && i <= 'Z' {
			t[i] += 'a' - 'A'
		}
	}
	return t
}()

func alphanumeric(c byte) bool {
	c = lower[c]
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z'
}

// hasPrefixFold reports whether s begins with the lower-case prefix, without regard to ASCII case.
func hasPrefixFold(s []byte, prefix string) bool {
	if len(s) < len(prefix) {
		return false
	}
	for i := 0; i < len(prefix); i++ {
		if lower[s[i]] != prefix[i] {
			return false
		}
	}
	return true
}

// indexFold returns where the lower-case text begins in s, -1 if nowhere.
func indexFold(s []byte, text string) int {
	if text == "" {
		return 0
	}
	for i := 0; i+len(text) <= len(s); i++ {
		if lower[s[i]] == text[0] && hasPrefixFold(s[i:], text) {
			return i
		}
	}
	return -1
}

// glob is a text with wildcards, cut at each *, in lower case.
type glob []string

func newGlob(s string) glob { return strings.Split(strings.ToLower(s), "*") }

// matchPrefix reports whether s begins with something that the glob describes. If the glob ends in a letter or digit, so
// must the match: the next byte is neither. A leftmost match of each part is the earliest end for the rest, so no
// backtracking is needed but for that last condition, which retries the last part only.
func (g glob) matchPrefix(s []byte) bool {
	if !hasPrefixFold(s, g[0]) {
		return false
	}
	s = s[len(g[0]):]
	if len(g) == 1 {
		return wordEnd(g[0], s)
	}
	for _, part := range g[1 : len(g)-1] {
		i := indexFold(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	for last := g[len(g)-1]; ; {
		i := indexFold(s, last)
		if i < 0 {
			return false
		}
		if wordEnd(last, s[i+len(last):]) {
			return true
		}
		s = s[i+1:]
	}
}

func wordEnd(part string, rest []byte) bool {
	return part == "" || len(rest) == 0 || !alphanumeric(part[len(part)-1]) || !alphanumeric(rest[0])
}

// matchAll reports whether the glob describes the whole of s.
func (g glob) matchAll(s []byte) bool {
	if len(g) == 1 {
		return len(s) == len(g[0]) && hasPrefixFold(s, g[0])
	}
	last := g[len(g)-1]
	if !hasPrefixFold(s, g[0]) || len(s) < len(g[0])+len(last) || !hasPrefixFold(s[len(s)-len(last):], last) {
		return false
	}
	s = s[len(g[0]) : len(s)-len(last)]
	for _, part := range g[1 : len(g)-1] {
		i := indexFold(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return true
}

// literals counts the bytes of the glob that are no wildcards: how specific it is.
func (g glob) literals() int {
	n := 0
	for _, part := range g {
		n += len(part)
	}
	return n
}

// parameter asks for a query parameter whose value begins with prefix (in lower case). The zero value asks for nothing.
type parameter struct{ name, prefix string }

// newParameter cuts "?name=beginning" off a pattern's path.
func newParameter(pattern string) (path string, p parameter) {
	path, query, _ := strings.Cut(pattern, "?")
	if name, value, ok := strings.Cut(query, "="); ok {
		p = parameter{strings.ToLower(name), strings.ToLower(value)}
	}
	return path, p
}

func (p *parameter) match(query []byte) bool {
	if p.name == "" {
		return true
	}
	for len(query) > 0 {
		var one []byte
		one, query, _ = bytes.Cut(query, ampersand)
		if len(one) > len(p.name) && one[len(p.name)] == '=' && hasPrefixFold(one, p.name) &&
			hasPrefixFold(one[len(p.name)+1:], p.prefix) {
			return true
		}
	}
	return false
}
