package javascript

import (
	"slices"
	"strings"
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

// TestWords: each word is found with all that it means, and nothing else is.
func TestWords(t *testing.T) {
	all := make(map[string]word)
	for w, list := range wordLists {
		for _, text := range list {
			all[text] |= w
		}
	}
	for text := range all {
		for _, name := range []string{text, text + "s", text[:len(text)-1], strings.ToUpper(text)} {
			if l := newLexer([]byte(name)); l.next().word != all[name] {
				t.Errorf("%q means something else than %b", name, all[name])
			}
		}
	}
}

// TestHostileScripts: a text costs time in proportion to its length, whatever is in it. One in which that is squared takes
// minutes.
func TestHostileScripts(t *testing.T) {
	recogniser, hosts := fromCatalogue(t)
	for _, piece := range []string{"/[", "/*", "//\r", "//", "`${", "{", "}", "(", "\\", "'", "'+", "'a'+", "+", "a.", "a\\", "\\u", "<!--", "-->\r", "/*/", "atob(", "'x'.replace(",
		"['", "'data:", ".join(", "fbq", "fbq ", "'fbq' ", "ga(", "import'", "x.com/", "//x.com", "%22x.com", "facebook.com", "=", "\u2028", "\x00", "\xff", "\n", "if(", "/"} {
		text := slices.Repeat([]byte(piece), 1<<19/len(piece))
		recogniser.Find(text, hosts)
		newReader(recogniser, hosts).read(append(text, Snippets["meta-pixel"][0]...))
		Declared(text)
	}
}
