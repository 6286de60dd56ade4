package filterlist

import "strings"

// chars tells, for each byte, what matching needs to know of it.
var chars = func() (t [256]uint8) {
	for i := range t {
		c := byte(i)
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
			t[i] = charToken | charHost
		case c == '.', c == '-', c == '_':
			t[i] = charHost
		case c < 0x80:
			t[i] = charSeparator
		}
	}
	t['%'] = 0
	return t
}()

const (
	charToken     = 1 << iota // part of a token: a letter or a digit
	charSeparator             // matched by ^: all of ASCII but letters, digits and _ - . %
	charHost                  // may stand in a host name of a rule
)

// fold holds the ASCII lower case of each byte.
var fold = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
		if i >= 'A' && i <= 'Z' {
			t[i] = byte(i) + 'a' - 'A'
		}
	}
	return t
}()

func isSeparator(c byte) bool { return chars[c]&charSeparator != 0 }
func isToken(c byte) bool     { return chars[c]&charToken != 0 }

// mix spreads the bits of a key. Keys only choose candidates: what they find is compared in full.
func mix(x uint64) uint32 {
	x *= 0x9E3779B97F4A7C15
	return uint32(x>>32) ^ uint32(x)
}

// The kinds of key, as different starting values.
const (
	saltPage   = 0x51ED270B
	saltEntity = 0x2545F491
	saltEdge   = 0x6C8E9CF5
)

// minToken is the length of the shortest token that is a key.
const minToken = 2

// tokenKey is the key of a token, in lower case.
func tokenKey(t string) uint32 {
	head := uint64(0)
	for i := range min(7, len(t)) {
		head |= uint64(t[i]) << (8 * i)
	}
	return mix(tokenWord(head, len(t)))
}

// tokenWord sums up a token of n bytes, n > 0, in one number: its first seven bytes, to which what follows it may be added
// if it is shorter, and its length.
func tokenWord(head uint64, n int) uint64 {
	short := n - 7
	short &= short >> 63 // min(n, 7)-7, without a branch that is not to be foreseen
	others := uint(8-8*short) & 63
	return head<<others>>others | uint64(n)<<56
}

// word sums up a label in one number: its first and its last eight bytes (all of it, if it is shorter) and its length.
func word(t string) uint64 {
	head, tail := uint64(0), uint64(0)
	for i := range min(8, len(t)) {
		head |= uint64(t[i]) << (8 * i)
		tail |= uint64(t[len(t)-1-i]) << (56 - 8*i)
	}
	return labelWord(head, tail, len(t))
}

// labelWord is word for a label of n bytes, of which the eight bytes from its beginning on and the eight before its end are
// given, others included if it is shorter.
func labelWord(head, tail uint64, n int) uint64 {
	if n == 0 {
		return 0
	}
	short := n - 8
	short &= short >> 63 // min(n, 8)-8
	others := uint(-8*short) & 63
	return head<<others>>others ^ tail>>others*31 ^ uint64(n)<<56
}

// edgeKey is the key of a byte that is no part of a token and the three behind it, where a token begins.
func edgeKey(quad uint32) uint32 { return mix(uint64(quad) ^ saltEdge<<32) }

// The hash of a host goes from its last label to its first, so that one pass gives those of all its parent domains.
const hostSeed = 0x811C9DC5

func labelStep(h uint32, label uint64) uint32 { return mix(label ^ uint64(h)<<17) }

func hostHash(host string) uint32 {
	h := uint32(hostSeed)
	for end := len(host); end >= 0; {
		start := strings.LastIndexByte(host[:end], '.') + 1
		h = labelStep(h, word(host[start:end]))
		end = start - 1
	}
	return h
}

// hostKey and pageKey are the keys of a host: its hash is mixed already.
func hostKey(hash uint32) uint32   { return hash }
func pageKey(hash uint32) uint32   { return hash ^ saltPage }
func entityKey(hash uint32) uint32 { return mix(uint64(hash) ^ saltEntity<<32) }
