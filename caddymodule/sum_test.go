package caddymodule

import "testing"

// TestSum: a page that was stored under another program, mode or option is not confirmed.
func TestSum(t *testing.T) {
	vendors, err := builtinVendors()
	if err != nil {
		t.Fatal(err)
	}
	rules := compiledRules{catalogue: vendors}
	if rules.sum, err = rules.content(); err != nil {
		t.Fatal(err)
	}
	one := *vendors
	one.Vendors = vendors.Vendors[1:]
	fewer := compiledRules{catalogue: &one}
	if fewer.sum, err = fewer.content(); err != nil || fewer.sum == rules.sum {
		t.Errorf("a catalogue with one vendor less has the same sum: %v", err)
	}
	sum := func(build string, m mode, o Options) uint64 {
		n, err := rules.sumWith(build, m, &o)
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
	vendors, err := builtinVendors()
	if err != nil {
		b.Fatal(err)
	}
	rules := compiledRules{catalogue: vendors}
	for b.Loop() {
		if _, err := rules.sumWith("v1", modeEnforce, &Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
