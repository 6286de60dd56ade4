package caddymodule

import (
	"net/http"

	"github.com/caddy-consent/caddy-consent/consent/ui"
	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/header"
)

// undecorated returns what takes the visitor's marks off links to other sites, nil while marketing is permitted. Within the
// site the same names may mean something else, and tell it nothing new.
func (x *exchange) undecorated() func(dst, target, host []byte) ([]byte, bool) {
	decoration := x.site.decoration(&x.decision)
	if decoration == nil {
		return nil
	}
	return func(dst, target, host []byte) ([]byte, bool) {
		if !x.site.rules.ThirdParty(x.policy.pageHost, host) {
			return dst, false
		}
		return decoration.Strip(dst, target)
	}
}

// gateRedirect turns a redirect past a gated vendor into an answer that contacts nobody: nothing for a subresource; for a
// visitor, a page that says where the way leads, with a plain link.
func (x *exchange) gateRedirect(h http.Header, location string, v rewrite.Verdict) (status int) {
	h.Del("Content-Length")
	target := x.base().Join([]byte(location))
	if !x.fetch.markup() || target == nil {
		header.NotStored(h)
		return http.StatusNoContent
	}
	vendor := x.site.vendors[v.Vendor]
	if vendor == nil {
		vendor = &ui.Vendor{Name: target.Host(), Purpose: v.Purpose}
	}
	x.instead = x.site.ui.AppendPlaceholder(nil, vendor, &ui.Embed{Lang: x.lang(), URL: target.String(), Return: x.url.RequestURI()})
	return http.StatusOK
}
