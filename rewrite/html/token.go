package html

import (
	"bytes"

	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
)

// kind is what next found.
type kind uint8

const (
	kindMore     kind = iota // nothing more can be decided: the bytes from start on are needed again
	kindStartTag             // b[start:end] is a whole start tag, described by tokenizer.tag
	kindEndTag               // b[start:end] is a whole end tag, described by tokenizer.tag
	kindComment              // b[start:end] is a comment, a bogus comment, a piece of one or a stray "</>"
	kindDoctype              // b[start:end] is a DOCTYPE
	kindCDATA                // b[start:end] is a CDATA section or a piece of one
	kindPI                   // b[start:end] is a processing instruction (XML) or a piece of one
)

type state uint8

const (
	stateData state = iota
	stateTag
	stateComment
	stateBogus // up to '>': bogus comment and DOCTYPE
	stateCDATA
	statePI
	stateRaw // RCDATA and RAWTEXT: up to the appropriate end tag
	stateScript
	statePlaintext
)

// tokenizer finds the tokens of HTML (WHATWG HTML, 13.2.5) or, with xml, of XML, in bytes that come in pieces. It holds
// positions only: what is not yet decided stays with the caller. It recognises each construct by its bounds, so that a
// byte of text costs a fraction of a memory scan and a tag's attributes are described while it is passed over.
type tokenizer struct {
	state state
	xml   bool
	cdata bool // CDATA sections exist (XML; foreign content in the conformance tests)

	kind    kind   // of the construct that goes on over the end of a piece
	first   bool   // the piece that was returned is the construct's first
	rawName string // the element whose end tag ends stateRaw, in lower case
	skim    int    // data passes over tags of at most so many bytes that mean nothing to anybody; 0 for none
	script  scriptState
	tag     tag
	poor    int // how often in a row scan gained little, up to a limit
	idle    int // how often it is left out for that
}

// next returns the first construct of b[p:] that is not text; the text before it is b[p:start]. When it returns kindMore,
// the caller must call again with more bytes that begin with b[start:]. eof says that no bytes follow.
func (t *tokenizer) next(b []byte, p int, eof bool) (k kind, start, end int) {
	switch t.state {
	case stateData:
		return t.data(b, p, eof)
	case stateTag:
		return t.inTag(b, p)
	case stateComment:
		return t.until(b, p, eof, commentEndOf(t.xml))
	case stateBogus:
		return t.until(b, p, eof, bogusEnd)
	case stateCDATA:
		return t.until(b, p, eof, cdataEnd)
	case statePI:
		return t.until(b, p, eof, piEnd)
	case stateRaw:
		return t.raw(b, p, eof)
	case stateScript:
		return t.scriptData(b, p, eof)
	}
	return kindMore, len(b), len(b)
}

// data implements the data, tag open, end tag open and markup declaration open states.
func (t *tokenizer) data(b []byte, p int, eof bool) (kind, int, int) {
	for {
		if t.skim > 0 {
			var end int
			if p, end = t.skip(b, p); end > 0 {
				return kindStartTag, p, end
			}
		}
		if p >= len(b) || b[p] != '<' {
			i := bytes.IndexByte(b[p:], '<')
			if i < 0 {
				return kindMore, len(b), len(b)
			}
			p += i
		}
		if p+1 == len(b) {
			return kindMore, p, p
		}
		switch c := b[p+1]; {
		case ascii.IsLetter(c) || (t.xml && c >= 0x80) || (t.xml && (c == '_' || c == ':')):
			if n := t.tag.start(b[p:]); n > 0 {
				return kindStartTag, p, p + n
			}
			t.tag.reset(false)
			t.state = stateTag
			return t.inTag(b, p)
		case c == '/':
			if p+2 == len(b) {
				return kindMore, p, p
			}
			switch d := b[p+2]; {
			case ascii.IsLetter(d) || t.xml:
				if n := t.tag.close(b[p:]); n > 0 {
					return kindEndTag, p, p + n
				}
				t.tag.reset(true)
				t.state = stateTag
				return t.inTag(b, p)
			case d == '>':
				t.first = true
				return kindComment, p, p + 3
			}
			return t.open(b, p, 2, eof, stateBogus, kindComment, bogusEnd)
		case c == '!':
			return t.markup(b, p, eof)
		case c == '?' && t.xml:
			return t.open(b, p, 2, eof, statePI, kindPI, piEnd)
		case c == '?':
			return t.open(b, p, 1, eof, stateBogus, kindComment, bogusEnd)
		}
		p++
	}
}

