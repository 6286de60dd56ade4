package url_test

import (
	"fmt"
	neturl "net/url"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/rewrite/url"
)

// cases: base, reference, result ("" for no contact), host. After web-platform-tests' urltestdata and measured browser behaviour.
var cases = []struct{ base, ref, want, host string }{
	{"http://site.test:8099/p/1", "http://tracker.test:8099/t", "http://tracker.test:8099/t", "tracker.test"},
	{"http://site.test/a/b", "c", "http://site.test/a/c", "site.test"},
	{"http://site.test/a/b?x", "", "http://site.test/a/b?x", "site.test"},
	{"http://site.test/a/b?x", "#f", "http://site.test/a/b?x", "site.test"},
	{"http://site.test/a/b?x", "?y#z", "http://site.test/a/b?y", "site.test"},
	{"http://site.test/a/b", "../../../c/./d/..", "http://site.test/c/", "site.test"},
	{"http://site.test/a/b", "%2e%2E/%2e/x", "http://site.test/x", "site.test"},
	{"http://site.test/a/b", "...", "http://site.test/a/...", "site.test"},
	{"http://site.test/a", "//t.test", "http://t.test/", "t.test"},
	{"https://site.test/a", `\\t.test\x`, "https://t.test/x", "t.test"},
	{"https://site.test/a", `/\t.test`, "https://t.test/", "t.test"},
	{"https://site.test/a", `///t.test`, "https://t.test/", "t.test"},
	{"http://site.test/a", "https:t.test:8099/x", "https://t.test:8099/x", "t.test"},
	{"https://site.test/a/", "https:x/y", "https://site.test/a/x/y", "site.test"},
	{"https://site.test/a/", `https:\\t.test`, "https://t.test/", "t.test"},
	{"http://site.test/", "https://///t.test/", "https://t.test/", "t.test"},
	{"http://site.test/", " \x01 http://t.test/ \x1f", "http://t.test/", "t.test"},
	{"http://site.test/", "ht\ttp://tra\ncker.t\rest/", "http://tracker.test/", "tracker.test"},
	{"", "HTTP://TRACKER.TEST:80/A", "http://tracker.test/A", "tracker.test"},
	{"", "http://t.test:08099/", "http://t.test:8099/", "t.test"},
	{"", "http://t.test:/", "http://t.test/", "t.test"},
	{"", "http://t.test:99999/", "", ""},
	{"", "http://t.test:8a/", "", ""},
	{"", "http://u@site.test:p@t.test/", "http://u%40site.test:p@t.test/", "t.test"},
	{"", "http://site.test\\@t.test/", "http://site.test/@t.test/", "site.test"},
	{"", "http://%74racker.test/", "http://tracker.test/", "tracker.test"},
	{"", "http://tracker。test/", "http://tracker.test/", "tracker.test"},
	{"", "http://TRACKER.TEST/", "http://tracker.test/", "tracker.test"},
	{"", "http://faß.de/", "http://xn--fa-hia.de/", "xn--fa-hia.de"},
	{"", "http://t.test./", "http://t.test./", "t.test."},
	{"", "http://0x7f.1/", "http://127.0.0.1/", "127.0.0.1"},
	{"", "http://0x7f.0.0.2:8099/", "http://127.0.0.2:8099/", "127.0.0.2"},
	{"", "http://017700000001", "http://127.0.0.1/", "127.0.0.1"},
	{"", "http://2130706433/", "http://127.0.0.1/", "127.0.0.1"},
	{"", "http://256.1.1.1/", "", ""},
	{"", "http://1.2.9/", "http://1.2.0.9/", "1.2.0.9"},
	{"", "http://t.1a/", "http://t.1a/", "t.1a"},
	{"", "http://t.09/", "", ""},
	{"", "http://@t.test/", "http://t.test/", "t.test"},
	{"", "http://t.test/~a", "http://t.test/~a", "t.test"},
	{"", "http://1.2.3.4.5/", "", ""},
	{"", "http://127.0.0.1./", "http://127.0.0.1/", "127.0.0.1"},
	{"", "http://t.1a1/", "http://t.1a1/", "t.1a1"},
	{"", "http://t.1-/", "http://t.1-/", "t.1-"},
	{"", "http://0x/", "http://0.0.0.0/", "0.0.0.0"},
	{"", "http://0.00.0x0.08/", "", ""},
	{"", "http://1..2/", "", ""},
	{"", "http://1.2.65536/", "", ""},
	{"", "http://4294967296/", "", ""},
	{"", "http://[1.2.3.4]/", "", ""},
	{"", "http://[::g]/", "", ""},
	{"", "http://[fe80::1%25eth0]/", "", ""},
	{"", "http://[::ffff:0.15.0.16]/", "http://[::ffff:f:10]/", "[::ffff:f:10]"},
	{"", "http://a\x80b/", "http://xn--ab-gg4n/", "xn--ab-gg4n"}, // a browser contacts nobody
	{"", "http://a\x7fb/", "", ""},
	{"", "http://a[b/", "", ""},
	{"", "http://a%3Ab/", "", ""},
	{"", "http://%C2%AD/", "", ""},                                   // a soft hyphen vanishes
	{"", "http://%78n--a.test/", "http://xn--a.test/", "xn--a.test"}, // no Punycode, but ASCII
	{"", "http://a%2Fb.test/", "", ""},
	{"", "http://a%zz.test/", "", ""},
	{"", "http://a]b.test/", "", ""},
	{"", "http://t.test:0/", "http://t.test:0/", "t.test"},
	{"", "http://t.test:65535/", "http://t.test:65535/", "t.test"},
	{"", "http://t.test:65536/", "", ""},
	{"", "ws://t.test:80/", "ws://t.test/", "t.test"},
	{"", "ftp://t.test:21/", "ftp://t.test/", "t.test"},
	{"", "HTTPS://t.test:443/", "https://t.test/", "t.test"},
	{"", "http://t.test?x#y", "http://t.test/?x", "t.test"},
	{"", "http://T.test?x@t2.test", "http://t.test/?x@t2.test", "t.test"},
	{"http://site.test/a/b?x", " ", "http://site.test/a/b?x", "site.test"},
	{"http://site.test/a/b?x", "/", "http://site.test/", "site.test"},
	{"http://site.test/a/b?x", "%2f/%2", "http://site.test/a/%2f/%2", "site.test"},
	{"http://site.test/a", "http://", "", ""},
	{"http://site.test/a/b", "/x/../y", "http://site.test/y", "site.test"},
	{"http://site.test/", "a-0+9.z:x", "", ""},
	{"", "http://[::FFFF:1.2.3.4]/", "http://[::ffff:102:304]/", "[::ffff:102:304]"},
	{"", "http://[0:0::1]:81/", "http://[::1]:81/", "[::1]"},
	{"", "http://[::1", "", ""},
	{"", "http://a b/", "", ""},
	{"", "http://a|b/", "", ""},
	{"", "http:///", "", ""},
	{"", "wss://t.test:443/x", "wss://t.test/x", "t.test"},
	{"", "http://t.test/a b?c d'<#e", "http://t.test/a%20b?c%20d%27%3C", "t.test"},
	{"", "http://t.test/ü", "http://t.test/%C3%BC", "t.test"},
	{"http://site.test/", "data:text/html,x", "", ""},
	{"http://site.test/", "javascript:1", "", ""},
	{"http://site.test/", "about:blank", "", ""},
	{"http://site.test/", "blob:http://site.test/1", "", ""},
	{"http://site.test/", "file:///etc", "", ""},
	{"http://site.test/", "1http://t.test/", "http://site.test/1http://t.test/", "site.test"},
	{"", "relative", "", ""},
}

