package javascript

import (
	"unicode/utf8"

	"github.com/caddy-consent/caddy-consent/rules/internal/ascii"
)

// tokenKind classifies JavaScript tokens (ECMA-262, 12 "Lexical Grammar") as far as the recogniser needs.
type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenName
	tokenString // a string literal, or a piece of a template literal
	tokenNumber
	tokenRegexp
	tokenPunctuator
)

// token is one token. text is the source; for a string, the raw text between its delimiters.
type token struct {
	kind    tokenKind
	newline bool // a line ended before it
	escaped bool // a string with escape sequences: see unescape
	mark    byte // a punctuator that is one character, 0 for other tokens
	text    []byte
}

// is reports whether the token is that punctuator.
func (t *token) is(punctuator string) bool {
	return t.kind == tokenPunctuator && string(t.text) == punctuator
}

// maxNesting bounds the brackets whose opener is remembered. Deeper code is still read; only the meaning of a slash after
// a closing parenthesis may be guessed wrong there.
const maxNesting = 256

// lexer reads JavaScript token by token, in constant memory. It never fails: what is no JavaScript yields tokens too.
type lexer struct {
	text       []byte
	pos        int
	divides    bool // a slash divides; else it begins a regular expression
	lineStart  bool
	control    bool // the last name was if, while, for or with
	depth      int
	afterParen [maxNesting]bool // per open bracket: a slash after its end begins a regular expression
	template   [maxNesting]bool // per open brace: it is a template's ${
}

func newLexer(text []byte) lexer { return lexer{text: text, lineStart: true} }

// next returns the next token, tokenEnd at the end.
func (l *lexer) next() (t token) {
	l.read(&t)
	return t
}

// read is next for a token that is used again.
func (l *lexer) read(t *token) {
	newline := false
	if l.pos < len(l.text) && blankStart[l.text[l.pos]] {
		newline = l.space()
	}
	if l.pos >= len(l.text) {
		*t = token{kind: tokenEnd, newline: newline}
		return
	}
	l.scan(t)
	t.newline, l.lineStart = newline, false
}

// blankStart has the bytes with which white space and comments may begin.
var blankStart = func() (t [256]bool) {
	for c := range t {
		t[c] = c <= ' ' || c == '/' || c == '<' || c == '-' || c == 0xC2 || c == 0xEF || c == 0xE2
	}
	return t
}()

func (l *lexer) scan(t *token) {
	start, c := l.pos, l.text[l.pos]
	switch {
	case nameByte(c) && (c < '0' || c > '9'):
		l.pos = l.nameEnd(l.pos + 1)
		text := l.text[start:l.pos]
		l.divides, l.control = true, false
		if n := len(text); n >= 2 && n <= len("instanceof") {
			l.divides, l.control = !keywordBeforeOperand(text), controlKeyword(text)
		}
		*t = token{kind: tokenName, text: text}
	case '0' <= c && c <= '9', c == '.' && l.pos+1 < len(l.text) && '0' <= l.text[l.pos+1] && l.text[l.pos+1] <= '9':
		for l.pos < len(l.text) && (nameByte(l.text[l.pos]) || l.text[l.pos] == '.') {
			l.pos++
		}
		l.divides, l.control = true, false
		*t = token{kind: tokenNumber, text: l.text[start:l.pos]}
	case c == '"' || c == '\'':
		*t = l.quoted(c)
	case c == '`':
		l.pos++
		*t = l.templatePiece()
	case c == '/' && !l.divides:
		end := l.regexpEnd()
		if end == 0 {
			l.punctuator(t)
			return
		}
		l.pos = end
		l.divides, l.control = true, false
		*t = token{kind: tokenRegexp, text: l.text[start:end]}
	default:
		l.punctuator(t)
	}
}

// space skips white space and comments; it reports whether a line ended.
func (l *lexer) space() (newline bool) {
	for l.pos < len(l.text) {
		c := l.text[l.pos]
		switch {
		case c == '\n' || c == '\r':
			newline, l.lineStart = true, true
			l.pos++
		case c <= ' ':
			l.pos++
		case c == '/' && l.has("//"), c == '<' && l.has("<!--"), c == '-' && l.lineStart && l.has("-->"):
			// ECMA-262, B.1.1: HTML-like comments run to the end of the line.
			for l.pos < len(l.text) && l.text[l.pos] != '\n' && l.text[l.pos] != '\r' {
				l.pos++
			}
		case c == '/' && l.has("/*"):
			newline = l.blockComment() || newline
		case c == 0xC2 && l.has("\u00a0"):
			l.pos += 2
		case c == 0xEF && l.has("\ufeff"), c == 0xE2 && (l.has("\u2028") || l.has("\u2029")):
			newline = newline || c == 0xE2
			l.pos += 3
		default:
			return newline
		}
	}
	return newline
}

