package html

import (
	"bytes"
	"io"

	"github.com/caddy-consent/caddy-consent/rewrite/internal/ascii"
)

// injectAt injects after a head or body start tag.
func (r *Rewriter) injectAt(b []byte, start, end int, el *element) {
	if r.o.XML {
		r.injectXML(b, start, end, el)
		return
	}
	switch {
	case el == elHead && !r.headDone:
		r.pass(b, end)
		r.injectHead()
	case el == elBody:
		if !r.headDone {
			r.pass(b, start)
			r.injectHead()
		}
		if !r.bodyDone && !r.ctx.any() {
			r.pass(b, end)
			r.injectBody()
		}
	}
}

// beforeXML injects before the second start tag of XML, the first within the root, unless that is head's: scripts run
// wherever they stand there.
func (r *Rewriter) beforeXML(b []byte, start int, el *element) {
	switch {
	case !r.rooted:
		r.rooted = true
	case !r.headDone && !r.opens(b[start:], el, elHead):
		r.pass(b, start)
		r.injectHead()
	}
}

// injectXML injects after a head or body start tag of XML.
func (r *Rewriter) injectXML(b []byte, start, end int, el *element) {
	switch {
	case r.hold.on: // within a script
	case !r.headDone && r.opens(b[start:], el, elHead):
		r.pass(b, end)
		r.injectHead()
	case !r.bodyDone && r.opens(b[start:], el, elBody):
		r.pass(b, end)
		r.injectBody()
	}
}

// opens reports whether the start tag at the beginning of b opens an element of that name: names of XML have a case, a
// prefix is another namespace, and an empty-element tag opens nothing.
func (r *Rewriter) opens(b []byte, el, want *element) bool {
	t := &r.tok.tag
	return el == want && !t.selfClosing && string(b[1:t.nameEnd]) == want.name
}

func (r *Rewriter) injectHead() {
	if !r.headDone {
		r.headDone = true
		r.inject(r.o.Head)
	}
}

func (r *Rewriter) injectBody() {
	if !r.bodyDone {
		r.bodyDone = true
		if !r.ctx.frameset {
			r.inject(r.o.Body)
		}
	}
}

// inject lets write hand on what no policy judges.
func (r *Rewriter) inject(write func(io.Writer)) {
	if r.deepOn { // which keeps it until what comes before is decided
		var b bytes.Buffer
		write(&b)
		r.deep.inject(b.Bytes())
		return
	}
	write(putter{r})
}

// putter writes past the policy. The Rewriter keeps the error of the underlying writer.
type putter struct{ r *Rewriter }

func (w putter) Write(p []byte) (int, error) {
	w.r.put(p)
	return len(p), w.r.err
}

// onText sees text that lies between constructs.
func (r *Rewriter) onText(b []byte, p, end int) {
	if r.style.on {
		r.pass(b, p)
		r.style.write(b[p:end])
		r.done = end
		return
	}
	for ; p < end && !r.o.XML; p++ {
		if !ascii.IsSpace(b[p]) {
			r.pass(b, p)
			r.injectHead()
			return
		}
	}
}
