package html

import (
	"bytes"
	"slices"

	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/css"
	"github.com/caddy-consent/caddy-consent/rewrite/encoding"
)

// endTexts judges the scripts or styles that the end tag at the beginning of s would end.
func (d *deepScanner) endTexts(s []byte) {
	d.texts = slices.DeleteFunc(d.texts, func(t rawElement) bool {
		if matchEndTag(s, t.el.name) != matched {
			return false
		}
		d.judgeText(t, d.bytes(t.at, d.pos))
		return true
	})
}

// judgeText judges a script or style whose tag's name is followed by s.
func (d *deepScanner) judgeText(t rawElement, s []byte) {
	mark := []byte(` ` + rewrite.Mark + `="` + d.r.o.Mark)
	if bytes.HasPrefix(s, mark) || bytes.HasPrefix(s, parked) || bytes.HasPrefix(s, []byte(` type="`+rewrite.InertScriptType)) {
		return
	}
	if len(s) > d.limit() {
		s, d.r.limited = s[:d.limit()], true
		if t.el == elStyle && !d.judged(t) {
			d.insert(t.at, inert(t.el))
			return
		}
	}
	i := bytes.IndexByte(s, '>')
	if i < 0 {
		return
	}
	tag, text := s[:i], s[i+1:]
	d.r.steps += len(text)
	j := d.judging()
	for _, text := range [...][]byte{text, j.flatten(text, true)} {
		if d.gatedText(j, t.el, tag, text) {
			d.insert(t.at, inert(t.el))
			return
		}
	}
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
