package ui_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/ui"
)

// A vendor whose number has no room in a signed answer is not offered alone: the answer would be refused.
func TestVendorsWithoutRoomInAnAnswer(t *testing.T) {
	for _, c := range []struct {
		number uint16
		alone  bool
	}{{0, false}, {1, true}, {consent.MaxVendor, true}, {consent.MaxVendor + 1, false}} {
		v := ui.Vendor{ID: "acme", Name: "Acme", Purpose: "functional", Number: c.number}
		if c.number == 0 {
			v.Number = 2000
		}
		u := mustNew(t, ui.Config{Vendors: []ui.Vendor{v}})
		v.Number = c.number
		var page bytes.Buffer
		if err := u.WritePreferences(&page, &ui.Page{Lang: "en"}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(page.String(), `name="vendor"`); got != c.alone {
			t.Errorf("number %d: the preference page offers it alone: %v", c.number, got)
		}
		box := string(u.AppendPlaceholder(nil, &v, &ui.Embed{Lang: "en", URL: "https://acme.example/"}))
		if got := strings.Contains(box, `value="save"`); got != c.alone {
			t.Errorf("number %d: the placeholder offers it alone: %v", c.number, got)
		}
	}
}
