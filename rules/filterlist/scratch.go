package filterlist

import (
	"math/bits"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// scratch is a request prepared for matching: folded, cut into keys. It is pooled, so that Match does not allocate.
type scratch struct {
	raw, lower []byte // the URL and its lower case; lower has padding behind its end
	rawCopy    []byte
	keys       []uint32   // of hosts, page and tokens
	host       []hostPart // the request's host and its parents, the shortest first
	page       []hostPart // the same of the page
	pageHost   string
	hostEnd    int
	types      uint16
	forbid     uint16 // flags of rules that cannot match
	method     uint32
}

// hostPart is a host's suffix at a label: where it begins and its hash.
type hostPart struct {
	hash uint32
	at   int32
}

const padding = 8

// load prepares the request. It never fails: what makes no sense has no host.
func (s *scratch) load(r *Request, entities bool) {
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
	s.foldAndTokenize()
	s.splitHosts(start, end, entities)
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
}

// foldAndTokenize makes the lower case of the URL and the keys of its tokens. The bytes of 64 positions become one word
// of bits, whose edges are the ends of the tokens: no branch depends on a single byte.
func (s *scratch) foldAndTokenize() {
	n := len(s.raw)
	if cap(s.lower) < n+padding {
		s.lower = make([]byte, n+padding, 2*n+padding+256)
	}
	text := s.lower[:n+padding]
	start, inside := 0, false
	carry := uint64(0)
	for base := 0; base < n; base += 64 {
		from, to := s.raw[base:min(base+64, n)], text[base:]
		to = to[:len(from)]
		m := uint64(0)
		for i, c := range from {
			to[i] = fold[c]
			m |= uint64(chars[c]&charToken) << (i & 63)
		}
		edges := m ^ (m<<1 | carry)
		carry = m >> 63
		for ; edges != 0; edges &= edges - 1 {
			i := base + bits.TrailingZeros64(edges)
			if inside && i-start > 1 {
				s.keys = append(s.keys, paddedTokenKey(text, start, i))
			}
			start, inside = i, !inside
		}
	}
	if inside && n-start > 1 {
		s.keys = append(s.keys, paddedTokenKey(text, start, n))
	}
	s.lower = text[:n]
}

// paddedTokenKey is tokenKey for a token that may be read beyond its end.
func paddedTokenKey(text []byte, start, end int) uint32 {
	n := uint(end - start)
	x := le64(text[start:])
	if n >= 8 {
		x ^= le64(text[end-8:]) * 31
	} else {
		x &= 1<<(8*n) - 1
	}
	return mix(x ^ uint64(n)<<56)
}

// splitHosts finds the suffixes of both hosts and adds their keys.
func (s *scratch) splitHosts(start, end int, entities bool) {
	s.host = s.host[:0]
	h := uint32(hostSeed)
	for i := end - 1; i >= start; i-- {
		h = hostStep(h, s.lower[i])
		if i == start || s.lower[i-1] == '.' {
			s.host = append(s.host, hostPart{h, int32(i)})
			s.keys = append(s.keys, hostKey(h))
		}
	}
	s.page = s.page[:0]
	h = hostSeed
	for i := len(s.pageHost) - 1; i >= 0; i-- {
		h = hostStep(h, s.pageHost[i])
		if i == 0 || s.pageHost[i-1] == '.' {
			s.page = append(s.page, hostPart{h, int32(i)})
			s.keys = append(s.keys, pageKey(h))
		}
	}
	if entities {
		s.entityKeys()
	}
}

// entityKeys adds a key for each label of the page's host: a rule for name.* stands under its last label.
func (s *scratch) entityKeys() {
	h := uint32(hostSeed)
	for i := len(s.pageHost) - 1; i >= 0; i-- {
		if s.pageHost[i] == '.' {
			s.keys = append(s.keys, entityKey(h))
			h = hostSeed
			continue
		}
		h = hostStep(h, s.pageHost[i])
	}
	s.keys = append(s.keys, entityKey(h))
}

// suffixStart returns where the host's public suffix begins, the dot before it included; -1 if it is all there is.
func suffixStart(host string) int {
	suffix, _ := publicsuffix.PublicSuffix(host)
	return len(host) - len(suffix) - 1
}
