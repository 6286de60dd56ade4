package rules

import (
	"bytes"
	"math/bits"
	"strings"
)

// kind is what a rule of the catalogue asks for.
type kind uint8

const (
	kindGate    kind = iota
	kindEmbed        // gated although the vendor passes by default
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
	slots     []int32  // entry number + 1 at hash & mask, linear probing
	used      []uint64 // a bit for each slot that is taken: small enough to stay in a processor's first cache
	mask      uint32
	names     []string
	rules     [][]rule       // best first
	byName    map[string]int // while it is being built
	countries []country
	// lengths has, for each first byte, a bit for the length of each country's label that begins with it.
	lengths [256]uint32
}

// country holds the patterns whose host ends in ".*", by the label before that.
type country struct {
	label string
	rules []rule // best first
}

// hashByte takes a byte into the hash of what stands after it; slot spreads the hash over the table.
func hashByte(h uint64, c byte) uint64 { return bits.RotateLeft64(h, 7) ^ uint64(c) }

func (x *hostIndex) slot(h uint64) uint32 { return uint32(h*0x9E3779B97F4A7C15>>32) & x.mask }

func hashName(name string) uint64 {
	var h uint64
	for i := len(name) - 1; i >= 0; i-- {
		h = hashByte(h, name[i])
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

func (x *hostIndex) addCountry(label string, r rule) {
	for i := range x.countries {
		if x.countries[i].label == label {
			x.countries[i].rules = append(x.countries[i].rules, r)
			return
		}
	}
	x.countries = append(x.countries, country{label, []rule{r}})
	x.lengths[label[0]] |= 1 << (len(label) & 31)
}

// seal builds the hash table, at most a quarter full.
func (x *hostIndex) seal() {
	size := 64
	for size < 4*len(x.names) {
		size *= 2
	}
	x.slots, x.used, x.mask = make([]int32, size), make([]uint64, size/64), uint32(size-1)
	for i, name := range x.names {
		n := x.slot(hashName(name))
		for x.slots[n] != 0 {
			n = (n + 1) & x.mask
		}
		x.slots[n] = int32(i + 1)
		x.used[n/64] |= 1 << (n % 64)
		sortRules(x.rules[i])
	}
	for i := range x.countries {
		sortRules(x.countries[i].rules)
	}
	x.byName = nil
}

func (x *hostIndex) find(hash uint64, name []byte) []rule {
	for n := x.slot(hash); x.used[n/64]>>(n%64)&1 != 0; n = (n + 1) & x.mask {
		i := x.slots[n]
		if x.names[i-1] == string(name) {
			return x.rules[i-1]
		}
	}
	return nil
}

// address is a URL taken apart for matching.
type address struct {
	host, path, query []byte
	known             bool // a rule stands at the host or above it: lookup tells
}

// newAddress splits an absolute URL whose host is url[start:end].
func newAddress(url []byte, start, end int) address {
	a := address{host: url[start:end]}
	if n := len(a.host); n > 1 && a.host[n-1] == '.' {
		a.host = a.host[:n-1] // a fully qualified name is the same host
	}
	a.path = url[end:]
	if len(a.path) == 0 || a.path[0] != '/' { // a port
		i := bytes.IndexByte(a.path, '/')
		if i < 0 {
			a.path = nil
			return a
		}
		a.path = a.path[i:]
	}
	if q := bytes.IndexByte(a.path, '?'); q >= 0 {
		a.path, a.query = a.path[:q], a.path[q+1:]
	}
	return a
}

// lookup returns the most specific rule for the address, nil if there is none. No rule stands at a top-level domain, so
// that label is not asked for.
func (x *hostIndex) lookup(a *address) *rule {
	var best *rule
	h, dots, end := uint64(0), 0, len(a.host)
	for i := len(a.host) - 1; i >= 0; i-- {
		c := a.host[i]
		if c == '.' {
			if dots++; dots > 1 {
				if list := x.find(h, a.host[i+1:]); list != nil {
					best = better(best, list, a, false)
				}
				if dots <= 3 {
					if list := x.country(a.host, i+1, end); list != nil {
						best = better(best, list, a, true)
					}
				}
			}
			end = i
		}
		h = hashByte(h, c)
	}
	if list := x.find(h, a.host); list != nil {
		best = better(best, list, a, true)
	}
	return best
}

// better returns the first rule of the list that matches and is more specific than best.
func better(best *rule, list []rule, a *address, whole bool) *rule {
	a.known = true
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

// country returns the patterns for hosts under every top-level domain (www.google.*): they are found by the label before
// the suffix, which has one label or, as in co.uk, two short ones. The label is host[start:end].
func (x *hostIndex) country(host []byte, start, end int) []rule {
	if start < end && uint(len(host)-end-1) < uint(len(".com.au")) && x.lengths[host[start]]>>((end-start)&31)&1 != 0 {
		return x.countryNamed(host[start:end])
	}
	return nil
}

func (x *hostIndex) countryNamed(label []byte) []rule {
	for i := range x.countries {
		if c := &x.countries[i]; c.label == string(label) {
			return c.rules
		}
	}
	return nil
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
	if r.kind > kindEmbed { // between equal patterns, the exception
		n++
	}
	return n
}
