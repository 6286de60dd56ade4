package url

import (
	"bytes"
	"encoding/binary"
	"unicode"

	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
)

// Scheme returns the scheme of a reference in lower case, with tabs, newlines and surrounding space ignored as a browser
// does, and what follows its colon; nil when the reference is relative. It allocates only where it must change bytes.
func Scheme(ref []byte) (scheme, rest []byte) {
	ref = trim(ref)
	if hasTabOrNewline(ref) {
		ref = stripTabAndNewline(ref)
	}
	n := schemeLen(ref)
	if n == 0 {
		return nil, ref
	}
	if scheme = ref[:n]; bytes.ContainsFunc(scheme, unicode.IsUpper) {
		scheme = bytes.ToLower(scheme)
	}
	return scheme, ref[n+1:]
}

// AppendDecoded appends s with its percent-encoded bytes decoded. (URL standard, 1.3 "percent-decode")
func AppendDecoded(dst, s []byte) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && ascii.HexValue(s[i+1]) >= 0 && ascii.HexValue(s[i+2]) >= 0 {
			dst = append(dst, byte(ascii.HexValue(s[i+1])<<4|ascii.HexValue(s[i+2])))
			i += 2
			continue
		}
		dst = append(dst, s[i])
	}
	return dst
}

// contactScheme returns the lower-case scheme and its default port, "" if the scheme contacts no host.
func contactScheme(s []byte) (scheme string, port int) {
	switch string(s) {
	case "https":
		return "https", 443
	case "http":
		return "http", 80
	}
	switch {
	case ascii.EqualFold(s, "https"):
		return "https", 443
	case ascii.EqualFold(s, "http"):
		return "http", 80
	case ascii.EqualFold(s, "wss"):
		return "wss", 443
	case ascii.EqualFold(s, "ws"):
		return "ws", 80
	case ascii.EqualFold(s, "ftp"):
		return "ftp", 21
	}
	return "", 0
}

// schemeLen returns the length of the scheme that s begins with, 0 for none. (scheme start and scheme states)
func schemeLen(s []byte) int {
	if len(s) == 0 || !ascii.IsLetter(s[0]) {
		return 0
	}
	for i, c := range s {
		if c == ':' {
			return i
		}
		if !ascii.IsAlphanumeric(c) && c != '+' && c != '-' && c != '.' {
			return 0
		}
	}
	return 0
}

// trim removes leading and trailing C0 controls and spaces.
func trim(s []byte) []byte {
	for len(s) > 0 && s[0] <= ' ' {
		s = s[1:]
	}
	for len(s) > 0 && s[len(s)-1] <= ' ' {
		s = s[:len(s)-1]
	}
	return s
}

func hasTabOrNewline(s []byte) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for ; len(s) >= 8; s = s[8:] {
		if w := binary.LittleEndian.Uint64(s); (w-0x0e*ones)&^w&highs != 0 && hasTabOrNewlineByte(s[:8]) { // a byte up to CR
			return true
		}
	}
	return hasTabOrNewlineByte(s)
}

func hasTabOrNewlineByte(s []byte) bool {
	for _, c := range s {
		if c <= '\r' && (c == '\t' || c == '\n' || c == '\r') {
			return true
		}
	}
	return false
}

func stripTabAndNewline(s []byte) []byte {
	out := make([]byte, 0, len(s))
	for _, c := range s {
		if c != '\t' && c != '\n' && c != '\r' {
			out = append(out, c)
		}
	}
	return out
}

func isSlash(c byte) bool { return c == '/' || c == '\\' }

// encodeSet says which bytes a percent-encode set holds. (URL standard, 1.3)
type encodeSet uint8

const (
	querySet encodeSet = 1 << iota // special-query percent-encode set
	pathSet
	userinfoSet
	slashSet // what ends a path's segment
)

var encodeSets = func() (t [256]encodeSet) {
	for c := range t {
		if c <= ' ' || c > '~' {
			t[c] = querySet | pathSet | userinfoSet
		}
	}
	for _, c := range `"#<>` {
		t[c] = querySet | pathSet | userinfoSet
	}
	t['\''] |= querySet
	for _, c := range "?^`{}" {
		t[c] |= pathSet | userinfoSet
	}
	for _, c := range `/:;=@[\]|` {
		t[c] |= userinfoSet
	}
	for _, c := range `/\` {
		t[c] |= slashSet
	}
	return t
}()

func appendEncoded(dst []byte, c byte, set encodeSet) []byte {
	if encodeSets[c]&set == 0 {
		return append(dst, c)
	}
	const hex = "0123456789ABCDEF"
	return append(dst, '%', hex[c>>4], hex[c&15])
}
