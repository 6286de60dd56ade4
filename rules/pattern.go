package rules

import (
	"bytes"
	"strings"

	"github.com/caddy-consent/caddy-consent/rules/internal/ascii"
)

// glob is a text with wildcards, cut at each *, in lower case.
type glob []string

func newGlob(s string) glob { return strings.Split(strings.ToLower(s), "*") }

// matchPrefix reports whether s begins with something that the glob describes. If the glob ends in a letter or digit, so
// must the match: the next byte is neither. A leftmost match of each part is the earliest end for the rest, so no
// backtracking is needed but for that last condition, which retries the last part only.
func (g glob) matchPrefix(s []byte) bool {
	if !ascii.HasPrefixFold(s, g[0]) {
		return false
	}
	s = s[len(g[0]):]
	if len(g) == 1 {
		return wordEnd(g[0], s)
	}
	for _, part := range g[1 : len(g)-1] {
		i := ascii.IndexFold(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	for last := g[len(g)-1]; ; {
		i := ascii.IndexFold(s, last)
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
	return part == "" || len(rest) == 0 || !ascii.Alphanumeric(part[len(part)-1]) || !ascii.Alphanumeric(rest[0])
}

// matchAll reports whether the glob describes the whole of s.
func (g glob) matchAll(s []byte) bool {
	if len(g) == 1 {
		return len(s) == len(g[0]) && ascii.HasPrefixFold(s, g[0])
	}
	last := g[len(g)-1]
	if !ascii.HasPrefixFold(s, g[0]) || len(s) < len(g[0])+len(last) || !ascii.HasPrefixFold(s[len(s)-len(last):], last) {
		return false
	}
	s = s[len(g[0]) : len(s)-len(last)]
	for _, part := range g[1 : len(g)-1] {
		i := ascii.IndexFold(s, part)
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

// parameter asks for a query parameter whose value begins with prefix (in lower case), or for any query at all. The zero
// value asks for nothing.
type parameter struct {
	name, prefix string
	any          bool
}

// newParameter cuts "?name=beginning", or "?" for any query, off a pattern's path.
func newParameter(pattern string) (path string, p parameter) {
	path, query, found := strings.Cut(pattern, "?")
	if name, value, ok := strings.Cut(query, "="); ok {
		p = parameter{name: strings.ToLower(name), prefix: strings.ToLower(value)}
	} else {
		p.any = found
	}
	return path, p
}

func (p *parameter) match(query []byte) bool {
	if p.name == "" {
		return !p.any || len(query) > 0
	}
	for len(query) > 0 {
		var one []byte
		one, query, _ = bytes.Cut(query, ampersand)
		if len(one) > len(p.name) && one[len(p.name)] == '=' && ascii.HasPrefixFold(one, p.name) &&
			ascii.HasPrefixFold(one[len(p.name)+1:], p.prefix) {
			return true
		}
	}
	return false
}
