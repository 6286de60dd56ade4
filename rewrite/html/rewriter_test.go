package html

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/encoding"
	"github.com/caddy-consent/caddy-consent/rewrite/url"
)

var update = flag.Bool("update", false, "write the golden files anew")

// trackers gates every contact with tracker.test (and 127.0.0.2) and every script that names it.
type trackers struct{}

func (trackers) Resource(r *rewrite.Resource) rewrite.Verdict {
	h := string(r.Host())
	if strings.TrimSuffix(h, ".") == "tracker.test" || h == "127.0.0.2" {
		return rewrite.Verdict{Gate: true, Vendor: "tracker", Purpose: "analytics"}
	}
	return rewrite.Verdict{}
}

func (trackers) Script(text []byte) rewrite.Verdict {
	return rewrite.Verdict{Gate: bytes.Contains(text, []byte("tracker")), Vendor: "tracker", Purpose: "marketing"}
}

func (trackers) Cookie([]byte) rewrite.Verdict { return rewrite.Verdict{} }

func options(t testing.TB) Options {
	base, err := url.Parse("http://site.test:8099/p/1")
	if err != nil {
		t.Fatal(err)
	}
	return Options{Policy: trackers{}, Base: base, Mark: "0123456789abcdef"}
}

func rewriteAll(t testing.TB, o Options, doc string) string {
	var out bytes.Buffer
	r := NewRewriter(&out, o)
	if _, err := r.Write([]byte(doc)); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// record is what a Rewriter wrote, and in how many pieces.
func rewritePieces(t testing.TB, o Options, doc string, next func(rest int) int) string {
	var out bytes.Buffer
	r := NewRewriter(&out, o)
	for len(doc) > 0 {
		n := next(len(doc))
		if _, err := r.Write([]byte(doc[:n])); err != nil {
			t.Fatal(err)
		}
		doc = doc[n:]
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// checkSplits compares every split in two, byte by byte, and random splits with the whole.
func checkSplits(t *testing.T, o Options, doc, want string, random int) {
	t.Helper()
	check := func(how string, got string) {
		t.Helper()
		if got != want {
			t.Fatalf("%s:\n got %q\nwant %q\n doc %q", how, got, want, doc)
		}
	}
	check("byte by byte", rewritePieces(t, o, doc, func(int) int { return 1 }))
	if len(doc) < 4096 {
		for i := 1; i < len(doc); i++ {
			first := true
			check(fmt.Sprintf("split at %d", i), rewritePieces(t, o, doc, func(rest int) int {
				if first {
					first = false
					return i
				}
				return rest
			}))
		}
	}
	rnd := rand.New(rand.NewPCG(1, uint64(len(doc))))
	for range random {
		most := 1 + rnd.IntN(max(len(doc), 2))
		check("random splits", rewritePieces(t, o, doc, func(rest int) int { return 1 + rnd.IntN(min(rest, most)) }))
	}
}

// golden documents: testdata/NAME.html, what they become: testdata/NAME.out.html.
// inject returns what writes a text in two pieces.
func inject(s string) func(io.Writer) {
	return func(w io.Writer) {
		_, _ = io.WriteString(w, s[:1])
		_, _ = io.WriteString(w, s[1:])
	}
}

func TestGolden(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.in.html")
	if len(files) < 5 {
		t.Fatal("goldens are missing")
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			in, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			o := options(t)
			o.Head, o.Body = inject("<script>/*guard*/</script>"), inject("<aside>banner</aside>")
			o.XML = strings.Contains(f, "xml")
			o.Limit = 4096
			got := rewriteAll(t, o, string(in))
			name := strings.Replace(f, ".in.", ".out.", 1)
			if *update {
				if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			checkSplits(t, o, string(in), got, defaultSplits)
			o.Head, o.Body = nil, nil
			if again := rewriteAll(t, o, got); again != got {
				t.Errorf("a second pass changes the output:\n%s", again)
			}
		})
	}
}

// heard is a policy that gates what it is told of tracker.test, and keeps the scripts that it is shown.
type heard struct {
	trackers
	scripts *[]string
}

func (h heard) Script(text []byte) rewrite.Verdict {
	*h.scripts = append(*h.scripts, string(text))
	return rewrite.Verdict{}
}

// TestEmptyForeignElements: what follows the empty title of an icon is gated so that it can be revived, and is clean to those
// who take it for the title's text.
func TestEmptyForeignElements(t *testing.T) {
	const gated = `data-consent="0123456789abcdef analytics tracker" data-consent-src=`
	for in, want := range map[string]string{
		`<svg><title/><path/></svg><img src="https://tracker.test/a">`:              `<svg><title/><path/></svg><img ` + gated + `"https://tracker.test/a">`,
		`<svg><style/></svg><img src="https://tracker.test/a"><title>x</title>`:     `<svg><style/></svg><img ` + gated + `"https://tracker.test/a"><title>x</title>`,
		`<svg><title/></svg><p title='</title><img src="https://tracker.test/a">'>`: `<svg><title/></svg><p title='</title><img data-consent-src="https://tracker.test/a">'>`,
		`<svg><desc><title/></desc></svg><img src="https://tracker.test/a">`:        `<svg><desc><title/></desc></svg><img data-consent-src="https://tracker.test/a">`,
		`<svg><script href="https://tracker.test/a.js"/></svg>`:                     `<svg><script data-consent="0123456789abcdef analytics tracker" data-consent-href="https://tracker.test/a.js" type="text/plain" /></svg>`,
	} {
		got := rewriteAll(t, options(t), in)
		if got != want {
			t.Errorf("%s\ngot  %s\nwant %s", in, got, want)
		}
		if again := rewriteAll(t, options(t), got); again != got {
			t.Errorf("%s\nagain %s", got, again)
		}
	}
}

// TestDelayedScripts: what an optimizer was to make a script of is a script once it is revived; a data block stays one.
func TestDelayedScripts(t *testing.T) {
	const mark, gated = `<script data-consent="0123456789abcdef analytics tracker"`, ` data-consent-src="https://tracker.test/a"`
	for in, want := range map[string]string{
		`<script type="rocketlazyloadscript" src="https://tracker.test/a" async></script>`: mark + gated + ` async type="text/plain"></script>`,
		`<script type="0a1b2c-Text/JavaScript" src="https://tracker.test/a"></script>`:     mark + gated + ` type="text/plain"></script>`,
		`<script type="text/template" src="https://tracker.test/a"></script>`:              mark + ` data-consent-type="text/template"` + gated + ` type="text/plain"></script>`,
		`<script type="pmdelayedscript" src="/a">f()</script>`:                             `<script type="pmdelayedscript" src="/a">f()</script>`,
	} {
		if got := rewriteAll(t, options(t), in); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", in, got, want)
		}
	}
}

// TestReadings: in a page that does not tell its encoding, what one reading hides in a character is judged or kept apart.
// A page in UTF-8 keeps its bytes, one in another encoding is read in that.
func TestReadings(t *testing.T) {
	const any, mac = 1, 2
	readings := [...]encoding.Readings{{}, encoding.ReadAnyhow(), encoding.ReadIn("macintosh")}
	const gated = ` data-consent="0123456789abcdef analytics tracker" data-consent-src=`
	for in, want := range map[string]map[int]string{
		"<style>i{content:\"\x83\\\"}</style>":    {any: "<style>i{content:\"\x83 \\\"}</style>"},
		"<p style='content:\"\x83\\\"'>":          {any: "<p style=\"content:&quot;\x83 \\&quot;\">"},
		"<iframe srcdoc='<style>\x83}</style>'>":  {any: "<iframe srcdoc=\"&lt;style&gt;\x83 }&lt;/style&gt;\">"},
		"<script type=importmap>[\"\x83\\\"]":     {any: "<script type=importmap>[\"\x83 \\\"]"},
		"<svg><a><style>\x83}</style>":            {any: "<svg><a><style>\x83 }</style>"},
		"<p title='\x83\\'>\x83\\ \x83}":          {},
		"<img src='/tr\xaacker'>":                 {},
		"<img src='http://tr\xaacker.test/'>":     {any: "<img" + gated + "'http://tr\xaacker.test/'>"},
		"<img src='http://tr\xbbcker.test/'>":     {any: "<img" + gated + "'http://tr\xbbcker.test/'>", mac: "<img" + gated + "'http://tr\xbbcker.test/'>"},
		"<img src='http://\x82\x94racker.test/'>": {any: "<img" + gated + "'http://\x82\x94racker.test/'>"},
	} {
		for i, r := range readings {
			expect := want[i]
			if expect == "" {
				expect = in
			}
			o := options(t)
			o.Readings = r
			got := rewriteAll(t, o, in)
			if got != expect {
				t.Errorf("%q as %d: %q, want %q", in, i, got, expect)
			}
			if again := rewriteAll(t, o, got); again != got {
				t.Errorf("%q as %d: %q, then %q", in, i, got, again)
			}
		}
	}
	for i, want := range []string{"f('\x83\\')", "f('ソ')", "f('\x83\\')"} {
		o := options(t)
		var scripts []string
		o.Policy, o.Readings = heard{scripts: &scripts}, readings[i]
		rewriteAll(t, o, "<script>f('\x83\\')</script>")
		if !slices.Contains(scripts, want) || i != any && len(scripts) > 1 {
			t.Errorf("as %d: %q, want %q", i, scripts, want)
		}
	}
}
