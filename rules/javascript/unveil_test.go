package javascript

import (
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

func FuzzUnveil(f *testing.F) {
	f.Add([]byte("x=['a','b'].join('');atob('YWI=');'a'.replace('a','b');'ab'.split('').reverse().join('');String.fromCharCode(65,0x42);unescape('%41')"))
	f.Fuzz(func(_ *testing.T, text []byte) { unveil(text) })
}
