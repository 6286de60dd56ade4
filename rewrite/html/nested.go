package html

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/css"
	"github.com/caddy-consent/caddy-consent/rewrite/encoding"
)

// maxDepth is how deep documents may lie within documents; a deeper one is dropped.
const maxDepth = 4

// judgeSrcdoc rewrites the document of an iframe. It inherits the base URL. (WHATWG HTML, 7.4.5 and 2.4.3)
func (r *Rewriter) judgeSrcdoc(id attrID, doc []byte) {
	if r.o.depth >= maxDepth {
		r.limited = true
		r.plan.changed = true
		r.plan.dropped |= 1 << id
		return
	}
	out, v := r.nested(doc, false)
	guarded := r.o.Srcdoc != nil && runs.Match(out)
	if !v.Gate && !guarded {
		return
	}
	start, body := len(r.text), 0
	if guarded {
		body = len(doctype.Find(out))
		r.text = append(r.text, out[:body]...)
		text := bytes.NewBuffer(r.text)
		r.o.Srcdoc(text)
		r.text = text.Bytes()
	}
	r.text = append(r.text, out[body:]...)
	r.replace(id, start)
}

// What a document in an attribute begins with, and what shows that it may run a script.
var (
	doctype = regexp.MustCompile(`(?i)^\s*<!doctype[^>]*>`)
	runs    = regexp.MustCompile(`(?i)<\w*:?script|javascript:|\bon[a-z]+\s*=`)
)

// nested rewrites a document within this one. The verdict is the first that gated something in it.
func (r *Rewriter) nested(doc []byte, xml bool) (out []byte, first rewrite.Verdict) {
	if r.child == nil {
		r.child = new(Rewriter)
	}
	var buf bytes.Buffer
	o := Options{Policy: r.o.Policy, Base: r.bases[r.baseCount-1], Mark: r.o.Mark, Limit: r.o.Limit, Dynamic: r.o.Dynamic, Nonce: r.o.Nonce, Fragment: true, XML: xml, Readings: r.o.Readings, depth: r.o.depth + 1}
	o.onGate = func(v rewrite.Verdict) {
		if !first.Gate {
			first = v
		}
		r.gated(v)
	}
	r.child.Reset(&buf, o)
	r.child.frames = r.frames
	r.child.bases, r.child.baseCount = r.bases, r.baseCount
	_, _ = r.child.Write(doc) // a bytes.Buffer does not fail
	_ = r.child.Close()
	r.frames = r.child.frames
	r.steps += r.child.steps
	r.limited = r.limited || r.child.limited
	if r.child.limited || o.Readings.Open() { // changes that no verdict tells of
		first.Gate = first.Gate || !bytes.Equal(buf.Bytes(), doc)
	}
	return buf.Bytes(), first
}

// judgeData judges what a data: URL holds, where it would be run or shown as a document; rest follows "data:".
func (r *Rewriter) judgeData(rest []byte) rewrite.Verdict {
	switch r.res.Destination {
	case rewrite.DestinationScript, rewrite.DestinationStyle, rewrite.DestinationFrame, rewrite.DestinationObject,
		rewrite.DestinationDocument, rewrite.DestinationWorker:
	default:
		return rewrite.Verdict{}
	}
	if r.o.depth >= maxDepth {
		return rewrite.Verdict{Gate: true, Drop: true}
	}
	saved := r.res
	defer func() { r.res = saved }()
	mime, body, ok := encoding.Data(rest)
	if !ok {
		return rewrite.Verdict{}
	}
	switch saved.Destination {
	case rewrite.DestinationScript, rewrite.DestinationWorker:
		return r.judgeScript(body)
	case rewrite.DestinationStyle:
		r.style.gated = rewrite.Verdict{}
		css.Append(nil, body, r.style.options(r))
		if encoding.Swallows(body, 0) { // it is read as the document is
			return rewrite.Verdict{Gate: true, Drop: true}
		}
		return r.style.gated
	}
	_, v := r.nested(body, strings.Contains(mime, "xml"))
	return v
}
