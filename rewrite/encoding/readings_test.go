package encoding_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/net/html/charset"

	"github.com/caddy-consent/caddy-consent/rewrite/encoding"
)

// TestAppendApart: in every encoding that a style sheet may be read in, what is kept apart means what its bytes mean, in
// whatever pieces it came.
func TestAppendApart(t *testing.T) {
	const alphabet = "\\{}@\"'/*( 0a\x81\x83\x8f\xa4\xc3\xe3\xfc\xfe\xff" // no semicolon: x/text takes it for a digit in gb18030
	structure := func(s string) string {
		return strings.Map(func(r rune) rune {
			if strings.ContainsRune("\\{}@\"';/*(", r) {
				return r
			}
			return -1
		}, s)
	}
	names := []string{"utf-8", "windows-1252", "shift_jis", "gbk", "gb18030", "big5", "euc-kr", "euc-jp"}
	differed := 0
	for range 20000 {
		s := make([]byte, 1+rand.N(12))
		for i := range s {
			s[i] = alphabet[rand.N(len(alphabet))]
		}
		cut := rand.N(len(s))
		apart := encoding.AppendApart(nil, s[:cut], 0)
		last := byte(0)
		if cut > 0 {
			last = s[cut-1]
		}
		apart = encoding.AppendApart(apart, s[cut:], last)
		if whole := encoding.AppendApart(nil, s, 0); string(whole) != string(apart) || encoding.Swallows(s, 0) != (string(whole) != string(s)) {
			t.Fatalf("%q: %q, in pieces %q", s, whole, apart)
		}
		for _, name := range names {
			e, _ := charset.Lookup(name)
			text, err := e.NewDecoder().Bytes(apart)
			if err != nil || structure(string(text)) != structure(string(s)) {
				t.Fatalf("%q in %s: %q", apart, name, text)
			}
			if plain, _ := e.NewDecoder().Bytes(s); structure(string(plain)) != structure(string(s)) {
				differed++
			}
		}
	}
	if differed == 0 {
		t.Error("nothing was swallowed, so this proves nothing")
	}
}

// TestScripts: a script is read in more than one way only where its encoding is open, and where that can move a string's end.
func TestScripts(t *testing.T) {
	for _, c := range []struct {
		r    encoding.Readings
		s    string
		want int
	}{
		{encoding.ReadAnyhow(), "'plain\\'`", 1}, {encoding.ReadAnyhow(), "'\xe9'", 1}, {encoding.ReadAnyhow(), "'\x83\\'", 1 + 5}, {encoding.ReadAnyhow(), "`\xe9`", 1 + 5},
		{encoding.ReadIn("windows-1252"), "'\x83\\'", 1}, {encoding.Readings{}, "`\xe9`", 1},
	} {
		n := 0
		for text := range c.r.Scripts([]byte(c.s)) {
			if n++; n == 1 && string(text) != c.s {
				t.Errorf("%q is first read as %q", c.s, text)
			}
		}
		if n != c.want {
			t.Errorf("%q: %d readings, want %d", c.s, n, c.want)
		}
	}
	for range encoding.ReadAnyhow().Scripts([]byte("`\xe9`")) {
		break // who wants no more gets no more
	}
	japanese := false
	for text := range encoding.ReadAnyhow().Scripts([]byte("'\x83\\'")) {
		japanese = japanese || string(text) == "'ソ'"
	}
	if !japanese {
		t.Error("not read in Shift_JIS")
	}
}

// TestReadings: the ways in which a host may be read.
func TestReadings(t *testing.T) {
	read := func(r encoding.Readings, s string) (all []string) {
		for text := range r.Of([]byte(s)) {
			all = append(all, string(text))
		}
		return all
	}
	if got := read(encoding.ReadAnyhow(), "plain"); len(got) != 1 {
		t.Errorf("ASCII is read as %q", got)
	}
	if got := read(encoding.ReadIn("windows-1252"), "tr\xaa"); len(got) != 2 || got[0] != "trª" || got[1] != "tr\xaa" {
		t.Errorf("in windows-1252: %q", got)
	}
	if got := read(encoding.ReadIn("utf-8"), "é"); len(got) != 1 || got[0] != "é" {
		t.Errorf("in UTF-8: %q", got)
	}
	got := strings.Join(read(encoding.ReadAnyhow(), "\x82\x94"), " ")
	if !strings.HasPrefix(got, "\x82\x94 ") || !strings.Contains(got, " ｔ ") {
		t.Errorf("anyhow: %q", got)
	}
	if n := len(read(encoding.ReadAnyhow(), "\xaa")); n < 30 {
		t.Errorf("%d readings: some encodings are missing", n)
	}
}
