package rules

import (
	"hash/maphash"
	"sync/atomic"
)

// seenScripts remembers what was said about inline scripts: a site sends the same ones with every page, and reading
// JavaScript costs a hundred times as much as hashing it. Scripts are told apart by length and a hash with a secret seed,
// so that nobody can prepare two that are taken for each other. An entry is overwritten by a later script of the same
// bucket, so memory is bounded whatever comes: about half a MiB.
type seenScripts struct {
	seed    maphash.Seed
	next    atomic.Uint32 // where in a full bucket the next script goes: turns, so that scripts which never come again go
	buckets [1024][4]atomic.Pointer[seenScript]
}

type seenScript struct {
	hash    uint64
	length  int
	context Context
	match   Match
	found   bool
}

func newSeenScripts() *seenScripts { return &seenScripts{seed: maphash.MakeSeed()} }

// judge answers from memory, or asks and remembers.
func (c *seenScripts) judge(text []byte, x Context, ask func([]byte, Context) (Match, bool)) (Match, bool) {
	hash := maphash.Bytes(c.seed, text)
	bucket := &c.buckets[hash%uint64(len(c.buckets))]
	free := -1
	for i := range bucket {
		e := bucket[i].Load()
		if e == nil {
			free = i
			break
		}
		if e.hash == hash && e.length == len(text) && e.context == x {
			return e.match, e.found
		}
	}
	m, found := ask(text, x)
	if free < 0 {
		free = int(c.next.Add(1) % uint32(len(bucket)))
	}
	bucket[free].Store(&seenScript{hash, len(text), x, m, found})
	return m, found
}
