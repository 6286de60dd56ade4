package rules

import (
	"maps"
	"slices"
	"testing"

	"github.com/caddy-consent/caddy-consent/consent"
)

func TestGuardVendors(t *testing.T) {
	s := builtin(t, Options{Allow: []string{"cdn.hotjar.com", "matomo"}})
	byID := map[string]GuardVendor{}
	for _, g := range s.GuardVendors(Context{}) {
		byID[g.ID] = g
	}
	if g := byID["google-analytics"]; g.Purpose.String() != "analytics" || !slices.Contains(g.Hosts, "google-analytics.com") || !slices.Contains(g.Cookies, "_ga") {
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

// TestGatedAgreesWithGuardVendors: both name the same hosts with the same purpose.
func TestGatedAgreesWithGuardVendors(t *testing.T) {
	s := builtin(t, Options{Allow: []string{"hotjar"}})
	type gated struct {
		purpose consent.Purpose
		hosts   int
	}
	wanted := map[uint16]gated{}
	for _, v := range s.GuardVendors(Context{}) {
		if len(v.Hosts) > 0 {
			wanted[v.Number] = gated{v.Purpose, len(v.Hosts)}
		}
	}
	got := map[uint16]gated{}
	f := func(number uint16, p consent.Purpose, hosts []string) {
		if len(hosts) > 0 {
			got[number] = gated{p, len(hosts)}
		}
	}
	s.Gated(f)
	if len(got) < 100 || !maps.Equal(got, wanted) {
		t.Errorf("%d vendors, wanted %d", len(got), len(wanted))
	}
	if n := testing.AllocsPerRun(10, func() { s.Gated(func(uint16, consent.Purpose, []string) {}) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
