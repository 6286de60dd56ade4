package filterlist

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
)

// table finds the rules that may match by a key that they require: a token of the URL, its host or a parent of it, the
// page's host, or four bytes where a token begins. Each rule stands under its rarest key. What a request touches of a table is
// laid out to be little memory.
type table struct {
	slots  []slot   // open addressing by the key's lower bits
	posts  []post   // runs of rules that share a key
	always []uint32 // rules without a key
}

// slot is one key. ref is 0 in a free slot, else the index plus one of its only rule, or with refRun the place of a run
// in posts.
type slot struct{ key, ref uint32 }

// post is one rule of a run. The four bytes of the URL at the key's place plus off must equal want under mask; that
// spares looking at most rules that share no more than a token with the URL. A pattern without wildcards can then stand
// in one place only: its key is at that offset in it. For others place is -1.
type post struct {
	rule  uint32 // with lastPost at the end of the run
	want  uint32
	mask  uint32
	off   int16
	place int16
}

// key is a key of a request and where it stands in the URL, if it is a token or four bytes.
type key struct {
	hash uint32
	at   int32
}

// posting is a post under a key while the table is being built.
type posting struct {
	key uint32
	post
}

const (
	refRun   = 1 << 31
	lastPost = 1 << 31
)

// newTable makes a table of postings.
func newTable(postings []posting, always []uint32) table {
	slices.SortFunc(postings, func(a, b posting) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.rule, b.rule))
	})
	postings = slices.Compact(postings)
	keys, runs := 0, 0
	for i := range postings {
		if i == 0 || postings[i].key != postings[i-1].key {
			keys++
		}
		if !postings[i].bare() || i > 0 && postings[i].key == postings[i-1].key {
			runs += 2
		}
	}
	t := table{always: always}
	if keys == 0 {
		return t
	}
	t.slots = make([]slot, powerOfTwo(2*keys)) // at most half full, or a search would be long
	t.posts = make([]post, 0, min(runs, len(postings)))
	for len(postings) > 0 {
		n := 1
		for n < len(postings) && postings[n].key == postings[0].key {
			n++
		}
		t.insert(postings[:n])
		postings = postings[n:]
	}
	t.posts = slices.Clip(t.posts)
	return t
}

func powerOfTwo(n int) int { return 1 << bits.Len(uint(n-1)) }

// insert adds the run of one key.
func (t *table) insert(run []posting) {
	k := run[0].key
	ref := run[0].rule + 1
	if len(run) > 1 || !run[0].bare() {
		ref = refRun | uint32(len(t.posts))
		for _, p := range run {
			t.posts = append(t.posts, p.post)
		}
		t.posts[len(t.posts)-1].rule |= lastPost
	}
	mask := uint32(len(t.slots) - 1)
	i := k & mask
	for t.slots[i].ref != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = slot{k, ref}
}

// visit calls f for the rules that match the request, until it returns true.
func (t *table) visit(e *Engine, s *scratch, f func(id uint32) bool) {
	for _, k := range s.keys {
		if ref := t.find(k.hash); ref != 0 && t.run(e, s, k, ref, f) {
			return
		}
	}
	for _, id := range t.always {
		if e.matches(&e.rules[id], s) && f(id) {
			return
		}
	}
}

// find returns the reference of a key's slot, 0 if there is none.
func (t *table) find(key uint32) uint32 {
	for i := int(key); len(t.slots) > 0; i++ {
		if s := &t.slots[i&(len(t.slots)-1)]; s.key == key || s.ref == 0 {
			return s.ref
		}
	}
	return 0
}

// run tries the rules under one key.
func (t *table) run(e *Engine, s *scratch, k key, ref uint32, f func(id uint32) bool) bool {
	if ref&refRun == 0 {
		id := ref - 1
		return e.matches(&e.rules[id], s) && f(id)
	}
	for at := ref &^ refRun; ; at++ {
		p := &t.posts[at]
		if p.fits(s.url.buf, int(k.at)) {
			if id := p.rule &^ lastPost; p.matches(e, s, id, int(k.at)) && f(id) {
				return true
			}
		}
		if p.rule&lastPost != 0 {
			return false
		}
	}
}

