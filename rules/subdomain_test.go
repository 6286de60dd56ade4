package rules_test

import (
	"testing"
	"testing/fstest"

	"github.com/caddy-consent/caddy-consent/rules"
	"github.com/caddy-consent/caddy-consent/rules/catalogue"
	"github.com/caddy-consent/caddy-consent/rules/filterlist"
)

// TestDeclaredSubdomain: a vendor that the operator declared is gated on a subdomain of the site; built-in vendors' own sites,
// and the site itself, are not.
func TestDeclaredSubdomain(t *testing.T) {
	own := fstest.MapFS{"metrics.json": {Data: []byte(`{
  "number": 65000, "name": "Our metrics", "org": "Shop", "purpose": "analytics", "category": "web-analytics",
  "hosts": ["metrics.shop.example"], "patterns": ["www.shop.example/collect/"],
  "examples": {"urls": ["https://metrics.shop.example/a.js"]}, "benign": {"urls": ["https://www.shop.example/a.js"]}
}`)}}
	c, err := catalogue.Load(catalogue.BuiltinFS(), own)
	if err != nil {
		t.Fatal(err)
	}
	s, err := rules.New(c, nil, rules.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		url, page string
		want      bool
	}{
		{"https://metrics.shop.example/a.js", "https://www.shop.example/", true},
		{"https://eu.metrics.shop.example/a.js", "https://shop.example/", true},
		{"https://metrics.shop.example/a.js", "https://elsewhere.example/", true},
		{"https://metrics.shop.example/a.js", "https://metrics.shop.example/", false}, // its own pages
		{"https://cdn.shop.example/a.js", "https://www.shop.example/", false},
		{"https://www.shop.example/collect/a", "https://www.shop.example/", false}, // first_party is for paths
		{"https://www.shop.example/collect/a", "https://shop.example/", true},
		{"https://connect.facebook.com/x.js", "https://www.facebook.com/", false},
		{"https://stats.google.com/x.js", "https://www.google.com/", false},
	} {
		r, err := filterlist.NewRequest(tt.url, tt.page, filterlist.Script)
		if err != nil {
			t.Fatal(err)
		}
		if m, got := s.Match(&r, rules.Context{}); got != tt.want {
			t.Errorf("%s on %s: gated %v as %q, want %v", tt.url, tt.page, got, m.Vendor, tt.want)
		}
	}
}
