package caddymodule

import (
	"net/http"
	"reflect"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp/encode"

	"github.com/caddy-consent/caddy-consent/rewrite/encoding"
)

// compresses notes whether a body that comes compressed and is rewritten is to be compressed again here:
// the client takes gzip, and no encode handler stands outside, which would do it as the operator configured it.
func (x *exchange) compresses(w http.ResponseWriter) {
	x.gzip = x.site.mode != modeReport && encoding.AcceptsGzip(x.r.Header["Accept-Encoding"]) && !encodes(w)
}

// encodePackage holds Caddy's encode handler, whose writer has no exported name.
var encodePackage = reflect.TypeFor[encode.Encode]().PkgPath()

// encodes reports whether an encode handler compresses what is written to w: it wraps the writer of a request that asks
// for a coding it has.
func encodes(w http.ResponseWriter) bool {
	for w != nil {
		if t := reflect.TypeOf(w); t.Kind() == reflect.Pointer && t.Elem().PkgPath() == encodePackage {
			return true
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return false
		}
		w = u.Unwrap()
	}
	return false
}

// declareCoding makes the header true for a body that came compressed: it leaves so if the client takes that (RFC 9110,
// 12.5.5).
func (x *exchange) declareCoding(h http.Header) {
	if x.gzip {
		h["Content-Encoding"] = []string{"gzip"}
	}
	if !listed(h["Vary"], "Accept-Encoding") {
		h["Vary"] = append(h["Vary"], "Accept-Encoding")
	}
}
