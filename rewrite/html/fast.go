package html

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
)

// Names are short, and a loop over their bytes mispredicts its end each time. So they are looked at eight bytes at once.

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// nameEnds marks, with their highest bit, the bytes of w that may end a name: up to the space, '/', and '<' to '?', which
// holds '=' and '>'. All below the lowest mark are part of the name; marks above it may be wrong.
func nameEnds(w uint64) uint64 {
	space := (w - 0x21*ones) &^ w
	slash := w ^ '/'*ones
	equal := w&(0xFC*ones) ^ 0x3C*ones
	return (space | (slash-ones)&^slash | (equal-ones)&^equal) & highs
}

// shortName returns the length and the key of the name that w begins with. A length of eight says that the name may go on;
// the key is right even so. The name has no byte up to the space in it, so that setting a bit is lower case for what it is
// compared with.
func shortName(w uint64) (n int, key uint64) {
	ends := nameEnds(w)
	first := ends & -ends
	return bits.TrailingZeros64(ends) >> 3, (w | 0x20*ones) & (first>>7 - 1)
}

// window is how many bytes there must be where a name is looked at in a hurry.
const window = 24

// nameAt returns where the name that begins at b[p] ends, and its key. It returns 0 if b is too short to tell.
func nameAt(b []byte, p int) (end int, key uint64) {
	if p > len(b)-8 {
		return 0, 0
	}
	n, key := shortName(binary.LittleEndian.Uint64(b[p:]))
	for end = p + n; n == 8; end += n {
		if end > len(b)-8 {
			return 0, 0
		}
		n = bits.TrailingZeros64(nameEnds(binary.LittleEndian.Uint64(b[end:]))) >> 3
	}
	return end, key
}

// start does what scan does, faster, for a start tag that is whole in b and spelled as most are. It returns -1 where it is
// not.
func (t *tag) start(b []byte) int {
	t.end, t.selfClosing, t.seen = false, false, 0
	if t.nameEnd, t.name = nameAt(b, 1); t.nameEnd == 0 {
		return -1
	}
	if b[t.nameEnd] == '>' {
		return t.nameEnd + 1
	}
	return t.attributes(b, t.nameEnd)
}

// onlyLinks reports whether all that the tag has for the policy is a link to somewhere, as most tags that have anything.
func (t *tag) onlyLinks(b []byte, el *element) bool {
	if t.seen&el.mask != 1<<attrHref || el.uses[attrHref].role != roleLink {
		return false
	}
	s := &t.attrs[attrHref]
	value := b[s.valueStart:s.valueEnd]
	return len(value) == 0 || !mayBeScript(value) && (!t.links || bytes.IndexByte(value, '=') < 0)
}

// close is start for an end tag without attributes.
func (t *tag) close(b []byte) int {
	end, key := nameAt(b, 2)
	if end == 0 || b[end] != '>' {
		return -1
	}
	t.end, t.selfClosing, t.name, t.nameEnd, t.seen = true, false, key, end, 0
	return end + 1
}

// attributes notes the attributes of a start tag whose name ends at b[p], and returns where the tag ends, -1 if it cannot
// tell.
func (t *tag) attributes(b []byte, p int) int {
	for p <= len(b)-window {
		s := (*[window]byte)(b[p : p+window : p+window])
		if !ascii.IsSpace(s[0]) || !ascii.IsLetter(s[1]) {
			switch {
			case s[0] == '>':
				return p + 1
			case s[0] == '/' && s[1] == '>':
				t.selfClosing = true
				return p + 2
			case !ascii.IsSpace(s[0]):
				return -1
			}
			p++
			continue
		}
		w := binary.LittleEndian.Uint64(s[1:9])
		if w<<8 == class { // which means nothing
			i := bytes.IndexByte(b[p+8:], '"')
			if i < 0 {
				return -1
			}
			p += i + 9
			continue
		}
		n, key := shortName(w)
		if n == 8 || s[1+n&7] != '=' || s[2+n&7] != '"' {
			if p = t.attribute(b, p+1); p < 0 {
				return -1
			}
			continue
		}
		start := p + n + 3
		i := bytes.IndexByte(b[start:], '"')
		if i < 0 {
			return -1
		}
		if t.judged {
			id := attrID(attrTable.findShort(key))
			if id == attrOther && (key&0xFFFF == on || t.xml) {
				id = lookupAttrOf(key, b[p+1:p+1+n], t.xml)
			}
			t.keep(id, &span{p + 1, p + 1 + n, start, start + i, '"'})
		}
		p = start + i + 1
	}
	return -1
}

// class and on are what the text of these attributes begins with in memory, on in lower case.
const (
	class = 'c'<<8 | 'l'<<16 | 'a'<<24 | 's'<<32 | 's'<<40 | '='<<48 | '"'<<56
	on    = 'o' | 'n'<<8
)

// attribute notes the attribute that begins at b[p], and returns where it ends, -1 if it cannot tell.
func (t *tag) attribute(b []byte, p int) int {
	end, key := nameAt(b, p)
	if end == 0 || end+1 >= len(b) {
		return -1
	}
	s := span{nameStart: p, nameEnd: end, valueStart: end, valueEnd: end}
	switch c := b[end]; {
	case c == '=':
		if p = s.value(b, end+1); p < 0 {
			return -1
		}
	case c == '>':
		p = end
	case ascii.IsSpace(c):
		for p = end; p < len(b) && ascii.IsSpace(b[p]); p++ {
		}
		if p == len(b) || b[p] == '=' {
			return -1
		}
		p--
	default:
		return -1
	}
	if t.judged {
		t.keep(lookupAttrOf(key, b[s.nameStart:end], t.xml), &s)
	}
	return p
}

// value reads the value at b[p], right behind the '=', and returns where it ends, -1 if it cannot tell.
func (s *span) value(b []byte, p int) int {
	s.valueStart = p
	switch c := b[p]; {
	case c == '"' || c == '\'':
		s.quote, s.valueStart = c, p+1
		i := bytes.IndexByte(b[p+1:], c)
		if i < 0 {
			return -1
		}
		s.valueEnd = p + 1 + i
		return s.valueEnd + 1
	case c == '>' || ascii.IsSpace(c):
		return -1
	}
	for p < len(b) && b[p] != '>' && !ascii.IsSpace(b[p]) {
		p++
	}
	s.valueEnd = p
	return p
}

// plainText reports whether s, part of a document, is what it says: without character references, NUL and CR.
func plainText(s []byte) bool {
	for ; len(s) >= 8; s = s[8:] {
		w := binary.LittleEndian.Uint64(s)
		ref := w ^ '&'*ones
		if (w-0x0e*ones)&^w&highs|(ref-ones)&^ref&highs != 0 && !plainBytes(s[:8]) {
			return false
		}
	}
	return plainBytes(s)
}

func plainBytes(s []byte) bool {
	for _, c := range s {
		if c == '&' || c == 0 || c == '\r' {
			return false
		}
	}
	return true
}
