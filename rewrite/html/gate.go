package html

import (
	"bytes"
	"math/bits"
	"slices"

	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
	"github.com/caddy-consent/caddy-consent/rewrite/internal/reference"
	"github.com/caddy-consent/caddy-consent/rewrite/url"
)

// maxBases is how many base URLs are kept while it is uncertain which of them a browser takes.
const maxBases = 4

// plan is what is to become of one start tag.
type plan struct {
	verdict  rewrite.Verdict // of what can be revived: the first one decides
	marked   bool            // verdict is set
	changed  bool
	park     bool    // a script or style that must not run: it gets an inert type
	renamed  attrSet // kept as data-consent-…
	dropped  attrSet
	replaced attrSet                             // by plan.value
	values   [attrCount]struct{ start, end int } // in Rewriter.text
	handlers [8]struct {                         // gated event handlers
		nameStart int
		drop      bool
	}
	handlerCount int
}

func (p *plan) reset() {
	p.verdict, p.marked, p.changed, p.park = rewrite.Verdict{}, false, false, false
	p.renamed, p.dropped, p.replaced, p.handlerCount = 0, 0, 0, 0
}

// keep reports whether what v gates may stay in a form that can be revived: a mark names one vendor and purpose only.
func (p *plan) keep(v rewrite.Verdict) bool {
	p.changed = true
	if v.Drop {
		return false
	}
	if !p.marked {
		p.verdict, p.marked = v, true
	}
	return v.Vendor == p.verdict.Vendor && v.Purpose == p.verdict.Purpose
}

func (p *plan) gate(id attrID, v rewrite.Verdict) {
	if p.keep(v) {
		p.renamed |= 1 << id
	} else {
		p.dropped |= 1 << id
	}
}

// gone returns the attributes that are no longer what they were.
func (p *plan) gone() attrSet { return p.renamed | p.dropped }

// judgeTag judges the start tag b[start:end] and emits it again if it must change.
func (r *Rewriter) judgeTag(b []byte, start, end int, t *tag, el *element) {
	if t.onlyLinks(b[start:end], el) {
		return
	}
	r.plan.reset()
	r.text = r.text[:0]
	r.judge(b[start:end], t, el)
	if r.plan.changed {
		r.pass(b, start)
		r.emitTag(b[start:end], t)
		r.done = end
	}
}

// judge shows each attribute of a start tag that matters to the policy.
func (r *Rewriter) judge(tag []byte, t *tag, el *element) {
	set := t.seen & el.mask
	if set == 0 {
		return
	}
	r.res.Element = el.name
	r.res.Beacon = false
	if t.seen&beaconAttrs != 0 && set&^(1<<attrStyle) != 0 {
		r.res.Beacon = r.isBeacon(tag, t)
	}
	if set.has(attrOn) {
		r.judgeHandlers(tag, t)
		set &^= 1 << attrOn
	}
	for ; set != 0; set &= set - 1 {
		id := attrID(bits.TrailingZeros64(uint64(set)))
		s := &t.attrs[id]
		u := el.uses[id]
		switch el {
		case elLink:
			u = r.linkUse(tag, t, u)
		case elMeta:
			u = r.metaUse(tag, t, u)
		}
		if id == attrXlinkHref && r.o.XML {
			r.judgePrefixed(tag, t, u)
			continue
		}
		r.judgeAttr(id, u, tag[s.valueStart:s.valueEnd])
	}
	if el == elBase && t.seen.has(attrHref) && !r.plan.gone().has(attrHref) {
		r.setBase(r.value(tag, t, attrHref))
	}
}

// judgePrefixed judges each attribute of an XML tag that may be a link of XLink's.
func (r *Rewriter) judgePrefixed(tag []byte, t *tag, u use) {
	for s := range attributes(tag, t.nameEnd) {
		if bytes.HasSuffix(tag[s.nameStart:s.nameEnd], []byte(":href")) && !r.plan.gone().has(attrXlinkHref) {
			r.judgeAttr(attrXlinkHref, u, tag[s.valueStart:s.valueEnd])
		}
	}
}

// value returns an attribute's decoded value: raw bytes where nothing has to be decoded. It is valid until the next call.
func (r *Rewriter) value(tag []byte, t *tag, id attrID) []byte {
	if !t.seen.has(id) {
		return nil
	}
	s := &t.attrs[id]
	return r.decode(tag[s.valueStart:s.valueEnd])
}

