package css

import (
	"bytes"
	"io"

	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
)

// mode is what the bytes at hand belong to, where that can outlast the bytes at hand.
type mode uint8

const (
	normal   mode = iota
	comment       // after /*
	name          // within an identifier that is too long to matter
	text          // within a string that passes
	skipText      // within a string that was cut off
	open          // after url(
	url           // within an unquoted URL, good or bad, that passes
	skipURL       // within an unquoted URL that was cut off
)

// maxName is the length above which an identifier, each of its characters written as an escape, is none of those that matter.
const maxName = 192

// scanner is the state between two pieces of a sheet.
type scanner struct {
	*Options
	w   io.Writer // receives the output, or, if nil,
	dst []byte    // does
	err error

	mode  mode
	quote byte
	depth int // of data: URLs around
	known int // bytes of the incomplete token at hand that were looked at before

	declaration bool // a declaration may begin here
	custom      bool // within a custom property, or within @property
	property    bool
	imports     bool // after @import, before its URL
	namespace   bool // within the prelude of @namespace
	fontFace    bool // after @font-face
	font        bool // within its block
	top         bool // before the first block, where preload scanners look for @import
	functions   int  // depth of parentheses since image-set(, image( or src(

	from int // the first byte of the piece that is not written yet
}

// The bytes at which something may begin. Everything between them is passed over.
const (
	classAlways    = 1 << iota // quotes, backslash, slash, parenthesis, at, braces, semicolon
	classFunction              // the closing parenthesis
	className                  // what identifiers are made of
	classURL                   // what ends or spoils an unquoted URL
	classToken                 // of classAlways, all but what separates declarations
	classSeparator             // the rest of it
)

var classes = func() (t [256]uint8) {
	for _, c := range "\"'\\/(@{};" {
		t[c] |= classAlways
	}
	for _, c := range "\"'\\/(@" {
		t[c] |= classToken
	}
	for _, c := range "{};" {
		t[c] |= classSeparator
	}
	t[')'] |= classFunction
	for c := range t {
		if c >= 0x80 || c == '-' || c == '_' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' {
			t[c] |= className
		}
		if c < 0x20 && c != 0 || c == 0x7f {
			t[c] |= classURL
		}
	}
	for _, c := range "\"'() \\" {
		t[c] |= classURL
	}
	return t
}()

// scan works through a piece and returns how much of it is done with; the rest must come again with more behind it. With
// final all is done.
func (s *scanner) scan(buf []byte, final bool) int {
	s.from = 0
	i := 0
	for i < len(buf) && s.err == nil {
		next := i
		switch s.mode {
		case normal:
			next = s.scanNormal(buf, i, final)
		case comment:
			next = s.scanComment(buf, i, final)
		case name:
			next = s.scanName(buf, i, final)
		case text, skipText:
			next = s.scanText(buf, i, final)
		case open:
			next = s.scanOpen(buf, i, final)
		case url, skipURL:
			next = s.scanURL(buf, i, final)
		}
		if next < 0 {
			i = ^next
			break
		}
		i = next
	}
	if s.from < i {
		s.emit(buf[s.from:i])
	}
	return i
}

// hold is the answer of the scan functions that need more input: everything from i on comes again.
func hold(i int) int { return ^i }

func (s *scanner) emit(p []byte) {
	if s.w == nil {
		s.dst = append(s.dst, p...)
	} else if s.err == nil && len(p) > 0 {
		_, s.err = s.w.Write(p)
	}
}

// replace writes what is not written yet up to start, and with in place of the bytes up to end.
func (s *scanner) replace(buf []byte, start, end int, with []byte) {
	if s.from < start {
		s.emit(buf[s.from:start])
	}
	s.emit(with)
	s.from = end
}

// scanNormal passes over plain text until something begins, and handles that.
func (s *scanner) scanNormal(buf []byte, i int, final bool) int {
	for {
		if s.declaration && i < len(buf) && ascii.IsLetter(buf[i]) { // as most declarations begin
			s.declaration = false
		}
		if s.declaration {
			if i = s.beginDeclaration(buf, i, final); i < 0 || s.declaration || s.mode != normal {
				return i
			}
		}
		var j int
		if s.unconcerned() {
			if j = s.skipDeclarations(buf, i); s.declaration && j < len(buf) {
				i = j
				continue
			}
		} else {
			mask := uint8(classAlways)
			if s.functions > 0 {
				mask |= classFunction
			}
			j = skipPlain(buf, i, mask)
		}
		if j == len(buf) {
			if final {
				return j
			}
			return hold(nameStart(buf, i, j))
		}
		switch c := buf[j]; c {
		case '{', '}', ';':
			s.punctuation(c)
		case '"', '\'':
			return s.stringToken(buf, j, final, s.imports || s.functions > 0)
		case '/':
			return s.slash(buf, j, final)
		case '\\':
			return s.escapedName(buf, i, j, final)
		case '(':
			s.function(buf[nameStart(buf, i, j):j])
			if s.mode != normal {
				return j + 1
			}
		case ')':
			s.functions--
		case '@':
			return s.atKeyword(buf, j, final, false)
		}
		i = j + 1
	}
}

