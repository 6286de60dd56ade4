package javascript

import (
	"fmt"
	"strings"
	"testing"
)

// TestUnveilBounds: what is not worth it is left alone, and hostile text costs no more than its length.
func TestUnveilBounds(t *testing.T) {
	for _, text := range []string{"", "(", "n(", "join(", "b", "f(x)", "a.join(',')", strings.Repeat("atob(", 1000), strings.Repeat("[", 10_000) + "].join('')"} {
		if out := unveil([]byte(text)); out != nil {
			t.Errorf("%.40q becomes %.40q", text, out)
		}
	}
	for _, text := range []string{strings.Repeat("'a'.concat('b')+", 50_000), strings.Repeat("'.concat('", 100_000), strings.Repeat("['a'].join('')", 50_000),
		strings.Repeat("'x'.replace('x','xx')", 50_000), strings.Repeat("unescape('%", 50_000), strings.Repeat(`\"data:`, 50_000), strings.Repeat(`"data:text/javascript,"`, 50_000), strings.Repeat("fromCharCode(1,", 50_000),
		strings.Repeat("["+strings.Repeat("'',", 37)+"''].join('"+strings.Repeat("atob(", 20)+"')", 1000), strings.Repeat("'"+strings.Repeat("x", 60)+"'.replace(/x/g,'"+strings.Repeat("x", 60)+"')", 1000)} {
		if out := unveil([]byte(text)); len(out) > 4*len(text) {
			t.Errorf("%.40q: %d bytes become %d", text, len(text), len(out))
		}
	}
}

// TestUnveilHidesNothing: no text in front of a call, such as beginnings of arrays and strings that are none, keeps it from being
// spelled out.
func TestUnveilHidesNothing(t *testing.T) {
	for _, piece := range []string{"].join('')", "[].join('')", "\"\n.replace('a','b')", "`${.replace('a','b')", `\".concat('a')`, "'" + strings.Repeat(`\"`, 99) + `".concat(`} {
		text := "x=[" + strings.Repeat(piece, 1+40_000/len(piece)) + "\n;"
		for _, call := range []string{"['seen','.example'].join('')", "'seen'.concat('.example')"} {
			if out := unveil([]byte(text + call)); !strings.HasSuffix(string(out), `"seen.example"`) {
				t.Errorf("%s behind %.20q is not spelled out", call, piece)
			}
		}
	}
}

func FuzzUnveil(f *testing.F) {
	f.Add([]byte("x=['a','b'].join('');atob('YWI=');'a'.replace('a','b');'ab'.split('').reverse().join('');String.fromCharCode(65,0x42);unescape('%41')"))
	f.Fuzz(func(_ *testing.T, text []byte) { unveil(text) })
}

// TestEscapesWhereStringsAreCut: a long string is looked through in pieces, and no escape sequence is lost between them.
func TestEscapesWhereStringsAreCut(t *testing.T) {
	recogniser, hosts := fromCatalogue(t)
	var hexed, unicode, mixed strings.Builder
	for i, c := range "https://connect.facebook.net/en_US/fbevents.js" {
		fmt.Fprintf(&hexed, `\x%02x`, c)
		fmt.Fprintf(&unicode, `\u{0000%x}`, c)
		fmt.Fprintf(&mixed, [...]string{`\u%04x`, `\x%02x`, `\u{%x}`}[i%3], c)
	}
	for _, address := range []string{hexed.String(), unicode.String(), mixed.String()} {
		for pad := foldSize - 600; pad < foldSize+40; pad++ {
			text := "load('" + strings.Repeat(`\\`, 40) + strings.Repeat("-", pad) + " " + address + "')"
			if f, ok := recogniser.Find([]byte(text), hosts); !ok || f.Mixed {
				t.Fatalf("%.12s after %d characters is not found", address, pad)
			}
		}
	}
}
