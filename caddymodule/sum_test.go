package caddymodule

import (
	"testing"

	"github.com/caddy-consent/caddy-consent/caddymodule/rulesource"
)

// TestSum: a page that was stored under another program, mode or option is not confirmed.
func TestSum(t *testing.T) {
	vendors, err := rulesource.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	rules := rulesource.Rules{Catalogue: vendors}
	sum := func(build string, m mode, o Options) uint64 {
		n, err := sumWith(&rules, build, m, &o)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	first := sum("v1", modeEnforce, Options{})
	if first != sum("v1", modeEnforce, Options{}) {
		t.Error("the same gives another sum")
	}
	for what, other := range map[string]uint64{
		"program": sum("v2", modeEnforce, Options{}), "mode": sum("v1", modeStrict, Options{}), "option": sum("v1", modeEnforce, Options{CSP: "off"}),
	} {
		if other == first {
			t.Errorf("another %s gives the same sum", what)
		}
	}
	if build() == "" {
		t.Error("the program does not know its build")
	}
}

func BenchmarkSum(b *testing.B) {
	vendors, err := rulesource.Builtin()
	if err != nil {
		b.Fatal(err)
	}
	rules := rulesource.Rules{Catalogue: vendors}
	for b.Loop() {
		if _, err := sumWith(&rules, "v1", modeEnforce, &Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
