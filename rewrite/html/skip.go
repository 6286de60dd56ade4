package html

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
)

// Most tags of a page mean nothing to anybody: they neither contact nor run anything, and what follows them is read as
// before. Where the place in the page permits it, they are passed over here without being described.

// skip passes over text and such tags from b[p] on. It returns where something else may begin; if end is not 0, that is a
// start tag, which ends there and is described by t.tag.
func (t *tokenizer) skip(b []byte, p int) (at, end int) {
	p = t.scan(b, p)
	for p <= len(b)-window {
		s := (*[window]byte)(b[p : p+window : p+window])
		if s[0] != '<' { // tags often follow each other
			x := binary.LittleEndian.Uint64(s[:8]) ^ '<'*ones
			if m := (x - ones) &^ x & highs; m != 0 {
				p += bits.TrailingZeros64(m) >> 3
				continue
			}
			i := bytes.IndexByte(b[p+8:], '<')
			if i < 0 {
				return len(b), 0
			}
			p += i + 8
			continue
		}
		w := binary.LittleEndian.Uint64(s[1:9])
		if byte(w) == '/' {
			w = binary.LittleEndian.Uint64(s[2:10])
			n := bits.TrailingZeros64(nameEnds(w)) >> 3
			if !ascii.IsLetter(byte(w)) || s[n+2] != '>' || n+3 > t.skim {
				return p, 0
			}
			p += n + 3
			continue
		}
		if !ascii.IsLetter(byte(w)) {
			return p, 0
		}
		n, key := shortName(w)
		if n == 8 {
			return p, 0
		}
		id := elementTable.findShort(key)
		watched := watchedAttrs[id]
		tag := b[p:]
		if !t.tag.judged {
			if watched&special != 0 || !endsName(tag[n+1]) { // a '=' or '<' is part of the name
				return p, 0
			}
			if end = skipAttributes(tag, n+1); end < 0 || end > t.skim {
				return p, 0
			}
			p = t.scan(b, p+end)
			continue
		}
		t.tag.end, t.tag.selfClosing, t.tag.name, t.tag.nameEnd, t.tag.seen = false, false, key, n+1, 0
		if tag[n+1] == '>' {
			end = n + 2
		} else if end = t.tag.attributes(tag, n+1); end < 0 {
			return p, 0
		}
		if end > t.skim || (t.tag.seen|special)&watched != 0 && (watched&special != 0 || !t.tag.onlyLinks(tag, &elements[id])) {
			return p, p + end
		}
		p = t.scan(b, p+end)
	}
	return p, 0
}

// special stands, beside attributes, for an element that changes how others are read, or at which something is injected.
const special = attrSet(1 << 63)

// watchedAttrs has the attributes that matter at each of elements, and special.
var watchedAttrs = func() (t [256]attrSet) {
	for i, el := range elements {
		t[i] = el.mask
		if el.flags&(flagRaw|flagScript|flagPlain|flagInject|flagContext|flagForeign) != 0 {
			t[i] |= special
		}
	}
	return t
}()

// skipAttributes returns where the tag ends whose attributes begin at b[p], -1 if it cannot tell. Up to the end, or to the
// '=' before a value, nothing in a tag has a meaning.
func skipAttributes(b []byte, p int) int {
	for p <= len(b)-window {
		s := (*[window]byte)(b[p : p+window : p+window])
		if s[0] == '>' {
			return p + 1
		}
		equal := binary.LittleEndian.Uint64(s[1:9])&(0xFC*ones) ^ 0x3C*ones // '<' to '?'
		mark := (equal - ones) &^ equal & highs
		if mark == 0 {
			p += 8
			continue
		}
		n := bits.TrailingZeros64(mark) >> 3 & 7
		c := s[n+1]
		p += n + 1
		if c != '=' {
			if c == '>' {
				return p + 1
			}
			continue
		}
		if !ascii.IsAlphanumeric(s[n]) {
			return -1 // part of a name, maybe
		}
		if c = s[n+2]; c != '"' && c != '\'' {
			var v span
			if p = v.value(b, p+1); p < 0 {
				return -1
			}
			continue
		}
		i := bytes.IndexByte(b[p+2:], c)
		if i < 0 {
			return -1
		}
		p += i + 3
	}
	return -1
}
