package caddymodule

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/caddy-consent/caddy-consent/caddymodule/metrics"
	"github.com/caddy-consent/caddy-consent/rewrite/css"
	"github.com/caddy-consent/caddy-consent/rewrite/encoding"
	"github.com/caddy-consent/caddy-consent/rewrite/html"
)

// unrewritable is what becomes of a body that could hold markup and cannot be read.
func (x *exchange) unrewritable(h http.Header) plan {
	x.policy.tally.Unreadable++
	x.confine(h)
	if x.site.options.OnUnrewritable == "block" {
		return planBlock
	}
	return planPass
}

// rewriter returns the first stage for a body that begins with prefix, or out itself for what is neither markup nor style
// after all. Encodings that cannot be tokenised as bytes are decoded before and encoded again behind the rewriter: forms
// of the page are sent in its encoding, which the app behind relies on. UTF-16 becomes UTF-8, as forms of it do anyway.
func (x *exchange) rewriter(out stage, h http.Header, kind encoding.Kind, contentType string, prefix []byte) stage {
	if x.guardsWorker(kind) {
		return x.workerStage(out)
	}
	if kind == encoding.KindJSON {
		return x.jsonStage(out, h, contentType)
	}
	if kind != encoding.KindHTML && kind != encoding.KindXML && kind != encoding.KindCSS {
		return out
	}
	name, certain := encoding.Sniff(contentType, prefix)
	x.ascii = name != "utf-8" && encoding.Transparent(name)
	if kind == encoding.KindXML && x.document() {
		// In text/xml what scripts create is no HTML; only in a transparent encoding the bytes are what the rewriter sees.
		if x.xhtml = strings.Contains(contentType, "xhtml") && encoding.Transparent(name) && encoding.XHTML(prefix); !x.xhtml {
			x.confine(h) // there is no guard for SVG and the like
		}
	}
	// What the body says of itself not every browser reads alike, nor did this one have to; scripts that fetch do not ask it.
	if _, told := encoding.Sniff(contentType, nil); certain && !told && x.fetch != fetchFragment || !encoding.Transparent(name) {
		setCharset(h, name)
	}
	if encoding.Transparent(name) {
		if certain {
			return x.rewriterTo(out, h, kind, encoding.ReadIn(name))
		}
		next := x.rewriterTo(out, h, kind, encoding.ReadAnyhow())
		return undeclared{encoding.NewUndeclared(next), next}
	}
	back, err := encoding.NewEncoder(name, out)
	if err != nil || strings.HasPrefix(name, "utf-16") {
		setCharset(h, "utf-8")
		back = nil
	}
	var next stage
	if back == nil {
		next = x.rewriterTo(out, h, kind, encoding.Readings{})
	} else {
		next = x.rewriterTo(back, h, kind, encoding.Readings{})
	}
	t, err := encoding.NewTranscoder(name, next)
	if err != nil {
		return next
	}
	return transcoder{t, next, back}
}

// rewriterTo returns the rewriter for a kind of document.
func (x *exchange) rewriterTo(w io.Writer, h http.Header, kind encoding.Kind, readings encoding.Readings) stage {
	if kind == encoding.KindCSS {
		return css.NewRewriter(w, &css.Options{Policy: &x.policy, Resolve: x.base().Resolve, Mark: x.responseMark(), Readings: readings})
	}
	if (kind == encoding.KindHTML || x.xhtml) && x.document() {
		metrics.CountPage(&x.decision)
		if x.writer.status < http.StatusBadRequest { // whoever invents paths adds no page of the site
			x.policy.tally.Document, x.policy.tally.Counts = true, x.site.app.views.allow(client(x.r), time.Now())
			x.policy.learned.Page(x.url.Path)
		}
	}
	x.html = rewriters.Get().(*html.Rewriter)
	o := x.htmlOptions(h, kind)
	o.Readings = readings
	x.html.Reset(w, o)
	return x.html
}

// rewriters are kept for their memory.
var rewriters = sync.Pool{New: func() any { return new(html.Rewriter) }}

// done gives back what a response that ended well has used.
func (x *exchange) done() {
	if x.html != nil {
		if x.html.Limited() != nil {
			x.policy.tally.Oversize++
		}
		x.html.Reset(nil, html.Options{}) // holds on to nothing of this response
		rewriters.Put(x.html)
		x.html = nil
	}
}

// transcoder joins a decoder of characters to the rewriter behind it, and an encoder (or nil) behind that.
type transcoder struct {
	io.WriteCloser
	next stage
	back io.Closer
}

// Flush passes on what is complete; a cut-off character waits for its rest.
func (t transcoder) Flush() error { return t.next.Flush() }

// Close ends the text, then the document.
func (t transcoder) Close() error {
	err := errors.Join(t.WriteCloser.Close(), t.next.Close())
	if t.back != nil {
		err = errors.Join(err, t.back.Close())
	}
	return err
}

// undeclared is the stage before the rewriter of a body that does not say its encoding.
type undeclared struct {
	io.Writer
	stage
}

// Write keeps out what would be read differently in another encoding.
func (u undeclared) Write(p []byte) (int, error) { return u.Writer.Write(p) }

// defineType says what was sniffed, so that no browser comes to another conclusion.
func defineType(h http.Header, kind encoding.Kind) {
	switch kind {
	case encoding.KindHTML:
		h["Content-Type"] = []string{"text/html"}
	case encoding.KindXML:
		h["Content-Type"] = []string{"text/xml"}
	default:
		return
	}
	h["X-Content-Type-Options"] = []string{"nosniff"}
}

// setCharset replaces the charset parameter of the content type.
func setCharset(h http.Header, charset string) {
	essence, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		essence, _, _ = strings.Cut(h.Get("Content-Type"), ";")
		params = nil
	}
	if params == nil {
		params = map[string]string{}
	}
	params["charset"] = charset
	if t := mime.FormatMediaType(strings.TrimSpace(essence), params); t != "" {
		h["Content-Type"] = []string{t}
	}
}
