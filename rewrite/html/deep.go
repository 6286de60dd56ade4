package html

import (
	"bytes"
	"slices"

	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
)

// deepScanner is the second stage. It makes use of this: what a start tag is depends only on the bytes from its '<' on,
// never on what came before, so views of a document differ only in where they see tags begin. The scanner therefore
// assumes a tag at every '<' before a letter, in comments, scripts and attribute values too, and looks at the attributes of
// all these tags at once: it is the tokenizer's tag states (WHATWG HTML, 13.2.5.8 and 13.2.5.32 to 13.2.5.40) as a
// nondeterministic automaton, whose states hold the sets of elements that could be in them. Every view sees a part of that.
//
// Its edits insert letters and hyphens before the name of an attribute or after that of a style, or "/type=text/plain"
// after that of a script. Where a view sees the place as text, a comment or a value, they end nothing and begin nothing:
// no view's tags change but the ones they are meant for, and one pass is enough. What it changes is not revived.
type deepScanner struct {
	r     *Rewriter // of the document
	judge *Rewriter // judges, with memory of its own

	buf  []byte
	base int // the position in the stream of buf[0]
	pos  int // the position that is looked at next
	ins  []insertion

	inName    bool // in a tag's name that began at nameAt
	otherName bool // in an earlier tag's name, which is no known one
	nameAt    int

	before, name, after, value uint64 // sets of elements in the states around an attribute
	attr                       attr   // in states name and after
	valueAttr                  attr   // in state value
	quoted                     [2]candidate
	unquoted                   [4]candidate
	inert                      uint64 // in unquoted values that do not matter
	texts                      []rawElement
	sheet                      int // where the text of the first stage's last style began, which is judged whole there
}

// attr is an attribute's name: where it begins, and which it is once it has ended.
type attr struct {
	at int
	id attrID
}

// candidate is a value that may belong to any of a set of elements.
type candidate struct {
	attr
	start int
	set   uint64
}

// rawElement is a script or style that may begin at a place; at is the end of its tag's name.
type rawElement struct {
	at    int
	el    *element
	tried int // how much of it was judged in vain
}

// maxTexts is how many scripts and styles may begin within each other's text; of more the first are made inert unseen.
const maxTexts = 8

var (
	renamed = []byte(rewrite.MarkPrefix)
	parked  = []byte("/type=" + rewrite.InertScriptType)
	unknown = []byte("-consent/hidden")
)

// inert is what goes behind the name of a script or style so that it does not run. A style must become another element:
// Firefox runs an SVG style of any type.
func inert(el *element) []byte {
	if el == elStyle {
		return unknown
	}
	return parked
}

// startDeep switches the second stage on, from b[at:] on.
func (r *Rewriter) startDeep(b []byte, at int) {
	if r.deepOn || r.o.Policy == nil {
		return
	}
	r.pass(b, at)
	if r.deep == nil {
		r.deep = &deepScanner{judge: new(Rewriter)}
	}
	d := r.deep
	*d = deepScanner{r: r, judge: d.judge, buf: d.buf[:0], ins: d.ins[:0], texts: d.texts[:0]}
	o := r.o
	o.Fragment, o.depth, o.Link, o.Srcdoc = true, r.o.depth+1, nil, nil
	d.judge.Reset(nil, o)
	r.deepOn = true
}

// limit is how much the scanner may hold.
func (d *deepScanner) limit() int { return d.r.o.Limit / 4 }

func (d *deepScanner) write(p []byte) {
	for len(p) > 0 {
		n := min(len(p), feed)
		d.buf = append(d.buf, p[:n]...)
		d.r.steps += len(d.buf)
		p = p[n:]
		d.scan(false)
	}
}

func (d *deepScanner) close() {
	d.scan(true)
	for i := len(d.texts) - 1; i >= 0; i-- {
		d.judgeText(i, true)
		d.texts = d.texts[:i]
	}
	d.flushTo(d.base + len(d.buf))
}

// scan looks at what is there, and hands on what can no longer change.
func (d *deepScanner) scan(eof bool) {
	for {
		i := d.pos - d.base
		if d.idle() {
			n := bytes.IndexByte(d.buf[i:], '<')
			if n < 0 {
				n = len(d.buf) - i
			}
			i += n
			d.pos += n
		}
		if i == len(d.buf) || d.buf[i] == '<' && !d.lookahead(d.buf[i:], eof) {
			break
		}
		d.step(d.buf[i], d.buf[i:])
		d.pos++
		if d.pos&1023 == 0 {
			d.limitNames()
		}
	}
	d.limitValues()
	d.flushTo(d.held())
}

func (d *deepScanner) idle() bool {
	return !d.inName && !d.otherName && d.before|d.name|d.after|d.value|d.quoted[0].set|d.quoted[1].set|d.inert == 0 &&
		d.unquoted == [4]candidate{}
}