func TestResolve(t *testing.T) {
	for _, c := range cases {
		var base *url.URL
		if c.base != "" {
			var err error
			if base, err = url.Parse(c.base); err != nil {
				t.Fatal(c.base, err)
			}
		}
		abs, hs, he, ok := base.Resolve(nil, []byte(c.ref))
		got, host := "", ""
		if ok {
			got, host = string(abs), string(abs[hs:he])
		}
		if got != c.want || host != c.host {
			t.Errorf("%q on %q: %q host %q, want %q host %q", c.ref, c.base, got, host, c.want, c.host)
		}
	}
}

func TestJoin(t *testing.T) {
	base, _ := url.Parse("https://u:p@site.test:444/a/b?q#f")
	if base.String() != "https://u:p@site.test:444/a/b?q" || base.Host() != "site.test" || base.Scheme() != "https" {
		t.Error(base)
	}
	if u := base.Join([]byte("//cdn.test/x/")); u.String() != "https://cdn.test/x/" {
		t.Error(u)
	}
	if u := base.Join([]byte("data:,")); u != nil {
		t.Error(u)
	}
	if _, err := url.Parse("nowhere"); err != url.ErrInvalid {
		t.Error(err)
	}
}

func TestScheme(t *testing.T) {
	for _, c := range []struct{ ref, scheme, rest string }{
		{" java\nscript:a b ", "javascript", "a b"}, {"dAtZ-1:x", "datz-1", "x"}, {"JAVASCRIPT:x", "javascript", "x"}, {"/x:y", "", "/x:y"}, {"a%:b", "", "a%:b"}, {"", "", ""},
	} {
		s, r := url.Scheme([]byte(c.ref))
		if string(s) != c.scheme || string(r) != c.rest {
			t.Errorf("%q: %q %q", c.ref, s, r)
		}
	}
}

