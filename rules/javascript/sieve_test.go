package javascript

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestSieveMissesNothing: where reading a script finds a vendor, the sieve does not call it empty: for each mark and host of
// the catalogue, vendors' snippets and the scripts of real pages, as they are and as other hands may have spelled them.
func TestSieveMissesNothing(t *testing.T) {
	recogniser, hosts := fromCatalogue(t)
	x := newReader(recogniser, hosts)
	if x.sieve.blunt {
		t.Fatal("a mark of the catalogue has no token to look for: every script is read")
	}
	seeds := sieveSeeds(t, recogniser, hosts)
	r := rand.New(rand.NewPCG(1, 2))
	found, total := 0, 0
	check := func(text []byte) {
		total++
		if f, ok := x.read(text); ok {
			found++
			if x.sieve.empty(text, &x.asker) && !breaksString(text) {
				t.Fatalf("%q is missed in %q", f.Rule, text)
			}
		}
	}
	for _, text := range seeds {
		check(text)
	}
	for range rounds(30000) {
		text := bytes.Clone(seeds[r.IntN(len(seeds))])
		if len(text) > 4096 {
			at := r.IntN(len(text) - 4096)
			text = text[at : at+4096]
		}
		for range 1 + r.IntN(3) {
			text = respell(r, text)
		}
		check(text)
	}
	if found*4 < total {
		t.Errorf("a vendor in %d of %d scripts only", found, total)
	}
	t.Logf("%d seeds, %d scripts, a vendor in %d", len(seeds), total, found)
}

// rounds is how often a randomised test tries: RULES_ROUNDS multiplies it for a long run.
func rounds(n int) int {
	if k, err := strconv.Atoi(os.Getenv("RULES_ROUNDS")); err == nil && k > 0 {
		return n * k
	}
	return n
}

// breaksString reports a string literal that a line break ends: no browser runs such a script (ECMA-262, 12.9.4).
func breaksString(text []byte) bool {
	l := newLexer(text)
	for t := l.next(); t.kind != tokenEnd; t = l.next() {
		if end := l.pos; t.kind == tokenString && end < len(text) && text[end] == '\n' && text[end-1] != '"' && text[end-1] != '\'' && text[end-1] != '`' {
			return true
		}
	}
	return false
}

func sieveSeeds(t *testing.T, x *Recogniser, h hosts) (seeds [][]byte) {
	for _, list := range Snippets {
		for _, text := range list {
			seeds = append(seeds, []byte(text))
		}
	}
	for _, text := range LookAlikes {
		seeds = append(seeds, []byte(text))
	}
	for i := range x.marks.list {
		m := &x.marks.list[i]
		seeds = append(seeds, spell(m, "", `"`), spell(m, " ", "'"), spell(m, "/* x */\n", `"`))
	}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		host, text := strings.Replace(name+"/", "./", ".com/", 1), h[name][0].text
		seeds = append(seeds, fmt.Appendf(nil, `var s=document.createElement("script");s.src="https://%s";document.body.appendChild(s);`, text),
			fmt.Appendf(nil, "document.write(\"<img src='\\/\\/%s\\/x'>\")", strings.ToUpper(host)), fmt.Appendf(nil, `fetch('%sx/y')`, host))
	}
	return append(seeds, PageScripts(t)...)
}

// PageScripts returns the inline scripts of real pages.
func PageScripts(t testing.TB) (list [][]byte) {
	pages, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "corpus", "dev", "pages", "*.html"))
	if len(pages) == 0 {
		t.Log("without the scripts of real pages: ../shared/corpus/dev is absent")
	}
	script := regexp.MustCompile(`(?is)<script\b[^>]*>(.+?)</script`)
	for _, p := range pages {
		page, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range script.FindAllSubmatch(page, -1) {
			list = append(list, m[1])
		}
	}
	return list
}

// spell writes a mark's tokens out.
func spell(m *mark, between, quote string) []byte {
	text := []byte(";load(src=x);")
	for _, t := range m.tokens {
		if text = append(text, between...); t.kind == tokenString {
			text = append(append(append(text, quote...), t.text...), quote...)
		} else {
			if between == "" && t.kind == tokenName && nameByte(text[len(text)-1]) {
				text = append(text, ' ')
			}
			text = append(text, t.text...)
		}
	}
	return append(text, ';')
}

// respell writes one place of a script in another way: with an escape sequence, in pieces, with a blank or a comment, in
// other case, or wrongly.
func respell(r *rand.Rand, text []byte) []byte {
	if len(text) == 0 {
		return text
	}
	at := r.IntN(len(text))
	if dots := bytes.Count(text, []byte(".")); r.IntN(2) == 0 && dots > 0 { // near a host
		for range 1 + r.IntN(dots) {
			at = (at + 1 + max(0, bytes.IndexByte(text[(at+1)%len(text):], '.'))) % len(text)
		}
		at = max(0, min(len(text)-1, at+r.IntN(8)-4))
	}
	blank := []string{"", " ", "\n", "\t", "/* ' */", "//\"\n", "<!-- x\n", "\u00a0", "\r\n", "//.\r", "\u2028"}
	b := func() string { return blank[r.IntN(len(blank))] }
	c := string(text[at : at+1])
	switch r.IntN(8) {
	case 0, 1:
		forms := []string{fmt.Sprintf(`\x%02x`, text[at]), fmt.Sprintf(`\u%04X`, text[at]), fmt.Sprintf(`\u{%x}`, text[at]), `\` + c, "\\\n" + c,
			`\n` + c, `\` + "\r" + c}
		c = forms[r.IntN(len(forms))]
	case 2, 3, 4:
		q := []string{`"`, `'`, "`"}[r.IntN(3)]
		if i := bytes.LastIndexAny(text[:at], "\"'`"); i >= 0 && r.IntN(4) > 0 {
			q = string(text[i : i+1])
		}
		c = q + b() + "+" + b() + []string{"", q + q + "+"}[r.IntN(2)] + q + c
	case 5:
		c = b() + c
	case 6:
		c = string(text[at] ^ 0x20)
	case 7:
		c = ""
	}
	return append(append(bytes.Clone(text[:at]), c...), text[at+1:]...)
}

// TestSieveIsSharp: most scripts are not read.
func TestSieveIsSharp(t *testing.T) {
	recogniser, hosts := fromCatalogue(t)
	x := newReader(recogniser, hosts)
	for _, text := range []string{
		SiteScript,
		strings.Repeat(SiteScript, 20),
		`var a = "x\n\t\"y\"\/z\u003cb\u003e", b = '<div class="' + name + '">' + "<p>" + x, re = /^\d+\.\w*$/;`,
		`window.__STATE__ = {"url":"https:\/\/www.example.org\/a.b","facebook":"https://www.facebook.com/sharer/sharer.php","n":[1,2]};`,
		`window.__STATE__={url:"https:\u002F\u002Fplay.google.com\u002Fstore",b:"\u002f\u002fwww.facebook.com\u002fsharer\u002f"};`,
		`window.__STATE__ = {"html":"<a href=\"https://twitter.com/hashtag/x\">x</a> <a href=\'https://www.facebook.com/example\'>"};`,
		`if (navigator.userAgent.indexOf("UA-1") > 0) { push(init.order.load("account")); }`,
	} {
		if !x.sieve.empty([]byte(text), &x.asker) {
			t.Errorf("must be read: %.80s", text)
		}
	}
}
