package caddymodule

import (
	"testing"

	"github.com/caddy-consent/caddy-consent/caddymodule/learned"
)

// TestClaimsDiscloseNothing: what a client says that a page contacts goes into the inventory, never into the disclosure
// ledger, however often and in whatever order it is said.
func TestClaimsDiscloseNothing(t *testing.T) {
	s, err := offlineSite("")
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := (&explainFlags{page: defaultPage, granted: "analytics,marketing"}).policyOf(s)
	if err != nil {
		t.Fatal(err)
	}
	p.learned = new(learned.Hosts)
	var seen tally
	for _, u := range []string{"https://connect.facebook.net/en_US/fbevents.js", "https://www.google-analytics.com/analytics.js", "https://connect.facebook.net/en_US/fbevents.js"} {
		p.claim(&seen, u, "script")
	}
	if len(seen.hosts) != 2 || seen.hosts[0].passed != 2 {
		t.Fatalf("%+v", seen.hosts)
	}
	for _, h := range seen.hosts {
		if h.permitted != 0 {
			t.Errorf("%s: %d contacts count as disclosed", seen.hostNames[h.start:h.end], h.permitted)
		}
	}
}
