package css_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/css"
	"github.com/caddy-consent/caddy-consent/rewrite/url"
)

// policy gates the hosts that contain "tracker"; "drop" in the host drops for good.
type policy struct{ asked []string }

func (p *policy) Resource(r *rewrite.Resource) rewrite.Verdict {
	if p.asked != nil {
		p.asked = append(p.asked, fmt.Sprintf("%d %s", r.Destination, r.URL))
	}
	return rewrite.Verdict{
		Gate: bytes.Contains(r.Host(), []byte("tracker")), Drop: bytes.Contains(r.Host(), []byte("drop")),
		Purpose: "analytics", Vendor: "t",
	}
}
func (*policy) Script([]byte) rewrite.Verdict { return rewrite.Verdict{} }
func (*policy) Cookie([]byte) rewrite.Verdict { return rewrite.Verdict{} }

func options() *css.Options {
	base, err := url.Parse("https://site.example/css/main.css")
	if err != nil {
		panic(err)
	}
	return &css.Options{Policy: &policy{}, Resolve: base.Resolve, Mark: "M"}
}

// inert is what a gated reference becomes.
func inert(encoded string) string { return "about:invalid#consent,M,analytics,t," + encoded }

const enc = "https://tracker.test/x"

// cases are sheets with the reference to the tracker written as T, and what they become; "" stands for no change.
var cases = []struct{ name, in, want string }{
	{"plain", "a{color:red}", ""},
	{"unquoted", "a{background:url(https://tracker.test/x)}", "a{background:url(" + inert(enc) + ")}"},
	{"double quotes", `a{background:url("https://tracker.test/x")}`, `a{background:url("` + inert(enc) + `")}`},
	{"single quotes", `a{background:url('https://tracker.test/x')}`, `a{background:url('` + inert(enc) + `')}`},
	{"white space", "a{background:url( \n https://tracker.test/x \t )}", "a{background:url( \n " + inert(enc) + " \t )}"},
	{"space before quotes", "a{background:URL( 'https://tracker.test/x' )}", "a{background:URL( '" + inert(enc) + "' )}"},
	{"no scheme", "a{background:url(//tracker.test/x)}", "a{background:url(" + inert("//tracker.test/x") + ")}"},
	{"backslashes", `a{background:url("\\\\tracker.test\\x")}`, `a{background:url("` + inert("%5C%5Ctracker.test%5Cx") + `")}`},
	{"escapes in URL", `a{background:url(https\3a //tr\61 cker.test/x)}`, "a{background:url(" + inert(enc) + ")}"},
	{"escaped letters", `a{background:url(https://tr\acker.test/x)}`, ""}, // \ac is U+00AC: another host
	{"escapes in function name", `a{background:\75\72\6c(https://tracker.test/x)}`, `a{background:\75\72\6c(` + inert(enc) + ")}"},
	{"escape in the middle", `a{background:u\0072l(https://tracker.test/x)}`, `a{background:u\0072l(` + inert(enc) + ")}"},
	{"escape with space", "a{background:u\\72 L(https://tracker.test/x)}", "a{background:u\\72 L(" + inert(enc) + ")}"},
	{"escape with newline", "a{background:u\\72\r\nl(https://tracker.test/x)}", "a{background:u\\72\r\nl(" + inert(enc) + ")}"},
	{"continued string", "a{background:url(\"https://tra\\\ncker.test/x\")}", `a{background:url("` + inert(enc) + `")}`},
	{"continued string CRLF", "a{background:url('https://tra\\\r\ncker.test/x')}", "a{background:url('" + inert(enc) + "')}"},
	{"escaped quote", `a{background:url("https://tracker.test/\"x")}`, `a{background:url("` + inert("https://tracker.test/%22x") + `")}`},
	{"tabs in URL", "a{background:url(\"ht\ttps://tra\tcker.test/x\")}", `a{background:url("` + inert("ht%09tps://tra%09cker.test/x") + `")}`},
	{"several", "a{background:url(/own.png),url(https://tracker.test/x) url(b)}", "a{background:url(/own.png),url(" + inert(enc) + ") url(b)}"},
	{"query and unicode", "a{background:url(https://tracker.test/?a=b&c=ü#f)}", "a{background:url(" + inert("https://tracker.test/%3Fa%3Db%26c%3D%C3%BC%23f") + ")}"},
	{"not UTF-8", "a{background:url(https://tracker.test/\xff)}", "a{background:url(" + inert("https://tracker.test/%EF%BF%BD") + ")}"},
	{"end of sheet", "a{background:url(https://tracker.test/x", "a{background:url(" + inert(enc)},
	{"end of sheet in quotes", "a{background:url('https://tracker.test/x", "a{background:url('" + inert(enc)},
	{"end of sheet after backslash", `a{background:url('https://tracker.test/x\`, "a{background:url('" + inert(enc)},
	{"dropped", "a{background:url(https://tracker.drop/x)}", "a{background:url(about:invalid)}"},

	{"import string", `@import "https://tracker.test/x";`, `@import "` + inert(enc) + `";`},
	{"import url", `@import url(https://tracker.test/x) screen;`, `@import url(` + inert(enc) + `) screen;`},
	{"import without space", `@IMPORT'https://tracker.test/x'`, `@IMPORT'` + inert(enc) + `'`},
	{"import escaped", `@\69mport "https://tracker.test/x";`, `@\69mport "` + inert(enc) + `";`},
	{"import after comment", `/**/@import/**/"https://tracker.test/x"`, `/**/@import/**/"` + inert(enc) + `"`},
	{"import at the end", `@import "https://tracker.test/x`, `@import "` + inert(enc)},
	{"import layer", `@import "https://tracker.test/x" layer(a) supports(b:c) screen;`, `@import "` + inert(enc) + `" layer(a) supports(b:c) screen;`},
	{"import own", `@import "own.css";`, ""},
	{"not import", `@important "https://tracker.test/x";`, ""},
	{"namespace", `@namespace url(https://tracker.test/x); @namespace s "https://tracker.test/x";a{b:c}`, ""},
	{"after namespace", `@namespace s;a{b:url(https://tracker.test/x)}`, `@namespace s;a{b:url(` + inert(enc) + `)}`},
	{"namespace within a value", `a{--b:@namespace url(https://tracker.test/x)}`, `a{--b:@namespace url(` + inert(enc) + `)}`},
	{"font", "@font-face{font-family:x;src:local('x'),url(https://tracker.test/x) format('woff2')}", "@font-face{font-family:x;src:local('x'),url(" + inert(enc) + ") format('woff2')}"},

	{"image-set", `a{background:image-set("https://tracker.test/x" 1x, "own.png" 2x)}`, `a{background:image-set("` + inert(enc) + `" 1x, "own.png" 2x)}`},
	{"image-set prefixed", `a{background:-webkit-image-set(url(own)1x,'https://tracker.test/x' 2x)}`, `a{background:-webkit-image-set(url(own)1x,'` + inert(enc) + `' 2x)}`},
	{"image-set with type", `a{background:image-set("a" type("image/png"),url("b") 1x,"https://tracker.test/x")}`, `a{background:image-set("a" type("image/png"),url("b") 1x,"` + inert(enc) + `")}`},
	{"src", `a{background:src("https://tracker.test/x")}`, `a{background:src("` + inert(enc) + `")}`},
	{"after image-set", `a{background:image-set("a" 1x);content:"https://tracker.test/x"}`, ""},
	{"custom property", `a{--x:"https://tracker.test/x";--y:'text'}`, `a{--x:"` + inert(enc) + `";--y:'text'}`},
	{"custom property later", `a{color:red; /* c */ --x: "//tracker.test/x"}`, `a{color:red; /* c */ --x: "` + inert("//tracker.test/x") + `"}`},
	{"custom property, escaped name", `a{\2d-x:"https://tracker.test/x"}`, `a{\2d-x:"` + inert(enc) + `"}`},
	{"custom property, broken URL", "a{--x:\"ht\\\ntps:\\a //tracker.test/x\"}", "a{--x:\"" + inert("https:%0A//tracker.test/x") + "\"}"},
	{"custom property, space before", `a{--x:" \1 https://tracker.test/x"}`, `a{--x:"` + inert("%20%01"+enc) + `"}`},
	{"custom property, much space before", `a{--x:"` + strings.Repeat(" ", 70) + `https://tracker.test/x"}`, `a{--x:"` + inert(strings.Repeat("%20", 70)+enc) + `"}`},
	{"custom property, escapes before", `a{--x:"` + strings.Repeat(`\1 `, 30) + `//tracker.test/x"}`, `a{--x:"` + inert(strings.Repeat("%01", 30)+"//tracker.test/x") + `"}`},
	{"custom property, backslashes", `a{--x:"\5c\5c tracker.test/x"}`, `a{--x:"` + inert("%5C%5Ctracker.test/x") + `"}`},
	{"custom property, slash and backslash", `a{--x:"/\5c tracker.test/x"}`, `a{--x:"` + inert("/%5Ctracker.test/x") + `"}`},
	{"custom property, backslash and slash", `a{--x:"\5c /tracker.test/x"}`, `a{--x:"` + inert("%5C/tracker.test/x") + `"}`},
	{"custom property, path", `a{--x:"/tracker.test/x"}`, ""},
	{"custom property, path of a backslash", `a{--x:"\5c tracker.test/x"}`, ""},
	{"custom property, url()", `a{--x:url(https://tracker.test/x)}`, `a{--x:url(` + inert(enc) + `)}`},
	{"property rule", `@property --x{syntax:"<string>";initial-value:"https://tracker.test/x"}`, `@property --x{syntax:"<string>";initial-value:"` + inert(enc) + `"}`},
	{"after property rule", `@property --x{syntax:"*"}a{content:"https://tracker.test/x"}`, ""},

	{"comment", "a{/*url(https://tracker.test/x)*/}", ""},
	{"comment with stars", "/***url(https://tracker.test/x)**/a{}", ""},
	{"comment unclosed", "a{}/* url(https://tracker.test/x)", ""},
	{"not a comment", "a{b:c/d;e:url(https://tracker.test/x)}", "a{b:c/d;e:url(" + inert(enc) + ")}"},
	{"content string", `a{content:"url(https://tracker.test/x)"}`, ""},
	{"selector string", `a[href^="https://tracker.test/"]{b:c}`, ""},
	{"string with escaped quote", `a{content:"\"";b:url(https://tracker.test/x)}`, `a{content:"\"";b:url(` + inert(enc) + `)}`},
	{"bad string ends at the line", "a{content:\"x\n;b:url(https://tracker.test/x)}", "a{content:\"x\n;b:url(" + inert(enc) + ")}"},
	{"bad string ends at a form feed", "a{content:\"x\f;b:url(https://tracker.test/x)}", "a{content:\"x\f;b:url(" + inert(enc) + ")}"},
	{"bad string in url", "a{b:url(\"https://tracker.test/x\n)}", ""},
	{"escaped quote outside", `a{b:\";c:url(https://tracker.test/x)}`, `a{b:\";c:url(` + inert(enc) + `)}`},
	{"bad url", `a{b:url(https://tracker.test/x"y)}`, ""},
	{"bad url, escaped newline", "a{b:url(https://tracker.test/\\\nx)}", ""},
	{"escape of six digits and a newline", "a{b:url(https://tracker.t\\000065\nst/x)}", "a{b:url(" + inert(enc) + ")}"},
	{"escape at the end", `a{b:url(https://tracker.test/\78`, "a{b:url(" + inert(enc)},
	{"escaped name that is no function", `a{b:\75rl x;c:url(https://tracker.test/x)}`, `a{b:\75rl x;c:url(` + inert(enc) + `)}`},
	{"long name before a string", "a{b:" + strings.Repeat("x", 300) + `' ' url(https://tracker.test/x)}`, "a{b:" + strings.Repeat("x", 300) + `' ' url(` + inert(enc) + `)}`},
	{"bad url with parenthesis", `a{b:url(var(--https://tracker.test/x))}`, ""},
	{"after bad url", `a{b:url(a'b) url(https://tracker.test/x)}`, `a{b:url(a'b) url(` + inert(enc) + `)}`},
	{"bad url with escape", `a{b:url(a'\)'url(https://tracker.test/x)) url(https://tracker.test/x)}`, `a{b:url(a'\)'url(https://tracker.test/x)) url(` + inert(enc) + `)}`},
	{"hash is no function", `a{b:#url(a'b) ' url(https://tracker.test/x)}`, `a{b:#url(a'b) ' url(` + inert(enc) + `)}`},
	{"hash is no function, string", `a{b:#url(a'b) url(https://tracker.test/x)'}`, ""},
	{"hash is no function, leak", `#url('a) ' url(https://tracker.test/x)`, `#url('a) ' url(` + inert(enc) + `)`},
	{"dimension is no function", `a{b:12url(' ) ' url(https://tracker.test/x)}`, `a{b:12url(' ) ' url(` + inert(enc) + `)}`},
	{"at-keyword is no function", `@url(' ) ' url(https://tracker.test/x)`, `@url(' ) ' url(` + inert(enc) + `)`},
	{"longer name", `a{b:my-url(' ) ' url(https://tracker.test/x)}`, `a{b:my-url(' ) ' url(` + inert(enc) + `)}`},
	{"percentage before", `a{b:5%url(https://tracker.test/x)}`, `a{b:5%url(` + inert(enc) + `)}`},
	{"data URL", "a{b:url(data:image/png;base64,iVBORw0KGgo=)}", ""},
	{"data URL quoted", `a{b:url("data:image/svg+xml,<svg xmlns='https://tracker.test/'>");c:url(https://tracker.test/x)}`, `a{b:url("data:image/svg+xml,<svg xmlns='https://tracker.test/'>");c:url(` + inert(enc) + `)}`},
	{"data URL imported", `@import "data:text/css,@import 'https://tracker.test/x';";`, `@import "about:invalid";`},
	{"data URL imported, harmless", `@import url(data:text/css,a%7Bb:c%7D);`, ""},
	{"data URL imported, spelled", `@import url(d\61ta:text/css;charset=utf-16be;base64,AEAAaQBtAHAAbwByAHQAJwAvAC8AdAByAGEAYwBrAGUAcgAuAHQAZQBzAHQAJw==);`, `@import url(about:invalid);`},
	{"data URL imported, deep", `@import "data:text/css,@import 'data:text/css,@import ` + "%22https://tracker.test/x%22" + `';";`, `@import "about:invalid";`},
	{"fragment", "a{fill:url(#https://tracker.test)}", ""},
	{"already inert", "a{b:url(" + inert(enc) + ")}", ""},
	{"empty", "", ""},
	{"empty url", "a{b:url()}", ""},
	{"lone bits", `\`, ""},
	{"lone slash", `/`, ""},
	{"lone at", `@`, ""},
	{"markup around", "<!-- @import url(https://tracker.test/x); -->", "<!-- @import url(" + inert(enc) + "); -->"},
	{"long name", "a{b:" + strings.Repeat(`\75 `, 100) + `rl(' ) ' url(https://tracker.test/x)}`, "a{b:" + strings.Repeat(`\75 `, 100) + `rl(' ) ' url(` + inert(enc) + `)}`},
	{"long plain name", "a{b:" + strings.Repeat("x", 300) + `url(' ) ' url(https://tracker.test/x)}`, "a{b:" + strings.Repeat("x", 300) + `url(' ) ' url(` + inert(enc) + `)}`},
	{"long at-keyword", "@" + strings.Repeat(`\75 `, 100) + `url(' ) ' url(https://tracker.test/x)`, "@" + strings.Repeat(`\75 `, 100) + `url(' ) ' url(` + inert(enc) + `)`},
	{"preload scanner's import behind CDC", `--><a '@import "https://tracker.test/x";'`, `--><a '@import "` + inert(enc) + `";'`},
	{"custom URL with @", `--x:"https://tracker.test/x@"`, `--x:"` + inert(enc+"%40") + `"`},
	{"preload scanner's import", `@charset "; @import url(https://tracker.test/x);"; a{}`, `@charset "; @import url(` + inert(enc) + `);"; a{}`},
	{"string with at sign", `@charset "me@example"; a{}`, ""},
	{"carriage returns", "a{b:url(https://tracker.test/x\r\n)\r}", "a{b:url(" + inert(enc) + "\r\n)\r}"},
	{"NUL", "a{b:\x00url(https://tracker.test/x)}", "a{b:\x00url(" + inert(enc) + ")}"},
}

func rewriteAll(t testing.TB, o *css.Options, pieces ...string) string {
	t.Helper()
	var out bytes.Buffer
	r := css.NewRewriter(&out, o)
	for _, p := range pieces {
		if n, err := io.WriteString(r, p); n != len(p) || err != nil {
			t.Fatal(n, err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestRewrite(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			want := c.want
			if want == "" {
				want = c.in
			}
			if got := string(css.Append(nil, []byte(c.in), options())); got != want {
				t.Errorf("Append:\n%q gave\n%q, want\n%q", c.in, got, want)
			}
			if got := string(css.Append([]byte("before"), []byte(want), options())); got != "before"+want {
				t.Errorf("a second pass changed\n%q to\n%q", want, got)
			}
			for i := range len(c.in) + 1 {
				if got := rewriteAll(t, options(), c.in[:i], c.in[i:]); got != want {
					t.Fatalf("split before %q:\n%q, want\n%q", c.in[i:], got, want)
				}
			}
			if got := rewriteAll(t, options(), strings.Split(c.in, "")...); got != want {
				t.Errorf("character by character: %q", got)
			}
		})
	}
}

func TestDestinations(t *testing.T) {
	p := &policy{asked: []string{}}
	o := options()
	o.Policy = p
	css.Append(nil, []byte(`@import "i.css";@import url(j.css);@font-face{src:url(f.woff)}a{b:url(p.png);c:image-set("s.png" 1x)}`), o)
	want := fmt.Sprint([]string{
		fmt.Sprintf("%d https://site.example/css/i.css", rewrite.DestinationStyle), fmt.Sprintf("%d https://site.example/css/j.css", rewrite.DestinationStyle),
		fmt.Sprintf("%d https://site.example/css/f.woff", rewrite.DestinationFont), fmt.Sprintf("%d https://site.example/css/p.png", rewrite.DestinationImage),
		fmt.Sprintf("%d https://site.example/css/s.png", rewrite.DestinationImage),
	})
	if got := fmt.Sprint(p.asked); got != want {
		t.Errorf("asked\n%s, want\n%s", got, want)
	}
}

func TestOnChange(t *testing.T) {
	n := 0
	o := options()
	o.OnChange = func(v rewrite.Verdict) {
		if v.Vendor == "t" {
			n++
		}
	}
	css.Append(nil, []byte(`@import "https://tracker.test/x";a{b:url(//tracker.test),url(own)}`), o)
	if n != 2 {
		t.Errorf("told of %d changes", n)
	}
}

func TestLimit(t *testing.T) {
	long := strings.Repeat("x", 1000)
	for _, c := range []struct{ in, want string }{
		{"a{b:url(https://tracker.test/" + long + ") c}", "a{b:url(about:invalid) c}"},
		{"a{b:url('https://tracker.test/" + long + "') c}", "a{b:url('about:invalid') c}"},
		{"a{b:url(https://other.test/" + long + ") c}", ""},
		{"a{b:url('https://other.test/" + long + `\'` + long + "') url(//tracker.test)}", "a{b:url('https://other.test/" + long + `\'` + long + "') url(" + inert("//tracker.test") + ")}"},
		{"a{b:url(" + strings.Repeat(" ", 1000) + "//tracker.test)}", "a{b:url(" + strings.Repeat(" ", 1000) + inert("//tracker.test") + ")}"},
	} {
		o := options()
		o.Limit = 100
		want := c.want
		if want == "" {
			want = c.in
		}
		if got := rewriteAll(t, o, strings.Split(c.in, "")...); got != want {
			t.Errorf("%.60q became %.90q", c.in, got)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	for _, piece := range []string{"x", "\\", " ", "(", "@import ", "\"", "url(", "url(\"x", "/*", "a{", "\\75 ", "#", "image-set("} {
		r := css.NewRewriter(io.Discard, options())
		chunk := []byte(strings.Repeat(piece, 4096/len(piece)))
		if n := testing.AllocsPerRun(1, func() {
			for range 500 {
				r.Write(chunk)
			}
		}); n > 60 {
			t.Errorf("%q: %v allocations for 2 MB", piece, n)
		}
	}
}

func TestAppendDoesNotAllocateWithoutMatch(t *testing.T) {
	o := options()
	dst := make([]byte, 0, 4096)
	src := []byte(`width:10px;background:url(/own.png) no-repeat;--x:"text";font:12px "Open Sans"`)
	css.Append(dst, src, o)
	if n := testing.AllocsPerRun(100, func() { css.Append(dst, src, o) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestWriterErrors(t *testing.T) {
	r := css.NewRewriter(failing{}, options())
	if _, err := io.WriteString(r, "a{} b{}"); err != io.ErrClosedPipe {
		t.Error(err)
	}
	if r.Flush() != io.ErrClosedPipe || r.Close() != io.ErrClosedPipe {
		t.Error("the error was forgotten")
	}
}

// checkSplits compares the rewriting of a sheet as a whole with that of its pieces, and with a second pass.
func checkSplits(t *testing.T, sheet string, rng *rand.Rand) {
	t.Helper()
	whole := string(css.Append(nil, []byte(sheet), options()))
	var pieces []string
	for rest := sheet; rest != ""; {
		n := min(len(rest), 1+rng.IntN(40))
		pieces = append(pieces, rest[:n])
		rest = rest[n:]
	}
	if got := rewriteAll(t, options(), pieces...); got != whole {
		t.Fatalf("%q\nas a whole: %q\nin pieces %q: %q", sheet, whole, pieces, got)
	}
	if again := string(css.Append(nil, []byte(whole), options())); again != whole {
		t.Fatalf("%q\nonce: %q\ntwice: %q", sheet, whole, again)
	}
}

// words make sheets that are dense in what matters.
var words = []string{
	"url(", "URL(", `\75rl(`, `u\000072 l(`, ")", "'", `"`, "//tracker.test/", "https://tracker.test/x", "/own", " ", "\n", "\r\n", `\`, "/*", "*/", "/", "*", "@import", "@\\69mport ",
	"@namespace", "@font-face", "{", "}", ";", ":", "--x", "-", "#", "12", "a", "image-set(", "src(", "(", "data:,", `\"`, "\\\n", "ü", "\x00", "@", "@property", "<!--",
}

func TestRandomSheets(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		var b strings.Builder
		for range 1 + rng.IntN(25) {
			b.WriteString(words[rng.IntN(len(words))])
		}
		checkSplits(t, b.String(), rng)
	}
}

func FuzzRewriter(f *testing.F) {
	for _, c := range cases {
		f.Add(c.in, uint64(1))
	}
	f.Fuzz(func(t *testing.T, sheet string, seed uint64) {
		checkSplits(t, sheet, rand.New(rand.NewPCG(seed, 0)))
	})
}

// sheets returns the style sheets and elements of the corpus of real pages.
func sheets(t testing.TB) (list [][]byte) {
	root := filepath.Join("..", "..", "..", "shared", "corpus", "dev", "pages")
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.HasSuffix(path, ".css") {
			list = append(list, b)
			return nil
		}
		for {
			i := bytes.Index(b, []byte("<style"))
			if i < 0 {
				return nil
			}
			b = b[i:]
			if n := bytes.Index(b, []byte("</style")); n > 0 {
				list = append(list, b[bytes.IndexByte(b, '>')+1:n])
				b = b[n:]
			} else {
				return nil
			}
		}
	})
	if err != nil || len(list) == 0 {
		t.Skip("no corpus at ../shared/corpus/dev/pages:", err)
	}
	return list
}

func TestRealSheets(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, b := range sheets(t) {
		o := options()
		if got := css.Append(nil, b, o); !bytes.Equal(got, b) {
			t.Errorf("a sheet of %d bytes without the tracker was changed", len(b))
		}
		// Every https URL becomes the tracker's.
		checkSplits(t, strings.ReplaceAll(string(b[:min(len(b), 200000)]), "https://", "https://tracker."), rng)
	}
}

func plain() []byte {
	return bytes.Repeat([]byte(".navigation > li.item:hover a { color: #336699; margin: 0 auto 1.5em; transition: opacity .3s ease-in-out }\n"), 3000)
}

func BenchmarkRewriter(b *testing.B) {
	var corpus []byte
	for _, s := range sheets(b) {
		corpus = append(corpus, s...)
	}
	for name, sheet := range map[string][]byte{"plain": plain(), "corpus": corpus} {
		b.Run(name, func(b *testing.B) {
			o := options()
			b.SetBytes(int64(len(sheet)))
			b.ReportAllocs()
			for b.Loop() {
				r := css.NewRewriter(io.Discard, o)
				for rest := sheet; len(rest) > 0; {
					n := min(len(rest), 32<<10)
					r.Write(rest[:n])
					rest = rest[n:]
				}
				r.Close()
			}
		})
	}
}

func BenchmarkAppendAttribute(b *testing.B) {
	o := options()
	dst := make([]byte, 0, 4096)
	src := []byte("width:100%;max-width:640px;margin:0 auto;background:#fff")
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		dst = css.Append(dst[:0], src, o)
	}
}
