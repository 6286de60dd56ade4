package html

import (
	"iter"
	"slices"

	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
)

// emitTag emits a start tag again from its attributes, as the plan says: the first of duplicates only, values as they were
// spelled, no mark that the page itself wrote.
func (r *Rewriter) emitTag(tag []byte, t *tag) {
	p := &r.plan
	r.out = append(r.out[:0], tag[:t.nameEnd]...)
	if p.marked {
		r.appendMark()
	}
	name := r.frameName(tag, t)
	var names [64][]byte
	seen := 0
	for s := range attributes(tag, t.nameEnd) {
		attr := tag[s.nameStart:s.nameEnd]
		if hasPrefixFold(attr, rewrite.Mark) || isDuplicate(names[:seen], attr) {
			continue
		}
		if seen < len(names) {
			names[seen] = attr
			seen++
		}
		r.emitAttr(tag, s, attr, name != nil && ascii.EqualFold(attr, "name"))
		if len(r.out) >= feed {
			r.emit(r.out)
			r.out = r.out[:0]
		}
	}
	r.out = append(r.out, name...)
	if p.park {
		r.out = append(r.out, ` type="`+rewrite.InertScriptType+`"`...)
	}
	if p.marked && p.verdict.Placeholder != nil && p.renamed.has(attrSrc) && !t.seen.has(attrSrcdoc) && r.element(t, tag) == elIframe {
		r.out = append(r.out, ` srcdoc="`...)
		r.out = appendEscaped(r.out, p.verdict.Placeholder)
		r.out = append(r.out, '"')
	}
	if t.selfClosing {
		r.out = append(r.out, ' ', '/')
	}
	r.out = append(r.out, '>')
	r.emit(r.out)
	r.out = r.out[:0]
}

// appendMark appends the mark attribute.
func (r *Rewriter) appendMark() {
	v := &r.plan.verdict
	r.out = append(r.out, ` `+rewrite.Mark+`="`...)
	r.out = append(r.out, r.o.Mark...)
	r.out = append(r.out, ' ')
	r.out = append(r.out, v.Purpose...)
	r.out = append(r.out, ' ')
	if v.Vendor == "" {
		r.out = append(r.out, '-')
	}
	r.out = append(r.out, v.Vendor...)
	if r.plan.park && v.Globals != "" {
		r.out = append(r.out, ' ')
		r.out = appendEscaped(r.out, []byte(v.Globals))
	}
	r.out = append(r.out, '"')
}

// emitAttr appends one attribute as the plan says, or under the name that keeps it.
func (r *Rewriter) emitAttr(tag []byte, s span, name []byte, keep bool) {
	p := &r.plan
	id := lookupAttrOf(keyOf(name), name, r.o.XML)
	rename := keep || p.renamed.has(id) && id != attrOther
	switch {
	case id == attrOther:
	case id == attrOn:
		for _, h := range p.handlers[:p.handlerCount] {
			if h.nameStart == s.nameStart {
				if h.drop {
					return
				}
				rename = true
			}
		}
		if p.dropped.has(attrOn) && !rename {
			return
		}
	case p.dropped.has(id):
		return
	case p.park && id == attrType:
		rename = true
	case p.replaced.has(id):
		v := p.values[id]
		r.out = append(append(r.out, ' '), name...)
		r.out = append(r.out, '=', '"')
		r.out = appendEscaped(r.out, r.text[v.start:v.end])
		r.out = append(r.out, '"')
		return
	}
	r.out = append(r.out, ' ')
	if rename {
		r.out = append(r.out, rewrite.MarkPrefix...)
	}
	r.out = append(r.out, name...)
	if s.valueEnd == s.valueStart && s.quote == 0 {
		return
	}
	r.out = append(r.out, '=')
	if s.quote != 0 {
		r.out = append(r.out, s.quote)
	}
	r.out = append(r.out, tag[s.valueStart:s.valueEnd]...)
	if s.quote != 0 {
		r.out = append(r.out, s.quote)
	}
}

func isDuplicate(names [][]byte, name []byte) bool {
	return slices.ContainsFunc(names, func(n []byte) bool { return len(n) == len(name) && sameASCII(n, name) })
}

// sameASCII compares with ASCII letters folded only.
func sameASCII(a, b []byte) bool {
	for i := range a {
		if nameByte[a[i]] != nameByte[b[i]] {
			return false
		}
	}
	return true
}

func hasPrefixFold(s []byte, lower string) bool {
	return len(s) >= len(lower) && ascii.EqualFold(s[:len(lower)], lower)
}

// attributes yields the attributes of a whole tag, duplicates too.
func attributes(tag []byte, from int) iter.Seq[span] {
	return func(yield func(span) bool) {
		for p := from; ; {
			s, next, found := nextAttr(tag, p)
			if found != attrWhole || !yield(s) {
				return
			}
			p = next
		}
	}
}

type attrFound uint8

const (
	attrMore  attrFound = iota // b ends within the attribute; what is known of it is in the span
	attrWhole                  // a whole attribute, b goes on at next
	attrNone                   // the tag ends before next
)

// nextAttr returns the attribute that begins at or after b[p], within a tag. A value that is not whole has valueEnd 0.
func nextAttr(b []byte, p int) (s span, next int, found attrFound) {
	for p < len(b) && (ascii.IsSpace(b[p]) || b[p] == '/') {
		p++
	}
	if p == len(b) {
		s.nameStart = p
		return s, p, attrMore
	}
	if b[p] == '>' {
		return s, p + 1, attrNone
	}
	s.nameStart = p
	for p++; p < len(b) && attrByte[b[p]] != 0; p++ {
	}
	s.nameEnd = p
	for p < len(b) && ascii.IsSpace(b[p]) {
		p++
	}
	if p == len(b) {
		return s, p, attrMore
	}
	if b[p] != '=' {
		s.valueStart, s.valueEnd = s.nameEnd, s.nameEnd
		return s, s.nameEnd, attrWhole
	}
	for p++; p < len(b) && ascii.IsSpace(b[p]); p++ {
	}
	if p == len(b) {
		return s, p, attrMore
	}
	if b[p] == '>' {
		s.valueStart, s.valueEnd = p, p
		return s, p, attrWhole
	}
	if next = s.value(b, p); next < 0 || next == len(b) && s.quote == 0 {
		s.valueEnd = 0
		return s, p, attrMore
	}
	return s, next, attrWhole
}
