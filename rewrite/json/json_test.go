package json_test

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/rewrite/json"
)

// gate stands for the HTML rewriter: it replaces the tracker, if there is a tag.
func gate(dst, html []byte) []byte {
	return append(dst, bytes.ReplaceAll(html, []byte("https://tracker.test/"), []byte("about:\"é\u2028\\<😀"))...)
}

// gated is what it writes into a string that has characters beyond ASCII as they are, gatedASCII into one that has not.
const gatedASCII = `about:\"\u00e9\u2028\\<\ud83d\ude00`

const gated = `about:\"é\u2028\\<😀`

func rewrite(t testing.TB, o json.Options, pieces ...string) string {
	t.Helper()
	var out bytes.Buffer
	r := json.NewRewriter(&out, o)
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

var cases = []struct{ name, in, want string }{
	{"nothing", `{"a":1,"b":[true,null,"x"],"c":{"d":"e"}}`, ""},
	{"tag", `{"a":"<img src=https://tracker.test/>"}`, `{"a":"<img src=` + gatedASCII + `>"}`},
	{"text before", `{"a":"hello https://tracker.test/ <img src=https://tracker.test/>"}`, `{"a":"hello https://tracker.test/ <img src=` + gatedASCII + `>"}`},
	{"no tag", `{"a":"1 < 2 https://tracker.test/ <3"}`, ""},
	{"unchanged", `{"a":"<p class=\"x\">\u00e9\/<\/p>"}`, ""},
	{"escaped less-than", `["\u003cimg src=https://tracker.test/\u003E"]`, `["\u003cimg src=about:\"\u00e9\u2028\\\u003c\ud83d\ude00\u003E"]`},
	{"escaped tag name", `["<\u0069mg src=https://tracker.test/>"]`, `["<\u0069mg src=about:\"\u00e9\u2028\\<\ud83d\ude00>"]`},
	{"escaped slashes", `["<a href=\"https:\/\/tracker.test\/\">é<\/a>"]`, `["<a href=\"` + gated + `\">é<\/a>"]`},
	{"end tag only", `["</b>https://tracker.test/"]`, `["</b>about:\"\u00e9\u2028\\<\ud83d\ude00"]`},
	{"comment", `["é<!-- https://tracker.test/"]`, `["é<!-- ` + `about:\"\u00e9\u2028\\<\ud83d\ude00` + `"]`},
	{"names stay", `{"<b>https://tracker.test/":"x","\"<b>https://tracker.test/":["<b>é"]}`, ""},
	{"nested", `[[{"a":{"b":["<b>éhttps://tracker.test/"]}}]]`, `[[{"a":{"b":["<b>é` + gated + `"]}}]]`},
	{"second in a list", `{"a":["x","<b>éhttps://tracker.test/"]}`, `{"a":["x","<b>é` + gated + `"]}`},
	{"after a list and an object", `[[1],{"a":{}},"<b>éhttps://tracker.test/",{"a":[1],"<b>https://tracker.test/":2}]`, `[[1],{"a":{}},"<b>é` + gated + `",{"a":[1],"<b>https://tracker.test/":2}]`},
	{"a quote in a name", `{"a\"b":"<b>éhttps://tracker.test/","c":1}`, `{"a\"b":"<b>é` + gated + `","c":1}`},
	{"question mark", `["<?éhttps://tracker.test/"]`, `["<?é` + gated + `"]`},
	{"top level", `"<b>éhttps://tracker.test/"`, `"<b>é` + gated + `"`},
	{"several texts", "{\"a\":\"x\"}\n{\"a\":\"<b>éhttps://tracker.test/\"}\n", "{\"a\":\"x\"}\n{\"a\":\"<b>é" + gated + "\"}\n"},
	{"prefix and callback", ")]}'\ncb({\"a\":\"<b>éhttps://tracker.test/\"});", ")]}'\ncb({\"a\":\"<b>é" + gated + "\"});"},
	{"backslashes", `["\\","\\\"<b>éhttps://tracker.test/\\"]`, `["\\","\\\"<b>é` + gated + `\\"]`},
	{"lone surrogate", `["<b>\ud800é\udc00https://tracker.test/\ud800"]`, `["<b>\ud800é\udc00` + gated + `\ud800"]`},
	{"not UTF-8", "[\"<b>\xff\xe9https://tracker.test/\xff\"]", "[\"<b>\xff\xe9" + gated + "\xff\"]"},
	{"broken escape", `["\u00<b>","\uzz<b>https://tracker.test/é"]`, `["\u00<b>","\uzz<b>` + gated + `é"]`},
	{"between two changes, escaped", `["<b>https://tracker.test/\uffff\ud800\udc00\udfffhttps://tracker.test/"]`, `["<b>` + gatedASCII + `\uffff\ud800\udc00\udfff` + gatedASCII + `"]`},
	{"between two changes, not UTF-8", "[\"<b>éhttps://tracker.test/\xff\xed\xa0\u2029https://tracker.test/\"]", "[\"<b>é" + gated + "\xff\xed\xa0\\u2029" + gated + "\"]"},
	{"cut off", `["<b>https://tracker.test/`, ""},
	{"cut off in an escape", `["<b>\u00`, ""},
	{"cut off before a tag", `["x<`, ""},
	{"almost tags", `["<","<<","<1","\u003c","\u003c\u003c\u0031","\\u003cb"]`, ""},
	{"empty", "", ""},
	{"control characters", "[\"<b>\n\tx\"]", ""},
	{"between two changes", `["<b>https://tracker.test/\b\f\r\t\n\u0001\ud800\u00E9https://tracker.test/"]`, `["<b>` + gatedASCII + `\b\f\r\t\n\u0001\ud800\u00e9` + gatedASCII + `"]`},
}

func TestRewrite(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			want := c.want
			if want == "" {
				want = c.in
			}
			o := json.Options{HTML: gate}
			if got := rewrite(t, o, c.in); got != want {
				t.Errorf("in one piece:\n%s, want\n%s", got, want)
			}
			for i := range len(c.in) + 1 {
				if got := rewrite(t, o, c.in[:i], c.in[i:]); got != want {
					t.Fatalf("split before %q:\n%s, want\n%s", c.in[i:], got, want)
				}
			}
			var single []string
			for i := range len(c.in) {
				single = append(single, c.in[i:i+1])
			}
			if got := rewrite(t, o, single...); got != want {
				t.Errorf("byte by byte:\n%s", got)
			}
		})
	}
}

