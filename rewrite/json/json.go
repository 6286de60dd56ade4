// Package json finds the string values of a JSON text that hold HTML, while the text streams, and lets them be rewritten as
// the documents that they become in the page.
//
// It reads leniently, because what it does not understand must pass unchanged: several texts in a row, a callback around the
// text, a prefix against inclusion. Only strings are looked into, and of them only values, not names.
package json

import (
	"bytes"
	"fmt"
	"io"
)

// defaultLimit is how long the HTML within one string may be.
const defaultLimit = 1 << 20

// Options are what a text is rewritten with.
type Options struct {
	// HTML appends to dst what a fragment of HTML shall become, and returns it. It is given the unescaped text of a string from
	// its first tag on. If the answer is equal, the string keeps its bytes. It must not keep its arguments, and not be nil.
	HTML func(dst, html []byte) []byte
	// Limit bounds the HTML of one string as it is written in the text, in bytes; 0 stands for 1 MiB.
	Limit int
}

// LimitError says that a string held more HTML than Options.Limit. Nothing of that HTML was written.
type LimitError struct{ Limit int }

// Error implements error.
func (e *LimitError) Error() string {
	return fmt.Sprintf("JSON: HTML of more than %d bytes in one string", e.Limit)
}

// Rewriter rewrites one text that is written to it in any pieces; the output does not depend on them. It serves one
// goroutine at a time.
type Rewriter struct {
	o    Options
	w    io.Writer
	err  error
	mode mode
	at   structure

	held       []byte // the raw text of a string from its first possible tag on
	html, next []byte // scratch
}

type mode uint8

const (
	outside    mode = iota
	passing         // within a string that has no tag so far
	name            // within a name
	nameEscape      // after a backslash there
	maybe           // after what may begin a tag
	holding         // within a string, after its first tag
	heldEscape      // after a backslash there
)

// NewRewriter returns a Rewriter that writes to w.
func NewRewriter(w io.Writer, o Options) *Rewriter {
	if o.Limit <= 0 {
		o.Limit = defaultLimit
	}
	return &Rewriter{o: o, w: w}
}

// Write rewrites p, holding back at most the HTML of a string that is not complete. It returns a *LimitError or the error
// of the writer below, and then always the same.
func (r *Rewriter) Write(p []byte) (int, error) {
	from := 0 // the first byte that is neither written nor held
	for i := 0; i < len(p) && r.err == nil; {
		switch r.mode {
		case outside:
			i = r.outside(p, i)
		case name, nameEscape:
			i = r.name(p, i)
		case passing:
			i = r.pass(p, i)
			if r.mode == maybe || r.mode == holding {
				r.write(p[from:i])
				from = i
			}
		case maybe:
			r.held = append(r.held, p[i])
			i++
			from = i
			r.decide()
		case holding, heldEscape:
			i = r.hold(p, i)
			from = i
		}
	}
	r.write(p[from:])
	if r.err != nil {
		return 0, r.err
	}
	return len(p), nil
}

// Flush reports the state of the Rewriter: all but the HTML of an incomplete string is written already.
func (r *Rewriter) Flush() error { return r.err }

// Close ends the text. A string that is cut off there is no JSON, and passes as it is. The writer below stays open.
func (r *Rewriter) Close() error {
	r.write(r.held)
	r.held = nil
	return r.err
}

func (r *Rewriter) write(p []byte) {
	if len(p) > 0 && r.err == nil {
		_, r.err = r.w.Write(p)
	}
}

// structural are the bytes that mean something outside of strings.
var structural = [256]bool{'"': true, '{': true, '}': true, '[': true, ']': true, ',': true, ':': true}

// outside goes to the next string, following the structure on the way.
func (r *Rewriter) outside(p []byte, i int) int {
	for ; i < len(p); i++ {
		c := p[i]
		if !structural[c] {
			continue
		}
		if c != '"' {
			r.at.punctuation(c)
			continue
		}
		r.mode = passing
		if r.at.expectsName() {
			r.mode = name
		}
		return i + 1
	}
	return i
}

