package javascript

import (
	"bytes"
	"unicode/utf8"
)

// spelled reports whether the mark may stand in a script's text with its token n at text[at:]. It does without reading the
// script and answers true where it cannot tell: beside a comment or an escape sequence.
func (m *mark) spelled(text []byte, at, n int) bool {
	if at < 0 {
		return false
	}
	if m.tokens[n].kind == tokenString {
		if at--; at < 0 || !isQuote(text[at]) && text[at] != '}' {
			return false
		}
	}
	for i, k := at, n; k < len(m.tokens); k++ {
		if k > n {
			i = skipBlank(text, i)
		}
		if i < len(text) && (text[i] == '\\' || text[i] >= utf8.RuneSelf || beginsComment(text[i:])) {
			return true
		}
		next, ok, sure := m.tokens[k].forward(text, i)
		if !ok {
			return !sure
		}
		i = next
	}
	for i, k := at, n-1; k >= 0; k-- {
		end := i
		for end > 0 && text[end-1] <= ' ' {
			end--
		}
		if end == 0 {
			return false
		}
		t := &m.tokens[k]
		if c := text[end-1]; c == '/' || c >= utf8.RuneSelf || t.kind == tokenString {
			return true
		}
		if !bytes.HasSuffix(text[:end], []byte(t.text)) {
			return bytes.ContainsAny(text[end:i], "\r\n") // maybe behind a comment
		}
		i = end - len(t.text)
	}
	return true
}

func beginsComment(text []byte) bool {
	for _, c := range [...]string{"//", "/*", "<!--", "-->"} {
		if bytes.HasPrefix(text, []byte(c)) {
			return true
		}
	}
	return false
}

// forward compares a token with text[i:] and returns where it ends. sure is false where it is not certain that the token
// is another one.
func (m *markToken) forward(text []byte, i int) (end int, ok, sure bool) {
	if m.kind == tokenString {
		if i == len(text) {
			return 0, false, true
		}
		i++ // the delimiter; another character is found below not to be one
		if !bytes.HasPrefix(text[i:], []byte(m.text)) {
			return 0, false, bytes.IndexByte(text[i:min(len(text), i+6*len(m.text))], '\\') < 0
		}
		i += len(m.text)
		if m.prefix {
			for i < len(text) && !isQuote(text[i]) {
				i++
			}
		}
		return min(i+1, len(text)), true, true
	}
	if !bytes.HasPrefix(text[i:], []byte(m.text)) {
		return 0, false, true
	}
	i += len(m.text)
	return i, m.kind == tokenPunctuator || i == len(text) || !nameByte(text[i]), true
}
