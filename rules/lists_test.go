package rules

import (
	"testing"

	"github.com/caddy-consent/caddy-consent/rules/catalogue"
)

// TestStandIns: every stand-in that lists may name is a vendor that has something to stand in with.
func TestStandIns(t *testing.T) {
	c, err := catalogue.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for name, id := range standIns {
		if v := c.Vendor(id); v == nil || len(v.Globals) == 0 && len(v.Stubs) == 0 {
			t.Errorf("%s stands for %s, which the catalogue has no stub of", name, id)
		}
	}
}
