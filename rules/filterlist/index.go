package filterlist

import (
	"slices"
	"strings"
)

// indexer finds for each rule the key that the fewest rules share, and that ordinary URLs do not hold anyway.
type indexer struct {
	e      *Engine
	counts []uint16 // rules for each key, by its upper bits
	tokens []uint32
	pages  []uint32
	best   uint32
	cost   uint32
}

const countBits = 18

// commonTokens stand in so many URLs that they are no good as keys.
var commonTokens = func() map[uint32]bool {
	m := make(map[uint32]bool)
	for _, t := range strings.Fields("http https www com net org js css html htm php png jpg gif svg images image img " +
		"static assets cdn content wp api index main js1 script scripts media files data min jquery lib v1 v2 en id " +
		"info io co uk de src url page default content includes themes plugins uploads") {
		m[tokenKey([]byte(t))] = true
	}
	return m
}()

const (
	costCommon = 1 << 20 // of a token that most URLs hold
	costQuad   = 1 << 24 // quads are looked up at every byte of a URL: the last resort
)

// The classes of rules, one table each.
type class uint8

const (
	classBlock class = iota
	classStrong
	classExcept
	classModify
	classes
)

// in reports whether the rule belongs in the class's table.
func (c class) in(r *rule) bool {
	exception := r.flags&flagException != 0
	switch c {
	case classBlock:
		return !exception && (r.mod == modNone || r.mod == modRedirect)
	case classStrong:
		return classBlock.in(r) && r.flags&flagImportant != 0
	case classExcept:
		return exception && r.mod == modNone
	}
	return r.mod != modNone
}

// index builds the tables.
func (e *Engine) index() {
	x := &indexer{e: e, counts: make([]uint16, 1<<countBits)}
	for i := range e.rules {
		x.count(&e.rules[i])
	}
	postings := [classes][]posting{classBlock: make([]posting, 0, len(e.rules))}
	var quads, always [classes][]uint32
	for i := range e.rules {
		r := &e.rules[i]
		keys, quad := x.keys(r)
		for c := range classes {
			if !c.in(r) {
				continue
			}
			for _, k := range keys {
				postings[c] = append(postings[c], posting{k, uint32(i)})
			}
			if quad {
				quads[c] = append(quads[c], keys...)
			}
			if len(keys) == 0 {
				always[c] = append(always[c], uint32(i))
			}
		}
		e.pages = e.pages || r.flags&flagPage != 0
	}
	for c, t := range [classes]*table{&e.block, &e.strong, &e.except, &e.modify} {
		*t = newTable(postings[c], quads[c], always[c])
	}
}

func (x *indexer) countOf(key uint32) *uint16 { return &x.counts[key>>(32-countBits)] }

func (x *indexer) add(key uint32) {
	if c := x.countOf(key); *c < 1<<16-1 {
		*c++
	}
}

// count adds the rule's possible keys to the counts.
func (x *indexer) count(r *rule) {
	pat := x.e.pattern(r)
	if r.shape == shapeHost {
		x.add(hostKey(hostHash(pat)))
		return
	}
	x.candidates(r)
	for _, k := range x.tokens {
		x.add(k)
	}
}

// candidates finds the keys of a rule's URL: its host, if that is whole, and its tokens.
func (x *indexer) candidates(r *rule) {
	x.tokens = x.tokens[:0]
	if r.shape != shapePlain && r.shape != shapeGlob {
		return
	}
	pat := strings.ToLower(x.e.pattern(r))
	if r.flags&flagHostWhole != 0 {
		x.tokens = append(x.tokens, hostKey(hostHash(pat[:hostLen(pat)])))
	}
	for i := 0; i < len(pat); {
		if !isToken(pat[i]) {
			i++
			continue
		}
		j := i
		for j < len(pat) && isToken(pat[j]) {
			j++
		}
		left := i > 0 && pat[i-1] != '*' || i == 0 && r.flags&(flagLeft|flagHost) != 0
		right := j < len(pat) && pat[j] != '*' || j == len(pat) && r.flags&flagRight != 0
		if left && right && j-i > 1 {
			x.tokens = append(x.tokens, tokenKey([]byte(pat[i:j])))
		}
		i = j
	}
}

// keys chooses under which keys the rule stands; quad says that the key is four bytes in a row. A rule without keys has to
// be tried for every request.
func (x *indexer) keys(r *rule) (keys []uint32, quad bool) {
	if r.shape == shapeHost {
		return []uint32{hostKey(hostHash(x.e.pattern(r)))}, false
	}
	x.candidates(r)
	x.cost = costQuad
	for _, k := range x.tokens {
		cost := uint32(*x.countOf(k))
		if commonTokens[k] {
			cost += costCommon
		}
		if cost < x.cost {
			x.best, x.cost = k, cost
		}
	}
	if x.cost < costCommon {
		return []uint32{x.best}, false
	}
	if keys := x.hostKeys(r); keys != nil {
		return keys, false
	}
	if x.cost < costQuad {
		return []uint32{x.best}, false
	}
	if k, ok := x.quad(r); ok {
		return []uint32{k}, true
	}
	return nil, false
}

// hostKeys returns keys for the hosts that the rule's domain= or to= includes; nil if it includes none.
func (x *indexer) hostKeys(r *rule) []uint32 {
	var keys []uint32
	hostsOf(x.e.blob, x.e.conds, r.cond, opFrom, func(host string, ref uint32) {
		switch {
		case ref&hostNot != 0:
		case ref&hostEntity != 0:
			x.e.entities = true
			keys = append(keys, entityKey(hostHash(host[strings.LastIndexByte(host, '.')+1:])))
		default:
			keys = append(keys, pageKey(hostHash(host)))
		}
	})
	if keys != nil {
		return keys
	}
	entity := false
	hostsOf(x.e.blob, x.e.conds, r.cond, opTo, func(host string, ref uint32) {
		entity = entity || ref&hostEntity != 0 && ref&hostNot == 0
		if ref&hostNot == 0 {
			keys = append(keys, hostKey(hostHash(host)))
		}
	})
	if entity {
		return nil
	}
	return keys
}

// quad finds four bytes in a row that every match holds.
func (x *indexer) quad(r *rule) (uint32, bool) {
	var lits []string
	switch r.shape {
	case shapePlain, shapeGlob:
		lits = strings.FieldsFunc(strings.ToLower(x.e.pattern(r)), func(c rune) bool { return c == '*' || c == '^' })
	case shapeRegexp:
		lits = requiredLiterals(x.e.sources[r.pat], nil)
	}
	best, found, bestCost := uint32(0), false, 0
	for _, lit := range lits {
		for i := 0; i+4 <= len(lit); i++ {
			cost := 0
			for _, common := range [...]string{"http", "ttps", "tps:", "ps:/", "s://", "://w", "//ww", "/www", "www.", ".com", ".js", ".php", "html"} {
				if strings.HasPrefix(lit[i:], common) {
					cost = 100
				}
			}
			for _, c := range []byte(lit[i : i+4]) {
				if c >= 'a' && c <= 'z' {
					cost++ // letters are more common than signs in a row
				}
			}
			if !found || cost < bestCost {
				best, found, bestCost = quadKey(le32([]byte(lit[i:i+4]))), true, cost
			}
		}
	}
	return best, found
}

// sortedNames returns the engine's lists in order, what they include left out.
func (e *Engine) sortedNames() []string {
	var names []string
	for i, root := range e.roots {
		if i == 0 || root != e.roots[i-1] {
			names = append(names, e.names[i])
		}
	}
	return slices.Clip(names)
}
