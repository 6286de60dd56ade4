package filterlist

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
)

// indexer finds for each rule the key that the fewest rules share, and that ordinary URLs do not hold anyway.
type indexer struct {
	e      *Engine
	counts []uint16 // rules for each key, by its lower bits
	pat    string   // of the rule at hand, in lower case
	found  []candidate
	keys   []posting // those chosen
	tokens []uint32  // all tokens chosen for any rule
	hosts  []uint32  // all hosts of requests chosen
	pages  []uint32  // all hosts of pages chosen
	named  []string  // those hosts
}

// candidate is a possible key and where it stands in the pattern: a token, or the host at its beginning.
type candidate struct {
	key        uint32
	start, end int
	host       bool
}

// often tells what a key costs because URLs hold it often, however few rules do: as much as so many rules under it. These are
// words of the Web's ordinary URLs and of the URLs that lists are about, and the hosts that most pages request from.
var often = func() map[uint32]int {
	m := make(map[uint32]int)
	for _, t := range strings.Fields("ads ad adserver analytics amp async banner banners beacon call click collect core count " +
		"counter event events fonts ga gen gpt gtag gtm hit hits init json load local log logger map metrics photos pixel pixels " +
		"pub sdk search site stat stats store sync tags test text the thumb topics tr track tracker tracking type us user util " +
		"utils video videos view web 60 100 200 300 400 600 1x1 v3 v4") {
		m[tokenKey(t)] = costOften
	}
	for _, h := range strings.Fields("google.com www.google.com googleapis.com gstatic.com googletagmanager.com www.googletagmanager.com " +
		"google-analytics.com www.google-analytics.com googlesyndication.com googleadservices.com doubleclick.net facebook.com facebook.net " +
		"connect.facebook.net fbcdn.net twitter.com platform.twitter.com twimg.com youtube.com ytimg.com linkedin.com pinterest.com " +
		"cloudflare.com cdnjs.cloudflare.com cloudfront.net amazonaws.com s3.amazonaws.com amazon-adsystem.com akamaihd.net fastly.net " +
		"jsdelivr.net jquery.com code.jquery.com bootstrapcdn.com unpkg.com typekit.net wp.com wordpress.com gravatar.com shopify.com " +
		"cdn.shopify.com squarespace.com wixstatic.com ampproject.org netdna-ssl.com azureedge.net bing.com yahoo.com vimeo.com criteo.com") {
		m[hostKey(hostHash(h))] = costOften
		for label := range strings.SplitSeq(h, ".") {
			m[tokenKey(label)] = costOften + 1 // others may hold it, too
		}
	}
	for _, t := range strings.Fields("http https www com net org js css html htm php png jpg gif svg images image img " +
		"static assets cdn content wp api index main js1 script scripts media files data min jquery lib v1 v2 en id " +
		"info io co uk de src url page default includes themes plugins uploads ver ajax libs common public global dist " +
		"app secure logo google facebook loader resources embed platform tag widget widgets player show home") {
		m[tokenKey(t)] = costCommon
	}
	return m
}()

const (
	costOften  = 200     // of a token or host that many URLs hold
	costCommon = 1 << 20 // of a token that is in so many that it is no good as a key
	costNone   = 1 << 24
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
	x := &indexer{e: e, counts: make([]uint16, powerOfTwo(4*len(e.rules)+64))}
	for i := range e.rules {
		x.count(&e.rules[i])
	}
	postings := [classes][]posting{classBlock: make([]posting, 0, len(e.rules))}
	var always [classes][]uint32
	for i := range e.rules {
		r := &e.rules[i]
		x.choose(r)
		for c := range classes {
			if !c.in(r) {
				continue
			}
			for _, k := range x.keys {
				k.rule = uint32(i)
				postings[c] = append(postings[c], k)
			}
			if len(x.keys) == 0 {
				always[c] = append(always[c], uint32(i))
			}
		}
	}
	for c, t := range [classes]*table{&e.block, &e.strong, &e.except, &e.modify} {
		*t = newTable(postings[c], always[c])
	}
	e.tokens, e.hosts, e.pages = newFilter(x.tokens), newFilter(x.hosts), newFilter(x.pages)
	e.tails = newTails(append(x.named, e.findPages()...))
}