func (l *lexer) blockComment() (newline bool) {
	for l.pos += 2; l.pos < len(l.text); l.pos++ {
		if l.has("*/") {
			l.pos += 2
			return newline
		}
		newline = newline || l.text[l.pos] == '\n'
	}
	return newline
}

func (l *lexer) has(s string) bool {
	return len(l.text)-l.pos >= len(s) && string(l.text[l.pos:l.pos+len(s)]) == s
}

func (l *lexer) nameEnd(i int) int {
	for i < len(l.text) && nameByte(l.text[i]) {
		i++
	}
	return i
}

// nameByte takes every non-ASCII byte for part of a name.
func nameByte(c byte) bool { return nameBytes[c] }

var nameBytes = func() (t [256]bool) {
	for c := range t {
		t[c] = ascii.Alphanumeric(byte(c)) || c == '_' || c == '$' || c == '\\' || c >= utf8.RuneSelf
	}
	return t
}()

// quoted reads a string literal. One that the line ends before its quote ends there.
func (l *lexer) quoted(quote byte) token {
	start := l.pos + 1
	t := token{kind: tokenString}
	l.divides, l.control = true, false
	for i := start; i < len(l.text); i++ {
		switch c := l.text[i]; {
		case !quotedStop[c]:
		case c == quote:
			t.text, l.pos = l.text[start:i], i+1
			return t
		case c == '\\':
			t.escaped = true
			i++
		case c == '\n':
			t.text, l.pos = l.text[start:i], i
			return t
		}
	}
	t.text, l.pos = l.text[start:], len(l.text)
	return t
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

// regexpEnd returns where the regular expression at pos ends, flags included, 0 if none ends on this line.
func (l *lexer) regexpEnd() int {
	class := false
	for i := l.pos + 1; i < len(l.text); i++ {
		switch l.text[i] {
		case '\\':
			i++
		case '[':
			class = true
		case ']':
			class = false
		case '\n', '\r':
			return 0
		case '/':
			if !class {
				return l.nameEnd(i + 1)
			}
		}
	}
	return 0
}

func (l *lexer) open(afterRegexp, template bool) {
	if l.depth < maxNesting {
		l.afterParen[l.depth], l.template[l.depth] = afterRegexp, template
	}
	l.depth++
}

// shut closes a bracket and reports what open was told.
func (l *lexer) shut() (regexp, template bool) {
	if l.depth == 0 {
		return false, false
	}
	l.depth--
	if l.depth >= maxNesting {
		return false, false
	}
	return l.afterParen[l.depth], l.template[l.depth]
}

// punctuator reads one; those made of several characters matter only where they contain = or begin with a character that
// means something else alone.
func (l *lexer) punctuator(t *token) {
	start := l.pos
	c := l.text[l.pos]
	l.pos++
	l.divides = false
	switch c {
	case '(':
		l.open(l.control, false)
	case '[':
		l.open(false, false)
	case '{':
		l.open(true, false)
	case ')', ']', '}':
		regexp, template := l.shut()
		if template && c == '}' {
			l.control = false
			*t = l.templatePiece()
			return
		}
		l.divides = c == ']' || !regexp
	case '+', '-', '&', '|', '?':
		if l.pos < len(l.text) && l.text[l.pos] == c {
			l.pos++
			l.divides = c == '+' || c == '-'
		}
		l.equals(1)
	case '=', '!':
		l.equals(2)
		if c == '=' && l.pos == start+1 && l.pos < len(l.text) && l.text[l.pos] == '>' {
			l.pos++
		}
	case '<', '>', '*', '%', '^', '/':
		l.equals(1)
	}
	l.control = false
	*t = token{kind: tokenPunctuator, text: l.text[start:l.pos]}
	if l.pos == start+1 {
		t.mark = c
	}
}

// equals takes up to n equal signs into the punctuator.
func (l *lexer) equals(n int) {
	for ; n > 0 && l.pos < len(l.text) && l.text[l.pos] == '='; n-- {
		l.pos++
	}
}

// keywordBeforeOperand reports whether an operand, hence maybe a regular expression, follows the name.
func keywordBeforeOperand(name []byte) bool {
	switch string(name) {
	case "return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "do", "instanceof", "yield", "await":
		return true
	}
	return false
}

func controlKeyword(name []byte) bool {
	switch string(name) {
	case "if", "while", "for", "with":
		return true
	}
	return false
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
