package rules

import (
	"bytes"
	"strings"
)

func indexByte(s []byte, c byte) int { return bytes.IndexByte(s, c) }

// kind is what a rule of the catalogue asks for.
type kind uint8

const (
	kindGate    kind = iota
	kindPass         // let through whatever else matches
	kindPayment      // let through where a payment is made
)

// rule is one pattern of the catalogue, found in the index by the literal end of its host.
type rule struct {
	vendor int32
	kind   kind
	exact  bool // the indexed name is the whole host; else subdomains match too
	inner  bool // the indexed name alone does not match: something must stand before it
	score  int32
	host   glob // checked if the host has a wildcard
	path   glob
	param  parameter
	text   string
}

// hostIndex finds rules by host in as many probes as the host has labels. Names are hashed from their end, so that one
// pass over a host yields the hash of each of its suffixes.
type hostIndex struct {
	slots  []int32 // entry number + 1 at hash & mask, linear probing
	mask   uint32
	names  []string
	rules  [][]rule       // best first
	byName map[string]int // while it is being built
	// countries holds patterns whose host ends in ".*", by their first label.
	countries map[string][]rule
}

const (
	hashSeed  = 2166136261
	hashPrime = 16777619
)

func hashName(name string) uint32 {
	h := uint32(hashSeed)
	for i := len(name) - 1; i >= 0; i-- {
		h = (h ^ uint32(name[i])) * hashPrime
	}
	return h
}

func (x *hostIndex) add(name string, r rule) {
	i, ok := x.byName[name]
	if !ok {
		if x.byName == nil {
			x.byName = make(map[string]int)
		}
		i = len(x.names)
		x.byName[name] = i
		x.names, x.rules = append(x.names, name), append(x.rules, nil)
	}
	x.rules[i] = append(x.rules[i], r)
}

func (x *hostIndex) addCountry(name string, r rule) {
	if x.countries == nil {
		x.countries = make(map[string][]rule)
	}
	x.countries[name] = append(x.countries[name], r)
}

// seal builds the hash table, at most a quarter full.
func (x *hostIndex) seal() {
	size := 64
	for size < 4*len(x.names) {
		size *= 2
	}
	x.slots, x.mask = make([]int32, size), uint32(size-1)
	for i, name := range x.names {
		h := hashName(name)
		for x.slots[h&x.mask] != 0 {
			h++
		}
		x.slots[h&x.mask] = int32(i + 1)
		sortRules(x.rules[i])
	}
	for _, list := range x.countries {
		sortRules(list)
	}
	x.byName = nil
}

func (x *hostIndex) find(hash uint32, name []byte) []rule {
	for h := hash; ; h++ {
		i := x.slots[h&x.mask]
		if i == 0 {
			return nil
		}
		if x.names[i-1] == string(name) {
			return x.rules[i-1]
		}
	}
}

// address is a URL taken apart for matching.
type address struct{ host, path, query []byte }

// newAddress splits an absolute URL whose host is url[start:end].
func newAddress(url []byte, start, end int) address {
	a := address{host: url[start:end]}
	if n := len(a.host); n > 1 && a.host[n-1] == '.' {
		a.host = a.host[:n-1] // a fully qualified name is the same host
	}
	rest := url[end:]
	i := indexByte(rest, '/')
	if i < 0 {
		return a
	}
	a.path = rest[i:]
	if q := indexByte(a.path, '?'); q >= 0 {
		a.path, a.query = a.path[:q], a.path[q+1:]
	}
	return a
}

// lookup returns the most specific rule for the address, nil if there is none.
func (x *hostIndex) lookup(a *address) *rule {
	var best *rule
	h := uint32(hashSeed)
	for i := len(a.host) - 1; i >= 0; i-- {
		if a.host[i] == '.' {
			best = better(best, x.find(h, a.host[i+1:]), a, false)
		}
		h = (h ^ uint32(a.host[i])) * hashPrime
	}
	best = better(best, x.find(h, a.host), a, true)
	if x.countries != nil {
		best = x.country(best, a)
	}
	return best
}

// better returns the first rule of the list that matches and is more specific than best.
func better(best *rule, list []rule, a *address, whole bool) *rule {
	for i := range list {
		r := &list[i]
		if best != nil && r.score <= best.score {
			break
		}
		if r.exact && !whole || r.inner && whole || r.host != nil && !r.host.matchAll(a.host) {
			continue
		}
		if (r.path == nil || r.path.matchPrefix(a.path)) && r.param.match(a.query) {
			return r
		}
	}
	return best
}

// country tries the patterns for hosts under every top-level domain (www.google.*): they are found by the label before
// the suffix, which has one label or, as in co.uk, two.
func (x *hostIndex) country(best *rule, a *address) *rule {
	host := a.host
	for n := 0; n < 2; n++ {
		i := bytes.LastIndexByte(host, '.')
		if i < 0 || len(a.host)-i-1 > 6 || n == 0 && len(host)-i-1 > 3 {
			break
		}
		host = host[:i]
		label := host[bytes.LastIndexByte(host, '.')+1:]
		if list, ok := x.countries[string(label)]; ok {
			best = better(best, list, a, true)
		}
	}
	return best
}

// newRule compiles a pattern (see package catalogue) and returns it with the name that the index finds it by.
func newRule(pattern string, vendor int32, k kind) (name string, r rule, country bool) {
	host, path, _ := strings.Cut(pattern, "/")
	r = rule{vendor: vendor, kind: k, text: pattern}
	path, r.param = newParameter(path)
	if path != "" {
		r.path = newGlob("/" + path)
	}
	switch star := strings.LastIndexByte(host, '*'); {
	case strings.HasSuffix(host, ".*"):
		r.host, country = newGlob(host), true
		host = strings.TrimSuffix(host, ".*")
		name = host[strings.LastIndexAny(host, ".*")+1:]
	case star >= 0:
		r.host = newGlob(host)
		name = strings.TrimPrefix(host[star+1:], ".")
		if host[star+1] != '.' { // "us*.x.com" is found by a whole label only
			_, name, _ = strings.Cut(name, ".")
		}
		if host == "*."+name {
			r.host, r.inner = nil, true
		}
	case strings.HasPrefix(host, "."):
		name = host[1:]
	default:
		name, r.exact = host, true
	}
	r.score = r.specificity(host)
	return name, r, country
}

// specificity orders rules: one with a path before one without, then the longer.
func (r *rule) specificity(host string) int32 {
	n := int32(len(strings.TrimPrefix(strings.ReplaceAll(host, "*", ""), "."))) * 2
	if r.exact {
		n++
	}
	if r.path != nil {
		n += 1000 + 2*int32(r.path.literals())
	}
	if r.param.name != "" {
		n += 500 + 2*int32(len(r.param.prefix))
	}
	if r.kind != kindGate { // between equal patterns, the exception
		n++
	}
	return n
}
