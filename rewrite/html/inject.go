package html

import (
	"bytes"
	"io"
)

// injectAt injects after a head or body start tag.
func (r *Rewriter) injectAt(b []byte, start, end int, el *element) {
	switch {
	case el == elHead && !r.headDone:
		r.pass(b, end)
		r.injectHead()
	case el == elBody:
		if !r.headDone && !r.o.XML {
			r.pass(b, start)
			r.injectHead()
		}
		if !r.bodyDone && !r.ctx.any() {
			r.pass(b, end)
			r.injectBody()
		}
	}
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
		if !isSpace(b[p]) {
			r.pass(b, p)
			r.injectHead()
			return
		}
	}
}
