package html

import (
	"bytes"

	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
	"github.com/caddy-consent/caddy-consent/rewrite/url"
)

// bigTag is a tag that is too large to be held: its attributes are judged one by one while they pass. What depends on
// several attributes is decided for the worse.
type bigTag struct {
	on     bool
	el     *element // nil in an end tag
	seen   attrSet
	marked bool
	part   bigPart // of an attribute that is itself too large
}

type bigPart byte

const (
	bigAttrs     bigPart = 0 // between attributes
	bigTagName   bigPart = 't'
	bigName      bigPart = 'n'
	bigAfterName bigPart = 'e'
	bigBefore    bigPart = 'v'
	bigUnquoted  bigPart = 'u'
	// in a quoted value the part is the quote
)

// startBig begins to let the tag at b[start:] through, and returns where to go on. A script with such a tag does not run.
func (r *Rewriter) startBig(b []byte, start int) int {
	r.limited = true
	r.big = bigTag{on: true}
	after, el := start+r.tok.tag.nameEnd, &elements[0]
	if after == start { // not even the name is whole
		after = len(b)
		r.big.part = bigTagName
	} else if !r.tok.tag.end {
		el = r.element(&r.tok.tag, b[start:])
	}
	if r.tok.tag.end {
		if r.style.on {
			r.style.close()
		}
		if r.ctx.noscript {
			r.startDeep(b, start)
		}
		r.ctx.lost = r.ctx.lost || r.ctx.depth > 0
		r.pass(b, after)
		return after
	}
	r.big.el = el
	r.style.flat.ended = true
	if r.o.XML {
		r.beforeXML(b, start, el)
	} else if !r.headDone && el.flags&flagInject == 0 {
		r.pass(b, start)
		r.injectHead()
	}
	if r.ctx.any() {
		r.startDeep(b, start)
		r.ctx.lost = r.ctx.lost || r.ctx.depth > 0
	}
	r.pass(b, after)
	const parked = ` type="` + rewrite.InertScriptType + `"`
	if el == elScript && r.o.Policy != nil && !bytes.HasPrefix(b[after:], []byte(parked)) {
		r.emit([]byte(parked))
	}
	return after
}

// runBig goes on with the large tag at b[p:]. It returns where the tag ends and true, or what is needed again and false.
func (r *Rewriter) runBig(b []byte, p int, eof bool) (at int, ended bool) {
	limit := r.o.Limit / 2
	for {
		if r.big.part != bigAttrs {
			if p = r.skipPart(b, p); p == len(b) {
				r.pass(b, p)
				return p, false
			}
			continue
		}
		end := min(len(b), p+limit+1)
		s, next, found := nextAttr(b[:end], p)
		switch found {
		case attrNone:
			r.pass(b, next)
			r.endBig()
			return next, true
		case attrWhole:
			r.bigAttr(b, s, false)
			p = next
		case attrMore:
			if end-p <= limit {
				if eof {
					p = len(b)
				}
				r.pass(b, p)
				return p, false
			}
			p = r.bigOversize(b[:end], s)
		}
	}
}

// skipPart passes over a part of an oversized attribute.
func (r *Rewriter) skipPart(b []byte, p int) int {
	for ; p < len(b); p++ {
		c := b[p]
		switch part := r.big.part; part {
		case bigTagName:
			if nameByte[c] == 0 {
				r.big.part = bigAttrs
				return p
			}
		case bigName:
			if attrByte[c] == 0 {
				r.big.part = bigAfterName
				return p
			}
		case bigAfterName:
			if ascii.IsSpace(c) {
				continue
			}
			if r.big.part = bigAttrs; c == '=' {
				r.big.part = bigBefore
				p++
			}
			return p
		case bigBefore:
			if ascii.IsSpace(c) {
				continue
			}
			switch c {
			case '>':
				r.big.part = bigAttrs
			case '"', '\'':
				r.big.part = bigPart(c)
				p++
			default:
				r.big.part = bigUnquoted
			}
			return p
		case bigUnquoted:
			if c == '>' || ascii.IsSpace(c) {
				r.big.part = bigAttrs
				return p
			}
		default:
			i := bytes.IndexByte(b[p:], byte(part))
			if i < 0 {
				return len(b)
			}
			r.big.part = bigAttrs
			return p + i + 1
		}
	}
	return p
}

