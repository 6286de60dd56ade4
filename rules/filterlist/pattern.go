package filterlist

import (
	"bytes"
	"strings"
)

// A pattern is a literal with two wildcards: * for any bytes and ^ for one separator or the end of the URL
// (https://help.adblockplus.org/hc/en-us/articles/360062733293, "Writing filters").

// matchGlob reports whether pat matches text under the anchors in flags. starts are the places where || may anchor.
func matchGlob(text []byte, pat string, flags uint16, starts []hostPart) bool {
	switch {
	case flags&flagLeft != 0:
		return globAt(text, 0, pat, flags)
	case flags&flagHost != 0:
		for i := range starts {
			at := int(starts[i].at)
			if c := pat[0]; c != '*' && c != '^' && (at == len(text) || c != text[at]) {
				continue
			}
			if globAt(text, at, pat, flags) {
				return true
			}
		}
		return false
	}
	seg, rest, more := strings.Cut(pat, "*")
	if !more && flags&flagRight != 0 {
		return endsWith(text, 0, seg)
	}
	i := findSegment(text, 0, seg)
	if i < 0 {
		return false
	}
	return !more || globFrom(text, i, rest, flags)
}

// globAt matches the whole of pat with its first segment at position i.
func globAt(text []byte, i int, pat string, flags uint16) bool {
	seg, rest, more := strings.Cut(pat, "*")
	end := segmentAt(text, i, seg)
	if end < 0 {
		return false
	}
	if more {
		return globFrom(text, end, rest, flags)
	}
	return flags&flagRight == 0 || end == len(text)
}

// globFrom matches segments anywhere from position i on, each after the one before it. Taking the leftmost place for
// each is enough: a later place leaves less to the others.
func globFrom(text []byte, i int, pat string, flags uint16) bool {
	for {
		seg, rest, more := strings.Cut(pat, "*")
		if !more && flags&flagRight != 0 {
			return endsWith(text, i, seg)
		}
		if i = findSegment(text, i, seg); i < 0 {
			return false
		}
		if !more {
			return true
		}
		pat = rest
	}
}

// segmentAt matches a segment (no *) at position i and returns where the match ends, -1 if there is none.
func segmentAt(text []byte, i int, seg string) int {
	for j := 0; j < len(seg); j++ {
		c := seg[j]
		if i >= len(text) {
			if strings.TrimLeft(seg[j:], "^") == "" {
				return i // the end of the URL counts as a separator
			}
			return -1
		}
		if c == '^' {
			if !isSeparator(text[i]) {
				return -1
			}
		} else if c != text[i] {
			return -1
		}
		i++
	}
	return i
}

// findSegment returns the end of the leftmost match of a segment at or after position i, -1 if there is none.
func findSegment(text []byte, i int, seg string) int {
	lit, _, sep := strings.Cut(seg, "^")
	if !sep {
		if k := index(text[i:], seg); k >= 0 {
			return i + k + len(seg)
		}
		return -1
	}
	for ; i <= len(text); i++ {
		if lit != "" {
			k := index(text[i:], lit)
			if k < 0 {
				return -1
			}
			i += k
		}
		if end := segmentAt(text, i, seg); end >= 0 {
			return end
		}
	}
	return -1
}

// endsWith reports whether text ends with a match of the segment that begins at or after position i.
func endsWith(text []byte, i int, seg string) bool {
	// Of the separators at its end, any number may stand for the end of the URL.
	for k := len(text) - len(seg); k <= len(text); k++ {
		if k >= i && segmentAt(text, k, seg) == len(text) {
			return true
		}
		if n := k - len(text) + len(seg); n >= len(seg) || seg[len(seg)-1-n] != '^' {
			return false
		}
	}
	return false
}

// matchPlain is matchGlob for a pattern without wildcards.
func matchPlain(text []byte, pat string, flags uint16, starts []hostPart) bool {
	switch {
	case flags&flagHost != 0:
		for i := range starts {
			if at := text[starts[i].at:]; hasPrefix(at, pat) && (flags&flagRight == 0 || len(at) == len(pat)) {
				return true
			}
		}
		return false
	case flags&flagLeft != 0:
		return hasPrefix(text, pat) && (flags&flagRight == 0 || len(text) == len(pat))
	case flags&flagRight != 0:
		return len(text) >= len(pat) && string(text[len(text)-len(pat):]) == pat
	}
	return index(text, pat) >= 0
}

func hasPrefix(text []byte, prefix string) bool {
	return len(text) >= len(prefix) && string(text[:len(prefix)]) == prefix
}

// index is bytes.Index for a string. Most of what is looked for is not there, nor is its first byte.
func index(text []byte, s string) int {
	if s == "" {
		return 0
	}
	i := bytes.IndexByte(text, s[0])
	if i < 0 {
		return -1
	}
	k := bytes.Index(text[i:], []byte(s))
	if k < 0 {
		return -1
	}
	return i + k
}
