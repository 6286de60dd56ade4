// Package html rewrites HTML while it streams: whatever would make a browser contact a host is shown to a
// [rewrite.Policy], and what the policy gates is made inert and marked, so that it can be revived later.
//
// A tag that is changed is emitted again whole from its parsed attributes; no other byte is touched. The output does not
// depend on how the input was split, and a page whose every contact passes comes out byte for byte.
//
// Browsers do not agree on where a tag begins: a preload scanner tokenizes without the tree, a browser without JavaScript
// reads noscript as markup, browsers follow older or newer rules for select. Where a construct is met that these views
// read differently, the rest of the stream goes through a second stage too, which looks at every place where any view
// could see a tag (see deep.go).
package html

import (
	"bytes"
	"io"

	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/url"
)

// Rewriter rewrites one document; Reset makes it ready for the next. It is for one goroutine.
type Rewriter struct {
	o   Options
	w   io.Writer
	err error

	tok      tokenizer
	ctx      context
	pend     []byte // input that is not decided yet
	scanned  int    // how much of pend the tokenizer has passed over
	done     int    // in run: how much of its bytes has been emitted or replaced
	hold     hold
	big      bigTag
	dropping bool // a declaration of XML that is too large
	unread   bool // the text at hand holds references that were not expanded
	limited  bool
	steps    int  // how many bytes were looked at or moved, each time: the measure of what a document costs
	begun    bool // the place of a byte order mark is behind

	deep     *deepScanner
	deepOn   bool
	style    styleText
	frames   int  // how many gated frames were named
	rooted   bool // the root's start tag was seen, which counts in XML
	headDone bool
	bodyDone bool

	bases     [maxBases]*url.URL
	baseCount int
	baseSet   bool

	res    rewrite.Resource
	plan   plan
	held   tag    // the start tag that hold is about
	out    []byte // changed bytes on their way to w
	val    []byte // a decoded attribute value
	urlBuf []byte // a resolved URL
	text   []byte // other decoded text
	code   []byte // a javascript: URL
	child  *Rewriter

	entities entities
}

// NewRewriter returns a Rewriter that writes the rewritten document to w.
func NewRewriter(w io.Writer, o Options) *Rewriter {
	r := new(Rewriter)
	r.Reset(w, o)
	return r
}

// Reset makes r ready for another document; its memory is used again.
func (r *Rewriter) Reset(w io.Writer, o Options) {
	if o.Limit <= 0 {
		o.Limit = defaultLimit
	}
	r.o, r.w, r.err = o, w, nil
	r.tok = tokenizer{xml: o.XML, cdata: o.XML}
	r.tok.tag.judged, r.tok.tag.xml, r.tok.tag.links = o.Policy != nil, o.XML, o.Link != nil
	r.ctx, r.entities = context{}, entities{}
	r.pend, r.scanned, r.done, r.out = r.pend[:0], 0, 0, r.out[:0]
	r.hold, r.big, r.dropping, r.limited, r.deepOn = hold{}, bigTag{}, false, false, false
	r.style.on, r.style.flat.on, r.begun, r.frames, r.unread, r.steps = false, false, false, 0, false, 0
	r.headDone, r.bodyDone = o.Head == nil || o.Fragment, o.Body == nil || o.Fragment
	r.rooted = false
	r.bases = [maxBases]*url.URL{o.Base}
	r.baseCount, r.baseSet = 1, false
}

// Limited returns ErrLimit if the limit was reached, else nil.
func (r *Rewriter) Limited() error {
	if r.limited {
		return ErrLimit
	}
	return nil
}

// feed is how many bytes are added to what is held at a time.
const feed = 4 << 10

// Write rewrites p. It does not keep p. The error is that of the underlying writer; after one, nothing is written.
func (r *Rewriter) Write(p []byte) (int, error) {
	n := len(p)
	for r.err == nil && len(p) > 0 {
		if len(r.pend) == 0 {
			keep := r.run(p, false)
			r.pend = append(r.pend, p[keep:]...)
			break
		}
		before := len(r.pend)
		add := min(len(p), feed)
		r.pend = append(r.pend, p[:add]...)
		r.steps += len(r.pend)
		keep := r.run(r.pend, false)
		if keep >= before { // what was held is decided: go on in p itself
			p = p[keep-before:]
			r.pend = r.pend[:0]
			continue
		}
		p = p[add:]
		r.pend = append(r.pend[:0], r.pend[keep:]...)
	}
	if r.err != nil {
		return 0, r.err
	}
	return n, nil
}