// markup implements the markup declaration open state; b[p:] begins with "<!".
func (t *tokenizer) markup(b []byte, p int, eof bool) (kind, int, int) {
	rest := b[p+2:]
	switch {
	case bytes.HasPrefix(rest, []byte("--")):
		return t.open(b, p, 4, eof, stateComment, kindComment, commentEndOf(t.xml))
	case len(rest) >= 7 && ascii.EqualFold(rest[:7], "doctype"):
		return t.open(b, p, 9, eof, stateBogus, kindDoctype, t.doctypeEnd())
	case t.cdata && bytes.HasPrefix(rest, []byte("[CDATA[")):
		return t.open(b, p, 9, eof, stateCDATA, kindCDATA, cdataEnd)
	case !eof && (len(rest) < 7 && isPrefixFold(rest, "doctype") || len(rest) < 2 && isPrefixFold(rest, "--") ||
		len(rest) < 7 && bytes.HasPrefix([]byte("[CDATA["), rest)):
		return kindMore, p, p
	}
	return t.open(b, p, 2, eof, stateBogus, kindComment, bogusEnd)
}

// doctypeEnd: in XML a DOCTYPE may hold an internal subset with '>' in it, which the caller looks into.
func (t *tokenizer) doctypeEnd() endFunc {
	if t.xml {
		return xmlDoctypeEnd
	}
	return bogusEnd
}

// commentEndOf: in XML only "-->" ends a comment. (XML 1.0, 2.5)
func commentEndOf(xml bool) endFunc {
	if xml {
		return xmlCommentEnd
	}
	return commentEnd
}

// open begins a construct whose content begins n bytes after p.
func (t *tokenizer) open(b []byte, p, n int, eof bool, s state, k kind, end endFunc) (kind, int, int) {
	q, safe := end(b[p+n:], true, eof)
	t.first = true
	if q >= 0 {
		return k, p, p + n + q
	}
	if safe == 0 && !eof {
		return kindMore, p, p
	}
	t.state, t.kind = s, k
	if t.xml && (k == kindDoctype || k == kindPI) && !eof {
		t.state = stateData // held whole: the caller bounds it
		return kindMore, p, p
	}
	if eof {
		return k, p, len(b)
	}
	return k, p, p + n + safe
}

// until goes on with a construct that was opened in an earlier piece.
func (t *tokenizer) until(b []byte, p int, eof bool, end endFunc) (kind, int, int) {
	q, safe := end(b[p:], false, eof)
	t.first = false
	switch {
	case q >= 0:
		t.state = stateData
		return t.kind, p, p + q
	case eof:
		safe = len(b) - p
	}
	if safe == 0 {
		return kindMore, p, p
	}
	return t.kind, p, p + safe
}

// endFunc finds the end of a construct's content: q is the index after it, or -1 and the number of bytes that cannot be
// part of the end. first says that s begins with the content.
type endFunc func(s []byte, first, eof bool) (q, safe int)

func bogusEnd(s []byte, _, _ bool) (q, safe int) {
	if i := bytes.IndexByte(s, '>'); i >= 0 {
		return i + 1, 0
	}
	return -1, len(s)
}

// commentEnd implements the comment states: "-->" and "--!>" end a comment, and at its start ">" and "->" do.
func commentEnd(s []byte, first, _ bool) (q, safe int) {
	if first {
		if len(s) == 0 || (len(s) == 1 && s[0] == '-') {
			return -1, 0
		}
		if s[0] == '>' {
			return 1, 0
		}
		if s[0] == '-' && s[1] == '>' {
			return 2, 0
		}
	}
	for i := 0; ; i++ {
		j := bytes.IndexByte(s[i:], '>')
		if j < 0 {
			break
		}
		i += j
		if i >= 2 && s[i-1] == '-' && s[i-2] == '-' || i >= 3 && s[i-1] == '!' && s[i-2] == '-' && s[i-3] == '-' {
			return i + 1, 0
		}
	}
	safe = len(s)
	if safe > 0 && s[safe-1] == '!' {
		safe--
	}
	for n := 0; n < 2 && safe > 0 && s[safe-1] == '-'; n++ {
		safe--
	}
	if first && safe < 2 {
		safe = 0
	}
	return -1, safe
}