// bigOversize deals with an attribute that does not end within b, which is as long as may be held.
func (r *Rewriter) bigOversize(b []byte, s span) int {
	switch {
	case s.nameEnd == 0 && s.nameStart == len(b):
		return len(b) // white space
	case s.nameEnd == 0:
		r.big.part = bigName
		return len(b)
	case s.valueStart == 0:
		r.big.part = bigAfterName
		if bytes.IndexByte(b[s.nameEnd:], '=') >= 0 {
			r.big.part = bigBefore
		}
	case s.quote != 0:
		r.big.part = bigPart(s.quote)
	default:
		r.big.part = bigUnquoted
	}
	if s.valueStart > 0 {
		s.valueEnd = len(b)
	}
	r.bigAttr(b, s, true)
	return len(b)
}

// bigAttr judges one attribute; of an oversized one only the beginning of its value is there.
func (r *Rewriter) bigAttr(b []byte, s span, oversize bool) {
	el := r.big.el
	if el == nil || r.o.Policy == nil {
		return
	}
	name := b[s.nameStart:s.nameEnd]
	id := lookupAttrOf(keyOf(name), name, r.o.XML)
	if id == attrOther || !el.mask.has(id) || id != attrOn && r.big.seen.has(id) {
		return
	}
	r.big.seen |= 1 << id
	value := b[s.valueStart:s.valueEnd]
	if oversize && (s.valueStart == 0 || !r.harmlessPrefix(el.uses[id], value)) {
		r.rename(b, s, rewrite.Verdict{Gate: true, Drop: true})
		return
	}
	if oversize {
		return
	}
	r.plan.reset()
	r.text = r.text[:0]
	r.res.Element, r.res.Beacon = el.name, false
	if id == attrOn {
		if v := r.judgeScript(r.decode(value)); v.Gate {
			r.rename(b, s, v)
		}
		return
	}
	r.judgeAttr(id, el.uses[id], value)
	if el == elBase && id == attrHref && !r.plan.changed {
		r.setBase(r.decode(value))
	}
	if r.plan.changed {
		r.rename(b, s, rewrite.Verdict{Gate: true, Drop: !r.plan.marked || r.o.Dynamic && el == elScript, Vendor: r.plan.verdict.Vendor, Purpose: r.plan.verdict.Purpose})
	}
}

// harmlessPrefix reports whether an oversized value contacts nobody, by its beginning: an image in a data: URL, or a link.
func (r *Rewriter) harmlessPrefix(u use, value []byte) bool {
	scheme, _ := url.Scheme(r.decode(value[:min(len(value), 256)]))
	switch u.role {
	case roleLink:
		return string(scheme) != "javascript"
	case roleURL:
		return string(scheme) == "data" && (u.destination == rewrite.DestinationImage || u.destination == rewrite.DestinationMedia)
	}
	return false
}

// rename makes an attribute inert in place, with a mark before it if it is the first that can be revived.
func (r *Rewriter) rename(b []byte, s span, v rewrite.Verdict) {
	r.pass(b, s.nameStart)
	r.out = r.out[:0]
	if !v.Drop && !r.big.marked {
		r.big.marked = true
		r.plan.verdict = v
		r.appendMark()
		r.out = append(r.out, ' ')
	}
	r.out = append(r.out, rewrite.MarkPrefix...)
	r.emit(r.out)
	r.out = r.out[:0]
}

// endBig follows what the tag means for what comes.
func (r *Rewriter) endBig() {
	el := r.big.el
	r.big.on = false
	r.tok.state = stateData
	if el == nil {
		return
	}
	if !r.o.XML {
		r.tok.enter(el)
		if el.flags&flagForeign != 0 {
			r.ctx.lost = true
		}
		if el.flags&flagContext != 0 {
			r.ctx.mode(el)
		}
	}
	switch {
	case el == elHead:
		r.injectHead()
	case el == elBody:
		r.injectHead()
		r.injectBody()
	case el == elStyle && r.o.Policy != nil:
		r.style.open(r)
	}
}
