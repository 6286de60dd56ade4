package html

import (
	"bytes"
	"slices"

	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/css"
	"github.com/caddy-consent/caddy-consent/rewrite/encoding"
)

// endTexts judges the scripts or styles that the end tag at the beginning of s may end, the innermost first.
func (d *deepScanner) endTexts(s []byte) {
	for i := len(d.texts) - 1; i >= 0; i-- {
		if matchEndTag(s, d.texts[i].el.name) == matched && d.judgeText(i, false) {
			d.texts = slices.Delete(d.texts, i, i+1)
		}
	}
}

// judgeText judges a script or style. It reports whether that is all there is to judge: an end tag may be part of a value
// or comment to some view. last says that no more is to come or can be held.
func (d *deepScanner) judgeText(i int, last bool) bool {
	t := &d.texts[i]
	s := d.bytes(t.at, d.pos)
	if d.isInert(s) {
		return true
	}
	if len(s) < 2*t.tried && !last { // so that the time is linear
		return false
	}
	t.tried = len(s)
	cut := len(s) > d.limit()
	if cut {
		s, d.r.limited = s[:d.limit()], true
		if t.el == elStyle && !d.judged(*t) {
			d.insert(t.at, inert(t.el))
			return true
		}
	}
	s, edits := d.edited(t.at, s)
	end, _ := tagEnd(s, 0)
	if end < 0 {
		return last
	}
	d.r.steps += len(s)
	j := d.judging()
	tag, text := s[:end], s[end:]
	if d.gatedText(j, t.el, tag, text[:rawEnd(text, t.el)]) {
		d.insert(t.at, inert(t.el))
		return true
	}
	if isFlat(text) || bytes.HasPrefix(text, d.hide()) {
		return true
	}
	if t.el == elScript {
		if d.gatedText(j, t.el, tag, j.childText(t.el, text).text) {
			d.insert(t.at, inert(t.el))
		}
		return true
	}
	return d.judgeForeign(i, edits, end, text, last, cut)
}

// judgeForeign judges a style as foreign content: text, from an index on of what is edited.
func (d *deepScanner) judgeForeign(i int, e edits, from int, text []byte, last, cut bool) bool {
	j := d.judge
	c, flat := j.childText(elStyle, text), j.flatText(text)
	if !last {
		c.endAt()
		flat.endAt()
	}
	behind := e.position(from + max(c.at, flat.at))
	inner := i+1 < len(d.texts) && d.texts[i+1].at < behind // which may yet change
	if !last && (inner || c.state == childOpen || flat.state == childOpen) {
		return false
	}
	unread := inner || c.state == childTangled || cut && c.tags && c.state == childOpen
	d.r.limited = d.r.limited || unread || len(c.names) > 0
	if unread || c.gated(d) || d.gatedText(j, elStyle, nil, flat.text) {
		d.hideText(e.position(from))
		return true
	}
	for _, n := range c.names {
		d.insert(e.position(from+n), []byte(hidden+d.r.o.Mark))
	}
	return true
}

// edits are the insertions into a piece of the stream that begins at a position.
type edits struct {
	from int
	ins  []insertion
}

// edited returns s, which begins at a position, with what is inserted behind that: what is renamed is another element.
func (d *deepScanner) edited(from int, s []byte) ([]byte, edits) {
	first, _ := slices.BinarySearchFunc(d.ins, from+1, func(in insertion, at int) int { return in.at - at })
	last, _ := slices.BinarySearchFunc(d.ins, from+len(s), func(in insertion, at int) int { return in.at - at })
	e := edits{from, slices.Clone(d.ins[first:last])}
	if first == last {
		return s, e
	}
	var out []byte
	done := 0
	for _, in := range e.ins {
		out = append(append(out, s[done:in.at-from]...), in.text...)
		done = in.at - from
	}
	return append(out, s[done:]...), e
}

// position returns where in the stream the byte stood that is at an index now.
func (e edits) position(index int) int {
	at := e.from + index
	for _, in := range e.ins {
		if in.at >= at {
			break
		}
		at = max(at-len(in.text), in.at)
	}
	return at
}

// isInert reports whether s, which follows a tag's name, shows that it was made inert.
func (d *deepScanner) isInert(s []byte) bool {
	mark := []byte(` ` + rewrite.Mark + `="` + d.r.o.Mark)
	return bytes.HasPrefix(s, mark) || bytes.HasPrefix(s, parked) || bytes.HasPrefix(s, []byte(` type="`+rewrite.InertScriptType))
}

