package rules

import (
	"slices"
	"testing"
)

func TestGuardVendors(t *testing.T) {
	s := builtin(t, Options{Allow: []string{"cdn.hotjar.com", "matomo"}})
	byID := map[string]GuardVendor{}
	for _, g := range s.GuardVendors(Context{}) {
		byID[g.ID] = g
	}
	if g := byID["google-analytics"]; g.Purpose.String() != "analytics" || !slices.Contains(g.Hosts, "google-analytics.com") || len(g.Stubs) == 0 || !slices.Contains(g.Cookies, "_ga") {
		t.Errorf("%+v", g)
	}
	if g := byID["stripe"]; !slices.Contains(g.Gate, "*.stripe.com/") || slices.Contains(g.Pass, "*.stripe.com/") {
		t.Errorf("stripe: %+v", g)
	}
	for _, g := range s.GuardVendors(Context{Payment: true}) {
		if g.ID == "stripe" && !slices.Contains(g.Pass, "*.stripe.com/") {
			t.Errorf("stripe where a payment is made: %+v", g)
		}
	}
	if g := byID["allow"]; !slices.Contains(g.Pass, ".cdn.hotjar.com/") {
		t.Errorf("allowed hosts: %+v", g)
	}
	if g := byID["matomo"]; g.Hosts != nil || g.Paths != nil {
		t.Errorf("an allowed vendor is gated: %+v", g)
	}
	if g := byID["youtube"]; g.Hosts != nil || !slices.Contains(g.Gate, ".youtube.com/embed") {
		t.Errorf("of a vendor that passes its embeds are to be gated: %+v", g)
	}
}
