package html

import (
	"bytes"
	"encoding/base64"

	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/css"
	"github.com/caddy-consent/caddy-consent/rewrite/encoding"
	"github.com/caddy-consent/caddy-consent/rewrite/url"
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
	if !v.Gate {
		return
	}
	start := len(r.text)
	r.text = append(r.text, out...)
	r.replace(id, start)
}

// nested rewrites a document within this one. The verdict is the first that gated something in it.
func (r *Rewriter) nested(doc []byte, xml bool) (out []byte, first rewrite.Verdict) {
	if r.child == nil {
		r.child = new(Rewriter)
	}
	var buf bytes.Buffer
	o := Options{Policy: r.o.Policy, Base: r.bases[r.baseCount-1], Mark: r.o.Mark, Limit: r.o.Limit, Fragment: true, XML: xml, depth: r.o.depth + 1}
	o.OnChange = func(k rewrite.Kind, v rewrite.Verdict) {
		if !first.Gate {
			first = v
		}
		r.changed(k, v)
	}
	r.child.Reset(&buf, o)
	r.child.frames = r.frames
	r.child.bases, r.child.baseCount = r.bases, r.baseCount
	_, _ = r.child.Write(doc) // a bytes.Buffer does not fail
	_ = r.child.Close()
	r.frames = r.child.frames
	if r.child.limited {
		r.limited = true
		first.Gate = first.Gate || !bytes.Equal(buf.Bytes(), doc)
	}
	return buf.Bytes(), first
}

// judgeData judges what a data: URL holds, where it would be run or shown as a document; rest follows "data:".
func (r *Rewriter) judgeData(rest []byte) rewrite.Verdict {
	comma := bytes.IndexByte(rest, ',')
	if comma < 0 {
		return rewrite.Verdict{}
	}
	mime, body := rest[:comma], rest[comma+1:]
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
	mime = bytes.ToLower(mime)
	body = transcode(mime, decodeData(mime, body))
	switch saved.Destination {
	case rewrite.DestinationScript, rewrite.DestinationWorker:
		return r.judgeScript(body)
	case rewrite.DestinationStyle:
		r.style.gated = rewrite.Verdict{}
		css.Append(nil, body, r.style.options(r))
		return r.style.gated
	}
	_, v := r.nested(body, bytes.Contains(mime, []byte("xml")))
	return v
}

// decodeData decodes the body of a data: URL; a body that is not base64 as it says is taken as far as it is. (Fetch, 6)
func decodeData(mime, body []byte) []byte {
	if i := bytes.IndexByte(body, '#'); i >= 0 {
		body = body[:i]
	}
	body = url.AppendDecoded(nil, body)
	i := bytes.LastIndexByte(mime, ';')
	if i < 0 || !equalFoldAny(mime[i+1:], "base64") {
		return body
	}
	body = bytes.TrimRight(bytes.Join(bytes.Fields(body), nil), "=")
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(body)))
	n, _ := base64.RawStdEncoding.Decode(out, body)
	return out[:n]
}

// transcode returns the text of a data: URL, whose type or beginning may name any encoding, as bytes that can be tokenised.
func transcode(mime, body []byte) []byte {
	name, _ := encoding.Sniff(string(mime), body)
	if encoding.Transparent(name) {
		return body
	}
	var out bytes.Buffer
	w, err := encoding.NewTranscoder(name, &out)
	if err != nil {
		return body
	}
	_, _ = w.Write(body) // a bytes.Buffer does not fail
	_ = w.Close()
	return out.Bytes()
}
