package caddymodule

import (
	"strings"
	"testing"
)

// TestOptionsWithoutEffect: what could never match is refused, with the value and the way out.
func TestOptionsWithoutEffect(t *testing.T) {
	app := newServed(t, false).handler.app
	for _, c := range []struct {
		options Options
		want    string
	}{
		{Options{Payment: []string{"checkout"}}, `payment "checkout": a path begins with /, as in /checkout`},
		{Options{JSON: []string{"api/*"}}, `json "api/*": a path begins with /`},
		{Options{FirstParty: []FirstPartyPath{{"stats", "plausible"}}}, `first_party "stats": a path begins with /`},
		{Options{FirstParty: []FirstPartyPath{{"/stats", "nosuch"}}}, `first_party /stats: there is no vendor "nosuch"`},
	} {
		if _, err := newSite(app, c.options, modeEnforce); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
	good := Options{Payment: []string{"/checkout*", "*/pay"}, JSON: []string{"/api/*"}, FirstParty: []FirstPartyPath{{"/stats/*", "plausible"}}}
	if _, err := newSite(app, good, modeEnforce); err != nil {
		t.Error(err)
	}
}
