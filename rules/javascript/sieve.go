package javascript

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"

	"github.com/caddy-consent/caddy-consent/rules/internal/ascii"
)

// sieve finds out, much faster than a script can be read, that there is nothing in it to be found: no mark and no URL of a
// vendor. What it cannot rule out is read.
//
// Each host and one token of each mark leave two groups of four bytes behind, one that begins at an even place of it and
// one at an odd place, so that a script need only be looked at in every other place. Where a group comes up, host and mark
// are looked for in full. What a script spells with escape sequences or joins from pieces cannot be seen this way: a script
// that may do so is read.
type sieve struct {
	marks  []mark
	groups groupSet
	long   groupSet // the groups with the two bytes after them
	short  groupSet // those after which anything may come
	// anchors are the tokens that groups were made of, by a run of name characters in them.
	anchors map[string][]anchor
	names   nameSet   // of them
	odd     [256]bool // the characters in the strings of marks that are in no name
	// blunt means that some mark has no token to look for: every script must be read.
	blunt bool
}

// anchor is the place of a run of name characters in a mark.
type anchor struct {
	mark, token, offset int
}

// groupSet is a set of groups of up to eight bytes, without regard to the case of letters; it may hold more than was added.
type groupSet [1 << groupBits / 64]uint64

const groupBits = 19

func groupBit(group uint64) uint64 {
	return (group | 0x2020202020202020) * 0x9E3779B97F4A7C15 >> (64 - groupBits)
}

func (s *groupSet) add(group uint64)      { s[groupBit(group)>>6] |= 1 << (groupBit(group) & 63) }
func (s *groupSet) has(group uint64) bool { return s.bit(group) != 0 }

func (s *groupSet) bit(group uint64) uint64 {
	b := groupBit(group)
	return s[b>>6] >> (b & 63) & 1
}

// shortGroup makes what a group has in common with others by chance in one set no reason to have it in the other.
const shortGroup = 1 << 40

// empty reports that reading the script would find nothing.
func (v *sieve) empty(text []byte, q *asker) bool {
	if v.blunt || v.spells(text, q) || joins(text) {
		return false
	}
	i, seen := 0, 0
	for ; i+10 <= len(text); i += 6 {
		w := binary.LittleEndian.Uint64(text[i:])
		if v.groups.bit(w&0xFFFFFFFF)|v.groups.bit(w>>16&0xFFFFFFFF)|v.groups.bit(w>>32) == 0 || i+8 <= seen ||
			!v.hit(w) && !v.hit(w>>16) && !v.hit(binary.LittleEndian.Uint64(text[i+2:])>>16) {
			continue
		}
		var found bool
		if seen, found = v.around(text, i, i+8, seen, q); found {
			return false
		}
	}
	_, found := v.around(text, i, len(text), seen, q) // what is left is shorter than a look at the groups
	return !found
}

// hit reports whether the six lowest bytes of w may begin with a group.
func (v *sieve) hit(w uint64) bool {
	return v.short.has(w&0xFFFFFFFF|shortGroup) || v.long.has(w&0xFFFFFFFFFFFF)
}

// around looks at the runs of name and host characters of which a part lies in text[from:to]. It returns up to where it
// looked; what lies before seen was looked at before.
func (v *sieve) around(text []byte, from, to, seen int, q *asker) (end int, found bool) {
	for from > seen && runBytes[text[from-1]] {
		from--
	}
	for to < len(text) && runBytes[text[to]] {
		to++
	}
	host := from // hosts are looked at up to here
	for i := from; i < to; {
		c0 := text[i]
		if c0 == '.' && i >= host {
			start, end := hostAround(text, i)
			if v.host(text, start, end, q) {
				return to, true
			}
			host = max(end, i+1)
		}
		if !plainName(c0) {
			i++
			continue
		}
		start := i
		for i < to && plainName(text[i]) {
			i++
		}
		if v.name(text, start, i) {
			return to, true
		}
	}
	return to, false
}

// plainName takes the ASCII characters of names only: what is beside them may be white space.
func plainName(c byte) bool { return nameByte(c) && c < utf8.RuneSelf }

// runBytes are the characters of names and hosts.
var runBytes = func() (t [256]bool) {
	for c := range t {
		t[c] = plainName(byte(c)) || hostByte(byte(c))
	}
	return t
}()

// host reports whether the host text[start:end] may stand in a URL that counts.
func (v *sieve) host(text []byte, start, end int, q *asker) bool {
	if escaped(text, start) {
		switch text[start] { // the first characters are an escape sequence's
		case 'n', 'r', 't', 'v', 'b', 'f', '0':
			start++
		case 'u':
			_, n := ascii.Hex(text[start+1:end], 4)
			start += 1 + n
		case 'x':
			_, n := ascii.Hex(text[start+1:end], 2)
			start += 1 + n
		}
	}
	if !q.known(text[start:end]) {
		return false
	}
	if !afterSlashes(text[:start]) {
		return true
	}
	stop := end
	for stop < len(text) && stop-start < 512 && (!urlDelimiter(text[stop]) || slashSpelled(text[stop:])) {
		stop++
	}
	delimiter := stop
	if stop+1 < len(text) && text[stop] == '\\' && isQuote(text[stop+1]) {
		delimiter++ // a quote within the literal, as in HTML
	}
	if stop == len(text) || stop-start > len(q.made)-8 || text[delimiter] == '\\' || bytes.Contains(text[end:stop], []byte("${")) {
		return true
	}
	if delimiter == stop && isQuote(text[stop]) {
		if next := skipBlank(text, stop+1); next == len(text) || text[next] == '+' || text[next] == '/' || text[next] >= utf8.RuneSelf {
			return true
		}
	}
	url := append(unescape(append(q.made[:0], "//"...), text[start:stop]), text[delimiter])
	a, ok := urlAt(url, len("//"), len("//")+end-start)
	if !ok {
		return false
	}
	vendor, _ := q.ask(&a)
	return vendor >= 0
}

// afterSlashes reports whether text ends in two slashes, as they are or in one of the ways that JSON is written for pages.
func afterSlashes(text []byte) bool {
	for _, s := range [...]string{"//", `\/\/`, `\u002F\u002F`, `\u002f\u002f`} {
		if n := len(text) - len(s); n >= 0 && string(text[n:]) == s {
			return true
		}
	}
	return false
}

// slashSpelled reports whether text begins with an escape sequence that stands for a slash.
func slashSpelled(text []byte) bool {
	return len(text) > 1 && text[0] == '\\' && (text[1] == '/' || len(text) >= 6 && string(text[1:5]) == "u002" && text[5]|0x20 == 'f')
}

// escaped reports whether text[i] follows a backslash that does not follow another one itself.
func escaped(text []byte, i int) bool {
	n := 0
	for i-n > 0 && text[i-n-1] == '\\' {
		n++
	}
	return n%2 == 1
}

// name reports whether the name text[start:end] may be part of a mark that is there.
func (v *sieve) name(text []byte, start, end int) bool {
	for _, a := range v.anchored(text[start:end]) {
		if v.marks[a.mark].spelled(text, start-a.offset, a.token) ||
			a.offset > 0 && bytes.IndexByte(text[max(0, start-6*a.offset-1):start], '\\') >= 0 {
			return true
		}
	}
	return false
}
