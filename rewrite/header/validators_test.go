package header_test

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/rewrite/header"
)

func TestRewritten(t *testing.T) {
	h := http.Header{"Content-Type": {"text/html"}, "Etag": {`"x"`}}
	for _, f := range []string{"Content-Length", "Content-MD5", "Digest", "Content-Digest", "Repr-Digest", "Signature", "Signature-Input", "Accept-Ranges"} {
		h.Set(f, "x")
	}
	header.Rewritten(h)
	if want := (http.Header{"Content-Type": {"text/html"}, "Etag": {`"x"`}}); !reflect.DeepEqual(h, want) {
		t.Errorf("left %v", h)
	}
}

func TestPrivate(t *testing.T) {
	for _, c := range []struct{ in, page, style string }{
		{"", "private, no-cache", "private"},
		{"public, max-age=600", "private, no-cache", "max-age=600, private"},
		{"Public,S-MaxAge=9 , no-transform,immutable", "no-transform, private, no-cache", "no-transform, immutable, private"},
		{"no-store, max-age=1", "no-store, max-age=1", "no-store, max-age=1"},
		{`private="Set-Cookie, X-A", max-age=3`, "private, no-cache", "max-age=3, private"},
		{`no-cache="Set-Cookie, X-A", x="a, public"`, `x="a, public", private, no-cache`, `no-cache="Set-Cookie, X-A", x="a, public", private`},
		{`no-transform, x="never ends, public`, "no-transform, private, no-cache", "no-transform, private"},
	} {
		for revalidate, want := range map[bool]string{true: c.page, false: c.style} {
			h := http.Header{"Expires": {"x"}}
			if c.in != "" {
				h["Cache-Control"] = []string{c.in}
			}
			for _, name := range []string{"Cdn-Cache-Control", "Cloudflare-Cdn-Cache-Control", "Surrogate-Control", "X-Accel-Expires", "Edge-Control"} {
				h[name] = []string{"max-age=600"}
			}
			header.Private(h, revalidate)
			if got := h.Get("Cache-Control"); got != want || len(h) > 2 || revalidate && !strings.Contains(c.in, "no-store") && h.Get("Expires") != "" {
				t.Errorf("%s, revalidate %v: %s, want %s; left %v", c.in, revalidate, got, want, h)
			}
		}
	}
	h := http.Header{"Cache-Control": {"public"}, "Cdn-Cache-Control": {"max-age=600"}, "Expires": {"x"}}
	if header.NotStored(h); h.Get("Cache-Control") != "no-store" || len(h) != 1 {
		t.Errorf("left %v", h)
	}
}

func TestMarkETag(t *testing.T) {
	for in, want := range map[string]string{
		`"abc"`: `W/"abc-cs.S1"`, `W/"abc"`: `W/"abc-cw.S1"`, `""`: `W/"-cs.S1"`, `"a-cs.S0"`: `W/"a-cs.S0-cs.S1"`, `W/"abc-cs.S1"`: `W/"abc-cs.S1"`,
		`abc`: "", `abc"`: "", `"a"b"`: "", "\"a\r\nb\"": "", `w/"abc"`: "",
	} {
		h := http.Header{"Etag": {in}, "Last-Modified": {"x"}}
		header.MarkETag(h, "S1")
		if got := h.Get("Etag"); got != want || h.Get("Last-Modified") != "" {
			t.Errorf("%s became %s, want %s", in, got, want)
		}
	}
	h := http.Header{"Last-Modified": {"x"}}
	if header.MarkETag(h, "S1"); len(h) != 0 {
		t.Errorf("left %v", h)
	}
}

func TestConditional(t *testing.T) {
	for _, c := range []struct{ field, in, want string }{
		{"If-None-Match", `W/"abc-cs.S1"`, `"abc"`},
		{"If-None-Match", `W/"abc-cw.S1"`, `W/"abc"`},
		{"If-None-Match", `"abc-cs.S1"`, `"abc"`},
		{"If-None-Match", `W/"abc-cs.S2"`, ""},
		{"If-None-Match", `"abc"`, ""},
		{"If-None-Match", `*`, ""},
		{"If-None-Match", `W/"a-cs.S1", "b", W/"c,d-cw.S1",W/"e-cs.S2"`, `"a", W/"c,d"`},
		{"If-None-Match", `junk, "a`, ""},
		{"If-None-Match", `W/"a-cs.S1" , , `, `"a"`},
		{"If-Modified-Since", "Tue, 05 May 2026 10:00:00 GMT", ""},
		{"Range", "bytes=0-1", ""},
		{"If-Range", `"abc"`, ""},
		{"If-Match", `W/"abc-cs.S2", "x", *`, `"abc", "x", *`},
		{"If-Match", `W/"abc-cw.azAZ_-09"`, `W/"abc"`},
		{"If-Match", `"abc-cs.not a state"`, `"abc-cs.not a state"`},
		{"If-Unmodified-Since", "Tue, 05 May 2026 10:00:00 GMT", "Tue, 05 May 2026 10:00:00 GMT"},
	} {
		h := http.Header{c.field: {c.in}}
		header.Conditional(h, "S1")
		if got := h.Get(c.field); got != c.want {
			t.Errorf("%s: %s became %q, want %q", c.field, c.in, got, c.want)
		}
	}
}

