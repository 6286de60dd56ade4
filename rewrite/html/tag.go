package html

import (
	"bytes"
	"math/bits"

	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
)

// tag describes a start or end tag; it is filled while the tag is passed over and can be resumed at any byte. Positions
// count from the tag's '<'.
type tag struct {
	end         bool // an end tag
	selfClosing bool
	judged      bool // attributes are looked at
	links       bool // parameters of links are looked at
	xml         bool // prefixes of attributes' names are free
	name        uint64
	nameEnd     int
	seen        attrSet // the known attributes, and attrOn for any event handler
	attrs       [attrCount]span

	state attrState
	pos   int
	cur   span
}

// span is an attribute's place; valueStart == valueEnd for an empty value or none.
type span struct {
	nameStart, nameEnd, valueStart, valueEnd int
	quote                                    byte // '"', '\'' or 0
}

type attrState uint8

const (
	inTagName attrState = iota
	beforeAttr
	inAttrName
	afterAttrName
	beforeValue
	inQuoted
	inUnquoted
)

func (t *tag) reset(end bool) {
	t.end, t.selfClosing, t.name, t.nameEnd, t.seen = end, false, 0, 0, 0
	t.state, t.pos = inTagName, t.nameStart()
}

// nameStart returns where the tag's name begins.
func (t *tag) nameStart() int {
	if t.end {
		return 2
	}
	return 1
}

// scan passes over the tag that b begins with (WHATWG HTML, 13.2.5.8 and 13.2.5.32 to 13.2.5.40). It returns its length,
// or -1 when b ends before the tag does; the next call must be given the same bytes with more behind them.
func (t *tag) scan(b []byte) int {
	p := t.pos
	for p < len(b) {
		switch t.state {
		case inTagName:
			for p < len(b) && nameByte[b[p]] != 0 {
				p++
			}
			if p < len(b) {
				t.name = keyOf(b[t.nameStart():p])
				t.nameEnd, t.state, t.selfClosing = p, beforeAttr, false
			}
		case beforeAttr:
			c := b[p]
			switch {
			case c == '>':
				return p + 1
			case ascii.IsSpace(c):
				t.selfClosing = false
			case c == '/':
				t.selfClosing = true
			default:
				t.selfClosing = false
				t.cur = span{nameStart: p}
				t.state = inAttrName // a leading '=' belongs to the name
			}
			p++
		case inAttrName:
			for p < len(b) && attrByte[b[p]] != 0 {
				p++
			}
			if p < len(b) {
				t.cur.nameEnd = p
				if t.state = afterAttrName; b[p] == '=' {
					t.state = beforeValue
					p++
				}
			}
		case afterAttrName:
			switch c := b[p]; {
			case ascii.IsSpace(c):
				p++
			case c == '=':
				t.state = beforeValue
				p++
			default:
				t.cur.valueStart, t.cur.valueEnd = t.cur.nameEnd, t.cur.nameEnd
				t.attr(b)
			}
		case beforeValue:
			switch c := b[p]; {
			case ascii.IsSpace(c):
				p++
			case c == '"' || c == '\'':
				p++
				t.cur.quote, t.cur.valueStart, t.state = c, p, inQuoted
			case c == '>':
				t.cur.valueStart, t.cur.valueEnd = p, p
				t.attr(b)
			default:
				t.cur.valueStart, t.state = p, inUnquoted
			}
		case inQuoted:
			i := bytes.IndexByte(b[p:], t.cur.quote)
			if i < 0 {
				p = len(b)
				break
			}
			p += i
			t.cur.valueEnd = p
			p++
			t.attr(b)
		case inUnquoted:
			for p < len(b) && b[p] != '>' && !ascii.IsSpace(b[p]) {
				p++
			}
			if p < len(b) {
				t.cur.valueEnd = p
				t.attr(b)
			}
		}
	}
	t.pos = p
	return -1
}

// attr ends the current attribute.
func (t *tag) attr(b []byte) {
	t.state = beforeAttr
	if t.judged && !t.end {
		name := b[t.cur.nameStart:t.cur.nameEnd]
		t.keep(lookupAttrOf(keyOf(name), name, t.xml), &t.cur)
	}
}

// keep keeps an attribute with a known name, its first occurrence only, as a browser does.
func (t *tag) keep(id attrID, s *span) {
	if id != attrOther && !t.seen.has(id) {
		t.seen |= 1 << id
		t.attrs[id] = *s
	}
}

// take makes t describe the whole start tag that from describes.
func (t *tag) take(from *tag) {
	t.end, t.selfClosing, t.name, t.nameEnd, t.seen = false, from.selfClosing, from.name, from.nameEnd, from.seen
	for set := from.seen; set != 0; set &= set - 1 {
		id := bits.TrailingZeros64(uint64(set))
		t.attrs[id] = from.attrs[id]
	}
}

// nameByte maps a byte to its lower case, or to 0 if it ends a tag's name; attrByte the same for an attribute's.
var nameByte, attrByte = nameBytes()

func nameBytes() (name, attr [256]byte) {
	for c := range name {
		name[c] = byte(c)
		switch {
		case c == 0:
			name[c] = 1 // NUL is an ordinary (replacement) character in names
		case c >= 'A' && c <= 'Z':
			name[c] = byte(c) | 0x20
		case ascii.IsSpace(byte(c)) || c == '/' || c == '>':
			name[c] = 0
		}
	}
	attr = name
	attr['='] = 0
	return name, attr
}
