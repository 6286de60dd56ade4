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
	next  atomic.Uint32                       // where in a full bucket the next script goes: turns, so that scripts which never come again go
	clean [2048][4]atomic.Uint64              // hashes of scripts with nothing in them
	known [1024][4]atomic.Pointer[seenScript] // those with a vendor
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
	for i := range known {
		if e := known[i].Load(); e == nil {
			free = i
		} else if e.hash == hash && e.length == len(text) {
			return e.match, true
		}
	}
	m, found := ask(text, x)
	turn := int(c.next.Add(1) % uint32(len(known)))
	if free < 0 {
		free = turn
	}
	if freeClean < 0 {
		freeClean = turn
	}
	if found {
		known[free].Store(&seenScript{hash, len(text), m})
	} else {
		clean[freeClean].Store(hash)
	}
	return m, found
}
