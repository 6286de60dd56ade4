package ui

import (
	"strings"
	"testing"
)

// TestDurations: how long data is kept is said in the visitor's language, in its plural forms.
func TestDurations(t *testing.T) {
	u, err := builtinUnits()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ lang, iso, want string }{
		{"en", "P1Y", "1 year"}, {"en", "P13M", "13 months"}, {"en", "PT30M", "30 minutes"}, {"de", "P2W", "2 Wochen"}, {"fr", "P1M", "1\u00a0mois"},
		{"pl", "P1Y", "1 rok"}, {"pl", "P2Y", "2 lata"}, {"pl", "P5Y", "5 lat"}, {"pl", "P22Y", "22 lata"},
		{"sl", "P2D", "2 dneva"}, {"lv", "P10M", "10 mēnešu"}, {"lv", "P21M", "21 mēnesis"}, {"lt", "P2Y", "2 metai"},
		{"ar", "P2Y", "سنتان"}, {"ar", "P3M", "3 أشهر"}, {"ar", "P13M", "13 شهرًا"}, {"he", "P2Y", "2 שנים"}, {"mt", "P13M", "13-il xahar"},
		{"eo", "P13M", "13 months"}, // no units: English
		{"en", "", ""}, {"en", "13 months", ""}, {"en", "P0Y", ""}, {"en", "PT1Y", ""}, {"en", "P1H", ""}, {"en", "P1Y2M", ""}, {"en", "P99999Y", ""},
	} {
		if got := u.words(c.lang, c.iso); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.lang, c.iso, got, c.want)
		}
	}
}

// TestUnits: each language that is built in has each unit, with a form for numbers that have none of their own.
func TestUnits(t *testing.T) {
	u, err := builtinUnits()
	if err != nil {
		t.Fatal(err)
	}
	var p problems
	for lang := range builtinTexts(&p) {
		for _, unit := range isoUnits {
			if !strings.Contains(u[lang][unit]["other"], "{n}") {
				t.Errorf("%s has no %s", lang, unit)
			}
		}
	}
}
