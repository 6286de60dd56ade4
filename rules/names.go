package rules

import "slices"

// nameIndex finds cookies and storage keys: exact names by map, others by wildcard, the most specific first. Names are
// case-sensitive.
type nameIndex struct {
	exact map[string]int32
	globs [256][]nameGlob // by first byte; those that begin with a wildcard stand in every bucket
}

type nameGlob struct {
	vendor   int32
	text     string
	literals int
}

func (x *nameIndex) add(name string, vendor int32) {
	if indexByte([]byte(name), '*') < 0 {
		if x.exact == nil {
			x.exact = make(map[string]int32)
		}
		if _, taken := x.exact[name]; !taken {
			x.exact[name] = vendor
		}
		return
	}
	g := nameGlob{vendor: vendor, text: name}
	for i := range len(name) {
		if name[i] != '*' {
			g.literals++
		}
	}
	if name[0] != '*' {
		x.globs[name[0]] = append(x.globs[name[0]], g)
		return
	}
	for i := range x.globs {
		x.globs[i] = append(x.globs[i], g)
	}
}

func (x *nameIndex) seal() {
	for i := range x.globs {
		slices.SortStableFunc(x.globs[i], func(a, b nameGlob) int { return b.literals - a.literals })
	}
}

// lookup returns the vendor and the name as the catalogue writes it, -1 if there is none.
func (x *nameIndex) lookup(name []byte) (int32, string) {
	if len(name) == 0 {
		return -1, ""
	}
	if v, ok := x.exact[string(name)]; ok {
		return v, ""
	}
	for _, g := range x.globs[name[0]] {
		if wildcard(g.text, name) {
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

// Cookie judges a cookie by its name. firstParty says that the site's own domain sets it, as it must be for a cookie that
// passes through the gateway.
func (s *Set) Cookie(name []byte, firstParty bool) (Match, bool) {
	if m, ok := s.named(&s.cookies, name); ok || m.Vendor != "" || s.options.Cookies == nil {
		return m, ok
	}
	return s.options.Cookies.match(name)
}

// StorageKey judges a key of localStorage or sessionStorage.
func (s *Set) StorageKey(key []byte) (Match, bool) { return s.named(&s.storage, key) }

func (s *Set) named(x *nameIndex, name []byte) (Match, bool) {
	if len(name) > maxName {
		return Match{}, false
	}
	v, text := x.lookup(name)
	if v < 0 {
		return Match{}, false
	}
	m := s.vendors[v].match
	if m.Rule = text; text == "" {
		m.Rule = string(name)
	}
	return m, !s.vendors[v].pass
}
