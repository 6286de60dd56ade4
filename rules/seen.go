package rules

import (
	"hash/maphash"
	"sync/atomic"
)

// seenScripts remembers what was said about inline scripts: a site sends the same ones with every page, and reading
// JavaScript costs a hundred times as much as hashing it. Scripts are told apart by a hash with a secret seed, so that
// nobody can prepare two that are taken for each other. An entry is overwritten by a later script of the same bucket, so
// memory is bounded whatever comes: about half a MiB.
type seenScripts struct {
	seed  maphash.Seed
	next  atomic.Uint32          // where in a full bucket the next script goes: turns, so that scripts which never come again go
	clean [2048][4]atomic.Uint64 // hashes of scripts with nothing in them
	known [1024]seenBucket       // those with a vendor
}

// seenBucket has the hashes beside what is known, so that a look at it costs one line of a processor's cache. A hash may be
// that of an entry which was there before: what counts is the entry's own.
type seenBucket struct {
	hashes  [4]atomic.Uint64
	entries [4]atomic.Pointer[seenScript]
}

type seenScript struct {
	hash   uint64
	length int
	match  Match
}

func newSeenScripts() *seenScripts { return &seenScripts{seed: maphash.MakeSeed()} }

// judge answers from memory, or asks and remembers.
func (c *seenScripts) judge(text []byte, x Context, ask func([]byte, Context) (Match, bool)) (Match, bool) {
	hash := maphash.Bytes(c.seed, text)
	if x.Payment {
		hash = ^hash
	}
	clean := &c.clean[hash%uint64(len(c.clean))]
	freeClean := -1
	for i := range clean {
		switch clean[i].Load() {
		case hash:
			return Match{}, false
		case 0:
			freeClean = i
		}
	}
	known := &c.known[hash%uint64(len(c.known))]
	free := -1
	for i := range known.hashes {
		switch known.hashes[i].Load() {
		case hash:
			if e := known.entries[i].Load(); e != nil && e.hash == hash && e.length == len(text) {
				return e.match, true
			}
		case 0:
			free = i
		}
	}
	m, found := ask(text, x)
	turn := int(c.next.Add(1) % uint32(len(known.hashes)))
	if free < 0 {
		free = turn
	}
	if freeClean < 0 {
		freeClean = turn
	}
	if found {
		known.entries[free].Store(&seenScript{hash, len(text), m})
		known.hashes[free].Store(hash)
	} else {
		clean[freeClean].Store(hash)
	}
	return m, found
}
