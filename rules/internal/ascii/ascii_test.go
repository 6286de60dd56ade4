package ascii

import (
	"bytes"
	"strconv"
	"testing"
)

// TestBytes compares with the standard library, byte by byte.
func TestBytes(t *testing.T) {
	for i := range 256 {
		c := byte(i)
		lower, alphanumeric, digits := c, false, 0
		if c < 0x80 {
			lower = bytes.ToLower([]byte{c})[0]
			_, err := strconv.ParseUint(string(rune(c)), 36, 8)
			alphanumeric = err == nil
		}
		value, err := strconv.ParseUint(string([]byte{c}), 16, 8)
		if err == nil {
			digits = 1
		}
		if Lower[c] != lower || Alphanumeric(c) != alphanumeric {
			t.Errorf("%q: %q, %t", c, Lower[c], Alphanumeric(c))
		}
		if v, n := Hex([]byte{c}, 6); v != rune(value) || n != digits {
			t.Errorf("%q: value %d of %d digits", c, v, n)
		}
	}
}

func TestTexts(t *testing.T) {
	for _, x := range []struct {
		s, text string
		at      int
	}{
		{"", "", 0}, {"", "a", -1}, {"a", "", 0}, {"xLink", "link", 1}, {"lilink", "link", 2}, {"lin\u212a", "link", -1}, {"lin", "link", -1}, {"LINK", "link", 0},
	} {
		if at := IndexFold([]byte(x.s), x.text); at != x.at {
			t.Errorf("%q stands in %q at %d, wanted %d", x.text, x.s, at, x.at)
		}
		if begins := HasPrefixFold([]byte(x.s), x.text); begins != (x.at == 0) {
			t.Errorf("%q begins with %q: %t", x.s, x.text, begins)
		}
	}
	if v, n := Hex([]byte("12fG"), 6); v != 0x12F || n != 3 {
		t.Errorf("%x of %d digits", v, n)
	}
	if v, n := Hex([]byte("1234"), 2); v != 0x12 || n != 2 {
		t.Errorf("%x of %d digits", v, n)
	}
}
