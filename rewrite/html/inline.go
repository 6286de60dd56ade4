package html

import (
	"bytes"

	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/css"
	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
)

// hold is an element whose start tag waits until its text can be judged.
type hold struct {
	on    bool
	el    *element
	start int  // of the start tag
	text  int  // of the text
	mixed bool // a script of XML that holds elements
}

// ends reports whether an end tag of XML ends the held element.
func (h *hold) ends(tag []byte, nameEnd int) bool {
	name := tag[2:nameEnd]
	name = name[bytes.LastIndexByte(name, ':')+1:]
	return ascii.EqualFold(name, h.el.name)
}

// rawText begins an element with raw text, b[start:end] being its start tag. Scripts are held until their text is judged,
// and so is any raw text that views may read differently. Style sheets stream.
func (r *Rewriter) rawText(b []byte, start, end int, el *element) {
	t := &r.tok.tag
	empty := t.selfClosing && (r.o.XML || el.flags&flagPlain == 0 && r.ctx.foreign())
	ambiguous := !r.o.XML && r.ctx.any()
	switch {
	case r.o.XML:
	case empty: // "<title/>" in an icon: nothing for the tree, what follows up to an end tag for others
		r.startDeep(b, start)
	default:
		r.ctx.startTag(el, b[start+1:start+t.nameEnd], t.selfClosing)
		r.tok.enter(el)
	}
	switch {
	case r.o.Policy == nil, r.hold.on:
	case r.o.XML && el != elScript && el != elStyle:
		r.judgeTag(b, start, end, t, el)
	case empty:
		r.hold = hold{el: el, start: start, text: end}
		r.held.take(t)
		r.release(b, end, true)
	case el == elScript || ambiguous || r.o.XML:
		r.hold = hold{on: true, el: el, start: start, text: end}
		r.held.take(t)
	default:
		if t.seen&el.mask != 0 {
			r.judgeTag(b, start, end, t, el)
		}
		if el == elStyle {
			r.pass(b, end)
			r.style.open(r)
		}
	}
}

// release judges the held element, whose text goes on to textEnd at least, and emits its start tag and judged text.
// Of a script, text beyond the limit is not looked at, in whatever pieces it came.
func (r *Rewriter) release(b []byte, textEnd int, whole bool) {
	h := r.hold
	r.hold.on = false
	r.steps += textEnd - h.start
	if limit := h.start + r.o.Limit/2; textEnd > limit {
		if r.limited = true; h.el == elStyle {
			if !r.o.XML {
				r.startDeep(b, h.start)
			}
			r.releaseStyle(b, textEnd, whole)
			return
		}
		textEnd, whole = max(limit, h.text), false
	}
	tag, text := b[h.start:h.text], b[h.text:textEnd]
	ambiguous := !r.o.XML && r.ctx.any()
	if ambiguous && (!whole || !sameText(text)) {
		r.startDeep(b, h.start)
	}
	t := &r.held
	r.plan.reset()
	r.text = r.text[:0]
	r.judge(tag, t, h.el)
	from := len(r.text)
	replaced := false
	switch h.el {
	case elScript:
		replaced = r.judgeInline(tag, t, text, ambiguous || r.o.XML)
	case elStyle:
		replaced = r.judgeSheet(text, ambiguous || r.o.XML)
	}
	to := len(r.text)
	if r.plan.changed {
		r.pass(b, h.start)
		r.emitTag(tag, t)
		r.done = h.text
	}
	if replaced {
		r.pass(b, h.text)
		r.emit(r.text[from:to])
		r.done = textEnd
	}
	if h.el == elStyle && !whole {
		r.pass(b, textEnd)
		r.style.open(r)
	}
}

// releaseStyle emits a held style element that is too large: its text is judged while it streams, flat where it may be
// XML or foreign content. b[:textEnd] belongs to it, all of it if whole.
func (r *Rewriter) releaseStyle(b []byte, textEnd int, whole bool) {
	tag, t := b[r.hold.start:r.hold.text], &r.held
	r.plan.reset()
	r.text = r.text[:0]
	r.judge(tag, t, elStyle)
	r.pass(b, r.hold.start)
	if r.plan.changed {
		r.emitTag(tag, t)
		r.done = r.hold.text
	}
	r.pass(b, r.hold.text)
	r.done = textEnd
	if r.o.XML || r.ctx.depth > 0 || r.ctx.lost {
		r.style.openFlat(r, elStyle)
	} else {
		r.style.open(r)
	}
	if r.style.write(b[r.hold.text:textEnd]); whole {
		r.style.close()
	}
}