// name goes to the end of a name.
func (r *Rewriter) name(p []byte, i int) int {
	for ; i < len(p); i++ {
		switch c := p[i]; {
		case r.mode == nameEscape:
			r.mode = name
		case c == '\\':
			r.mode = nameEscape
		case c == '"':
			r.mode = outside
			return i + 1
		}
	}
	return i
}

// interesting are the bytes that mean something in a string.
var interesting = [256]bool{'"': true, '\\': true, '<': true}

// pass goes through a string up to its end or to what may begin a tag, which it begins to hold.
func (r *Rewriter) pass(p []byte, i int) int {
	for ; i < len(p); i++ {
		c := p[i]
		if !interesting[c] {
			continue
		}
		if c == '"' {
			r.mode = outside
			return i + 1
		}
		n, tag, known := beginsTag(p[i:])
		switch {
		case !known:
			r.mode, r.held = maybe, r.held[:0]
			return i
		case tag:
			r.mode, r.held = holding, r.held[:0]
			return i
		}
		i += n - 1
	}
	return i
}

// beginsTag looks whether the inside of a string goes on with a tag: "<" and a letter, slash, exclamation or question mark, each
// perhaps escaped. If not, n is the length of the first character. It is not known if more bytes could change that.
func beginsTag(raw []byte) (n int, tag, known bool) {
	first, n := char(raw)
	if n == 0 || first != '<' {
		return n, false, n > 0
	}
	second, m := char(raw[n:])
	tag = 'a' <= second|0x20 && second|0x20 <= 'z' || second == '/' || second == '!' || second == '?'
	return n, tag, m > 0
}

// decide follows beginsTag for what is held because that was not known.
func (r *Rewriter) decide() {
	n, tag, known := beginsTag(r.held)
	switch {
	case !known:
	case tag:
		r.mode = holding
	default:
		// What is behind the first character, a few bytes, is looked at again.
		again := append([]byte(nil), r.held[n:]...)
		r.write(r.held[:n])
		r.mode, r.held = passing, r.held[:0]
		if r.err == nil {
			_, r.err = r.Write(again)
		}
	}
}

// hold collects a string to its end and rewrites it there.
func (r *Rewriter) hold(p []byte, i int) int {
	begin := i
	for ; i < len(p); i++ {
		switch c := p[i]; {
		case r.mode == heldEscape:
			r.mode = holding
		case c == '\\':
			r.mode = heldEscape
		case c == '"':
			r.held = append(r.held, p[begin:i]...)
			if r.bounded() {
				r.rewrite()
			}
			r.held = r.held[:0]
			r.mode = passing
			return i
		}
	}
	r.held = append(r.held, p[begin:]...)
	r.bounded()
	return i
}

func (r *Rewriter) bounded() bool {
	if len(r.held) > r.o.Limit {
		r.err = &LimitError{r.o.Limit}
	}
	return r.err == nil
}

// rewrite asks for the HTML that is held and writes the answer: what both have at their beginning and end keeps
// its bytes, what is between is escaped like the rest of the string.
func (r *Rewriter) rewrite() {
	r.html = appendUnescaped(r.html[:0], r.held)
	r.next = r.o.HTML(r.next[:0], r.html)
	if bytes.Equal(r.html, r.next) {
		r.write(r.held)
		return
	}
	raw, html, next := r.held, r.html, r.next
	style := styleOf(raw)
	head, rawHead := commonPrefix(raw, next)
	tail, rawTail := commonSuffix(raw[rawHead:], html[head:], next[head:])
	r.write(raw[:rawHead])
	r.html = appendEscaped(r.html[:0], next[head:len(next)-tail], style)
	r.write(r.html)
	r.write(raw[len(raw)-rawTail:])
}
