package catalogue

import "testing"

func TestBuiltinIsValid(t *testing.T) {
	c, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Vendors) < 164 {
		t.Errorf("%d vendors, want at least 164", len(c.Vendors))
	}
}
