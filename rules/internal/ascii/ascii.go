// Package ascii compares and classifies bytes by their ASCII case and no other: in URLs the Kelvin sign is not a K.
package ascii

// Lower maps ASCII letters to lower case and every other byte to itself.
var Lower = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
		if 'A' <= i && i <= 'Z' {
			t[i] += 'a' - 'A'
		}
	}
	return t
}()

// Alphanumeric reports an ASCII letter or digit.
func Alphanumeric(c byte) bool {
	c = Lower[c]
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z'
}

// HasPrefixFold reports whether s begins with the prefix, which is in lower case, whatever the case of s.
func HasPrefixFold(s []byte, prefix string) bool {
	if len(s) < len(prefix) {
		return false
	}
	for i := 0; i < len(prefix); i++ {
		if Lower[s[i]] != prefix[i] {
			return false
		}
	}
	return true
}

// IndexFold returns where the text, which is in lower case, begins in s, whatever the case of s; -1 if nowhere.
func IndexFold(s []byte, text string) int {
	if text == "" {
		return 0
	}
	for i := 0; i+len(text) <= len(s); i++ {
		if Lower[s[i]] == text[0] && HasPrefixFold(s[i:], text) {
			return i
		}
	}
	return -1
}

// Hex reads up to most hexadecimal digits, at most six, and returns their value and number.
func Hex(s []byte, most int) (value rune, n int) {
	for n < most && n < len(s) {
		c := Lower[s[n]]
		switch {
		case '0' <= c && c <= '9':
			value = value<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			value = value<<4 | rune(c-'a'+10)
		default:
			return value, n
		}
		n++
	}
	return value, n
}
