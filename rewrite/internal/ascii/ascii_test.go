package ascii

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// TestBytes compares with the standard library, byte by byte.
func TestBytes(t *testing.T) {
	for i := range 256 {
		c := byte(i)
		want := -1
		if n, err := strconv.ParseUint(string(rune(c)), 16, 8); err == nil {
			want = int(n)
		}
		if got := HexValue(c); got != want {
			t.Errorf("HexValue(%q) = %d, want %d", c, got, want)
		}
		if got, want := IsLetter(c), c < 0x80 && unicode.IsLetter(rune(c)); got != want {
			t.Errorf("IsLetter(%q) = %t", c, got)
		}
		if got, want := IsSpace(c), strings.IndexByte(" \t\n\f\r", c) >= 0; got != want {
			t.Errorf("IsSpace(%q) = %t", c, got)
		}
		if got, want := Lower(c), c; c < 0x80 {
			if want = bytes.ToLower([]byte{c})[0]; got != want {
				t.Errorf("Lower(%q) = %q", c, got)
			}
		} else if got != want {
			t.Errorf("Lower(%q) = %q", c, got)
		}
	}
}

func TestEqualFold(t *testing.T) {
	for _, tt := range []struct {
		b, lower string
		want     bool
	}{
		{"", "", true},
		{"LinK", "link", true},
		{"lin\u212a", "link", false}, // the Kelvin sign
		{"link\x00", "link", false},
		{"link", "link\x00", false},
		{"@", "`", false}, // differ in the bit that tells the cases apart
	} {
		if got := EqualFold([]byte(tt.b), tt.lower); got != tt.want {
			t.Errorf("EqualFold(%q, %q) = %t", tt.b, tt.lower, got)
		}
	}
}
