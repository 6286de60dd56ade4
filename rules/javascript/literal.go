package javascript

import (
	"unicode/utf8"

	"github.com/caddy-consent/caddy-consent/rules/internal/ascii"
)

// quoted reads a string literal. One that the line ends before its quote ends there.
func (l *lexer) quoted(t *token, quote byte) {
	text, start := l.text, l.pos+1
	escaped, end, next := false, len(text), len(text)
scan:
	for i := start; i < len(text); i++ {
		switch c := text[i]; {
		case !quotedStop[c]:
		case c == quote:
			end, next = i, i+1
			break scan
		case c == '\\':
			escaped = true
			i++
		case c == '\n':
			end, next = i, i
			break scan
		}
	}
	l.pos, l.divides, l.control = next, true, false
	*t = token{kind: tokenString, escaped: escaped, text: text[start:end]}
}

var quotedStop = [256]bool{'"': true, '\'': true, '\\': true, '\n': true}

// templatePiece reads a template literal up to its end or to the next ${, from where the code in braces follows.
func (l *lexer) templatePiece() token {
	start := l.pos
	t := token{kind: tokenString}
	l.divides, l.control = true, false
	for i := start; i < len(l.text); i++ {
		switch c := l.text[i]; {
		case c == '`':
			t.text, l.pos = l.text[start:i], i+1
			return t
		case c == '\\':
			t.escaped = true
			i++
		case c == '$' && i+1 < len(l.text) && l.text[i+1] == '{':
			t.text, l.pos = l.text[start:i], i+2
			l.open(false, true)
			l.divides = false
			return t
		}
	}
	t.text, l.pos = l.text[start:], len(l.text)
	return t
}

// maxWasted bounds lexer.wasted: what has more of it is no JavaScript.
const maxWasted = 1 << 18

// regexpEnd returns where the regular expression at pos ends, flags included, 0 if none ends on this line.
func (l *lexer) regexpEnd() int {
	if l.wasted > maxWasted {
		return 0
	}
	class, i := false, l.pos+1
scan:
	for ; i < len(l.text); i++ {
		switch l.text[i] {
		case '\\':
			i++
		case '[':
			class = true
		case ']':
			class = false
		case '\n', '\r':
			break scan
		case '/':
			if !class {
				return l.nameEnd(i + 1)
			}
		}
	}
	l.wasted += i - l.pos
	return 0
}

// unescape appends the value of a string literal's text to dst (ECMA-262, 12.9.4).
func unescape(dst, text []byte) []byte {
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c != '\\' || i+1 == len(text) {
			dst = append(dst, c)
			continue
		}
		i++
		switch c = text[i]; c {
		case 'n', 'r', 't', 'v', 'b', 'f', '0':
			dst = append(dst, ' ')
		case '\n':
		case 'x':
			r, n := ascii.Hex(text[i+1:], 2)
			dst, i = utf8.AppendRune(dst, r), i+n
		case 'u':
			if i+1 < len(text) && text[i+1] == '{' {
				r, n := ascii.Hex(text[i+2:], 6)
				dst, i = utf8.AppendRune(dst, r), min(i+n+2, len(text)-1)
				continue
			}
			r, n := ascii.Hex(text[i+1:], 4)
			dst, i = utf8.AppendRune(dst, r), i+n
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