func TestMarked(t *testing.T) {
	for tags, want := range map[string]bool{`W/"a-cs.S1"`: true, `"b", W/"a-cw.S1"`: true, `"a", W/"b"`: false} {
		if got := header.Marked(http.Header{"If-None-Match": {`"x"`, tags}}); got != want {
			t.Errorf("%s: %v", tags, got)
		}
	}
}

// A tag goes out and comes back as it was, under the same state and under no other.
func FuzzETag(f *testing.F) {
	f.Add("abc", true)
	f.Add("a-cs.S1", false)
	f.Fuzz(func(t *testing.T, opaque string, weak bool) {
		tag := `"` + opaque + `"`
		if weak {
			tag = "W/" + tag
		}
		h := http.Header{"Etag": {tag}}
		header.MarkETag(h, "S1")
		marked := h.Get("Etag")
		if marked == "" || strings.HasSuffix(opaque, "-cs.S1") || strings.HasSuffix(opaque, "-cw.S1") {
			return
		}
		r := http.Header{"If-None-Match": {marked}}
		header.Conditional(r, "S1")
		if got := r.Get("If-None-Match"); got != tag {
			t.Fatalf("%q went out as %q and came back as %q", tag, marked, got)
		}
		r = http.Header{"If-None-Match": {marked}}
		header.Conditional(r, "S2")
		if len(r) != 0 {
			t.Fatalf("%q came back under another state: %q", tag, r)
		}
	})
}

func TestDecoration(t *testing.T) {
	d := header.NewDecoration("gclid", "FBCLID", "_ga", "utm_*", "", "*")
	for in, want := range map[string]string{
		"/x":                             "",
		"/x?":                            "",
		"/x?a=1":                         "",
		"/x?gclid=1":                     "/x",
		"/x?gclid=1#top":                 "/x#top",
		"/x?gclid=1#a=b":                 "/x#a=b",
		"?gclid=1&*=2":                   "?*=2",
		"/x?a=1&gclid=2&b=3":             "/x?a=1&b=3",
		"/x?gclid=2&b=3&fbclid=9":        "/x?b=3",
		"/x?GCLID=1&b":                   "/x?b",
		"/x?%67clid=1&a":                 "/x?a",
		"/x?a=1&&gclid=2&":               "/x?a=1&&",
		"/x?utm_source=a&utm_=b&utm=c":   "/x?utm=c",
		"/x?gclidx=1":                    "",
		"/x?gclid":                       "",
		"/x?a=gclid=1":                   "",
		"/x#_ga=1.2":                     "/x",
		"/x#a=1&_ga=1.2":                 "/x#a=1",
		"/x?a#gclid=1?b=2":               "/x?a",
		"https://a.example/?_ga=1&x=%26": "https://a.example/?x=%26",
		"/x?" + strings.Repeat("n", 99) + "=1&gclid=2": "/x?" + strings.Repeat("n", 99) + "=1",
		"/x?%=1&%6=2&gclid=3":                          "/x?%=1&%6=2",
	} {
		got, changed := d.Strip([]byte("->"), []byte(in))
		if changed != (want != "") || string(got) != "->"+want {
			t.Errorf("%s became %s, %v; want %s", in, got, changed, want)
		}
		if changed {
			if again, twice := d.Strip(nil, got[2:]); twice {
				t.Errorf("%s: %s became %s", in, got, again)
			}
		}
	}
}

func TestDecorationInLocation(t *testing.T) {
	o := options(t)
	o.Decoration = header.DefaultDecoration()
	h := http.Header{"Location": {"/shop?item=4&gclid=abc&_gl=1*x"}}
	if header.Edit(h, o); h.Get("Location") != "/shop?item=4" {
		t.Errorf("%q", h)
	}
}

func TestStripDoesNotAllocate(t *testing.T) {
	d := header.DefaultDecoration()
	dst := make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() { d.Strip(dst, []byte("/x?a=1&b=2&gclid=3#c=d")) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func ExampleDecoration_Strip() {
	url, _ := header.DefaultDecoration().Strip(nil, []byte("/shoes?size=42&fbclid=IwAR0"))
	fmt.Printf("%s\n", url)
	// Output: /shoes?size=42
}

func ExampleMarkETag() {
	h := http.Header{"Etag": {`"v1"`}}
	header.MarkETag(h, "a5")
	request := http.Header{"If-None-Match": {h.Get("Etag")}}
	header.Conditional(request, "a5")
	fmt.Println(h.Get("Etag"), request.Get("If-None-Match"))
	// Output: W/"v1-cs.a5" "v1"
}

// TestWithoutDictionaries: nothing asks for a body that the gateway could not read.
func TestWithoutDictionaries(t *testing.T) {
	for in, want := range map[string]string{
		"gzip, deflate, br, zstd, dcb, dcz": "gzip, deflate, br, zstd", "DCB;q=1, gzip": "gzip", "dcz": "", "gzip": "gzip", "dcbx, br": "dcbx, br",
	} {
		sent := []string{in}
		h := http.Header{"Accept-Encoding": sent, "Available-Dictionary": {":x=:"}, "Dictionary-Id": {`"x"`}}
		header.WithoutDictionaries(h)
		if got := h.Get("Accept-Encoding"); got != want || len(h) != 1 || sent[0] != in {
			t.Errorf("%s: %v", in, h)
		}
	}
}
