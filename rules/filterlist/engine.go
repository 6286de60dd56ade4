package filterlist

import (
	"regexp"
	"strings"
	"sync"
)

// Engine matches requests against compiled lists. It is immutable and safe for concurrent use.
type Engine struct {
	names    []string // of lists and of what they include
	roots    []uint16 // for each name the list, in the order that Compile was given
	sums     [][32]byte
	rules    []rule
	blob     string
	conds    []uint32
	sources  []string
	regexps  []*regexp.Regexp
	block    table  // rules that block
	strong   table  // those of them with $important
	except   table  // exceptions
	modify   table  // $csp, $removeparam, $redirect and their exceptions
	tokens   filter // keys that are tokens of a URL
	hosts    filter // that are hosts of a request
	pages    filter // that are hosts of a page
	tails    tails  // of those hosts
	edges    edges
	entities bool   // a rule stands under the key of an entity
	lifted   filter // hosts of pages for which an exception with $document may hold
	anyPage  bool   // one may hold for other hosts, too
	scratch  sync.Pool
}

// Source names a rule: its text, and the list and line where it stands.
type Source struct {
	Rule string
	List string
	Line int
}

// Result says by which rule a request is blocked, or what keeps it from being blocked.
type Result struct {
	Source
	// ListIndex is the place of the list in the arguments of Compile; what a list includes counts as the list.
	ListIndex int
	// Important is true for a rule that only an important exception lifts.
	Important bool
	// Exception is the rule that lifts the block, if there is one.
	Exception Source
	// Redirect names the stand-in that a list wants served instead, "" for none: as written, without its priority.
	Redirect string
}

// Len returns the number of rules in force.
func (e *Engine) Len() int { return len(e.rules) }

// Match reports whether the lists block the request. With false and a Result.Rule, an exception lifted that rule. It
// does not allocate. Order of precedence: an important exception, an important rule, an exception, a rule.
func (e *Engine) Match(r *Request) (res Result, blocked bool) {
	s := e.acquire(r)
	blocked = e.match(s, &res)
	e.scratch.Put(s)
	return res, blocked
}

func (e *Engine) acquire(r *Request) *scratch {
	s, ok := e.scratch.Get().(*scratch)
	if !ok {
		s = new(scratch)
	}
	s.load(r, e)
	return s
}

func (e *Engine) match(s *scratch, res *Result) (blocked bool) {
	id, ok := e.first(&e.block, s, 0)
	if !ok {
		return false
	}
	if strong, ok := e.first(&e.strong, s, 0); ok {
		id = strong
	}
	r := &e.rules[id]
	res.Source = e.source(id)
	res.ListIndex = int(e.roots[r.list])
	res.Important = r.flags&flagImportant != 0
	exception, ok := e.first(&e.except, s, r.flags&flagImportant)
	if !ok {
		exception, ok = e.pageException(s, r.flags&flagImportant)
	}
	if ok {
		res.Exception = e.source(exception)
		return false
	}
	res.Redirect = e.redirect(s)
	return true
}

// first returns the first rule of the table that matches and has these flags.
func (e *Engine) first(t *table, s *scratch, flags uint16) (id uint32, ok bool) {
	t.visit(e, s, func(i uint32) bool {
		if e.rules[i].flags&flags != flags {
			return false
		}
		id, ok = i, true
		return true
	})
	return id, ok
}

// pageException looks for an exception with $document, which lifts all that its page requests. Of the page only the
// host is known: an exception for one path of it does not hold.
func (e *Engine) pageException(s *scratch, flags uint16) (id uint32, ok bool) {
	if s.pageHost == "" || !e.anyPage && !e.lifts(s) {
		return 0, false
	}
	p, _ := e.scratch.Get().(*scratch)
	if p == nil {
		p = new(scratch)
	}
	const scheme = "https://"
	p.rawCopy = append(append(append(p.rawCopy[:0], scheme...), s.pageHost...), '/')
	r := Request{URL: p.rawCopy, HostStart: len(scheme), HostEnd: len(scheme) + len(s.pageHost), Type: Document, PageHost: s.pageHost}
	p.load(&r, e)
	id, ok = e.first(&e.except, p, flags|flagPage)
	e.scratch.Put(p)
	return id, ok
}