func TestHTMLIsUnescaped(t *testing.T) {
	var seen []string
	o := json.Options{HTML: func(dst, html []byte) []byte {
		seen = append(seen, string(html))
		return append(dst, html...)
	}}
	rewrite(t, o, `{"k":"x \u003ca href=\"\/\u00e9\ud83d\ude00\"\u003e\n<\/a>"}`)
	if want := []string{"<a href=\"/é😀\">\n</a>"}; !reflect.DeepEqual(seen, want) {
		t.Errorf("the callback saw %q", seen)
	}
}

func TestLimit(t *testing.T) {
	o := json.Options{HTML: gate, Limit: 100}
	var limit *json.LimitError
	rewrite(t, o, `["`+strings.Repeat("x", 5000)+`<b>`+strings.Repeat("x", 97)+`"]`)
	var out bytes.Buffer
	r := json.NewRewriter(&out, o)
	if _, err := io.WriteString(r, `["ok","<b>`+strings.Repeat("x", 100)); !errors.As(err, &limit) || out.String() != `["ok","` || !strings.Contains(err.Error(), "100 bytes") {
		t.Errorf("wrote %q, %v", out.String(), err)
	}
	if _, err := io.WriteString(r, "x"); !errors.As(err, &limit) || !errors.As(r.Flush(), &limit) || !errors.As(r.Close(), &limit) {
		t.Error("the error was forgotten")
	}
}

// TestStyle: what is written is escaped as the string around it is.
func TestStyle(t *testing.T) {
	o := json.Options{HTML: func(dst, html []byte) []byte { return append(append(dst, html...), "</i>&\x1f "...) }}
	for in, want := range map[string]string{
		`["<b>x/"]`:      `["<b>x/</i>&\u001f "]`,
		`["<b>\/x"]`:     `["<b>\/x<\/i>&\u001f "]`,
		`["\u003cb>x"]`:  `["\u003cb>x\u003c/i\u003e\u0026\u001f "]`,
		`["\u003Cb>\/"]`: `["\u003Cb>\/\u003c\/i\u003e\u0026\u001f "]`,
	} {
		if got := rewrite(t, o, in); got != want {
			t.Errorf("%s became %s, want %s", in, got, want)
		}
	}
}

// TestDepthIsLeft: below all depth names are taken for values, and above it they are names again.
func TestDepthIsLeft(t *testing.T) {
	const named, value = `{"x":0,"<b>https://tracker.test/":1}`, `{"x":0,"<b>` + gatedASCII + `":1}`
	for _, depth := range []int{2047, 2048, 2050} {
		open, closed := strings.Repeat("[", depth), strings.Repeat("]", depth)
		want := value
		if depth < 2048 {
			want = named
		}
		if got := rewrite(t, json.Options{HTML: gate}, open+named+closed+","+named); got != open+want+closed+","+named {
			t.Errorf("at a depth of %d: %s", depth, strings.Trim(got, "[]"))
		}
	}
}