// bare reports whether nothing but the rule is known.
func (p *post) bare() bool { return p.mask == 0 && p.place < 0 }

// matches compares the rule in full. at is the key's place in the URL.
func (p *post) matches(e *Engine, s *scratch, id uint32, at int) bool {
	r := &e.rules[id]
	if p.place >= 0 {
		return e.matchesAt(r, s, at-int(p.place))
	}
	// A URL may hold a token thousands of times: what failed once is not searched for again.
	failed := &s.failed[id%uint32(len(s.failed))]
	if *failed == id+1 {
		return false
	}
	if e.matches(r, s) {
		return true
	}
	*failed = id + 1
	return false
}

// fits compares the four bytes beside the key at that place. buf is the URL with its padding.
func (p *post) fits(buf []byte, at int) bool {
	i := at + int(p.off) + padding
	return i >= 0 && i <= len(buf)-4 && binary.LittleEndian.Uint32(buf[i:i+4])&p.mask == p.want
}

func (t *table) empty() bool { return len(t.slots) == 0 && len(t.always) == 0 }

// filter tells which keys no table holds: two bits in one word for each key (a blocked Bloom filter). Most keys of most
// requests end here. Tokens have a filter of their own, small enough to stay near the processor.
type filter []uint64

func newFilter(keys []uint32) filter {
	slices.Sort(keys)
	keys = slices.Compact(keys)
	f := make(filter, powerOfTwo(len(keys)/4+1))
	for _, k := range keys {
		f[f.word(k)] |= filterBits(k)
	}
	return f
}

func (f filter) word(key uint32) uint32 { return key >> 12 & uint32(len(f)-1) }

func filterBits(key uint32) uint64 { return 1<<(key&63) | 1<<(key>>6&63) }

// has returns 1 if a table may hold the key, else 0.
func (f filter) has(key uint32) int {
	w := f[f.word(key)]
	return int(w >> (key & 63) & (w >> (key >> 6 & 63)) & 1)
}

// edges is a filter for four bytes where a token begins: rules have few of them, but every token of every request asks. It
// does with less than their key.
type edges [256]uint64

func (e *edges) add(quad uint32)      { h := quad * 0x9E3779B1; e[h>>24] |= 1 << (h >> 18 & 63) }
func (e *edges) has(quad uint32) bool { h := quad * 0x9E3779B1; return e[h>>24]>>(h>>18&63)&1 != 0 }

// tails tells by the last eight bytes of a page's host that no rule names the page: most pages are in no rule, and are not
// looked at any further.
type tails struct {
	long  filter
	short uint64 // for each length below eight that a host has, the upper bit of where in the eight bytes the dot before it stands
}

func newTails(hosts []string) (t tails) {
	var keys []uint32
	for _, h := range hosts {
		if n := len(h); n >= 8 {
			keys = append(keys, mix(binary.LittleEndian.Uint64([]byte(h[n-8:]))))
		} else {
			t.short |= 0x80 << (8 * (7 - n))
		}
	}
	t.long = newFilter(keys)
	return t
}

// may reports whether the host may be one of those, or a subdomain.
func (t *tails) may(host string) bool {
	if len(host) < 8 {
		return true
	}
	const ones, low = 0x0101010101010101, 0x7F7F7F7F7F7F7F7F
	tail := host[len(host)-8:]
	w := uint64(tail[0]) | uint64(tail[1])<<8 | uint64(tail[2])<<16 | uint64(tail[3])<<24 |
		uint64(tail[4])<<32 | uint64(tail[5])<<40 | uint64(tail[6])<<48 | uint64(tail[7])<<56
	x := w ^ '.'*ones
	dots := ^(((x & low) + low) | x | low)
	return dots&t.short != 0 || t.long.has(mix(w)) != 0
}