// releaseMixed releases the script or style of XML in which an element begins at b[start]: the rest of it is left out, and
// such a script does not run.
func (r *Rewriter) releaseMixed(b []byte, start int) {
	r.hold.mixed, r.limited = true, true
	if r.hold.el == elScript {
		r.release(b, start, false)
		r.pass(b, start)
		r.style.openFlat(r, elScript)
	} else {
		r.hold.on = false
		r.releaseStyle(b, start, false)
	}
	r.style.flat.ended = true
}

// scriptType is what a browser does with a script element (WHATWG HTML, 4.12.1.1 "prepare the script element").
type scriptType uint8

const (
	scriptRuns    scriptType = iota // classic, module, or run by a worker library
	scriptRules                     // speculation rules
	scriptMap                       // import map, or which resources a bundle holds
	scriptData                      // a data block
	scriptDelayed                   // a data block that an optimizer of the site makes a script of later
	scriptParked                    // parked by an earlier pass, or inert by itself
)

// scriptTypes are the types that are not data blocks. (WHATWG MIME Sniffing, "JavaScript MIME type")
var scriptTypes = map[string]scriptType{
	"": scriptRuns, "module": scriptRuns, "importmap": scriptMap, "webbundle": scriptMap, "speculationrules": scriptRules, rewrite.InertScriptType: scriptParked,
	"application/ecmascript": scriptRuns, "application/javascript": scriptRuns, "application/x-ecmascript": scriptRuns,
	"application/x-javascript": scriptRuns, "text/ecmascript": scriptRuns, "text/javascript": scriptRuns, "text/javascript1.0": scriptRuns,
	"text/javascript1.1": scriptRuns, "text/javascript1.2": scriptRuns, "text/javascript1.3": scriptRuns, "text/javascript1.4": scriptRuns,
	"text/javascript1.5": scriptRuns, "text/jscript": scriptRuns, "text/livescript": scriptRuns, "text/x-ecmascript": scriptRuns,
	"text/x-javascript": scriptRuns, "text/partytown": scriptRuns,
	"rocketlazyloadscript": scriptDelayed, "pmdelayedscript": scriptDelayed, "litespeed/javascript": scriptDelayed,
}

// rocketLoader ends the types that Cloudflare's Rocket Loader gives, each with a number of its page view in front.
var rocketLoader = []byte("-text/javascript")

// scriptTypeOf returns what a script's attributes make of it.
func (r *Rewriter) scriptTypeOf(tag []byte, t *tag) scriptType {
	if !t.seen.has(attrType) && !t.seen.has(attrLanguage) {
		return scriptRuns
	}
	var buf [40]byte
	lower := buf[:0]
	switch {
	case t.seen.has(attrType):
		lower = appendLower(lower, ascii.TrimSpace(r.value(tag, t, attrType)))
	case t.seen.has(attrLanguage):
		if language := r.value(tag, t, attrLanguage); len(language) > 0 {
			lower = appendLower(append(lower, "text/"...), language)
		}
	}
	if i := bytes.IndexByte(lower, ';'); i >= 0 {
		lower = ascii.TrimSpace(lower[:i]) // older browsers ignored parameters
	}
	if st, ok := scriptTypes[string(lower)]; ok {
		return st
	}
	if bytes.HasSuffix(lower, rocketLoader) {
		return scriptDelayed
	}
	return scriptData
}

// judgeInline judges a script and parks it if its URL or its text is gated. It reports whether the text was replaced, by
// what it appended to r.text.
func (r *Rewriter) judgeInline(tag []byte, t *tag, text []byte, markup bool) bool {
	st := r.scriptTypeOf(tag, t)
	switch st {
	case scriptParked:
		return false
	case scriptRules, scriptMap:
		return r.judgeJSON(text, st)
	case scriptRuns:
		v := r.judgeScript(text)
		if r.unread = false; markup && !v.Gate && !isFlat(text) {
			v = r.judgeScript(r.childText(elScript, text).text)
		}
		if r.hold.mixed || r.unread {
			r.limited, r.plan.changed, r.plan.park = true, true, true
		}
		if v.Gate {
			r.plan.keep(v)
			r.plan.park = true
		}
	}
	if r.plan.gone()&(1<<attrSrc|1<<attrHref|1<<attrXlinkHref) != 0 {
		r.plan.park = true
	}
	if r.plan.park && r.o.Dynamic && !r.trusted(tag, t) {
		r.plan.marked = false
	}
	if r.plan.park && st == scriptDelayed {
		r.plan.dropped |= 1 << attrType // when it is revived its optimizer has long made its list
	}
	return false
}

// trusted reports whether a script has the nonce by which the site's policy lets scripts run.
func (r *Rewriter) trusted(tag []byte, t *tag) bool {
	for s := range attributes(tag, t.nameEnd) {
		if ascii.EqualFold(tag[s.nameStart:s.nameEnd], "nonce") {
			return r.o.Nonce != "" && string(r.decode(tag[s.valueStart:s.valueEnd])) == r.o.Nonce
		}
	}
	return false
}

