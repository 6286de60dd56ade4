package javascript

import (
	"testing"
	"unicode/utf8"
)

func FuzzLexer(f *testing.F) {
	f.Add(`a=/[/"]/.test("x\"y")+'z'//c` + "\n" + `/* " */` + "`t${b}u`")
	f.Fuzz(func(t *testing.T, text string) {
		l := newLexer([]byte(text))
		for n, last := 0, -1; ; n++ {
			tok := l.next()
			if tok.kind == tokenEnd {
				break
			}
			if l.pos <= last || n > len(text) {
				t.Fatalf("no progress at %d", l.pos)
			}
			last = l.pos
			if v := unescape(nil, tok.text); tok.escaped && utf8.ValidString(text) && len(v) > len(tok.text)+utf8.UTFMax {
				t.Errorf("%q became longer: %q", tok.text, v)
			}
		}
	})
}
