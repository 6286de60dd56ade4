package caddymodule

import (
	"net/http"

	"github.com/caddy-consent/caddy-consent/consent/ui"
	"github.com/caddy-consent/caddy-consent/rewrite"
)

// gateRedirect turns a redirect past a gated vendor into an answer that contacts nobody: nothing for a subresource; for a
// visitor, a page that says where the way leads, with a plain link.
func (x *exchange) gateRedirect(h http.Header, location string, v rewrite.Verdict) (status int) {
	h.Del("Content-Length")
	target := x.base().Join([]byte(location))
	if !x.fetch.markup() || target == nil {
		return http.StatusNoContent
	}
	vendor := x.site.vendors[v.Vendor]
	if vendor == nil {
		vendor = &ui.Vendor{Name: target.Host(), Purpose: v.Purpose}
	}
	x.instead = x.site.ui.AppendPlaceholder(nil, vendor, &ui.Embed{Lang: x.lang(), URL: target.String(), Return: x.url.RequestURI()})
	return http.StatusOK
}
