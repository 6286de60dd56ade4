// Package ascii compares and classifies bytes as the WHATWG standards do: by their ASCII case and to no other (Infra, 4.5).
package ascii

// HexValue returns the value of an ASCII hex digit, -1 for any other byte.
func HexValue(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// IsLetter reports an ASCII letter.
func IsLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// IsAlphanumeric reports an ASCII letter or digit.
func IsAlphanumeric(c byte) bool { return IsLetter(c) || '0' <= c && c <= '9' }

// IsSpace reports ASCII whitespace: tab, line feed, form feed, carriage return, space. That is CSS's white space too.
func IsSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r' }

// TrimSpace returns s without the ASCII whitespace around it.
func TrimSpace(s []byte) []byte {
	for len(s) > 0 && IsSpace(s[0]) {
		s = s[1:]
	}
	for len(s) > 0 && IsSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// Lower returns an ASCII upper-case letter in lower case, any other byte as it is.
func Lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// EqualFold tells whether b is the string lower, which is in lower case, whatever the case of b's ASCII letters.
// bytes.EqualFold will not do: to it the Kelvin sign is a k.
func EqualFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if Lower(c) != lower[i] {
			return false
		}
	}
	return true
}
