package filterlist

import (
	"encoding/binary"
	"math/bits"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// scratch is a request prepared for matching: folded, cut into keys. It is pooled, so that Match does not allocate.
type scratch struct {
	raw, lower []byte // the URL and its lower case
	buf        []byte // lower with zero bytes before and behind it
	rawCopy    []byte
	pageBuf    []byte     // pageHost likewise
	pageKeys   []key      // of the page, kept while requests of one page follow each other
	masks      []uint64   // which bytes are part of a token, as bits
	keys       []key      // of hosts, page and tokens
	host       []hostPart // the request's host and its parents, the shortest first
	page       []hostPart // the same of the page
	pageHost   string
	hostEnd    int
	types      uint16
	forbid     uint16 // flags of rules that cannot match
	method     uint32
	failed     [32]uint32 // rules that were found not to match, plus one, by their last bits
}

// hostPart is a host's suffix at a label: where it begins and its hash.
type hostPart struct {
	hash uint32
	at   int32
}

const padding = 8

// load prepares the request. It never fails: what makes no sense has no host.
func (s *scratch) load(r *Request, e *Engine) {
	start, end := r.HostStart, r.HostEnd
	if start < 0 || end < start || end > len(r.URL) {
		start, end = 0, 0
	}
	s.raw = r.URL
	if end > start && r.URL[end-1] == '.' {
		// "host." is the same site as "host" (RFC 1034, 3.1), but no rule is written so.
		s.rawCopy = append(append(s.rawCopy[:0], r.URL[:end-1]...), r.URL[end:]...)
		s.raw, end = s.rawCopy, end-1
	}
	s.hostEnd = end
	s.pageHost = strings.TrimSuffix(r.PageHost, ".")
	s.keys = s.keys[:0]
	s.fold()
	s.splitHosts(start, end, e)
	s.tokenize(e)
	s.types = uint16(r.Type)
	if r.Type&AllTypes == 0 {
		s.types = uint16(Other)
	}
	s.forbid = flagThirdParty
	if r.ThirdParty {
		s.forbid = flagFirstParty
	}
	if string(s.lower[start:end]) == s.pageHost {
		s.forbid |= flagStrict3p
	} else {
		s.forbid |= flagStrict1p
	}
	s.method = methodBit(r.Method)
	s.failed = [len(s.failed)]uint32{}
}

// fold makes the lower case of the URL and finds which of its bytes are part of a token: the bytes of 64 positions become
// one word of bits.
func (s *scratch) fold() {
	n := len(s.raw)
	s.buf = padded(s.buf, n)
	s.lower = s.buf[padding : padding+n]
	s.masks = s.masks[:0]
	for base := 0; base < n; base += 64 {
		s.masks = append(s.masks, foldChunk(s.lower[base:], s.raw[base:]))
	}
}

// tokenize adds the keys of the URL's tokens: where one begins, that of the byte before it with its first three; where it
// ends, its own. The edges in the words of bits are their ends: no branch depends on a single
// byte. It comes some time after fold, because reading just written bytes in other portions stalls the processor.
func (s *scratch) tokenize(e *Engine) {
	start, inside := 0, false
	carry := uint64(0)
	buf, tokens, keys := s.buf, e.tokens, s.keys
	for i, m := range s.masks {
		edges := m ^ (m<<1 | carry)
		carry = m >> 63
		for ; edges != 0; edges &= edges - 1 {
			at := 64*i + bits.TrailingZeros64(edges)
			if inside = !inside; inside {
				start = at
				if k := edgeKey(binary.LittleEndian.Uint32(buf[padding-1+at:])); e.edges.has(k) {
					keys = append(keys, key{k, int32(at - 1)})
				}
			} else if k := mix(paddedWord(buf, start, at)); tokens.has(k) && at-start >= minToken {
				keys = append(keys, key{k, int32(start)})
			}
		}
	}
	if inside { // to the end of a URL of a multiple of 64 bytes
		if k := mix(paddedWord(buf, start, len(s.lower))); tokens.has(k) {
			keys = append(keys, key{k, int32(start)})
		}
	}
	s.keys = keys
}

// foldChunk writes the lower case of at most 64 bytes to dst and returns which of them are part of a token, as bits. It
// takes eight at a time: in a word whose bytes are below 0x80, adding 0x80-c sets the upper bit of those that are >= c.
func foldChunk(dst, src []byte) (m uint64) {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	src = src[:min(64, len(src))]
	i := 0
	for ; i+8 <= len(src); i += 8 {
		x := binary.LittleEndian.Uint64(src[i:])
		low := x &^ high
		folded := low | 0x20*ones
		letter := ((folded + (0x80-'a')*ones) ^ (folded + (0x7F-'z')*ones)) &^ x & high
		binary.LittleEndian.PutUint64(dst[i:], x|letter>>2)
		digit := (low + (0x80-'0')*ones) ^ (low + (0x7F-'9')*ones)
		percent := high - (low ^ '%'*ones)
		token := letter | (digit|percent)&^x&high
		m |= (token >> 7 * 0x0102040810204080 >> 56) << i
	}
	for ; i < len(src); i++ {
		c := src[i]
		dst[i] = fold[c]
		m |= uint64(chars[c]&charToken) << i
	}
	return m
}

// padded returns a buffer for n bytes with zero bytes before and behind them.
func padded(buf []byte, n int) []byte {
	if cap(buf) < n+2*padding {
		buf = make([]byte, n+2*padding, 2*n+2*padding+256)
	}
	buf = buf[:n+2*padding]
	clear(buf[:padding])
	clear(buf[padding+n:])
	return buf
}

// splitHosts finds the suffixes of both hosts and adds their keys.
func (s *scratch) splitHosts(start, end int, e *Engine) {
	s.host = suffixes(s.host[:0], s.buf, start, end)
	for _, p := range s.host {
		s.keys = addHost(s.keys, e.hosts, hostKey(p.hash))
	}
	if n := len(s.pageBuf) - 2*padding; n < 0 || string(s.pageBuf[padding:padding+n]) != s.pageHost {
		s.splitPage(e)
	}
	s.keys = append(s.keys, s.pageKeys...)
}

// splitPage finds the suffixes and the keys of the page's host.
func (s *scratch) splitPage(e *Engine) {
	s.pageBuf = padded(s.pageBuf, len(s.pageHost))
	copy(s.pageBuf[padding:], s.pageHost)
	s.page = suffixes(s.page[:0], s.pageBuf, 0, len(s.pageHost))
	s.pageKeys = s.pageKeys[:0]
	for _, p := range s.page {
		s.pageKeys = addHost(s.pageKeys, e.hosts, pageKey(p.hash))
	}
	if !e.entities {
		return
	}
	// A rule for name.* stands under its last label: there is a key for each.
	end := len(s.pageHost)
	for _, p := range s.page {
		s.pageKeys = addHost(s.pageKeys, e.hosts, entityKey(labelStep(hostSeed, paddedWord(s.pageBuf, int(p.at), end))))
		end = int(p.at) - 1
	}
}

// suffixes appends the host at [start:end] of a padded buffer and its parents, the shortest first.
func suffixes(parts []hostPart, buf []byte, start, end int) []hostPart {
	h := uint32(hostSeed)
	for i := end; i > start; {
		// Eight bytes at a time: a byte of x is zero where there is a dot.
		label := i
		for label > start {
			const ones, low = 0x0101010101010101, 0x7F7F7F7F7F7F7F7F
			x := binary.LittleEndian.Uint64(buf[label:]) ^ '.'*ones // the eight bytes before label
			dots := ^(((x & low) + low) | x | low)
			if label-start < 8 {
				dots &= -(uint64(1) << (8 * (8 - (label - start))))
			}
			if dots != 0 {
				label -= bits.LeadingZeros64(dots) / 8
				break
			}
			label = max(label-8, start)
		}
		h = labelStep(h, paddedWord(buf, label, i))
		parts = append(parts, hostPart{h, int32(label)})
		i = label - 1
	}
	return parts
}

// addHost adds the key of a host, which has no place in the URL.
func addHost(keys []key, f filter, k uint32) []key {
	if f.has(k) {
		keys = append(keys, key{hash: k})
	}
	return keys
}

// suffixStart returns where the host's public suffix begins, the dot before it included; -1 if it is all there is.
func suffixStart(host string) int {
	suffix, _ := publicsuffix.PublicSuffix(host)
	return len(host) - len(suffix) - 1
}

// isHostStart reports whether the host or one of its parents begins at i, where || may anchor.
func (s *scratch) isHostStart(i int) bool {
	for _, p := range s.host {
		if int(p.at) == i {
			return true
		}
	}
	return false
}