// lookahead reports whether s, which begins with '<', is long enough to tell what it begins.
func (d *deepScanner) lookahead(s []byte, eof bool) bool {
	return eof || len(s) > len("</script") || len(s) >= 2 && s[1] != '/' || len(s) > 2 && len(d.texts) == 0
}

// step takes one byte; s begins with it.
func (d *deepScanner) step(c byte, s []byte) {
	p := d.pos
	var before uint64
	if (d.inName || d.otherName) && endsName(c) {
		before = d.endName(c)
	}
	for i, q := range [2]byte{'"', '\''} {
		if c == q && d.quoted[i].set != 0 {
			d.report(&d.quoted[i], p)
			before |= d.quoted[i].set
			d.quoted[i] = candidate{}
		}
	}
	if c == '>' || ascii.IsSpace(c) {
		ended := d.endUnquoted(p)
		if c != '>' {
			before |= ended
		}
	}
	d.attributes(c, before)
	if c == '<' && len(s) > 1 {
		d.open(s)
	}
}

// attributes moves the sets in the states around an attribute; before is what comes to "before attribute name".
func (d *deepScanner) attributes(c byte, before uint64) {
	p := d.pos
	wasBefore, wasName, wasAfter, wasValue := d.before, d.name, d.after, d.value
	d.before, d.name, d.after, d.value = before, 0, 0, 0
	switch {
	case c == '>':
		return
	case ascii.IsSpace(c):
		d.before |= wasBefore
		d.after, d.value = wasName|wasAfter, wasValue
		if wasName != 0 {
			d.endAttr(p)
		}
		return
	case c == '/':
		d.before |= wasBefore | wasName | wasAfter
	case c == '=':
		if wasName != 0 {
			d.endAttr(p)
		}
		if d.value = wasName | wasAfter; d.value != 0 {
			d.valueAttr = d.attr
		}
		if wasBefore != 0 {
			d.name, d.attr = wasBefore, attr{at: p}
		}
	default:
		d.name = wasName
		if start := wasBefore | wasAfter; start != 0 {
			d.name, d.attr = d.name|start, attr{at: p}
		}
	}
	if wasValue != 0 {
		va := d.valueAttr
		if c == '=' && d.value != 0 {
			va = attr{} // a second '=' in a row begins a value of no interest to the older name
		}
		d.beginValue(c, va, wasValue)
	}
}

// beginValue begins a value with c.
func (d *deepScanner) beginValue(c byte, a attr, set uint64) {
	v := candidate{attr: a, start: d.pos, set: set}
	switch c {
	case '"', '\'':
		v.start++
		i := 0
		if c == '\'' {
			i = 1
		}
		d.quoted[i] = v
		return
	}
	if !relevant(v) {
		d.inert |= set
		return
	}
	for i := range d.unquoted {
		if d.unquoted[i].set == 0 {
			d.unquoted[i] = v
			return
		}
	}
	d.insert(a.at, renamed) // more at once than can be followed
	d.inert |= set
}

func (d *deepScanner) endUnquoted(p int) (set uint64) {
	set, d.inert = d.inert, 0
	for i := range d.unquoted {
		if v := &d.unquoted[i]; v.set != 0 {
			d.report(v, p)
			set |= v.set
			*v = candidate{}
		}
	}
	return set
}

// endAttr ends the attribute name that began at d.attr.at.
func (d *deepScanner) endAttr(p int) {
	name := d.bytes(d.attr.at, p)
	if len(name) > maxAttrName {
		d.attr.id = attrOther
		return
	}
	d.attr.id = lookupAttr(keyOf(name), name)
}

// maxAttrName is longer than any known attribute's name, event handlers too.
const maxAttrName = 64

// endName ends a tag's name and returns its element as a set.
func (d *deepScanner) endName(c byte) (set uint64) {
	if d.otherName {
		set = 1
	}
	if d.inName {
		name := d.bytes(d.nameAt, d.pos)
		el := &elements[0]
		if len(name) <= maxAttrName {
			el = lookupElement(keyOf(name), name)
		}
		set |= 1 << el.bit
		if el == elScript || el == elStyle {
			if len(d.texts) == maxTexts {
				d.dropText(d.texts[0])
				d.texts = slices.Delete(d.texts, 0, 1)
			}
			d.texts = append(d.texts, rawElement{at: d.pos, el: el})
		}
	}
	d.inName, d.otherName = false, false
	if c == '>' {
		return 0
	}
	return set
}

// open looks at what '<' begins.
func (d *deepScanner) open(s []byte) {
	switch {
	case ascii.IsLetter(s[1]):
		d.otherName = d.otherName || d.inName
		d.inName, d.nameAt = true, d.pos+1
	case s[1] == '/' && len(d.texts) > 0:
		d.endTexts(s)
	}
}
