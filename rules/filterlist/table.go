package filterlist

import (
	"math/bits"
	"slices"
)

// table finds the rules that may match by a key that they require: a token of the URL, its host or a parent of it, the
// page's host, or four bytes in a row. Each rule stands under its rarest key.
type table struct {
	filter []uint64 // a bit for each key, by its upper bits: most look-ups end here
	slots  []slot   // open addressing by the key's lower bits
	posts  []uint32 // runs of rules that share a key: a count, then the rules
	quads  []uint64 // a bit for each four bytes that are a key
	always []uint32 // rules without a key
}

// slot is one key. ref is 0 in a free slot, else the rule's index plus one, or with refRun the place of a run in posts.
type slot struct{ key, ref uint32 }

const (
	refRun    = 1 << 31
	quadBits  = 16
	minFilter = 64
)

// posting is a rule under a key while the table is being built.
type posting struct {
	key, rule uint32
}

// newTable makes a table of postings. quads are the keys among them that are four bytes in a row.
func newTable(postings []posting, quads, always []uint32) table {
	slices.SortFunc(postings, func(a, b posting) int {
		if a.key != b.key {
			return int(int64(a.key) - int64(b.key))
		}
		return int(int64(a.rule) - int64(b.rule))
	})
	postings = slices.Compact(postings)
	keys := 0
	for i := range postings {
		if i == 0 || postings[i].key != postings[i-1].key {
			keys++
		}
	}
	t := table{always: always}
	if keys == 0 {
		return t
	}
	t.filter = make([]uint64, max(minFilter, powerOfTwo(keys*8))/64)
	t.slots = make([]slot, powerOfTwo(keys+keys/2+1))
	for i := 0; i < len(postings); {
		j := i + 1
		for j < len(postings) && postings[j].key == postings[i].key {
			j++
		}
		ref := postings[i].rule + 1
		if j-i > 1 {
			ref = refRun | uint32(len(t.posts))
			t.posts = append(t.posts, uint32(j-i))
			for _, p := range postings[i:j] {
				t.posts = append(t.posts, p.rule)
			}
		}
		t.insert(postings[i].key, ref)
		i = j
	}
	t.posts = slices.Clip(t.posts)
	if len(quads) > 0 {
		t.quads = make([]uint64, 1<<quadBits/64)
		for _, k := range quads {
			b := k >> (32 - quadBits)
			t.quads[b/64] |= 1 << (b % 64)
		}
	}
	return t
}

func powerOfTwo(n int) int { return 1 << bits.Len(uint(n-1)) }

func (t *table) insert(key, ref uint32) {
	b := key >> t.shift()
	t.filter[b/64] |= 1 << (b % 64)
	mask := uint32(len(t.slots) - 1)
	i := key & mask
	for t.slots[i].ref != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = slot{key, ref}
}

// shift leaves the upper bits of a key that number the filter's bits.
func (t *table) shift() uint32 { return uint32(33 - bits.Len(uint(len(t.filter)*64))) }

// visit calls f for the rules that match the request, until it returns true.
func (t *table) visit(e *Engine, s *scratch, f func(id uint32) bool) {
	if len(t.filter) > 0 {
		shift, filter := t.shift(), t.filter
		for _, k := range s.keys {
			b := k >> shift
			if w := b / 64; w < uint32(len(filter)) && filter[w]&(1<<(b%64)) != 0 && t.run(e, s, k, f) {
				return
			}
		}
		if len(t.quads) > 0 && t.visitQuads(e, s, f) {
			return
		}
	}
	for _, id := range t.always {
		if e.matches(&e.rules[id], s) && f(id) {
			return
		}
	}
}

func (t *table) visitQuads(e *Engine, s *scratch, f func(id uint32) bool) bool {
	quads := t.quads
	for text := s.lower; len(text) >= 4; text = text[1:] {
		k := quadKey(le32(text))
		b := k >> (32 - quadBits)
		if w := b / 64; w < uint32(len(quads)) && quads[w]&(1<<(b%64)) != 0 && t.run(e, s, k, f) {
			return true
		}
	}
	return false
}

// run tries the rules under one key.
func (t *table) run(e *Engine, s *scratch, key uint32, f func(id uint32) bool) bool {
	mask := uint32(len(t.slots) - 1)
	for i := key & mask; ; i = (i + 1) & mask {
		sl := t.slots[i]
		if sl.ref == 0 {
			return false
		}
		if sl.key != key {
			continue
		}
		if sl.ref&refRun == 0 {
			id := sl.ref - 1
			return e.matches(&e.rules[id], s) && f(id)
		}
		at := sl.ref &^ refRun
		for _, id := range t.posts[at+1 : at+1+t.posts[at]] {
			if e.matches(&e.rules[id], s) && f(id) {
				return true
			}
		}
		return false
	}
}

func (t *table) empty() bool { return len(t.slots) == 0 && len(t.always) == 0 }