// Flush returns the error of the writer behind, if there was one. There is nothing to hand on: Write keeps back only what is not
// decided, such as the beginning of a tag or a script that cannot be judged yet, until its end has come.
func (r *Rewriter) Flush() error {
	return r.err
}

// Close ends the document.
func (r *Rewriter) Close() error {
	if r.err != nil {
		return r.err
	}
	r.run(r.pend, true)
	r.pend = r.pend[:0]
	if r.style.on {
		r.style.close()
	}
	if r.tok.state == stateData && !r.o.XML {
		r.injectHead()
		r.injectBody()
	}
	if r.deepOn {
		r.deep.close()
	}
	return r.err
}

// run rewrites b, which begins with what was held, and returns from where on it must be held.
func (r *Rewriter) run(b []byte, eof bool) (keep int) {
	p := r.scanned
	r.steps += len(b) - p
	r.scanned, r.done = 0, 0
	if !r.begun {
		if len(b) < len(bom) && bytes.HasPrefix([]byte(bom), b) && !eof {
			return 0
		}
		if r.begun = true; bytes.HasPrefix(b, []byte(bom)) {
			p = len(bom)
		}
	}
	for {
		if r.big.on {
			at, ended := r.runBig(b, p, eof)
			if !ended {
				return r.stop(b, at, at)
			}
			p = at
		}
		var k kind
		var start, end int
		if r.tok.state == stateData {
			r.tok.skim = r.skims()
			k, start, end = r.tok.data(b, p, eof)
		} else {
			k, start, end = r.tok.next(b, p, eof)
		}
		if start > p && (r.style.on || !r.headDone) {
			r.onText(b, p, start)
		}
		switch k {
		case kindMore:
			if !eof {
				if at := r.overLimit(b, start); at >= 0 {
					p = at
					continue
				}
			}
			if eof {
				if r.hold.on {
					r.release(b, len(b), false)
				}
				if r.style.on && r.tok.state == stateTag {
					r.style.close()
				}
				r.inNoscript(b, start, len(b)) // a tag without an end
				start = len(b)
			}
			return r.stop(b, start, start)
		case kindStartTag:
			end = r.startTag(b, start, end)
		case kindEndTag:
			end = r.endTag(b, start, end)
		default:
			end = r.other(k, b, start, end)
		}
		p = end
	}
}

// skims returns how long a tag may be for the tokenizer to pass over it without a word, 0 while each tag counts.
func (r *Rewriter) skims() int {
	if r.o.XML || r.hold.on || r.style.on || !r.headDone || r.ctx.any() {
		return 0
	}
	return r.o.Limit / 2
}

// stop ends a run: b is decided up to at, and the tokenizer has passed over it up to scanned.
func (r *Rewriter) stop(b []byte, at, scanned int) (keep int) {
	if r.hold.on {
		at = r.hold.start
		r.hold.start = 0
		r.hold.text -= at
	}
	r.pass(b, at)
	r.scanned = scanned - at
	return at
}

// overLimit deals with what is too large to be held, and returns where to go on, -1 if nothing is too large.
func (r *Rewriter) overLimit(b []byte, start int) int {
	limit := r.o.Limit / 2
	switch {
	case r.hold.on && start-r.hold.start > limit:
		r.release(b, start, false)
		return start
	case r.tok.state == stateTag && len(b)-start > limit:
		switch {
		case r.hold.on && r.tok.tag.end:
			r.release(b, start, false)
		case r.hold.on:
			r.releaseMixed(b, start)
		}
		return r.startBig(b, start)
	case r.tok.state == stateData && len(b)-start > limit: // an XML DOCTYPE or processing instruction
		r.limited, r.dropping = true, true
		r.tok.state, r.tok.kind = stateBogus, kindDoctype
		return start
	}
	return -1
}

