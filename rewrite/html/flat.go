package html

import (
	"bytes"
	"strconv"

	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
)

// beginsMarkup reports what behind a '<' begins a tag, a declaration or a processing instruction.
func beginsMarkup(c byte) bool { return ascii.IsLetter(c) || c == '/' || c == '!' || c == '?' }

// appendMarkupText appends text in which references count.
func (r *Rewriter) appendMarkupText(dst, s []byte) []byte {
	if r.o.XML {
		var whole bool
		s, whole = r.entities.expand(s)
		r.unread = r.unread || !whole
	}
	return appendText(dst, s, false)
}

// flattener reads the child text content of a style that is too large to be held: it is judged while it streams, and is what
// goes on, spelled so that every view reads it alike. What it makes does not depend on the pieces. Behind markup of any
// other kind, and behind a reference that is not followed, the rest is left out.
type flattener struct {
	on      bool
	in      flatState
	ended   bool   // no more of the source is read
	last    byte   // of the text that went on
	escaped bool   // what comes next has a backslash before it
	refs    int    // how many references may have been to entities
	carry   []byte // of the source: what cannot be told yet
}

type flatState uint8

const (
	flatText flatState = iota
	flatCDATA
	flatCommentStart
	flatComment
)

// maxReference is longer than any reference that is read.
const maxReference = 256

// read appends to dst the flat text of s, as far as it can be told, and returns how much of s that is.
func (f *flattener) read(r *Rewriter, dst, s []byte, eof bool) (out []byte, n int) {
	switch f.in {
	case flatCDATA:
		end, safe := cdataEnd(s, false, eof)
		if end >= 0 {
			f.in = flatText
			return append(dst, s[:end-len("]]>")]...), end
		}
		if eof {
			safe = len(s)
		}
		return append(dst, s[:safe]...), safe
	case flatCommentStart, flatComment:
		end, safe := commentEndOf(r.o.XML)(s, f.in == flatCommentStart, eof)
		if end >= 0 {
			f.in = flatText
			return dst, end
		}
		if safe > 0 {
			f.in = flatComment
		}
		return dst, safe
	}
	for n < len(s) && s[n] != '<' && !rewritten[s[n]] {
		n++
	}
	switch {
	case n > 0:
		return append(dst, s[:n]...), n
	case s[0] == '<':
		return f.markup(dst, s, eof)
	case s[0] == '&':
		return f.reference(r, dst, s, eof)
	case s[0] == '\r' && len(s) == 1 && !eof:
		return dst, 0
	case s[0] == '\r' && len(s) > 1 && s[1] == '\n':
		n++
	}
	return appendText(dst, s[:n+1], false), n + 1
}

// markup reads what begins with '<'.
func (f *flattener) markup(dst, s []byte, eof bool) (out []byte, n int) {
	const cdata, comment = "<![CDATA[", "<!--"
	switch {
	case bytes.HasPrefix(s, []byte(cdata)):
		f.in = flatCDATA
		return dst, len(cdata)
	case bytes.HasPrefix(s, []byte(comment)):
		f.in = flatCommentStart
		return dst, len(comment)
	case !eof && (bytes.HasPrefix([]byte(cdata), s) || bytes.HasPrefix([]byte(comment), s)):
		return dst, 0
	case len(s) > 1 && beginsMarkup(s[1]):
		f.ended = true
		return dst, 0
	}
	return append(dst, '<'), 1
}

// reference reads what begins with '&'.
func (f *flattener) reference(r *Rewriter, dst, s []byte, eof bool) (out []byte, n int) {
	for n = 1; n < len(s) && n < maxReference && inReference(s[n]); n++ {
	}
	if n == len(s) && n < maxReference && !eof {
		return dst, 0
	}
	if len(r.entities.names) > 0 {
		f.refs++
	}
	if n == maxReference || f.refs > maxReplacements {
		f.ended = true
		return dst, 0
	}
	if n < len(s) && s[n] == ';' {
		n++
	}
	r.unread = false
	dst = r.appendMarkupText(dst, s[:n])
	f.ended = r.unread
	return dst, n
}

func inReference(c byte) bool {
	return ascii.IsAlphanumeric(c) || c == '#' || c == '-' || c == '_' || c == '.' || c == ':' || c >= 0x80
}

// write passes the flat text of the source p on to the sheet, and keeps what cannot be told yet.
func (f *flattener) write(r *Rewriter, p []byte, eof bool) {
	if len(f.carry) > 0 {
		p = append(f.carry, p...)
	}
	for len(p) > 0 && !f.ended {
		var n int
		from, piece := len(r.text), p[:min(len(p), feed)]
		r.text, n = f.read(r, r.text, piece, eof && len(piece) == len(p))
		_, _ = r.style.sheet.Write(r.text[from:])
		r.text = r.text[:from]
		if n == 0 {
			break
		}
		p = p[n:]
	}
	if f.ended {
		p = nil
	}
	f.carry = append(f.carry[:0], p...)
}

// speller is where the flat text of a sheet goes when it has been judged.
type speller Rewriter

// Write implements io.Writer. In XML markup is escaped. In HTML what is markup to one view and not to another is written as
// an escape of CSS (CSS Syntax, 4.3.7): in a string or URL that is the same character, and elsewhere it names nothing.
func (w *speller) Write(p []byte) (int, error) {
	r := (*Rewriter)(w)
	f := &r.style.flat
	out := r.out[:0]
	for _, c := range p {
		switch {
		case r.o.XML && (c == '<' || c == '&' || c == '>' && f.last == ']'):
			out = appendEscaped(out, []byte{c})
		case !r.o.XML && (c == '<' || f.last == '&' && (ascii.IsAlphanumeric(c) || c == '#')):
			if !f.escaped {
				out = append(out, '\\')
			}
			out = append(strconv.AppendUint(out, uint64(c), 16), ' ')
		default:
			out = append(out, c)
		}
		f.last, f.escaped = c, c == '\\' && !f.escaped
	}
	r.emit(out)
	r.out = out[:0]
	return len(p), r.err
}
