package cookie_test

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/caddy-consent/caddy-consent/rewrite/cookie"
)

var now = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

const year = 365 * 24 * time.Hour

func TestParse(t *testing.T) {
	for _, c := range []struct {
		line, name, value, wire string
		ok                      bool
	}{
		{"a=b; Path=/", "a", "b", "a", true},
		{" a = b c ; Path=/", "a", "b c", "a", true},
		{"_ga", "", "_ga", "_ga", true},
		{"=_ga=1", "", "_ga=1", "_ga", true},
		{" = _ga = 1", "", "_ga = 1", "_ga", true},
		{"==x", "", "=x", "", true},
		{"cb:test=1", "cb:test", "1", "cb:test", true},
		{`j={"a":1,"b":"c"}`, "j", `{"a":1,"b":"c"}`, "j", true},
		{"a=", "a", "", "a", true},
		{"", "", "", "", false},
		{"=", "", "", "", false},
		{"; Path=/", "", "", "", false},
		{"a=b\x00c", "", "", "", false},
		{"a=b\r\nSet-Cookie: x=y", "", "", "", false},
		{"a=b\tc", "a", "b\tc", "a", true},
	} {
		got, ok := cookie.Parse(c.line)
		if ok != c.ok || ok && (got.Name != c.name || got.Value != c.value || got.WireName() != c.wire) {
			t.Errorf("Parse(%q) = %q, %q, wire %q, %v; want %q, %q, %q, %v",
				c.line, got.Name, got.Value, got.WireName(), ok, c.name, c.value, c.wire, c.ok)
		}
	}
}

func TestAttribute(t *testing.T) {
	c, _ := cookie.Parse("a=b; PATH=/x; secure; path = /y ; Domain=.example.com;HttpOnly")
	for name, want := range map[string]string{"path": "/y", "domain": ".example.com", "secure": "", "httponly": ""} {
		if got, ok := c.Attribute(name); got != want || !ok {
			t.Errorf("%s = %q, %v; want %q", name, got, ok, want)
		}
	}
	if _, ok := c.Attribute("max-age"); ok {
		t.Error("found an attribute that is not there")
	}
}

