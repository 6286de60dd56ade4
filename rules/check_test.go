package rules

import (
	"os"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/rules/catalogue"
)

// TestEveryVendorsExamples tries the examples that each vendor's file holds.
func TestEveryVendorsExamples(t *testing.T) {
	c, err := catalogue.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	var passing []string
	for _, v := range c.Vendors {
		if v.Pass {
			passing = append(passing, v.ID)
		}
	}
	s := builtin(t, Options{Require: passing})
	for _, v := range c.Vendors {
		data, err := os.ReadFile("catalogue/vendors/" + v.ID + ".json")
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range examine(s, v, data, v.ID+".json") {
			t.Error(err)
		}
	}
}

func TestCheckFindsBadExamples(t *testing.T) {
	c, err := catalogue.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	const file = `{
  "number": 65000, "name": "N", "org": "O", "purpose": "analytics", "category": "x",
  "hosts": ["tracker.example"],
  "inline": ["tracker.start("],
  "cookies": {"_trk": "1y"},
  "examples": {
    "urls": ["https://elsewhere.example/", "https://www.google-analytics.com/ga.js"],
    "scripts": ["tracker.stop()"],
    "cookies": ["trk"]
  },
  "benign": {"urls": ["https://cdn.tracker.example/app.js"], "scripts": ["tracker.start(1)"], "cookies": ["_trk"]}
}`
	want := []string{
		`x.json:7: "https://elsewhere.example/": this example matches nothing`,
		`x.json:7: "https://www.google-analytics.com/ga.js": this example matches google-analytics`,
		`x.json:11: "https://cdn.tracker.example/app.js": this look-alike matches by ".tracker.example/"`,
		`x.json:8: "tracker.stop()": this example matches nothing`,
		`x.json:11: "tracker.start(1)": this look-alike matches`,
		`x.json:9: "trk": this example matches nothing`,
		`x.json:11: "_trk": this look-alike matches`,
	}
	errs := Check(c, []byte(file), "x.json")
	if len(errs) != len(want) {
		t.Errorf("%d errors, want %d", len(errs), len(want))
	}
	for i, err := range errs {
		if i < len(want) && !strings.HasPrefix(err.Error(), want[i]) {
			t.Errorf("error %d: %v\nwant %s", i, err, want[i])
		}
	}
}