// nameStart returns where the identifier that ends before end begins, not before low, together with the byte before it,
// which tells whether it is one.
func nameStart(buf []byte, low, end int) int {
	low = max(low, end-maxName)
	for end > low && classes[buf[end-1]]&className != 0 {
		end--
	}
	if end > low && (buf[end-1] == '#' || buf[end-1] == '@') {
		end--
	}
	return end
}

// punctuation follows { } and ; as far as the rules it looks at need.
func (s *scanner) punctuation(c byte) {
	s.declaration, s.custom = true, s.property
	switch c {
	case '{':
		s.font, s.top = s.fontFace, false
	case '}':
		s.font, s.property, s.custom = false, false, false
	}
	s.fontFace, s.imports, s.namespace = false, false, false
}

// beginDeclaration tells custom properties from others: by their first two bytes, or by an escape, which could be one of these.
func (s *scanner) beginDeclaration(buf []byte, i int, final bool) int {
	for i < len(buf) && ascii.IsSpace(buf[i]) {
		i++
	}
	if i == len(buf) {
		return i
	}
	switch {
	case buf[i] == '/':
		return s.slash(buf, i, final)
	case buf[i] == '@':
		return s.atKeyword(buf, i, final, true)
	case buf[i] == '\\':
		s.custom = true
	case buf[i] == '-':
		if i+1 == len(buf) && !final {
			return hold(i)
		}
		s.custom = s.custom || i+1 < len(buf) && (buf[i+1] == '-' || buf[i+1] == '\\')
	}
	s.declaration = false
	return i
}

// slash begins a comment or is a delimiter.
func (s *scanner) slash(buf []byte, i int, final bool) int {
	if i+1 == len(buf) && !final {
		return hold(i)
	}
	if i+1 < len(buf) && buf[i+1] == '*' {
		s.mode = comment
		return i + 2
	}
	s.declaration = false
	return i + 1
}

func (s *scanner) scanComment(buf []byte, i int, final bool) int {
	for {
		n := bytes.IndexByte(buf[i:], '*')
		if n < 0 {
			return len(buf)
		}
		i += n + 1
		if i == len(buf) {
			if final {
				return i
			}
			return hold(i - 1)
		}
		if buf[i] == '/' {
			s.mode = normal
			return i + 1
		}
	}
}

// scanText goes to the end of a string whose fate is decided (CSS Syntax 3, 4.3.5): its quote, or a line's end, which
// belongs to what follows.
func (s *scanner) scanText(buf []byte, i int, final bool) int {
	end, closed := stringEnd(buf, i, s.quote)
	if s.mode == skipText {
		s.from = end
	}
	if !closed {
		if end < len(buf) && !final {
			return hold(end)
		}
		return len(buf)
	}
	s.mode = normal
	if buf[end] == s.quote {
		return end + 1
	}
	return end
}

// stringEnd returns the index of what ends the string whose inside begins at i. When nothing does, it is where
// to look again: the end, or a backslash that has nothing after it.
func stringEnd(buf []byte, i int, quote byte) (end int, closed bool) {
	for ; i < len(buf); i++ {
		switch c := buf[i]; {
		case c == quote, isNewline(c):
			return i, true
		case c == '\\':
			if i+1 == len(buf) || buf[i+1] == '\r' && i+2 == len(buf) {
				return i, false
			}
			if i++; buf[i] == '\r' && buf[i+1] == '\n' {
				i++
			}
		}
	}
	return i, false
}

// scanOpen passes over the white space after "url(" (CSS Syntax 3, 4.3.4) and judges what follows it.
func (s *scanner) scanOpen(buf []byte, i int, final bool) int {
	for i < len(buf) && ascii.IsSpace(buf[i]) {
		i++
	}
	if i == len(buf) {
		return i
	}
	if buf[i] != '"' && buf[i] != '\'' {
		return s.unquoted(buf, i, final)
	}
	next := s.stringToken(buf, i, final, true)
	if next >= 0 && s.functions > 0 {
		s.functions++ // with a string, it is a function like others
	}
	return next
}

// scanURL goes to the end of an unquoted URL whose fate is decided (CSS Syntax 3, 4.3.14).
func (s *scanner) scanURL(buf []byte, i int, final bool) int {
	for ; i < len(buf) && buf[i] != ')'; i++ {
		if buf[i] != '\\' {
			continue
		}
		if i+1 == len(buf) && !final {
			break
		}
		if i+1 < len(buf) && !isNewline(buf[i+1]) {
			i++
		}
	}
	if s.mode == skipURL {
		s.from = min(i, len(buf))
	}
	if i >= len(buf) {
		return len(buf)
	}
	if buf[i] == '\\' {
		return hold(i)
	}
	s.mode = normal
	return i + 1
}

func isNewline(c byte) bool { return c == '\n' || c == '\r' || c == '\f' }
