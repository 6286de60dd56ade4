package caddymodule

import (
	"runtime"
	"testing"
	"weak"
)

// TestShared: sites of equal options have rules and texts in common, others do not, and nothing is kept that no site uses.
func TestShared(t *testing.T) {
	app := newServed(t, false).handler.app
	make := func(o Options) *site {
		s, err := newSite(app, o, modeEnforce)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	one, same := make(Options{Site: "a", PolicyURL: "/privacy"}), make(Options{Site: "a", PolicyURL: "/privacy"})
	if one.rules != same.rules || one.ui != same.ui {
		t.Error("sites of equal options have rules or texts of their own")
	}
	other := make(Options{Site: "a", PolicyURL: "/policy", Allow: []Allow{{Host: "cdn.example"}}})
	if one.rules == other.rules || one.ui == other.ui {
		t.Error("sites of other options have the same rules or texts")
	}
	rules, ui := weak.Make(other.rules), weak.Make(other.ui)
	runtime.KeepAlive(other)
	other = nil
	for range 3 {
		runtime.GC()
	}
	if rules.Value() != nil || ui.Value() != nil {
		t.Error("what no site uses is kept")
	}
	runtime.KeepAlive(one)
}