// startTag judges the start tag b[start:end] and follows what it means for what comes. It returns where to go on.
func (r *Rewriter) startTag(b []byte, start, end int) int {
	if r.hold.on { // in XML
		r.releaseMixed(b, start)
	}
	if r.style.on {
		return r.inStyle(b, start, end)
	}
	t := &r.tok.tag
	el := r.element(t, b[start:end])
	if end-start > r.o.Limit/2 {
		return r.startBig(b, start) // as if it had come in pieces
	}
	r.inNoscript(b, start, end)
	if r.o.XML {
		r.beforeXML(b, start, el)
	} else if !r.headDone && el.flags&flagInject == 0 {
		r.pass(b, start)
		r.injectHead()
	}
	if el.flags&(flagRaw|flagScript|flagPlain) != 0 {
		r.rawText(b, start, end, el)
		return end
	}
	if t.seen&el.mask != 0 {
		r.judgeTag(b, start, end, t, el)
	}
	if !r.o.XML && (el.flags&(flagContext|flagForeign) != 0 || r.ctx.any()) {
		r.ctx.startTag(el, b[start+1:start+t.nameEnd], t.selfClosing)
	}
	if el.flags&flagInject != 0 {
		r.injectAt(b, start, end, el)
	}
	return end
}

// element returns the element of a tag; in XML a name's prefix does not count and its case is forgiven, which can only
// gate more.
func (r *Rewriter) element(t *tag, b []byte) *element {
	name := b[t.nameStart():t.nameEnd]
	if !r.o.XML {
		return lookupElement(t.name, name)
	}
	name = name[bytes.LastIndexByte(name, ':')+1:]
	return lookupElement(keyOf(name), name)
}

// endTag follows the end tag b[start:end]. It returns where to go on.
func (r *Rewriter) endTag(b []byte, start, end int) int {
	if r.style.on {
		if h := (hold{el: r.style.el}); r.o.XML && !h.ends(b[start:end], r.tok.tag.nameEnd) {
			return r.inStyle(b, start, end)
		}
		r.style.close()
	}
	if r.hold.on {
		if r.o.XML && !r.hold.ends(b[start:end], r.tok.tag.nameEnd) {
			return end
		}
		r.release(b, start, true)
	}
	if end-start > r.o.Limit/2 {
		return r.startBig(b, start)
	}
	r.inNoscript(b, start, end)
	if !r.headDone && !r.o.XML {
		r.pass(b, start)
		r.injectHead()
	}
	if !r.o.XML && r.ctx.any() {
		r.ctx.endTag(r.element(&r.tok.tag, b[start:end]), b[start+2:start+r.tok.tag.nameEnd])
	}
	return end
}

// inStyle gives markup within a style of XML to its sheet. It returns where to go on.
func (r *Rewriter) inStyle(b []byte, start, end int) int {
	r.pass(b, start)
	r.style.write(b[start:end])
	r.done = end
	return end
}

// inNoscript looks for what ends noscript, to a browser with JavaScript, within the tag b[start:end].
func (r *Rewriter) inNoscript(b []byte, start, end int) {
	if start < end && r.ctx.noscript && containsFold(b[start+1:end], "</noscript") {
		r.startDeep(b, start)
	}
}

// other sees comments, DOCTYPEs, CDATA sections and processing instructions. It returns where to go on.
func (r *Rewriter) other(k kind, b []byte, start, end int) int {
	if r.style.on && !r.dropping {
		return r.inStyle(b, start, end)
	}
	if r.o.XML {
		return r.xmlOther(k, b, start, end)
	}
	if i := r.ctx.ambiguousComment(b[start:end], r.tok.first); i >= 0 {
		r.startDeep(b, start+i)
	}
	return end
}

// pass emits b up to end as it is.
func (r *Rewriter) pass(b []byte, end int) {
	if end > r.done {
		r.emit(b[r.done:end])
		r.done = end
	}
}

// emit hands p on, to the deep stage where that is on.
func (r *Rewriter) emit(p []byte) {
	if r.deepOn {
		r.deep.write(p)
		return
	}
	r.put(p)
}

// put writes p to the underlying writer.
func (r *Rewriter) put(p []byte) {
	if r.err == nil && len(p) > 0 {
		_, r.err = r.w.Write(p)
	}
}

// bom is the byte order mark, which is no text.
const bom = "\xEF\xBB\xBF"
