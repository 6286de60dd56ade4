package ui_test

import (
	"bytes"
	"testing"

	"github.com/caddy-consent/caddy-consent/consent/ui"
)

func mustNew(t testing.TB, c ui.Config) *ui.UI {
	t.Helper()
	u, err := ui.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestSmoke(t *testing.T) {
	u := mustNew(t, ui.Config{SiteName: "Example", PolicyURL: "/privacy", Vendors: []ui.Vendor{{ID: "x", Name: "X & Y", Purpose: "analytics", PolicyURL: "https://x.example/"}}})
	t.Logf("%s", u.AppendBanner(nil, &ui.Page{Lang: "de", Mark: "abc", Return: "/a?b=c&d"}))
	var b bytes.Buffer
	if err := u.WritePreferences(&b, &ui.Page{Lang: "de"}); err != nil {
		t.Fatal(err)
	}
	t.Log(b.String())
	t.Logf("%s", u.AppendPlaceholder(nil, &ui.Vendor{ID: "x", Name: "X & Y", Purpose: "analytics"}, &ui.Embed{URL: "https://www.youtube.com/embed/a"}))
	t.Log(u.StyleHash(), u.PageCSP())
}
