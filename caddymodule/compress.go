package caddymodule

import (
	"net/http"
	"reflect"
	"slices"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/encode"

	"github.com/caddy-consent/caddy-consent/rewrite/encoding"
)

// compresses notes who compresses what is rewritten. What comes compressed leaves compressed if the client takes gzip, by
// the gateway (gzip) or by an encode handler outside, as the operator configured it. For pages the gateway does that in its
// place where it offers gzip (encode): it has the guard, a fifth of a page, compressed already.
func (x *exchange) compresses(w http.ResponseWriter) {
	if x.site.mode == modeReport || !encoding.AcceptsGzip(x.r.Header["Accept-Encoding"]) {
		return
	}
	config, encodes := outerEncode(w)
	x.gzip = !encodes
	if config != nil && slices.Contains(config.Prefer, "gzip") {
		x.encode = config
	}
}

// encodePackage holds Caddy's encode handler, whose writer has no exported name.
var encodePackage = reflect.TypeFor[encode.Encode]().PkgPath()

// outerEncode reports whether an encode handler compresses what is written to w, and how that is configured.
//
// Caddy offers no way to ask: the type of encode's writer is not exported, and its configuration is not in the request. So two of
// its fields are read by name, checked for their types. A Caddy that names them otherwise leaves config nil: pages are compressed by
// encode as without the gateway, which costs the time that is saved here, and nothing else. TestEncodeOutside fails then.
func outerEncode(w http.ResponseWriter) (config *encode.Encode, encodes bool) {
	for w != nil {
		if t := reflect.TypeOf(w); t.Kind() == reflect.Pointer && t.Elem().PkgPath() == encodePackage {
			v := reflect.ValueOf(w).Elem()
			if coding := v.FieldByName("encodingName"); coding.Kind() == reflect.String && coding.Len() == 0 {
				return nil, false // it has nothing that the client takes
			}
			if c := v.FieldByName("config"); c.IsValid() && c.Type() == reflect.TypeFor[*encode.Encode]() {
				config = (*encode.Encode)(c.UnsafePointer())
			}
			return config, true
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return nil, false
		}
		w = u.Unwrap()
	}
	return nil, false
}

// insteadOfEncode reports whether a page is one that the encode handler outside would compress.
func (w *responseWriter) insteadOfEncode(h http.Header) bool {
	e := w.x.encode
	return e != nil && w.kind == encoding.KindHTML && w.x.document() && len(h["Content-Encoding"]) == 0 && !caddyhttp.IsIncremental(h) &&
		!listed(h["Cache-Control"], "no-transform") && (e.Matcher == nil || e.Matcher.Match(w.status, h))
}

// declareCoding makes the header true for a body that may leave compressed, as the client takes it (RFC 9110, 12.5.5).
func (x *exchange) declareCoding(h http.Header) {
	if x.gzip {
		h["Content-Encoding"] = []string{"gzip"}
	}
	if !listed(h["Vary"], "Accept-Encoding") {
		h["Vary"] = append(h["Vary"], "Accept-Encoding")
	}
}
