package javascript

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/caddy-consent/caddy-consent/rules/internal/ascii"
)

// tokenKind classifies JavaScript tokens (ECMA-262, 12 "Lexical Grammar") as far as the reader needs.
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
	word    word // what a name means
	text    []byte
}

// is reports whether the token is that punctuator.
func (t *token) is(punctuator string) bool {
	return t.kind == tokenPunctuator && string(t.text) == punctuator
}

// maxNesting bounds the brackets whose opener is remembered. Deeper code is still read; only the meaning of a slash after
// a closing parenthesis may be guessed wrong there.
const maxNesting = 256

// nesting has a bit for each open bracket.
type nesting [maxNesting / 64]uint64

func (n *nesting) set(depth int, on bool) {
	if depth >= maxNesting {
		return
	}
	mask := uint64(1) << (depth & 63)
	if n[depth>>6] &^= mask; on {
		n[depth>>6] |= mask
	}
}

func (n *nesting) has(depth int) bool {
	return depth < maxNesting && n[depth>>6]>>(depth&63)&1 != 0
}

// lexer reads JavaScript token by token, in constant memory. It never fails: what is no JavaScript yields tokens too.
type lexer struct {
	text       []byte
	pos        int
	divides    bool // a slash divides; else it begins a regular expression
	lineStart  bool
	control    bool // the last name was if, while, for or with
	wasted     int  // bytes that were looked through for the end of a regular expression in vain
	depth      int
	afterParen nesting // a slash after the bracket's end begins a regular expression
	template   nesting // the brace is a template's ${
}

func newLexer(text []byte) lexer { return lexer{text: text, lineStart: true} }

// next returns the next token, tokenEnd at the end.
func (l *lexer) next() (t token) {
	l.read(&t)
	return t
}

// read is next for a token that is used again.
func (l *lexer) read(t *token) {
	text, i := l.text, l.pos
	if i < len(text) && text[i] == ' ' { // mostly one is all there is
		i++
	}
	newline := false
	if i < len(text) && class[text[i]] == classBlank {
		l.pos = i
		newline = l.space()
		i = l.pos
	}
	if i >= len(text) {
		l.pos = i
		*t = token{kind: tokenEnd, newline: newline}
		return
	}
	switch c := text[i]; class[c] {
	case className:
		end := i + 1
		for end < len(text) && nameBytes[text[end]] {
			end++
		}
		l.pos = end
		var w word
		if wordLengths[c]>>(end-i)&1 != 0 {
			w = wordOf(text[i:end])
		}
		l.divides, l.control = w&wordOperand == 0, w&wordControl != 0
		t.kind, t.newline, t.escaped, t.mark, t.word, t.text = tokenName, newline, false, 0, w, text[i:end]
	case classMark:
		l.pos = i + 1
		l.divides, l.control = false, false
		t.kind, t.newline, t.escaped, t.mark, t.word, t.text = tokenPunctuator, newline, false, c, 0, text[i:i+1]
	case classPunctuator:
		l.pos = i
		l.punctuator(t)
		t.newline = newline
	default:
		l.pos = i
		l.scan(t, c)
		t.newline = newline
	}
	l.lineStart = false
}

// What a token may begin with.
const (
	classMark       = iota // a punctuator of one character that leaves nothing to be remembered
	classPunctuator        // other punctuators
	className              // a name, but for what is in other classes
	classBlank             // white space or a comment, or what may be one: else as scan says
	classOther             // see scan
)

var class = func() (t [256]uint8) {
	for i := range t {
		switch c := byte(i); {
		case c <= ' ' || c == '/' || c == '<' || c == '-' || c == 0xC2 || c == 0xEF || c == 0xE2:
			t[i] = classBlank
		case nameByte(c) && (c < '0' || c > '9'):
			t[i] = className
		case strings.IndexByte("()[]{}+&|?=!>*%^", c) >= 0:
			t[i] = classPunctuator
		case strings.IndexByte("0123456789.\"'`", c) >= 0:
			t[i] = classOther
		}
	}
	return t
}()

func (l *lexer) scan(t *token, c byte) {
	start := l.pos
	switch {
	case c == '"' || c == '\'':
		l.quoted(t, c)
	case '0' <= c && c <= '9', c == '.' && l.pos+1 < len(l.text) && '0' <= l.text[l.pos+1] && l.text[l.pos+1] <= '9':
		for l.pos < len(l.text) && (nameByte(l.text[l.pos]) || l.text[l.pos] == '.') {
			l.pos++
		}
		l.divides, l.control = true, false
		*t = token{kind: tokenNumber, text: l.text[start:l.pos]}
	case nameByte(c): // a byte that some white space begins with, too
		l.pos = l.nameEnd(l.pos + 1)
		l.divides, l.control = true, false
		*t = token{kind: tokenName, text: l.text[start:l.pos]}
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
			l.pos = lineEnd(l.text, l.pos)
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

// lineEnd returns where the line ends. It looks at no more than a window beyond that, whichever way lines end.
func lineEnd(text []byte, from int) int {
	const window = 256
	for ; from < len(text); from += window {
		line := text[from:min(len(text), from+window)]
		end := bytes.IndexByte(line, '\n')
		if end >= 0 {
			line = line[:end]
		}
		if cr := bytes.IndexByte(line, '\r'); cr >= 0 {
			end = cr
		}
		if end >= 0 {
			return from + end
		}
	}
	return len(text)
}

func (l *lexer) blockComment() (newline bool) {
	comment := l.text[l.pos+2:]
	l.pos = len(l.text)
	if end := bytes.Index(comment, []byte("*/")); end >= 0 {
		l.pos += end + len("*/") - len(comment)
		comment = comment[:end]
	}
	return bytes.IndexByte(comment, '\n') >= 0
}

func (l *lexer) has(s string) bool {
	return bytes.HasPrefix(l.text[l.pos:], []byte(s))
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

func (l *lexer) open(afterRegexp, template bool) {
	l.afterParen.set(l.depth, afterRegexp)
	l.template.set(l.depth, template)
	l.depth++
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
		var regexp, template bool
		if l.depth > 0 {
			l.depth--
			regexp, template = l.afterParen.has(l.depth), l.template.has(l.depth)
		}
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
	if l.pos > start+1 {
		c = 0
	}
	t.kind, t.escaped, t.mark, t.word, t.text = tokenPunctuator, false, c, 0, l.text[start:l.pos]
}

// equals takes up to n equal signs into the punctuator.
func (l *lexer) equals(n int) {
	for ; n > 0 && l.pos < len(l.text) && l.text[l.pos] == '='; n-- {
		l.pos++
	}
}
