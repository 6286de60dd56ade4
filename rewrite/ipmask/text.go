package ipmask

import (
	"math/bits"
	"net/netip"

	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
)

// Append appends text to dst with every IP address in it masked: dotted IPv4, zero-padded too, and IPv6 in any form, also with
// percent-encoded or JSON-escaped separators, in brackets, with zone or port (both are dropped), or glued to letters and digits; and
// 32 bits written as 0x and eight hexadecimal digits. Everything else keeps its bytes. Versions that look like an address
// are masked like one, which leaves those that browsers send (126.0.0.0) as they are.
//
// In doubt it masks. It does not see addresses that are written as a decimal number, with hyphens, or reversed (in-addr.arpa).
// It does not allocate when dst is large enough, and its time is linear in the text's length.
func (m Masker) Append(dst, text []byte) []byte {
	from := 0 // the first byte that is not written yet
	for i := next(text, 0); i < len(text); i = next(text, i+1) {
		if text[i] == '.' && fraction(text, i+1) {
			continue
		}
		a, ok := find(text, from, i)
		if !ok {
			i = max(i, a.end-1)
			continue
		}
		dst = append(dst, text[from:a.start]...)
		dst = m.append(dst, &a)
		from = a.end
		i = a.end - 1
	}
	return append(dst, text[from:]...)
}

// fraction reports whether what follows a dot at i is no octet with a separator behind it: most dots are in decimal numbers.
func fraction(text []byte, i int) bool {
	end := min(len(text), i+4)
	begin := i
	for i < end && isDigit(text[i]) {
		i++
	}
	return i == begin || i == len(text) || text[i] != '.' && text[i] != '%' && text[i] != '\\'
}

// append appends the masked form of what was found.
func (m Masker) append(dst []byte, a *found) []byte {
	if a.hex {
		return appendHex(dst, m.Mask(a.addr))
	}
	dst = m.Mask(a.addr).AppendTo(dst)
	for range a.more {
		dst = append(dst, ".0"...)
	}
	if a.bracket {
		dst = append(dst, ']')
	}
	return dst
}

// found is an address in a text: what stands in text[start:end] is to be replaced. Without an address, end tells how far
// there is none.
type found struct {
	addr       netip.Addr
	start, end int
	more       int  // octets behind the fourth: with three before them they may be the address that was meant
	hex        bool // written as a hexadecimal number
	bracket    bool // a closing bracket and what followed it are within start and end
}

// What a byte can be for next: something that is looked at behind a digit (dot, x), behind a hexadecimal digit or colon (colon),
// or always (what begins an escape); and, three bits above the class that it allows to follow, a digit, a hexadecimal digit or colon.
const (
	afterDigit = 1 << iota
	afterHex
	always
	digit
	hexOrColon
)

var classes = func() (t [256]uint8) {
	t['.'], t['x'], t['X'] = afterDigit, afterDigit, afterDigit
	t[':'] = afterHex | hexOrColon
	t['%'], t['\\'] = always, always
	for _, c := range "0123456789" {
		t[c] |= digit | hexOrColon
	}
	for _, c := range "abcdefABCDEF" {
		t[c] |= hexOrColon
	}
	return t
}()

// next returns the first index from i on at which find may find something, len(text) if there is none. Nearly all bytes of
// a log are of no interest, so it classifies eight of them in one word.
func next(text []byte, i int) int {
	const each = 0x0101010101010101
	var before uint64
	if i > 0 && i < len(text) {
		before = uint64(classes[text[i-1]])
	}
	for ; i+8 <= len(text); i += 8 {
		b := text[i : i+8 : i+8]
		low := uint64(classes[b[0]]) | uint64(classes[b[1]])<<8 | uint64(classes[b[2]])<<16 | uint64(classes[b[3]])<<24
		high := uint64(classes[b[4]]) | uint64(classes[b[5]])<<8 | uint64(classes[b[6]])<<16 | uint64(classes[b[7]])<<24
		w := low | high<<32
		if hit := w & ((w<<8|before)>>3&((afterDigit|afterHex)*each) | always*each); hit != 0 {
			return i + bits.TrailingZeros64(hit)>>3
		}
		before = w >> 56
	}
	for ; i < len(text); i++ {
		w := uint64(classes[text[i]])
		if w&(before>>3&(afterDigit|afterHex)|always) != 0 {
			return i
		}
		before = w
	}
	return i
}

