package caddymodule

import "testing"

// TestSum: a page that was stored under another program, mode or option is not confirmed.
func TestSum(t *testing.T) {
	vendors, err := builtinVendors()
	if err != nil {
		t.Fatal(err)
	}
	rules := compiledRules{catalogue: vendors}
	sum := func(build string, m mode, o Options) uint64 {
		n, err := rules.sumWith(build, m, &o)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	one := sum("v1", modeEnforce, Options{})
	if one != sum("v1", modeEnforce, Options{}) {
		t.Error("the same gives another sum")
	}
	for what, other := range map[string]uint64{
		"program": sum("v2", modeEnforce, Options{}), "mode": sum("v1", modeStrict, Options{}), "option": sum("v1", modeEnforce, Options{CSP: "off"}),
	} {
		if other == one {
			t.Errorf("another %s gives the same sum", what)
		}
	}
	if build() == "" {
		t.Error("the program does not know its build")
	}
}
