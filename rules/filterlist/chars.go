package filterlist

import (
	"encoding/binary"
	"strings"
)

// chars tells, for each byte, what matching needs to know of it.
var chars = func() (t [256]uint8) {
	for i := range t {
		c := byte(i)
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '%':
			t[i] = charToken | charHost
		case c == '.', c == '-', c == '_':
			t[i] = charHost
		case c < 0x80:
			t[i] = charSeparator
		}
	}
	t['%'] = charToken
	return t
}()

const (
	charToken     = 1 << iota // part of a token: a letter, a digit or %
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
func tokenKey(t string) uint32 { return mix(word(t)) }

// word sums up a token or label in one number: its first and its last eight bytes and its length.
func word(t string) uint64 {
	head, tail := uint64(0), uint64(0)
	for i := range min(8, len(t)) {
		head |= uint64(t[i]) << (8 * i)
		if len(t) >= 8 {
			tail |= uint64(t[len(t)-8+i]) << (8 * i)
		}
	}
	return head ^ tail*31 ^ uint64(len(t))<<56
}

// headMask chooses what of the eight bytes at the beginning of a word of that length counts.
var headMask = [9]uint64{0, 1<<8 - 1, 1<<16 - 1, 1<<24 - 1, 1<<32 - 1, 1<<40 - 1, 1<<48 - 1, 1<<56 - 1, 1<<64 - 1}

// paddedWord is word for text[start:end] in a buffer that has eight bytes before and behind the text.
func paddedWord(buf []byte, start, end int) uint64 {
	n := end - start
	short := min(n, 8)
	head := binary.LittleEndian.Uint64(buf[padding+start:]) & headMask[short]
	tail := binary.LittleEndian.Uint64(buf[end:]) & -uint64(short>>3) // the padding makes this the eight bytes before end
	return head ^ tail*31 ^ uint64(n)<<56
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

func hostKey(hash uint32) uint32   { return mix(uint64(hash)) }
func pageKey(hash uint32) uint32   { return mix(uint64(hash) ^ saltPage<<32) }
func entityKey(hash uint32) uint32 { return mix(uint64(hash) ^ saltEntity<<32) }
