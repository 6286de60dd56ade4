package caddymodule

import (
	"context"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/caddymodule/command"
	"github.com/caddy-consent/caddy-consent/caddymodule/inventory"
	"github.com/caddy-consent/caddy-consent/caddymodule/learned"
	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rules"
)

// disclosed is a ledger in memory.
type disclosed []store.Disclosure

func (l *disclosed) Disclose(_ context.Context, lines ...store.Disclosure) error {
	*l = append(*l, lines...)
	return nil
}

func (l *disclosed) Disclosures(context.Context, string) ([]store.Disclosure, error) { return *l, nil }

// TestClaimsDiscloseNothing: what a client says that a page contacts goes into the inventory, never into the disclosure
// ledger, however often and in whatever order it is said.
func TestClaimsDiscloseNothing(t *testing.T) {
	s, err := offlineSite("")
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := s.policyFor(command.Question{Page: command.DefaultPage, Granted: "analytics,marketing"})
	if err != nil {
		t.Fatal(err)
	}
	p.learned = new(learned.Hosts)
	var seen inventory.Tally
	for _, u := range []string{"https://connect.facebook.net/en_US/fbevents.js", "https://www.google-analytics.com/analytics.js", "https://connect.facebook.net/en_US/fbevents.js"} {
		p.claim(&seen, u, "script")
	}
	var i inventory.Inventory
	i.Add("shop.example", "/", &seen)
	if r := i.Report().Sites[0]; len(r.Hosts) != 2 || r.Hosts[0].Passed != 2 {
		t.Fatalf("%+v", r)
	}
	ledger := new(disclosed)
	if err := i.Disclose(t.Context(), ledger, time.Now()); err != nil || len(*ledger) > 0 {
		t.Errorf("%v: disclosed %+v", err, *ledger)
	}
	page := inventory.Tally{}
	page.AddHost([]byte("cdn.example"), rewrite.DestinationScript, &rules.Match{Purpose: consent.Marketing}, false)
	i.Add("shop.example", "/", &page)
	if err := i.Disclose(t.Context(), ledger, time.Now()); err != nil || len(*ledger) != 1 {
		t.Errorf("%v: what a page discloses is told as %+v", err, *ledger)
	}
}
