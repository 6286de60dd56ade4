package rules

import "testing"

// TestEscapedPaths: a server reads %74r as tr and most read // as /, so that a tracker may be spelled so. What is let through
// may not.
func TestEscapedPaths(t *testing.T) {
	s := builtin(t, Options{})
	for _, tt := range []struct{ url, vendor string }{
		{"https://www.facebook.com/%74r?id=1", "meta-pixel"}, {"https://www.facebook.com//tr?id=1", "meta-pixel"},
		{"https://www.facebook.com/%74%72/?id=1", "meta-pixel"}, {"https://www.google.com/%70agead/1p-user-list/1", "google-ads"},
		{"https://www.google.com///pagead%2F1p-user-list/1", "google-ads"}, {"https://apis.google.com/js/%70lusone.js", "google-plus"},
		{"https://apis.google.com//js/plusone.js", "google-plus"}, {"https://apis.google.com/_/%2B1/fastbutton", "google-plus"},
		{"https://twitter.com/%69/jot", "twitter-widgets"}, {"https://unpkg.com/%40amplitude/analytics-browser", "amplitude"},
		{"https://unpkg.com/@amplitude%2fanalytics-browser", "amplitude"}, {"https://cdn.jsdelivr.net/npm/%40segment/analytics-next", "segment"},
		{"https://storage.googleapis.com//code.snapengage.com/js/x.js", "snapengage"},
		{"https://storage.googleapis.com/code%2Esnapengage.com/js/x.js", "snapengage"},
		{"https://www.example.net/x/matomo%2Ephp?idsite=1", "matomo"}, {"https://acme.zendesk.com/hc%2F..%2Fembeddable_blip", "zendesk"},
		{"https://www.facebook.com/%7", ""}, {"https://www.facebook.com/%", ""}, {"https://www.facebook.com/%zz/%00%FF", ""},
		{"https://www.facebook.com/100%25/tr", ""}, {"https://www.facebook.com/profile%2Fexample", ""}, {"https://x.zendesk.com//hc/en-us", "zendesk"},
	} {
		if m, ok := judge(t, s, tt.url, Context{}); ok != (tt.vendor != "") || ok && m.Vendor != tt.vendor {
			t.Errorf("%s: %v, %s by %q; want %q", tt.url, ok, m.Vendor, m.Rule, tt.vendor)
		}
	}
	allowed := builtin(t, Options{Allow: []string{"www.facebook.com/tr"}})
	if m, ok := judge(t, allowed, "https://www.facebook.com/%74r?id=1", Context{}); ok {
		t.Errorf("what the operator allows is gated where it is escaped: %+v", m)
	}
	if m, ok := judge(t, builtin(t, Options{Allow: []string{"meta-pixel"}}), "https://www.facebook.com/%74r?id=1", Context{}); ok {
		t.Errorf("an allowed vendor is gated where it is escaped: %+v", m)
	}
	if m, ok := judge(t, s, "https://js.stripe.com/%763/", Context{Payment: true}); ok {
		t.Errorf("a payment is gated: %+v", m)
	}
}
