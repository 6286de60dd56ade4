package rules

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// sieve finds out, much faster than a script can be read, that there is nothing in it to be found: no mark and no URL of a
// vendor. What it cannot rule out is read.
//
// Each host and one token of each mark leave two groups of four bytes behind, one that begins at an even place of it and
// one at an odd place, so that a script need only be looked at in every other place. Where a group comes up, host and mark
// are looked for in full. What a script spells with escape sequences or joins from pieces cannot be seen this way: a script
// that may do so is read.
type sieve struct {
	set    *Set
	groups groupSet
	long   groupSet // the groups with the two bytes after them
	short  groupSet // those after which anything may come
	// anchors are the tokens that groups were made of, by a run of name characters in them.
	anchors map[string][]anchor
	names   [nameWords]uint64 // a bit for each of them, as in markIndex.filter
	odd     [256]bool         // the characters in the strings of marks that are in no name
	// countries are the labels of hosts under every top-level domain.
	countries map[string]bool
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
func (v *sieve) empty(text []byte, c Context) bool {
	if v.blunt || v.spells(text) || joins(text) {
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
		if seen, found = v.around(text, i, i+8, seen, c); found {
			return false
		}
	}
	_, found := v.around(text, i, len(text), seen, c) // what is left is shorter than a look at the groups
	return !found
}

// hit reports whether the six lowest bytes of w may begin with a group.
func (v *sieve) hit(w uint64) bool {
	return v.short.has(w&0xFFFFFFFF|shortGroup) || v.long.has(w&0xFFFFFFFFFFFF)
}

// around looks at the runs of name and host characters of which a part lies in text[from:to]. It returns up to where it
// looked; what lies before seen was looked at before.
func (v *sieve) around(text []byte, from, to, seen int, c Context) (end int, found bool) {
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
			if v.host(text, start, end, c) {
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
func (v *sieve) host(text []byte, start, end int, c Context) bool {
	if escaped(text, start) {
		switch text[start] { // the first characters are an escape sequence's
		case 'n', 'r', 't', 'v', 'b', 'f', '0':
			start++
		case 'u':
			_, n := hex(text[start+1:end], 4)
			start += 1 + n
		case 'x':
			_, n := hex(text[start+1:end], 2)
			start += 1 + n
		}
	}
	if !v.known(text[start:end]) {
		return false
	}
	if !bytes.HasSuffix(text[:start], []byte("//")) && !bytes.HasSuffix(text[:start], []byte(`\/\/`)) {
		return true
	}
	stop := end
	for stop < len(text) && stop-start < 512 && (!urlDelimiter(text[stop]) || text[stop] == '\\' && stop+1 < len(text) && text[stop+1] == '/') {
		stop++
	}
	var memory [512]byte
	if stop == len(text) || stop-start > len(memory)-8 || text[stop] == '\\' || bytes.Contains(text[end:stop], []byte("${")) {
		return true
	}
	if text[stop] == '"' || text[stop] == '\'' || text[stop] == '`' {
		if next := skipBlank(text, stop+1); next == len(text) || text[next] == '+' || text[next] == '/' || text[next] >= utf8.RuneSelf {
			return true
		}
	}
	url := append(unescape(append(memory[:0], "//"...), text[start:stop]), text[stop])
	a, ok := urlAt(url, len("//"), len("//")+end-start)
	if !ok {
		return false
	}
	var lowered [256]byte
	best := v.set.index.lookup(a.lowered(&lowered))
	return best != nil && v.set.gates(best, c)
}

// escaped reports whether text[i] follows a backslash that does not follow another one itself.
func escaped(text []byte, i int) bool {
	n := 0
	for i-n > 0 && text[i-n-1] == '\\' {
		n++
	}
	return n%2 == 1
}

// known reports whether a rule that gates may match the host.
func (v *sieve) known(host []byte) bool {
	if len(host) > 253 {
		return false
	}
	var lowered [256]byte
	for i, c := range host {
		lowered[i] = lower[c]
	}
	host = lowered[:len(host)]
	h, end := uint64(0), len(host)
	for i := len(host) - 1; i >= 0; i-- {
		if host[i] == '.' {
			if v.set.gatesAny(v.set.index.find(h, host[i+1:])) || v.country(host, i+1, end) {
				return true
			}
			end = i
		}
		h = hashByte(h, host[i])
	}
	return v.set.gatesAny(v.set.index.find(h, host)) || v.country(host, 0, end)
}

// country reports whether the label host[start:end] is one under every top-level domain.
func (v *sieve) country(host []byte, start, end int) bool {
	return end < len(host) && len(host)-end <= len(".com.au") && v.countries[string(host[start:end])]
}

// name reports whether the name text[start:end] may be part of a mark that is there.
func (v *sieve) name(text []byte, start, end int) bool {
	for _, a := range v.anchored(text[start:end]) {
		if v.set.marks.list[a.mark].spelled(text, start-a.offset, a.token) ||
			a.offset > 0 && bytes.IndexByte(text[max(0, start-6*a.offset-1):start], '\\') >= 0 {
			return true
		}
	}
	return false
}

// spells reports whether the script may spell a host or a mark with escape sequences (ECMA-262, 12.9.4). One that stands for
// a quote, a slash, a space or another character that is in none of them does no harm.
func (v *sieve) spells(text []byte) bool {
	for i := 0; ; {
		n := bytes.IndexByte(text[i:], '\\')
		if n < 0 {
			return false
		}
		i += n
		for i+1 < len(text) && text[i] == '\\' && text[i+1] == '\\' {
			i += 2
		}
		if i+1 >= len(text) {
			return false
		}
		if text[i] != '\\' {
			continue
		}
		c, n := text[i+1], 2
		if c == 'u' || c == 'x' {
			if i+2 < len(text) && text[i+2] == '{' {
				return true
			}
			var value rune
			value, n = hex(text[i+2:], 2+2*int(c&1))
			if n += 2; value < utf8.RuneSelf && runBytes[value] {
				return true
			}
			c = byte(min(value, utf8.RuneSelf))
		} else if spelling[c] && (c == '\n' || c == '\r' || v.unescaped(text, i)) {
			return true
		}
		if v.odd[c] && v.beside(text, i, i+n) {
			return true
		}
		i += 2
	}
}

// beside reports whether a mark's name stands beside text[from:to].
func (v *sieve) beside(text []byte, from, to int) bool {
	start, end := from, to
	for start > 0 && plainName(text[start-1]) {
		start--
	}
	for end < len(text) && plainName(text[end]) && text[end] != '\\' {
		end++
	}
	return v.anchored(text[start:from]) != nil || v.anchored(text[to:end]) != nil
}

// anchored returns the marks with that name.
func (v *sieve) anchored(name []byte) []anchor {
	if len(name) == 0 || len(name) > 64 {
		return nil
	}
	if word, mask := bit(name); v.names[word]&mask == 0 {
		return nil
	}
	return v.anchors[string(name)]
}

// spelling has the characters that are part of a host or a mark, or nothing at all, when they follow a backslash.
var spelling = func() (t [256]bool) {
	for c := range t {
		t[c] = hostByte(byte(c)) || plainName(byte(c)) && c != '\\' || c == '\n' || c == '\r'
	}
	for _, c := range "nrtvbf0" {
		t[c] = false
	}
	return t
}()

// unescaped looks at the run of characters around text[i] as it is without backslashes.
func (v *sieve) unescaped(text []byte, i int) bool {
	from, to := i, i
	for from > 0 && runBytes[text[from-1]] {
		from--
	}
	for to < len(text) && runBytes[text[to]] {
		to++
	}
	var buffer [128]byte
	if to-from > len(buffer) {
		return true
	}
	run := buffer[:0]
	for i := from; i < to; i++ {
		c := text[i]
		if c == '\\' && i+1 < to {
			i++
			switch c = text[i]; c {
			case 'x', 'u':
				return true
			case 'n', 'r', 't', 'v', 'b', 'f', '0':
				c = ' '
			}
		}
		run = append(run, c)
	}
	for from = 0; from < len(run); from = to + 1 {
		for to = from; to < len(run) && plainName(run[to]); to++ {
		}
		if v.anchored(run[from:to]) != nil {
			return true
		}
	}
	for i, c := range run {
		if c == '.' {
			start, end := hostAround(run, i)
			if v.known(run[start:end]) {
				return true
			}
		}
	}
	return false
}

// joins reports whether the script may join two string literals within a host.
func joins(text []byte) bool {
	for i := 0; ; i++ {
		n := bytes.IndexByte(text[i:], '+')
		if n < 0 {
			return false
		}
		i += n
		right := skipBlank(text, i+1)
		if right == len(text) {
			return false
		}
		switch q := text[right]; q {
		case '"', '\'', '`', '/', '<', '-':
		default:
			if q < utf8.RuneSelf {
				continue
			}
		}
		left := i - 1
		for left >= 0 && text[left] <= ' ' {
			left--
		}
		if left >= 0 && (joinsHosts(text, left, right) || bytes.IndexAny(text[left:i], "\r\n") >= 0 && comments(text[:left+1])) {
			return true
		}
	}
}

// joinsHosts reports whether a host may go on from what ends at text[left] to what begins at text[right]; what it cannot
// tell, such as behind a comment, may.
func joinsHosts(text []byte, left, right int) bool {
	switch q := text[left]; q {
	case '"', '\'', '`':
	case '{':
		return left > 0 && text[left-1] == '$'
	default:
		return q == '/' || q >= utf8.RuneSelf
	}
	switch text[right] {
	case '"', '\'', '`':
		return left == 0 || right+1 == len(text) || joinsHost[text[left-1]] && joinsHost[text[right+1]]
	}
	return true
}

// comments reports whether the last line of text may end in a comment.
func comments(text []byte) bool {
	line := text[bytes.LastIndexAny(text, "\r\n")+1:]
	return bytes.Contains(line, []byte("//")) || bytes.Contains(line, []byte("--"))
}

// joinsHost has the characters of hosts, and those of which it is not certain that they are the literal's.
var joinsHost = func() (t [256]bool) {
	for c := range t {
		t[c] = hostByte(byte(c)) || c == '"' || c == '\'' || c == '`' || c == '\\' || c == '\n' || c == '\r'
	}
	return t
}()

// skipBlank returns the index of the next byte from i on that is no white space.
func skipBlank(text []byte, i int) int {
	for i < len(text) && text[i] <= ' ' {
		i++
	}
	return i
}