func TestClamp(t *testing.T) {
	late := "Expires=Sat, 01 May 2027 12:00:00 GMT"
	for _, c := range []struct{ in, want string }{
		{"a=b", "a=b"},
		{"a=b;Path=/ ;Secure", "a=b;Path=/ ;Secure"},
		{"a=b; Max-Age=60", "a=b; Max-Age=60"},
		{"a=b; Max-Age=63072000; Path=/", "a=b; Max-Age=31536000; Path=/"},
		{"a=b;max-age=99999999999999999999999; HttpOnly", "a=b; Max-Age=31536000; HttpOnly"},
		{"a=b; Max-Age=-1", "a=b; Max-Age=-1"},
		{"a=b; Max-Age=1e9", "a=b; Max-Age=1e9"},
		{"a=b; Max-Age=0", "a=b; Max-Age=0"},
		{"a=b; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "a=b; Expires=Wed, 21 Oct 2026 07:28:00 GMT"},
		{"a=b; Expires=Wed, 21 Oct 2037 07:28:00 GMT; Secure", "a=b; " + late + "; Secure"},
		{"a=b; expires=Wed, 21-Oct-37 07:28:00 GMT", "a=b; " + late},
		{"a=b; Expires=Oct 21 07:28:00 2037", "a=b; " + late},
		{"a=b; Expires=never; Path=/", "a=b; Path=/"},
		{"a=b; Expires=31 Feb 2037 07:28:00", "a=b"},
		{"a=b; Expires=21 Oct 7 07:28:00", "a=b"},                 // a year has two digits at least
		{"a=b; Expires=21`Oct_2037[07:28:00@GMT", "a=b; " + late}, // all of these are delimiters
		{"a=b; Expires=21 Oct 69 07:28:00", "a=b; " + late},       // 2069
		{"a=b; Expires=21 Oct 70 07:28:00", "a=b; Expires=21 Oct 70 07:28:00"},
		{"a=b; Expires=x 21 Oct 2037 23:59:59", "a=b; " + late},
		{"a=b; Expires=21 Oct 2037 24:00:00", "a=b"},
		{"a=b; Expires=21 Oct 2037 23:60:00", "a=b"},
		{"a=b; Expires=21 Oct 2037 23:00:60", "a=b"},
		{"a=b; Expires=21 Oct 2037 007:28:00", "a=b"},
		{"a=b; Expires=21 Oct 2037", "a=b"},
		{"a=b; Expires=21 Oct 07:28:00", "a=b"},
		{"a=b; Expires=21 2037 07:28:00", "a=b"},
		{"a=b; Expires=Oct 2037 07:28:00", "a=b"},
		{"a=b; Expires=0 Oct 2037 07:28:00", "a=b"},
		{"a=b; Expires=007 Oct 2037 07:28:00", "a=b"},
		{"a=b; Expires=21 Jxn 2037 07:28:00", "a=b"},
		{"a=b; Expires=21 Oct 20370 07:28:00", "a=b"},
		{"a=b; Expires=21 Oct 2026 2037 07:28:00", "a=b; Expires=21 Oct 2026 2037 07:28:00"}, // the first of each counts
		{"a=b; Expires=21 Jan 2027 Dec 07:28:00", "a=b; Expires=21 Jan 2027 Dec 07:28:00"},
		{"a=\x00b; Max-Age=99999999", "a=\x00b; Max-Age=99999999"}, // no cookie
		{"a=b; Max-Age=99999999; Expires=Wed, 21 Oct 2037 07:28:00 GMT; Max-Age=1", "a=b; Max-Age=31536000; " + late + "; Max-Age=1"},
		{`a="q;r"; Max-Age=99999999`, `a="q; r"; Max-Age=31536000`},
	} {
		got, changed := cookie.Clamp(c.in, now, year)
		if got != c.want || changed != (c.in != c.want) {
			t.Errorf("Clamp(%q) = %q, %v; want %q", c.in, got, changed, c.want)
		}
		if again, changed := cookie.Clamp(got, now, year); changed {
			t.Errorf("Clamp of its own %q gave %q", got, again)
		}
	}
}

// TestDateDelimiters: what RFC 6265bis, 5.1.1, lists parts the tokens of a date, and nothing else does.
func TestDateDelimiters(t *testing.T) {
	const delimiters = "\t !\"#$%&'()*+,-./<=>?@[\\]^_`{|}~"
	for c := ' '; c < 0x7f; c++ {
		in := strings.ReplaceAll("a=b; Expires=21 Oct 2037 07:28:00", " 2037 ", string(c)+"2037"+string(c))
		want := "a=b"
		if strings.ContainsRune(delimiters, c) {
			want = "a=b; Expires=Sat, 01 May 2027 12:00:00 GMT"
		}
		if got, _ := cookie.Clamp(in, now, year); got != want && c != ';' {
			t.Errorf("Clamp(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestExpireRemovesFromEveryPlace(t *testing.T) {
	site := &url.URL{Scheme: "https", Host: "shop.eu.example.co.uk", Path: "/a/b/c"}
	for _, domain := range []string{"", "shop.eu.example.co.uk", "eu.example.co.uk", "example.co.uk"} {
		for _, path := range []string{"", "/", "/a", "/a/", "/a/b"} {
			jar, _ := cookiejar.New(&cookiejar.Options{PublicSuffixList: publicsuffix.List})
			jar.SetCookies(site, []*http.Cookie{{Name: "_ga", Value: "1", Domain: domain, Path: path, MaxAge: 1000}})
			if len(jar.Cookies(site)) != 1 {
				t.Fatalf("domain %q, path %q: the jar did not take the cookie", domain, path)
			}
			h := http.Header{"Set-Cookie": cookie.Expire(nil, cookie.Scope{Host: site.Host, Paths: cookie.Paths(site.Path), Secure: true}, "_ga")}
			jar.SetCookies(site, (&http.Response{Header: h}).Cookies())
			if left := jar.Cookies(site); len(left) != 0 {
				t.Errorf("domain %q, path %q: left %v", domain, path, left)
			}
		}
	}
}

func TestExpireLines(t *testing.T) {
	const dead = "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
	for _, c := range []struct {
		name  string
		scope cookie.Scope
		want  []string
	}{
		{"a", cookie.Scope{Host: "localhost"}, []string{"a=; Path=/" + dead}},
		{"a", cookie.Scope{Host: "192.0.2.1", Secure: true}, []string{"a=; Path=/" + dead + "; Secure"}},
		{"a", cookie.Scope{Host: "[2001:db8::1]"}, []string{"a=; Path=/" + dead}},
		{"a", cookie.Scope{Host: "co.uk"}, []string{"a=; Path=/" + dead}},
		{"a", cookie.Scope{Host: "www.example.com"}, []string{
			"a=; Path=/" + dead, "a=; Path=/; Domain=www.example.com" + dead, "a=; Path=/; Domain=example.com" + dead,
		}},
		{"__Host-a", cookie.Scope{Host: "www.example.com", Secure: true, Paths: []string{"/", "/x"}}, []string{"__Host-a=; Path=/" + dead + "; Secure"}},
		{"__Http-Host-a", cookie.Scope{Host: "www.example.com", Secure: true}, []string{"__Http-Host-a=; Path=/" + dead + "; Secure"}},
		{"__host-http-a", cookie.Scope{Host: "www.example.com", Secure: true}, []string{"__host-http-a=; Path=/" + dead + "; Secure"}},
		{"_long_name_", cookie.Scope{Host: "example.com"}, []string{"_long_name_=; Path=/" + dead, "_long_name_=; Path=/; Domain=example.com" + dead}},
		{"a", cookie.Scope{Host: "example.com", Secure: true, Partitioned: true}, []string{
			"a=; Path=/" + dead + "; Secure", "a=; Path=/" + dead + "; Secure; SameSite=None; Partitioned",
			"a=; Path=/; Domain=example.com" + dead + "; Secure", "a=; Path=/; Domain=example.com" + dead + "; Secure; SameSite=None; Partitioned",
		}},
		{"a", cookie.Scope{Host: "example.com."}, []string{"a=; Path=/" + dead, "a=; Path=/; Domain=example.com" + dead}},
		{"", cookie.Scope{Host: "example.com"}, nil},
		{"a b", cookie.Scope{Host: "example.com"}, nil},
		{"a\x7f", cookie.Scope{Host: "example.com"}, nil},
		{"a;b", cookie.Scope{Host: "example.com"}, nil},
		{"a\r\nb", cookie.Scope{Host: "example.com"}, nil},
		{"a", cookie.Scope{Host: "localhost", Paths: []string{"/;x", "/a\r\nb: c", "x"}}, nil},
		{"a", cookie.Scope{Host: "evil;x.com"}, []string{"a=; Path=/" + dead}},
	} {
		if got := cookie.Expire(nil, c.scope, c.name); !reflect.DeepEqual(got, c.want) {
			t.Errorf("Expire(%+v, %q) =\n%s\nwant\n%s", c.scope, c.name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

func TestExpireIsBounded(t *testing.T) {
	if n := len(cookie.Expire(nil, cookie.Scope{Host: strings.Repeat("a.", 100) + "example.com"}, "x")); n != 1+16 {
		t.Errorf("%d lines", n)
	}
}

func TestPaths(t *testing.T) {
	for path, want := range map[string][]string{
		"":         {"/"},
		"/":        {"/"},
		"/a":       {"/"},
		"/a/":      {"/", "/a", "/a/"},
		"/a//b/c":  {"/", "/a", "/a/", "/a//b", "/a//b/"},
		"no-slash": {"/"},
	} {
		if got := cookie.Paths(path); !reflect.DeepEqual(got, want) {
			t.Errorf("Paths(%q) = %q, want %q", path, got, want)
		}
	}
	if n := len(cookie.Paths(strings.Repeat("/x", 5000))); n != 17 {
		t.Errorf("%d paths", n)
	}
}

func FuzzSetCookie(f *testing.F) {
	for _, s := range []string{"a=b; Max-Age=99999999999", "a=b;Expires=Wed, 21 Oct 2037 07:28:00 GMT", ";;=", "a; Expires", "a=b; Expires=1:2:3 4 jan 99"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		before, ok := cookie.Parse(line)
		out, changed := cookie.Clamp(line, now, year)
		if !changed && out != line {
			t.Fatalf("Clamp(%q) said unchanged and gave %q", line, out)
		}
		if again, changed := cookie.Clamp(out, now, year); changed {
			t.Fatalf("Clamp(%q) = %q, then %q", line, out, again)
		}
		after, okAfter := cookie.Parse(out)
		if ok != okAfter || before.Name != after.Name || before.Value != after.Value {
			t.Fatalf("Clamp(%q) = %q changed the cookie itself", line, out)
		}
		// A second opinion on how long it lives: net/http's own parser.
		if c, err := http.ParseSetCookie(out); err == nil && (c.MaxAge > int(year/time.Second) || c.Expires.After(now.Add(year))) {
			t.Fatalf("Clamp(%q) = %q still lives too long", line, out)
		}
		for _, l := range cookie.Expire(nil, cookie.Scope{Host: line, Paths: []string{line}}, line) {
			if strings.ContainsAny(l, "\r\n\x00") {
				t.Fatalf("Expire wrote %q", l)
			}
		}
	})
}

func ExampleParse() {
	c, _ := cookie.Parse("=_ga=GA1.2.3; Path=/")
	fmt.Printf("%q arrives as %s\n", c.Name, c.WireName())
	// Output: "" arrives as _ga
}

func ExampleClamp() {
	line, _ := cookie.Clamp("_pk_id=1; Max-Age=63072000; Path=/", time.Now(), 395*24*time.Hour)
	fmt.Println(line)
	// Output: _pk_id=1; Max-Age=34128000; Path=/
}

func ExampleExpire() {
	for _, line := range cookie.Expire(nil, cookie.Scope{Host: "shop.example", Secure: true}, "_ga") {
		fmt.Println(line)
	}
	// Output:
	// _ga=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure
	// _ga=; Path=/; Domain=shop.example; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure
}

func ExamplePaths() {
	fmt.Println(cookie.Paths("/blog/2026/post"))
	// Output: [/ /blog /blog/ /blog/2026 /blog/2026/]
}

func TestLifetime(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for line, want := range map[string]time.Duration{
		"a=b":             0,
		"a=b; Max-Age=60": time.Minute,
		"a=b; Max-Age=60; Expires=Wed, 11 Nov 2026 00:00:00 GMT": time.Minute,
		"a=b; expires=Wed, 11 Nov 2026 00:00:00 GMT":             240 * time.Hour,
		"a=b; expires=Wed, 11 Nov 2020 00:00:00 GMT":             0,
		"a=b; Max-Age=; expires=Wed, 11 Nov 2026 00:00:00 GMT":   240 * time.Hour,
		"a=b; Max-Age=-1":                     0,
		"a=b; Max-Age=99999999999999999999":   (1<<31 - 1) * time.Second,
		"a=b; Max-Age=60; Max-Age=0; Path=/x": 0,
	} {
		c, _ := cookie.Parse(line)
		if got := c.Lifetime(now); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}