// dropText makes a script or style inert that is not whole: a style whose raw text is, only as foreign content.
func (d *deepScanner) dropText(t rawElement) {
	s := d.bytes(t.at, d.pos)
	if d.isInert(s) {
		return
	}
	end, _ := tagEnd(s, 0)
	if t.el == elStyle && end >= 0 {
		if n := rawEnd(s[end:], t.el); end+n < len(s) && !d.gatedText(d.judging(), t.el, nil, s[end:end+n]) {
			d.hideText(t.at + end)
			d.r.limited = true
			return
		}
	}
	d.insert(t.at, inert(t.el))
}

// rawEnd returns the length of an element's text if that is raw.
func rawEnd(s []byte, el *element) int {
	for i := 0; ; i += 2 {
		n := bytes.Index(s[i:], []byte("</"))
		if n < 0 {
			return len(s)
		}
		if i += n; matchEndTag(s[i:], el.name) == matched {
			return i
		}
	}
}

// hideText hides what a style holds from a position on, if that is foreign content: in an element that means nothing to any
// view.
func (d *deepScanner) hideText(at int) { d.insert(at, d.hide()) }

// hide returns what hides a style's text. What looks ahead for imports stops at the semicolon.
func (d *deepScanner) hide() []byte { return []byte(";<data" + hidden + d.r.o.Mark + ">") }

// gated reports whether a style is gated wherever it may end.
func (c *childText) gated(d *deepScanner) bool {
	for _, n := range append(c.cuts, len(c.text)) {
		if d.gatedText(c.r, c.el, nil, c.text[:n]) {
			return true
		}
	}
	return false
}

// judged reports whether a style is one that the first stage has seen too.
func (d *deepScanner) judged(t rawElement) bool {
	return t.at < d.sheet && bytes.IndexByte(d.bytes(t.at, d.sheet), '<') < 0
}

func (d *deepScanner) gatedText(j *Rewriter, el *element, tag, text []byte) bool {
	if len(text) == 0 {
		return false
	}
	if el == elStyle {
		j.style.gated = rewrite.Verdict{}
		j.text = css.Append(j.text[:0], text, j.style.options(j))
		return j.style.gated.Gate || j.o.Readings.Open() && encoding.Swallows(text, 0)
	}
	lower := bytes.ToLower(tag)
	if bytes.Contains(lower, []byte("importmap")) || bytes.Contains(lower, []byte("webbundle")) || bytes.Contains(lower, []byte("speculationrules")) {
		j.text = j.text[:0]
		if j.judgeJSON(text, scriptRules) {
			return true
		}
	}
	return j.judgeScript(text).Gate
}

// judging returns the Rewriter that judges, with the bases of the document as it is now.
func (d *deepScanner) judging() *Rewriter {
	j := d.judge
	j.bases, j.baseCount = d.r.bases, d.r.baseCount
	j.plan.reset()
	j.text = j.text[:0]
	return j
}

// report judges a value that ended at p, and makes its attribute inert if any element's use of it is gated.
func (d *deepScanner) report(v *candidate, p int) {
	if !relevant(*v) {
		return
	}
	value := d.bytes(v.start, p)
	d.r.steps += len(value)
	oversize := len(value) > d.limit()
	if oversize {
		value = value[:d.limit()]
	}
	for set := v.set; set != 0; set &= set - 1 {
		el := elementOf(set)
		if !el.mask.has(v.id) || len(value) == 0 {
			continue
		}
		if oversize && !d.r.harmlessPrefix(el.uses[v.id], value) || !oversize && d.gatedValue(el, v.id, value) {
			d.insert(v.at, renamed)
			return
		}
	}
}

func (d *deepScanner) gatedValue(el *element, id attrID, value []byte) bool {
	j := d.judging()
	j.res.Element, j.res.Beacon = el.name, false
	if id == attrOn {
		return j.judgeScript(j.decode(value)).Gate
	}
	j.judgeAttr(id, el.uses[id], value)
	return j.plan.changed
}

// relevant reports whether any element of the set does something with the attribute.
func relevant(v candidate) bool {
	if v.id == attrOther {
		return false
	}
	for set := v.set; set != 0; set &= set - 1 {
		if elementOf(set).mask.has(v.id) {
			return true
		}
	}
	return false
}