// judgeSheet judges a held style sheet. It reports whether the text was replaced: by what the tree holds of it, or by
// nothing where that looks like markup. A type would not make it inert: Firefox runs an SVG style of any type.
func (r *Rewriter) judgeSheet(text []byte, markup bool) bool {
	from := len(r.text)
	if markup && !isFlat(text) {
		c := r.childText(elStyle, text)
		if r.unread {
			r.limited = true
			return true
		}
		r.style.gated = rewrite.Verdict{}
		r.text = css.Append(r.text, c.text, r.style.options(r))
		if r.style.gated.Gate && !c.tags { // else the second stage hides it
			if sheet := r.text[from:]; bytes.ContainsAny(sheet, "<&") || bytes.Contains(sheet, []byte("]]>")) {
				r.text = r.text[:from]
			}
			return true
		}
		r.text = r.text[:from]
	}
	r.text = css.Append(r.text, text, r.style.options(r))
	return !bytes.Equal(r.text[from:], text)
}

// styleText rewrites the text of a style element while it streams.
type styleText struct {
	on    bool
	el    *element // whose end tag ends it
	sheet css.Rewriter
	o     css.Options
	owner *Rewriter
	flat  flattener
	gated rewrite.Verdict // the last gating verdict
}

// options returns what style sheets of this document are rewritten with.
func (s *styleText) options(r *Rewriter) *css.Options {
	if s.owner != r {
		s.owner = r
		s.o.Resolve = r.resolveStyle
		s.o.OnChange = func(v rewrite.Verdict) {
			s.gated = v
			r.gated(v)
		}
	}
	s.o.Policy, s.o.Mark, s.o.Limit, s.o.Readings = r.o.Policy, r.o.Mark, r.o.Limit/4, r.o.Readings
	return &s.o
}

func (s *styleText) open(r *Rewriter) {
	s.begin(r, elStyle)
	s.sheet = *css.NewRewriter((*emitter)(r), s.options(r))
}

func (s *styleText) begin(r *Rewriter, el *element) {
	s.on, s.el = true, el
	if r.deepOn {
		r.deep.sheet = r.deep.base + len(r.deep.buf)
	}
}

// openFlat is open for the source of XML or foreign content.
func (s *styleText) openFlat(r *Rewriter, el *element) {
	s.begin(r, el)
	s.flat = flattener{on: true, carry: s.flat.carry[:0]}
	s.sheet = *css.NewRewriter((*speller)(r), s.options(r))
}

// write rewrites p. The error is kept in Rewriter.err.
func (s *styleText) write(p []byte) {
	if s.flat.on {
		s.flat.write(s.owner, p, false)
		return
	}
	_, _ = s.sheet.Write(p)
}

func (s *styleText) close() {
	if s.flat.on {
		s.flat.write(s.owner, nil, true)
	}
	s.on = false
	_ = s.sheet.Close()
	s.flat.on = false
}

// emitter is where a style sheet's text goes.
type emitter Rewriter

// Write implements io.Writer.
func (e *emitter) Write(p []byte) (int, error) {
	(*Rewriter)(e).emit(p)
	return len(p), e.err
}

// resolveStyle resolves a style sheet's reference with the document's base; of several that may hold, with one that leads
// to what is gated.
func (r *Rewriter) resolveStyle(dst, ref []byte) (abs []byte, hostStart, hostEnd int, ok bool) {
	for i := range r.baseCount {
		abs, hostStart, hostEnd, ok = r.bases[i].Resolve(dst, ref)
		if !ok || r.baseCount == 1 {
			break
		}
		res := rewrite.Resource{URL: abs, HostStart: hostStart, HostEnd: hostEnd, Destination: dImage, Element: elStyle.name}
		if r.o.Policy.Resource(&res).Gate {
			break
		}
	}
	return abs, hostStart, hostEnd, ok
}

// judgeStyle judges a style attribute, or the value of one CSS property. It can name a URL in a function, after an at-keyword,
// or spelled with escapes or character references.
func (r *Rewriter) judgeStyle(id attrID, role role, raw []byte) {
	if !bytes.ContainsAny(raw, `(@\&`) {
		return
	}
	if role == roleCSSValue && bytes.HasPrefix(raw, []byte("url(#")) && bytes.IndexByte(raw[5:], '(') < 0 {
		return
	}
	s := r.decode(raw)
	from := len(r.text)
	r.text = css.Append(r.text, s, r.style.options(r))
	if bytes.Equal(r.text[from:], s) {
		r.text = r.text[:from]
		return
	}
	r.replace(id, from)
}
