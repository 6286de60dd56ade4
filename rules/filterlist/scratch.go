package filterlist

import (
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// scratch is a request prepared for matching: folded, cut into keys. It is pooled, so that Match does not allocate.
type scratch struct {
	raw, lower []byte // the URL and its lower case
	url        folded
	rawCopy    []byte
	page       folded     // pageHost, once pageSuffixes was asked for it
	spans      []span     // the URL's tokens
	keys       []key      // of hosts, page and tokens
	host       []hostPart // the request's host and its parents, the shortest first
	pageParts  []hostPart // the same of the page, see pageSuffixes
	pageHost   string
	special    bool // there are rules for the page, perhaps
	hostEnd    int
	types      uint16
	forbid     uint16 // flags of rules that cannot match
	method     uint32
	failed     [32]uint32 // rules that were found not to match, plus one, by their last bits
}

// hostPart is a host's suffix at a label: where it begins and its hash.
type hostPart struct {
	hash uint32
	at   int32
}

// load prepares the request. It never fails: what makes no sense has no host.
func (s *scratch) load(r *Request, e *Engine) {
	start, end := r.HostStart, r.HostEnd
	if start < 0 || end < start || end > len(r.URL) {
		start, end = 0, 0
	}
	s.raw = r.URL
	if end > start && r.URL[end-1] == '.' {
		// "host." is the same site as "host" (RFC 1034, 3.1), but no rule is written so.
		s.rawCopy = append(append(s.rawCopy[:0], r.URL[:end-1]...), r.URL[end:]...)
		s.raw, end = s.rawCopy, end-1
	}
	s.hostEnd = end
	s.pageHost = strings.TrimSuffix(r.PageHost, ".")
	s.lower = s.url.hold(len(s.raw))
	copy(s.lower, s.raw)
	s.url.fold()
	s.addHosts(start, end, e)
	s.addTokens(e)
	s.types = uint16(r.Type)
	if r.Type&AllTypes == 0 {
		s.types = uint16(Other)
	}
	s.forbid = flagThirdParty
	if r.ThirdParty {
		s.forbid = flagFirstParty
	}
	if string(s.lower[start:end]) == s.pageHost {
		s.forbid |= flagStrict3p
	} else {
		s.forbid |= flagStrict1p
	}
	s.method = methodBit(r.Method)
	s.failed = [len(s.failed)]uint32{}
}

// addHosts finds the suffixes of both hosts and makes their keys the first.
func (s *scratch) addHosts(start, end int, e *Engine) {
	s.host = s.url.suffixes(s.host[:0], start, end)
	s.keys = s.keys[:0]
	for _, p := range s.host {
		if e.hosts.has(p.hash) != 0 {
			s.keys = append(s.keys, key(p))
		}
	}
	if s.special = e.entities || e.tails.may(s.pageHost); s.special {
		s.addPage(e)
	}
}

// addPage adds the keys of the page's host and its parents.
func (s *scratch) addPage(e *Engine) {
	end := len(s.pageHost)
	for _, p := range s.pageSuffixes() {
		if k := pageKey(p.hash); e.pages.has(k) != 0 {
			s.keys = append(s.keys, key{hash: k})
		}
		if !e.entities {
			continue
		}
		// A rule for name.* stands under its last label: there is a key for each.
		if k := entityKey(labelStep(hostSeed, s.page.word(int(p.at), end))); e.pages.has(k) != 0 {
			s.keys = append(s.keys, key{hash: k})
		}
		end = int(p.at) - 1
	}
}

// pageSuffixes returns the page's host and its parents, the shortest first. They are kept while requests of one page follow
// each other.
func (s *scratch) pageSuffixes() []hostPart {
	if string(s.page.text()) != s.pageHost {
		copy(s.page.hold(len(s.pageHost)), s.pageHost)
		s.page.fold()
		s.pageParts = s.page.suffixes(s.pageParts[:0], 0, len(s.pageHost))
	}
	return s.pageParts
}

// addTokens adds the keys of the URL's tokens that a table may hold: for where one begins that of the byte before it with
// its first three, and that of the whole. What a token is good for decides no branch: few are known, and which is not to
// be foreseen.
func (s *scratch) addTokens(e *Engine) {
	s.spans = s.url.tokens(s.spans)
	spans := s.spans
	if len(spans) > 0 && spans[0].start == 0 {
		spans = spans[1:] // the scheme
	}
	n := len(s.keys)
	keys := slices.Grow(s.keys, 2*len(spans))[:n+2*len(spans)]
	buf, tokens := s.url.buf, e.tokens
	for _, t := range spans {
		i := int(t.start) + padding - 1
		x := load(buf, i) // the byte before it and its first seven
		if quad := uint32(x); e.edges.has(quad) {
			keys[n] = key{edgeKey(quad), t.start - 1}
			n++
		}
		k := mix(tokenWord(x>>8, int(t.end-t.start)))
		keys[n] = key{k, t.start}
		n += tokens.has(k)
	}
	s.keys = keys[:n]
}

// suffixStart returns where the host's public suffix begins, the dot before it included; -1 if it is all there is.
func suffixStart(host string) int {
	suffix, _ := publicsuffix.PublicSuffix(host)
	return len(host) - len(suffix) - 1
}

// isHostStart reports whether the host or one of its parents begins at i, where || may anchor.
func (s *scratch) isHostStart(i int) bool {
	for _, p := range s.host {
		if int(p.at) == i {
			return true
		}
	}
	return false
}