func TestDepthIsBounded(t *testing.T) {
	deep := strings.Repeat(`[{"a":`, 100000) + `"<b>https://tracker.test/"`
	got := rewrite(t, json.Options{HTML: gate}, deep)
	if strings.Contains(got, "tracker") {
		t.Error("a string below all depth was not looked at")
	}
}

// oracle is what encoding/json makes of a value when gate is applied to each string as the package promises.
func oracle(v any) any {
	switch v := v.(type) {
	case string:
		for i := range len(v) - 1 {
			if c := v[i+1]; v[i] == '<' && ('a' <= c|0x20 && c|0x20 <= 'z' && c < 0x80 || c == '/' || c == '!' || c == '?') {
				return v[:i] + string(gate(nil, []byte(v[i:])))
			}
		}
	case []any:
		for i := range v {
			v[i] = oracle(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = oracle(v[k])
		}
	}
	return v
}

func checkText(t *testing.T, text string, rng *rand.Rand) {
	t.Helper()
	o := json.Options{HTML: gate}
	whole := rewrite(t, o, text)
	var pieces []string
	for rest := text; rest != ""; {
		n := min(len(rest), 1+rng.IntN(9))
		pieces = append(pieces, rest[:n])
		rest = rest[n:]
	}
	if got := rewrite(t, o, pieces...); got != whole {
		t.Fatalf("%q\nas a whole %q\nin pieces  %q: %q", text, whole, pieces, got)
	}
	same := json.Options{HTML: func(dst, html []byte) []byte { return append(dst, html...) }}
	if got := rewrite(t, same, text); got != text {
		t.Fatalf("%q was changed to %q", text, got)
	}
	var before, after any
	if stdjson.Unmarshal([]byte(text), &before) != nil {
		return
	}
	if err := stdjson.Unmarshal([]byte(whole), &after); err != nil {
		t.Fatalf("%q became %q: %v", text, whole, err)
	}
	if want := oracle(before); !reflect.DeepEqual(after, want) {
		t.Fatalf("%q became %q, which is %q, want %q", text, whole, after, want)
	}
}

var words = []string{"<b>", "<", "\\u003c", "\\u003C", "b", "https://tracker.test/", "https:\\/\\/tracker.test\\/", "\\\"", "\\\\", "\\n", "é", "\\u00e9", "\\ud83d\\ude00", "😀", " ", "x", "\\u2028", "&", ">"}

func TestRandomTexts(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 20000 {
		var b strings.Builder
		b.WriteString(`{"k":["`)
		for range rng.IntN(12) {
			b.WriteString(words[rng.IntN(len(words))])
		}
		b.WriteString(`",{"`)
		b.WriteString(words[rng.IntN(len(words))])
		b.WriteString(`":"`)
		b.WriteString(words[rng.IntN(len(words))])
		b.WriteString(`"}]}`)
		checkText(t, b.String(), rng)
	}
}

func FuzzRewriter(f *testing.F) {
	for _, c := range cases {
		f.Add(c.in, uint64(0))
	}
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		if strings.Contains(text, `\ud`) || strings.Contains(text, `\uD`) {
			return // lone surrogates: encoding/json replaces them
		}
		checkText(t, text, rand.New(rand.NewPCG(seed, 1)))
	})
}

func BenchmarkRewriter(b *testing.B) {
	plain := []byte("[" + strings.Repeat(`{"id":12345,"name":"A product of some length","price":"12.50","tags":["a","b"],"text":"Plain words, \"quoted\" and so on."},`, 2000) + "{}]")
	markup := []byte("[" + strings.Repeat(`{"id":12345,"html":"<p class=\"x\">Some <b>words<\/b> and a <a href=\"\/x\">link<\/a>.<\/p>"},`, 2000) + "{}]")
	for name, text := range map[string][]byte{"plain": plain, "markup": markup} {
		b.Run(name, func(b *testing.B) {
			o := json.Options{HTML: func(dst, html []byte) []byte { return append(dst, html...) }}
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				r := json.NewRewriter(io.Discard, o)
				for rest := text; len(rest) > 0; {
					n := min(len(rest), 32<<10)
					r.Write(rest[:n])
					rest = rest[n:]
				}
				r.Close()
			}
		})
	}
}

func ExampleNewRewriter() {
	r := json.NewRewriter(os.Stdout, json.Options{
		HTML: func(dst, html []byte) []byte { return append(dst, bytes.ReplaceAll(html, []byte("<hr>"), nil)...) },
	})
	io.WriteString(r, `{"html":"<p>a<\/p><hr>","<hr>":"a < b"}`+"\n")
	r.Close()
	// Output: {"html":"<p>a<\/p>","<hr>":"a < b"}
}