// find looks for the address whose first separator is at i, or whose "::" ends there, and which does not begin before low.
func find(text []byte, low, i int) (a found, ok bool) {
	if text[i]|0x20 == 'x' {
		return findHex(text, low, i)
	}
	sep, size := separator(text, i)
	switch sep {
	case '.':
		if i == low || !isDigit(text[i-1]) || i+size == len(text) || !isDigit(text[i+size]) {
			return a, false
		}
		return find4(text, low, i)
	case ':':
		if i > low && text[i-1] == ':' {
			return find6(text, low, i-1)
		}
		if after, _ := separator(text, i+size); after != ':' &&
			(i == low || ascii.HexValue(text[i-1]) < 0 || i+size == len(text) || ascii.HexValue(text[i+size]) < 0) {
			return a, false
		}
		return find6(text, low, i)
	}
	return a, false
}

// separator returns the dot or colon at i and how many bytes write it: itself, percent-encoded once or twice, or as a JSON
// escape; 0 if there is none.
func separator(text []byte, i int) (sep byte, size int) {
	if i >= len(text) {
		return 0, 0
	}
	switch c := text[i]; c {
	case '.', ':':
		return c, 1
	case '%':
		size = 1
		if i+2 < len(text) && text[i+1] == '2' && text[i+2] == '5' {
			size = 3
		}
	case '\\':
		if i+3 >= len(text) || text[i+1] != 'u' || text[i+2] != '0' || text[i+3] != '0' {
			return 0, 0
		}
		size = 4
	default:
		return 0, 0
	}
	if i+size+1 < len(text) {
		switch code := ascii.HexValue(text[i+size])<<4 | ascii.HexValue(text[i+size+1]); code {
		case '.', ':':
			return byte(code), size + 2
		}
	}
	return 0, 0
}

// find4 reads the dotted address whose first dot is at i.
func find4(text []byte, low, i int) (a found, ok bool) {
	var b [4]byte
	a.start = i
	for value, unit := 0, 1; a.start > low && unit <= 100 && isDigit(text[a.start-1]); unit *= 10 {
		if value += int(text[a.start-1]-'0') * unit; value > 255 {
			break // what is glued before the address
		}
		b[0] = byte(value)
		a.start--
	}
	if a.end, ok = dotted(text, i, b[1:]); !ok {
		return a, false
	}
	a.addr = netip.AddrFrom4(b)
	for {
		end, more := dotted(text, a.end, b[:1])
		if !more {
			break
		}
		a.end = end
		a.more++
	}
	a.end = skipPort(text, a.end)
	return a, true
}

// dotted reads a separator and an octet for each byte of b.
func dotted(text []byte, i int, b []byte) (end int, ok bool) {
	for n := range b {
		sep, size := separator(text, i)
		if sep != '.' {
			return i, false
		}
		i += size
		begin, value := i, 0
		for i < len(text) && isDigit(text[i]) {
			if v := value*10 + int(text[i]-'0'); i-begin < 3 && v <= 255 {
				value = v
			} else if n < len(b)-1 {
				return i, false
			}
			i++ // of the last octet all digits go: what is glued behind it cannot be told apart
		}
		if i == begin {
			return i, false
		}
		b[n] = byte(value) //nolint:gosec // n is an index of b
	}
	return i, true
}

// skipPort returns the end of a port that follows at i, or i.
func skipPort(text []byte, i int) int {
	sep, size := separator(text, i)
	if sep != ':' {
		return i
	}
	n := i + size
	for n < len(text) && n < i+size+5 && isDigit(text[n]) {
		n++
	}
	if n == i+size {
		return i
	}
	return n
}

// findHex reads 0x and exactly eight digits.
func findHex(text []byte, low, i int) (a found, ok bool) {
	end := i + 9
	if i == low || text[i-1] != '0' || end > len(text) || end < len(text) && ascii.HexValue(text[end]) >= 0 {
		return a, false
	}
	var b [4]byte
	for n, c := range text[i+1 : end] {
		v := ascii.HexValue(c)
		if v < 0 {
			return a, false
		}
		b[n/2] = b[n/2]<<4 | byte(v)
	}
	return found{addr: netip.AddrFrom4(b), start: i + 1, end: end, hex: true}, true
}

func appendHex(dst []byte, a netip.Addr) []byte {
	const digits = "0123456789abcdef"
	b := a.As4()
	for _, c := range b {
		dst = append(dst, digits[c>>4], digits[c&15])
	}
	return dst
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' }