// findPages gathers the hosts of the exceptions with $document: few lists have any, and no other page has to be asked about.
func (e *Engine) findPages() (hosts []string) {
	var keys []uint32
	for i := range e.rules {
		r := &e.rules[i]
		switch {
		case r.flags&flagPage == 0:
		case r.shape != shapeHost && r.flags&flagHostWhole == 0:
			e.anyPage = true
		default:
			host := strings.ToLower(e.pattern(r))
			if r.shape != shapeHost {
				host = host[:hostLen(host)]
			}
			hosts, keys = append(hosts, host), append(keys, hostHash(host))
		}
	}
	e.lifted = newFilter(keys)
	return hosts
}

// lifts reports whether an exception with $document may name the request's page.
func (e *Engine) lifts(s *scratch) bool {
	if !s.special {
		return false
	}
	for _, p := range s.pageSuffixes() {
		if e.lifted.has(p.hash) != 0 {
			return true
		}
	}
	return false
}

func (e *Engine) source(id uint32) Source {
	r := &e.rules[id]
	return Source{Rule: e.text(r), List: e.names[r.list], Line: int(r.line)}
}

func (e *Engine) text(r *rule) string    { return e.blob[r.text : r.text+uint32(r.textLen)] }
func (e *Engine) pattern(r *rule) string { return e.blob[r.pat : r.pat+uint32(r.patLen)] }

// matches compares one rule with the request in full, the cheapest first.
func (e *Engine) matches(r *rule, s *scratch) bool {
	if r.types&s.types == 0 || r.flags&s.forbid != 0 {
		return false
	}
	return e.matchPattern(r, s) && (r.cond == 0 || e.matchConditions(r.cond, s))
}

// matchesAt is matches for a literal pattern that can only stand at position i.
func (e *Engine) matchesAt(r *rule, s *scratch, i int) bool {
	if r.types&s.types == 0 || r.flags&s.forbid != 0 || i < 0 || i > len(s.lower) {
		return false
	}
	text, pat := s.lower, e.pattern(r)
	if r.flags&flagMatchCase != 0 {
		text = s.raw
	}
	if !hasPrefix(text[i:], pat) || r.flags&flagLeft != 0 && i != 0 || r.flags&flagRight != 0 && i+len(pat) != len(text) ||
		r.flags&flagHost != 0 && !s.isHostStart(i) {
		return false
	}
	return r.cond == 0 || e.matchConditions(r.cond, s)
}

func (e *Engine) matchPattern(r *rule, s *scratch) bool {
	text := s.lower
	if r.flags&flagMatchCase != 0 {
		text = s.raw
	}
	switch r.shape {
	case shapeAny:
		return true
	case shapeHost:
		pat := e.pattern(r)
		i := s.hostEnd - len(pat)
		if len(s.host) == 0 || i < int(s.host[len(s.host)-1].at) || string(text[i:s.hostEnd]) != pat {
			return false
		}
		return i == int(s.host[len(s.host)-1].at) || text[i-1] == '.'
	case shapePlain:
		return matchPlain(text, e.pattern(r), r.flags, s.host)
	case shapeGlob:
		return matchGlob(text, e.pattern(r), r.flags, s.host)
	}
	return e.regexps[r.pat].Match(s.raw)
}

// ListInfo names one of the lists that an Engine was compiled from.
type ListInfo struct {
	Name string
	// SHA256 is the hash of the list's bytes with what it includes.
	SHA256 [32]byte
	// Rules is how many rules of the list are in force, those of lists that it includes counted.
	Rules int
}

// Lists returns the lists in the order that Compile was given.
func (e *Engine) Lists() []ListInfo {
	var infos []ListInfo
	for i, root := range e.roots {
		if int(root) == len(infos) && len(infos) < len(e.sums) {
			infos = append(infos, ListInfo{Name: e.names[i], SHA256: e.sums[root]})
		}
	}
	for i := range e.rules {
		if root := int(e.roots[e.rules[i].list]); root < len(infos) {
			infos[root].Rules++
		}
	}
	return infos
}