func (x *indexer) countOf(key uint32) *uint16 { return &x.counts[key&uint32(len(x.counts)-1)] }

// count adds the rule's possible keys to the counts.
func (x *indexer) count(r *rule) {
	if r.shape == shapeHost {
		x.found = append(x.found[:0], candidate{key: hostKey(hostHash(x.e.pattern(r)))})
	} else {
		x.candidates(r)
	}
	for _, f := range x.found {
		if c := x.countOf(f.key); *c < 1<<16-1 {
			*c++
		}
	}
}

// candidates finds the keys of a rule's URL: its host, if that is whole, and its tokens.
func (x *indexer) candidates(r *rule) {
	x.found = x.found[:0]
	if r.shape != shapePlain && r.shape != shapeGlob {
		x.pat = ""
		return
	}
	pat := strings.ToLower(x.e.pattern(r))
	x.pat = pat
	if r.flags&flagHostWhole != 0 {
		n := hostLen(pat)
		x.found = append(x.found, candidate{hostKey(hostHash(pat[:n])), 0, n, true})
	}
	eachToken(pat, r.flags, func(i, j int) { x.found = append(x.found, candidate{tokenKey(pat[i:j]), i, j, false}) })
}

// eachToken calls f with the bounds of each token that every match of the pattern holds as a whole, the URL's first apart:
// that is the scheme, which tells nothing.
func eachToken(pat string, flags uint16, f func(start, end int)) {
	for i := 0; i < len(pat); {
		if !isToken(pat[i]) {
			i++
			continue
		}
		j := i
		for j < len(pat) && isToken(pat[j]) {
			j++
		}
		left := i > 0 && pat[i-1] != '*' || i == 0 && flags&flagHost != 0
		right := j < len(pat) && pat[j] != '*' || j == len(pat) && flags&flagRight != 0
		if left && right && j-i >= minToken {
			f(i, j)
		}
		i = j
	}
}

// keyless reports whether nothing tells for which URLs a rule has to be tried: it has no token, host or page of its own.
func keyless(n *network) bool {
	if n.shape == shapeHost || n.flags&flagHostWhole != 0 {
		return false
	}
	if includes(n.from) || includes(n.to) {
		return false
	}
	if n.shape == shapeRegexp {
		return !hasEdge(requiredLiterals(regexpSource(n.pattern, n.flags), nil))
	}
	found := hasEdge(literals(n.pattern))
	if !found {
		eachToken(n.pattern, n.flags, func(int, int) { found = true })
	}
	return !found
}

// literals cuts a pattern at its wildcards.
func literals(pat string) []string {
	return strings.FieldsFunc(pat, func(c rune) bool { return c == '*' || c == '^' })
}

func hasEdge(lits []string) bool {
	return slices.ContainsFunc(lits, func(lit string) bool {
		for i := 0; i+4 <= len(lit); i++ {
			if isEdge(lit, i) {
				return true
			}
		}
		return false
	})
}

// isEdge reports whether a token begins behind lit[i].
func isEdge(lit string, i int) bool { return !isToken(lit[i]) && isToken(lit[i+1]) }

// choose finds the keys under which the rule stands. A rule without any has to be tried for every request.
func (x *indexer) choose(r *rule) {
	x.keys = x.keys[:0]
	if r.shape == shapeHost {
		k := hostKey(hostHash(x.e.pattern(r)))
		if often[k] == 0 || !x.hostKeys(r) {
			x.addHost(k)
		}
		return
	}
	x.candidates(r)
	best, cost := candidate{}, costNone
	for _, f := range x.found {
		if c := int(*x.countOf(f.key)) + often[f.key]; c < cost {
			best, cost = f, c
		}
	}
	switch {
	case cost < costOften, x.hostKeys(r), cost < costCommon:
	case x.edge(r):
		return
	}
	if len(x.keys) == 0 && cost < costNone {
		k := posting{best.key, window(x.pat, best.start, best.end)}
		if r.shape == shapePlain {
			k.place = place(best.start)
		}
		x.keys = append(x.keys, k)
		if best.host {
			x.hosts = append(x.hosts, best.key)
		} else {
			x.tokens = append(x.tokens, best.key)
		}
	}
}

