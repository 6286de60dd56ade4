package filterlist

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// folded is a text in lower case, and which of its bytes are part of a token: what its keys are found from without a
// branch that depends on a single byte.
type folded struct {
	buf   []byte   // zero bytes before and behind it, so that eight can be read at once from anywhere in it
	n     int      // its length
	masks []uint64 // a bit for each byte that is part of a token, and at least one that is not behind them
}

const padding = 8

// hold makes room for n bytes, which the caller fills in.
func (t *folded) hold(n int) []byte {
	if cap(t.buf) < n+2*padding {
		t.buf = make([]byte, n+2*padding, 2*n+2*padding+256)
	}
	t.buf, t.n = t.buf[:n+2*padding], n
	clear(t.buf[padding+n:])
	return t.text()
}

// text returns the text.
func (t *folded) text() []byte {
	if len(t.buf) == 0 {
		return nil
	}
	return t.buf[padding : padding+t.n]
}

// fold makes the lower case of the text and finds its tokens.
func (t *folded) fold() {
	b := t.buf[padding : len(t.buf)&^7]
	t.masks = slices.Grow(t.masks[:0], len(b)/64+1)[:len(b)/64+1]
	for i := range t.masks {
		t.masks[i] = foldWords(b[64*i : min(64*i+64, len(b))])
	}
}

// foldWords puts at most eight words of eight bytes into lower case and returns which of their bytes are part of a token. In
// a word whose bytes are below 0x80, adding 0x80-c sets the upper bit of those that are >= c.
func foldWords(b []byte) (mask uint64) {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i < len(b)-7; i += 8 {
		x := binary.LittleEndian.Uint64(b[i : i+8])
		low := x &^ high
		lower := low | 0x20*ones
		letter := ((lower + (0x80-'a')*ones) ^ (lower + (0x7F-'z')*ones)) & (high &^ x)
		digit := (low + (0x80-'0')*ones) ^ (low + (0x7F-'9')*ones)
		token := letter | digit&(high&^x)
		binary.LittleEndian.PutUint64(b[i:i+8], x|letter>>2)
		mask = mask>>8 | token*0x0002040810204081&(0xFF<<56) // the upper bit of each byte
	}
	return mask >> (-i & 56)
}

// span is where a token begins and ends.
type span struct{ start, end int32 }

// tokens returns the text's tokens, in memory of spans. A run of bits to which its lowest is added becomes the one bit behind
// the run.
func (t *folded) tokens(spans []span) []span {
	spans = spans[:0]
	open := false // the last token goes on in the next word
	for i, m := range t.masks {
		n, base := len(spans), int32(64*i)
		spans = slices.Grow(spans, 32)[:n+32] // no more begin in 64 bytes
		if open {
			if m++; m == 0 {
				spans = spans[:n]
				continue
			}
			spans[n-1].end = base + int32(bits.TrailingZeros64(m))
			m &= m - 1
			open = false
		}
		for m != 0 {
			start := base + int32(bits.TrailingZeros64(m))
			m += m & -m
			spans[n] = span{start, base + int32(bits.TrailingZeros64(m))}
			open = m == 0
			m &= m - 1
			n++
		}
		spans = spans[:n]
	}
	return spans
}

// word is the function of that name for a part of the text.
func (t *folded) word(start, end int) uint64 {
	return labelWord(load(t.buf, padding+start), load(t.buf, end), end-start) // the padding makes this the eight bytes before end
}

// load returns the eight bytes at i.
func load(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i : i+8 : i+8]) }

// suffixes appends the host at [start:end] of the text and its parents, the shortest first.
func (t *folded) suffixes(parts []hostPart, start, end int) []hostPart {
	if end <= start {
		return parts
	}
	buf, n := t.buf, len(parts)
	for i := (end - 1) / 64; i >= start/64; i-- {
		others := ^t.masks[i]
		if left := 64*(i+1) - end; left > 0 {
			others = others << (left & 63) >> (left & 63)
		}
		if left := start - 64*i; left > 0 {
			others = others >> (left & 63) << (left & 63)
		}
		for others != 0 {
			bit := bits.Len64(others) - 1
			others &^= 1 << (bit & 63)
			if dot := 64*i + bit; buf[padding+dot] == '.' {
				parts = append(parts, hostPart{at: int32(dot + 1)})
			}
		}
	}
	parts = append(parts, hostPart{at: int32(start)})
	h := uint32(hostSeed)
	for i := n; i < len(parts); i++ {
		at := int(parts[i].at)
		h = labelStep(h, labelWord(load(buf, padding+at), load(buf, end), end-at))
		parts[i].hash = h
		end = at - 1
	}
	return parts
}
