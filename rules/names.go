package rules

import (
	"slices"
	"strings"
)

// nameIndex finds cookies and storage keys: exact names by map, others by wildcard, the most specific first. Names are
// case-sensitive.
type nameIndex struct {
	exact map[string]nameGlob
	globs map[[2]byte][]nameGlob // by their first two bytes
	any   []nameGlob             // those with a wildcard among these
}

type nameGlob struct {
	vendor   int32
	text     string
	literals int
}

func (x *nameIndex) add(name string, vendor int32) {
	if !strings.Contains(name, "*") {
		if x.exact == nil {
			x.exact = make(map[string]nameGlob)
		}
		if _, taken := x.exact[name]; !taken {
			x.exact[name] = nameGlob{vendor: vendor, text: name}
		}
		return
	}
	g := nameGlob{vendor: vendor, text: name}
	for i := range len(name) {
		if name[i] != '*' {
			g.literals++
		}
	}
	if len(name) < 2 || name[0] == '*' || name[1] == '*' {
		x.any = append(x.any, g)
		return
	}
	if x.globs == nil {
		x.globs = make(map[[2]byte][]nameGlob)
	}
	key := [2]byte{name[0], name[1]}
	x.globs[key] = append(x.globs[key], g)
}

func (x *nameIndex) seal() {
	specific := func(a, b nameGlob) int { return b.literals - a.literals }
	slices.SortStableFunc(x.any, specific)
	for _, list := range x.globs {
		slices.SortStableFunc(list, specific)
	}
}

// lookup returns the vendor and the name as the catalogue writes it, -1 if there is none.
func (x *nameIndex) lookup(name []byte) (int32, string) {
	if len(name) == 0 {
		return -1, ""
	}
	if g, ok := x.exact[string(name)]; ok {
		return g.vendor, g.text
	}
	if len(name) > 1 {
		if v, text := first(x.globs[[2]byte{name[0], name[1]}], name); v >= 0 {
			return v, text
		}
	}
	return first(x.any, name)
}

func first(list []nameGlob, name []byte) (int32, string) {
	for i := range list {
		if g := &list[i]; wildcard(g.text, name) {
			return g.vendor, g.text
		}
	}
	return -1, ""
}

// wildcard reports whether the pattern describes the whole name. It is linear in the name for each star.
func wildcard(pattern string, name []byte) bool {
	p, n, star, mark := 0, 0, -1, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, n
			p++
		case p < len(pattern) && pattern[p] == name[n]:
			p++
			n++
		case star >= 0:
			mark++
			p, n = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// maxName bounds the names that are looked at: longer ones are nobody's.
const maxName = 1024

// Cookie judges a cookie of the site's own domain by its name: no other passes through a gateway.
func (s *Set) Cookie(name []byte) (Match, bool) {
	if m, ok := s.named(&s.cookies, name); ok || m.Vendor != "" || s.options.Cookies == nil {
		return m, ok
	}
	return s.options.Cookies.match(name)
}

func (s *Set) named(x *nameIndex, name []byte) (Match, bool) {
	if len(name) > maxName {
		return Match{}, false
	}
	v, text := x.lookup(name)
	if v < 0 {
		return Match{}, false
	}
	return s.match(v, text), !s.vendors[v].pass
}
