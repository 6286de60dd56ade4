package caddymodule

import (
	"net/http"
	"strings"

	"github.com/caddy-consent/caddy-consent/rewrite/encoding"
)

// plan is what becomes of a response's body.
type plan uint8

const (
	planPass    plan = iota // forwarded untouched
	planRewrite             // goes through a rewriter
	planBlock               // withheld: an error page stands for it
)

// bodyless reports whether the answer has no body by rule (RFC 9110, 6.4.1).
func (w *responseWriter) bodyless() bool {
	return w.x.r.Method == http.MethodHead || w.status == http.StatusNoContent || w.status == http.StatusNotModified
}

// choose decides by the header alone whether the body needs rewriting.
func (w *responseWriter) choose() plan {
	h := w.Header()
	if w.status == http.StatusSwitchingProtocols || w.x.r.Method == http.MethodConnect {
		return planPass // what follows are frames, not a body (RFC 8441)
	}
	w.contentType = strings.Join(h["Content-Type"], ",")
	codings := strings.Join(h["Content-Encoding"], ",")
	// Where the field is missing and nothing is encoded, net/http fills in the type that it finds, nosniff or not.
	filled := len(h["Content-Type"]) == 0 && encoding.Identity(codings)
	nosniff := !filled && strings.EqualFold(strings.TrimSpace(h.Get("X-Content-Type-Options")), "nosniff")
	w.kind = encoding.KindOf(w.contentType, nosniff, nil, false)
	if w.x.styleWanted() && w.kind != encoding.KindXML { // XSLT is asked for alike: begin tells
		w.kind = encoding.KindCSS // a page in quirks mode takes any type for a style sheet (HTML, 4.6.7.20)
	}
	if w.status == http.StatusPartialContent && w.x.r.Header.Get("Range") == "" && w.kind != encoding.KindOther {
		w.status = http.StatusOK // a part that nobody asked for is shown as the whole
		delete(h, "Content-Range")
	}
	if codings != "" && !w.x.fetch.whole() {
		w.x.compresses(w.ResponseWriter) // else told before the request said what the gateway takes
	}
	switch {
	case w.status == http.StatusNotModified && w.x.confirms:
		w.x.editConfirmed(h)
		return planPass
	case w.status == http.StatusNotModified, w.status == http.StatusNoContent, w.saved(h),
		w.kind == encoding.KindOther && !w.x.guardsWorker(w.kind), w.kind == encoding.KindJSON && !w.x.readsJSON(w.contentType):
		return planPass
	case w.kind == encoding.KindMultipart, w.status == http.StatusPartialContent, !encoding.Supported(codings):
		return w.x.unrewritable(h)
	case w.bodyless():
		if w.kind == encoding.KindHTML || w.kind == encoding.KindXML || w.kind == encoding.KindCSS || w.kind == encoding.KindJSON {
			w.x.editRewritten(h, w.kind)
			delete(h, "Content-Encoding")
			if !encoding.Identity(codings) {
				w.x.declareCoding(h)
			}
			if w.x.r.ProtoMajor == 3 {
				h["Content-Length"] = nil // keeps quic-go from adding a length of 0
			}
		}
	case !encoding.Identity(codings):
		d, err := encoding.NewDecoder(codings, feeder{w}, encoding.Limits{})
		if err != nil {
			return w.x.unrewritable(h)
		}
		w.decoder = d
	}
	return planRewrite
}

// saved reports whether the browser saves the body instead of showing it: where it navigates, or to be sure that it does in
// no other way, where a script fetches, in whose page the guard is. (RFC 6266, 4.2; HTML, 7.4.5 "process a navigate fetch")
func (w *responseWriter) saved(h http.Header) bool {
	values := h["Content-Disposition"]
	if len(values) != 1 || w.status < 200 || w.status > 299 || w.x.fetch == fetchWorker || w.x.styleWanted() {
		return false
	}
	kind, _, _ := strings.Cut(values[0], ";")
	if !strings.EqualFold(strings.TrimSpace(kind), "attachment") {
		return false
	}
	switch w.x.r.Header.Get("Sec-Fetch-Dest") {
	case "document", "iframe", "frame":
		return true
	case "empty":
		return w.x.fetch == fetchFragment // no service worker, which may show it as a page
	}
	return false
}
