package rules

import (
	"reflect"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/rules/catalogue"
)

// TestOpen: what is opened later passes as what is allowed from the start, in URLs, scripts and the guard's part, also of
// vendors; the Set that it was opened from gates it still.
func TestOpen(t *testing.T) {
	c, err := catalogue.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	hosts := []string{"www.google-analytics.com", "connect.facebook.net/en_US/", "static.hotjar.*/c/", "cdn.example"}
	closed, err := New(c, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	allowed, err := New(c, nil, Options{Allow: hosts})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := closed.Open(hosts[:2]...)
	if err == nil {
		opened, err = opened.Open(hosts[2:]...)
	}
	if err != nil {
		t.Fatal(err)
	}
	for u, open := range map[string]bool{
		"https://www.google-analytics.com/analytics.js": true, "https://connect.facebook.net/en_US/fbevents.js": true,
		"https://connect.facebook.net/signals/config/1": false, "https://static.hotjar.com/c/hotjar-1.js": true, "https://static.hotjar.com/x": false,
		"https://www.google-analytics.com//%63ollect": true, "https://www.clarity.ms/tag/x": false,
	} {
		for name, s := range map[string]*Set{"closed": closed, "allowed": allowed, "opened": opened} {
			if _, gated := judge(t, s, u, Context{}); gated == (open && s != closed) {
				t.Errorf("%s, %s: gated %t", name, u, gated)
			}
			text := []byte(`var s=document.createElement("script");s.src="` + u + `";document.head.appendChild(s)`)
			if _, gated := s.Script(text, Context{}); gated == (open && s != closed) && strings.HasSuffix(u, ".js") {
				t.Errorf("%s, a script that loads %s: gated %t", name, u, gated)
			}
		}
	}
	if a, o := allowed.GuardVendors(Context{}), opened.GuardVendors(Context{}); !reflect.DeepEqual(a, o) || len(o) != len(closed.GuardVendors(Context{}))+1 {
		t.Errorf("the guard is told otherwise: %+v and %+v", a[len(a)-1], o[len(o)-1])
	}
	if _, err := closed.Open("a b", "cdn.example", "*"); err == nil || strings.Count(err.Error(), "no host or pattern") != 2 {
		t.Errorf("said %v", err)
	}
}