func (r *Rewriter) decode(raw []byte) []byte {
	if plainText(raw) {
		return raw
	}
	if r.o.XML {
		raw, _ = r.entities.expand(raw)
	}
	r.val = appendText(r.val[:0], raw, true)
	return r.val
}

// judgeAttr judges one attribute's raw value and notes in the plan what becomes of it.
func (r *Rewriter) judgeAttr(id attrID, u use, raw []byte) {
	r.res.Attribute = attrNames[id]
	r.res.Destination = u.destination
	if len(raw) == 0 {
		return
	}
	if _, whole := r.entities.expand(raw); !whole {
		r.limited, r.plan.changed = true, true
		r.plan.dropped |= 1 << id
		return
	}
	switch u.role {
	case roleNone:
	case roleLink:
		if mayBeScript(raw) {
			r.judgeScriptURL(id, r.decode(raw))
		}
		if r.res.Element == elA.name || r.res.Element == elArea.name {
			r.showLink(id, raw)
		}
	case roleStyle, roleCSSValue:
		r.judgeStyle(id, u.role, raw)
	case roleSrcdoc:
		r.judgeSrcdoc(id, r.decode(raw))
	case roleCSP:
		r.judgeCSP(id, r.decode(raw))
	case roleValues: // of links, or of a property that names a URL, such as mask (SMIL, 3.2)
		if v := r.judgeURLs(u.role, r.decode(raw)); v.Gate {
			r.plan.gate(id, v)
		} else {
			r.judgeStyle(id, roleCSSValue, raw)
		}
	default:
		if v := r.judgeURLs(u.role, r.decode(raw)); v.Gate {
			r.plan.gate(id, v)
		} else if u.role == roleDocument {
			r.showLink(id, raw)
		}
	}
}

// showLink lets Options.Link change where a link or form leads. In a tag that is too large to be held it stays.
func (r *Rewriter) showLink(id attrID, raw []byte) {
	if r.o.Link == nil || r.big.on || r.plan.renamed.has(id) || bytes.IndexByte(raw, '=') < 0 {
		return
	}
	target := r.decode(raw)
	abs, hostStart, hostEnd, ok := r.bases[r.baseCount-1].Resolve(r.urlBuf, target)
	r.urlBuf = abs[:0]
	if !ok {
		return
	}
	from := len(r.text)
	if out, changed := r.o.Link(r.text, target, abs[hostStart:hostEnd]); changed {
		r.text = out
		r.replace(id, from)
	}
}

// judgeURLs judges the URLs in a decoded value; the first gated one decides.
func (r *Rewriter) judgeURLs(role role, s []byte) (v rewrite.Verdict) {
	switch role {
	case roleURL, roleBase, roleDocument:
		return r.judgeURL(s)
	case roleRefresh:
		if ref, ok := reference.Refresh(s); ok {
			return r.judgeURL(ref)
		}
	case roleSrcset:
		for ref := range reference.Srcset(s) {
			if v = r.judgeURL(ref); v.Gate {
				return v
			}
		}
	case roleURLs:
		for ref := range fields(s, " \t\n\f\r,") {
			if v = r.judgeURL(ref); v.Gate {
				return v
			}
		}
	case roleValues:
		for ref := range fields(s, ";") {
			if !looksAbsolute(ref) {
				continue
			}
			if v = r.judgeURL(ref); v.Gate {
				return v
			}
		}
	}
	return rewrite.Verdict{}
}

// judgeURL judges one reference against every base that may hold.
func (r *Rewriter) judgeURL(ref []byte) (v rewrite.Verdict) {
	if len(ref) > 0 && ref[0] == '#' {
		return v
	}
	for ref := range r.o.Readings.Of(ref) {
		if v = r.judgeReading(ref); v.Gate {
			break
		}
	}
	return v
}

func (r *Rewriter) judgeReading(ref []byte) rewrite.Verdict {
	for i := 0; i < r.baseCount; i++ {
		abs, hostStart, hostEnd, ok := r.bases[i].Resolve(r.urlBuf, ref)
		r.urlBuf = abs[:0]
		if !ok {
			return r.judgeLocal(ref)
		}
		r.res.URL, r.res.HostStart, r.res.HostEnd = abs, hostStart, hostEnd
		if v := r.o.Policy.Resource(&r.res); v.Gate {
			r.gated(v)
			return v
		}
	}
	return rewrite.Verdict{}
}

