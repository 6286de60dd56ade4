package caddymodule

import (
	"net/http"
	"strings"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/rewrite/header"
	"github.com/caddy-consent/caddy-consent/rules"
	"github.com/caddy-consent/caddy-consent/rules/filterlist"
)

// Filter lists do more than block: $csp adds a policy to a page, $removeparam takes parameters out of a query. Both are
// done to the site's own pages and requests while the list's purpose is not permitted. (What $redirect names is done by
// the guard's stubs: see policy.verdict.)

// listRequest is the request itself, as filter lists see it.
func (x *exchange) listRequest() rules.Request {
	kind := filterlist.Other
	switch x.fetch {
	case fetchDocument:
		kind = filterlist.Document
	case fetchFrame, fetchPane:
		kind = filterlist.Subdocument
	case fetchFragment:
		kind = filterlist.XHR
	}
	const scheme = "https://"
	u := scheme + x.policy.pageHost + x.url.EscapedPath()
	if x.r.URL.RawQuery != "" {
		u += "?" + x.r.URL.RawQuery
	}
	return rules.Request{URL: []byte(u), HostStart: len(scheme), HostEnd: len(scheme) + len(x.policy.pageHost), Type: kind,
		PageHost: x.policy.pageHost, Method: x.r.Method}
}

func (x *exchange) permitsList(p consent.Purpose) bool { return x.decision.Permits(p, 0) }

// listPolicyMark tells the guard a list's policy from the site's own, which it knows by the same words: where such a policy
// refuses what the visitor has just agreed to, only a fresh page helps. There are no endpoints of that name.
const listPolicyMark = "; report-to consent"

// appendListPolicies adds the policies of $csp rules to a page. They count as the site's own: what the guard needs is
// allowed in them, too.
func (x *exchange) appendListPolicies(h http.Header) {
	if !x.document() || !x.site.rules.Modifies() {
		return
	}
	r := x.listRequest()
	for _, policy := range x.site.rules.Policies(&r, x.permitsList, nil) {
		x.siteCSP = header.AppendCSP(h, policy+listPolicyMark) || x.siteCSP
	}
}

// cleanQuery takes what $removeparam rules name out of the query that the app sees.
func (x *exchange) cleanQuery() {
	if x.r.URL.RawQuery == "" || !x.site.rules.Modifies() {
		return
	}
	r := x.listRequest()
	clean, changed := x.site.rules.Clean(&r, x.permitsList, nil)
	if !changed {
		return
	}
	u := *x.r.URL
	_, u.RawQuery, _ = strings.Cut(string(clean), "?")
	x.r.URL = &u
}