func TestAppendDecoded(t *testing.T) {
	const in, want = "%41%6a%z1%1z%%42%4", "Aj%z1%1z%B%4"
	if got := url.AppendDecoded(nil, []byte(in)); string(got) != want {
		t.Errorf("%q became %q, want %q", in, got, want)
	}
}

func TestResolveAllocates(t *testing.T) {
	base, _ := url.Parse("https://site.test/a/b")
	buf := make([]byte, 0, 256)
	for _, ref := range []string{"/x.js", "https://cdn.test/a/library/with/a/name.js?v=1", "//t.test/p", "../img/a.png"} {
		b := []byte(ref)
		if n := testing.AllocsPerRun(100, func() { base.Resolve(buf, b) }); n != 0 {
			t.Errorf("%s: %v allocations", ref, n)
		}
	}
}

// FuzzURL: what Resolve returns is a fixed point, agrees with net/url on the host, and the host holds nothing forbidden.
func FuzzURL(f *testing.F) {
	for _, c := range cases {
		f.Add(c.base, c.ref)
	}
	f.Fuzz(func(t *testing.T, b, ref string) {
		base, _ := url.Parse(b)
		abs, hs, he, ok := base.Resolve(nil, []byte(ref))
		if !ok {
			return
		}
		host := string(abs[hs:he])
		again, hs2, he2, ok := (*url.URL)(nil).Resolve(nil, abs)
		if !ok || string(again) != string(abs) || hs2 != hs || he2 != he {
			t.Fatalf("%q on %q: %q, again %q %v", ref, b, abs, again, ok)
		}
		if host == "" || strings.ContainsAny(host, "/\\?#@ \t\r\n%") || host != strings.ToLower(host) {
			t.Fatalf("host %q", host)
		}
		if u, err := neturl.Parse(string(abs)); err == nil && u.Host != "" {
			if h := u.Hostname(); strings.Trim(host, "[]") != h {
				t.Fatalf("%q: host %q, net/url says %q", abs, host, h)
			}
		}
	})
}

func BenchmarkResolve(b *testing.B) {
	base, _ := url.Parse("https://site.test/a/b")
	buf := make([]byte, 0, 256)
	for name, ref := range map[string][]byte{"absolute": []byte("https://www.google-analytics.com/analytics.js?v=1"), "relative": []byte("../img/logo.png")} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				base.Resolve(buf, ref)
			}
		})
	}
}

func ExampleParse() {
	base, err := url.Parse("https://example.com/blog/")
	fmt.Println(base, base.Host(), err)
	// Output: https://example.com/blog/ example.com <nil>
}

func ExampleURL_Resolve() {
	base, _ := url.Parse("https://example.com/blog/")
	abs, hostStart, hostEnd, ok := base.Resolve(nil, []byte(` \\%54racker.example:0443\pixel `))
	fmt.Printf("%s %s %v\n", abs, abs[hostStart:hostEnd], ok)
	// Output: https://tracker.example/pixel tracker.example true
}

func ExampleScheme() {
	scheme, rest := url.Scheme([]byte("java\tscript:alert(1)"))
	fmt.Printf("%s %s\n", scheme, rest)
	// Output: javascript alert(1)
}

// TestControlCharactersAnywhere: tabs and newlines vanish from a reference wherever they stand, and nothing else does.
func TestControlCharactersAnywhere(t *testing.T) {
	const ref = "http://tracker.test/path/file"
	for c := range 128 {
		for at := 1; at < len(ref); at++ {
			abs, _, _, _ := (*url.URL)(nil).Resolve(nil, []byte(ref[:at]+string(rune(c))+ref[at:]))
			got := string(abs)
			if vanishes := c == '\t' || c == '\n' || c == '\r'; vanishes && got != ref {
				t.Fatalf("%q at %d: %q", rune(c), at, got)
			} else if !vanishes && c < ' ' && got == ref {
				t.Fatalf("%q at %d is lost", rune(c), at)
			}
		}
	}
}