// judgeLocal judges a reference that contacts no host by itself: a script or a document in a URL.
func (r *Rewriter) judgeLocal(ref []byte) rewrite.Verdict {
	scheme, rest := url.Scheme(ref)
	switch {
	case string(scheme) == "javascript":
		text := r.unescaped(rest)
		v := r.judgeScript(text)
		if d := r.res.Destination; !v.Gate && r.o.depth < maxDepth && (d == rewrite.DestinationFrame || d == rewrite.DestinationObject) {
			// What it evaluates to becomes the frame's document (WHATWG HTML, 7.4.2.3.2): a string with markup, perhaps made of several.
			if v = r.judgeScript(slices.Concat([]byte("document.write("), text, []byte(")"))); v.Gate {
				return v
			}
			saved := r.res
			_, v = r.nested(text, false)
			r.res = saved
		}
		return v
	case string(scheme) == "data":
		return r.judgeData(rest)
	}
	return rewrite.Verdict{}
}

// mayBeScript reports whether a raw value may be a javascript: URL, cheaply.
func mayBeScript(raw []byte) bool {
	c := raw[0]
	return c|0x20 == 'j' || c <= ' ' || c == '&'
}

func (r *Rewriter) judgeScriptURL(id attrID, s []byte) {
	scheme, rest := url.Scheme(s)
	if string(scheme) != "javascript" {
		return
	}
	if v := r.judgeScript(r.unescaped(rest)); v.Gate {
		r.plan.gate(id, v)
	}
}

// judgeScript judges script text; blank text runs nothing.
func (r *Rewriter) judgeScript(text []byte) rewrite.Verdict {
	if len(ascii.TrimSpace(text)) == 0 {
		return rewrite.Verdict{}
	}
	for text := range r.o.Readings.Scripts(text) {
		if v := r.o.Policy.Script(text); v.Gate {
			r.gated(v)
			return v
		}
	}
	return rewrite.Verdict{}
}

// judgeHandlers judges the event handlers of a tag. More than the plan holds are dropped.
func (r *Rewriter) judgeHandlers(tag []byte, t *tag) {
	for s := range attributes(tag, t.nameEnd) {
		if !isHandler(tag[s.nameStart:s.nameEnd]) || s.valueEnd == s.valueStart {
			continue
		}
		v := r.judgeScript(r.decode(tag[s.valueStart:s.valueEnd]))
		if !v.Gate {
			continue
		}
		p := &r.plan
		if p.handlerCount == len(p.handlers) {
			p.dropped |= 1 << attrOn
			continue
		}
		h := &p.handlers[p.handlerCount]
		h.nameStart, h.drop = s.nameStart, !p.keep(v)
		p.handlerCount++
	}
}

func (r *Rewriter) gated(v rewrite.Verdict) {
	if r.o.onGate != nil {
		r.o.onGate(v)
	}
}

// setBase follows a base element. While the tree is certain the first one counts (WHATWG HTML, 4.2.3); else each may.
func (r *Rewriter) setBase(ref []byte) {
	certain := !r.ctx.any() && !r.ctx.template && !r.deepOn
	if r.baseSet && certain && r.baseCount == 1 {
		return
	}
	var base *url.URL
	for ref := range r.o.Readings.Of(ref) { // one that leads to what is gated is none
		if base = r.o.Base.Join(ref); base != nil {
			break
		}
	}
	if base == nil {
		return
	}
	if certain && !r.baseSet {
		r.bases[0], r.baseCount, r.baseSet = base, 1, true
		return
	}
	for i := range r.baseCount {
		if r.bases[i] != nil && r.bases[i].String() == base.String() {
			return
		}
	}
	if r.baseCount == maxBases {
		r.plan.changed = true
		r.plan.dropped |= 1 << attrHref
		return
	}
	r.bases[r.baseCount] = base
	r.baseCount++
	r.baseSet = r.baseSet || certain
}

// isHandler reports an event handler's attribute name.
func isHandler(name []byte) bool { return len(name) > 2 && name[0]|0x20 == 'o' && name[1]|0x20 == 'n' }

// looksAbsolute reports what may name a host: it holds "//", a backslash or a scheme.
func looksAbsolute(s []byte) bool {
	return bytes.Contains(s, []byte("//")) || bytes.ContainsAny(s, `\:`)
}

// unescaped returns s with its percent-encoding undone, in memory that is used again.
func (r *Rewriter) unescaped(s []byte) []byte {
	r.code = url.AppendDecoded(r.code[:0], s)
	return r.code
}