func cdataEnd(s []byte, _, _ bool) (q, safe int)      { return sequenceEnd(s, "]]>", ']') }
func piEnd(s []byte, _, _ bool) (q, safe int)         { return sequenceEnd(s, "?>", '?') }
func xmlCommentEnd(s []byte, _, _ bool) (q, safe int) { return sequenceEnd(s, "-->", '-') }

func sequenceEnd(s []byte, end string, c byte) (q, safe int) {
	if i := bytes.Index(s, []byte(end)); i >= 0 {
		return i + len(end), 0
	}
	safe = len(s)
	for n := 1; n < len(end) && safe > 0 && s[safe-1] == c; n++ {
		safe--
	}
	return -1, safe
}

// xmlDoctypeEnd finds the '>' outside of quotes, comments and the internal subset. (XML 1.0, 2.8)
func xmlDoctypeEnd(s []byte, _, _ bool) (q, safe int) {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '"', '\'':
			j := bytes.IndexByte(s[i+1:], c)
			if j < 0 {
				return -1, 0
			}
			i += j + 1
		case '<':
			if bytes.HasPrefix(s[i:], []byte("<!--")) {
				j := bytes.Index(s[i+4:], []byte("-->"))
				if j < 0 {
					return -1, 0
				}
				i += j + 6
			}
		case '[':
			depth++
		case ']':
			depth--
		case '>':
			if depth <= 0 {
				return i + 1, 0
			}
		}
	}
	return -1, 0
}

// inTag goes on with the tag that begins at b[p].
func (t *tokenizer) inTag(b []byte, p int) (kind, int, int) {
	n := t.tag.scan(b[p:])
	if n < 0 {
		return kindMore, p, p // at the end of the document (eof-in-tag) the tag does not exist
	}
	t.state = stateData
	if t.tag.end {
		return kindEndTag, p, p + n
	}
	return kindStartTag, p, p + n
}

// raw implements the RCDATA and RAWTEXT states.
func (t *tokenizer) raw(b []byte, p int, eof bool) (kind, int, int) {
	for {
		i := bytes.IndexByte(b[p:], '<')
		if i < 0 {
			return kindMore, len(b), len(b)
		}
		p += i
		switch matchEndTag(b[p:], t.rawName) {
		case matched:
			t.tag.reset(true)
			t.state = stateTag
			return t.inTag(b, p)
		case undecided:
			if !eof {
				return kindMore, p, p
			}
		}
		p++
	}
}

type match uint8

const (
	unmatched match = iota
	undecided
	matched
)

// enter switches to the state that follows an element's start tag, as a tokenizer without a tree does it. noscript is read
// as markup.
func (t *tokenizer) enter(el *element) {
	switch {
	case el.flags&flagScript != 0:
		t.state, t.script = stateScript, scriptNormal
	case el.flags&flagPlain != 0:
		t.state = statePlaintext
	case el.flags&flagRaw != 0:
		t.state, t.rawName = stateRaw, el.name
	}
}

// matchEndTag reports whether s begins with an appropriate end tag for name, up to the byte after the name.
func matchEndTag(s []byte, name string) match {
	if len(s) < 2 {
		return undecided
	}
	if s[1] != '/' {
		return unmatched
	}
	return matchName(s[2:], name)
}

// matchName reports whether s begins with name and a byte that ends a tag's name.
func matchName(s []byte, name string) match {
	if len(s) <= len(name) {
		if isPrefixFold(s, name) {
			return undecided
		}
		return unmatched
	}
	if ascii.EqualFold(s[:len(name)], name) && endsName(s[len(name)]) {
		return matched
	}
	return unmatched
}

// endsName reports the bytes that end a tag's name: white space (CR is normalised to LF), '/' and '>'.
func endsName(c byte) bool { return nameByte[c] == 0 }

// isPrefixFold reports whether lower, which is in lower case and not the shorter one, begins with s, whatever the case of s's
// ASCII letters.
func isPrefixFold(s []byte, lower string) bool { return ascii.EqualFold(s, lower[:len(s)]) }