// bare is a posting of which nothing but the key is known.
func bare(key uint32) posting { return posting{key, post{place: -1}} }

// place is the offset of a key in its pattern, -1 if it is too large to be kept.
func place(offset int) int16 {
	if offset > math.MaxInt16 {
		return -1
	}
	return int16(offset)
}

func (x *indexer) addHost(key uint32) {
	x.keys, x.hosts = append(x.keys, bare(key)), append(x.hosts, key)
}

func (x *indexer) addPage(key uint32) {
	x.keys, x.pages = append(x.keys, bare(key)), append(x.pages, key)
}

// window makes the post of a key at pat[start:end] compare up to four literal bytes beside it, those behind it first.
func window(pat string, start, end int) post {
	after := end
	for after < len(pat) && after < end+4 && pat[after] != '*' && pat[after] != '^' {
		after++
	}
	before := start
	for before > 0 && before > start-4 && pat[before-1] != '*' && pat[before-1] != '^' {
		before--
	}
	from, to := end, after
	if start-before > after-end {
		from, to = before, start
	}
	if from == to || to-start > math.MaxInt16 { // nothing beside it
		return post{place: -1}
	}
	p := post{off: int16(from - start), place: -1}
	for i := from; i < to; i++ {
		p.want |= uint32(pat[i]) << (8 * (i - from))
		p.mask |= 0xFF << (8 * (i - from))
	}
	return p
}

// hostKeys takes the hosts that the rule's domain= or to= includes; it reports whether it includes any.
func (x *indexer) hostKeys(r *rule) bool {
	hostsOf(x.e.blob, x.e.conds, r.cond, opFrom, func(host string, ref uint32) {
		switch {
		case ref&hostNot != 0:
		case ref&hostEntity != 0:
			x.e.entities = true
			x.addPage(entityKey(hostHash(host[strings.LastIndexByte(host, '.')+1:])))
		default:
			x.addPage(pageKey(hostHash(host)))
			x.named = append(x.named, host)
		}
	})
	if len(x.keys) > 0 {
		return true
	}
	entity := false // has no key of the request's host
	hostsOf(x.e.blob, x.e.conds, r.cond, opTo, func(host string, ref uint32) {
		if ref&hostNot == 0 {
			x.addHost(hostKey(hostHash(host)))
			entity = entity || ref&hostEntity != 0
		}
	})
	if entity {
		x.keys = x.keys[:0]
	}
	return len(x.keys) > 0
}

// edgeCost is high for what ordinary host and file names hold.
func edgeCost(quad string) int {
	switch quad {
	case ".com", ".net", ".org", "/www", "//ww", ".js?", ".php", "/js/", "/wp-":
		return 1000
	case ".gif", ".png", ".jpg", ".css", ".htm", ".jso", "/img", "/ima", "/api", "/css", "/cdn", "/scr", "/pag", "?ver", "/sta":
		return 100
	}
	if quad[3] == '/' || quad[3] == '.' {
		return 10
	}
	return 1
}

// edge finds four bytes where a token begins that every match holds, the least common of them.
func (x *indexer) edge(r *rule) bool {
	lits := literals(x.pat)
	if r.shape == shapeRegexp {
		lits = requiredLiterals(x.e.sources[r.pat], nil)
	}
	lowest, quad := 1<<20, uint32(0)
	for _, lit := range lits {
		for i := 0; i+4 <= len(lit); i++ {
			if !isEdge(lit, i) {
				continue
			}
			cost := edgeCost(lit[i : i+4])
			if cost < lowest {
				lowest, quad = cost, binary.LittleEndian.Uint32([]byte(lit[i:i+4]))
				k := bare(edgeKey(quad))
				if r.shape != shapeRegexp {
					k.post = window(lit, i, i+4)
				}
				if r.shape == shapePlain {
					k.place = place(i)
				}
				x.keys = append(x.keys[:0], k)
			}
		}
	}
	if len(x.keys) == 0 {
		return false
	}
	x.e.edges.add(quad)
	return true
}
