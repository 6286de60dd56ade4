package header_test

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/rewrite/header"
)

func TestParseCSP(t *testing.T) {
	got := header.ParseCSP([]string{"Default-Src 'self'  https: ;; img-src;img-src *, script-src 'nonce-x'", "", ";", "upgrade-insecure-requests"})
	want := []header.CSP{
		{{Name: "default-src", Sources: []string{"'self'", "https:"}}, {Name: "img-src", Sources: []string{}}},
		{{Name: "script-src", Sources: []string{"'nonce-x'"}}},
		{{Name: "upgrade-insecure-requests", Sources: []string{}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
	if s := got[0].String(); s != "default-src 'self' https:; img-src" {
		t.Errorf("String is %q", s)
	}
}

func TestSources(t *testing.T) {
	c := header.ParseCSP([]string{"default-src a; script-src b; child-src c; style-src-elem d"})[0]
	for directive, want := range map[string]string{
		"script-src-elem": "b", "script-src": "b", "script-src-attr": "b", "worker-src": "c", "frame-src": "c", "style-src-elem": "d",
		"style-src-attr": "a", "img-src": "a", "connect-src": "a",
	} {
		if got, ok := c.Sources(directive); !ok || len(got) != 1 || got[0] != want {
			t.Errorf("%s: %v, %v; want %s", directive, got, ok, want)
		}
	}
	for _, directive := range []string{"form-action", "base-uri", "frame-ancestors", ""} {
		if got, ok := c.Sources(directive); ok {
			t.Errorf("%s is governed by %v", directive, got)
		}
	}
}

func TestNonce(t *testing.T) {
	for policy, want := range map[string]string{
		"script-src 'nonce-abc'":                                         "abc",
		"script-src 'nonce-a'":                                           "a",
		"script-src 'Nonce-abc' 'strict-dynamic'":                        "abc",
		"default-src 'nonce-abc'; img-src *":                             "abc",
		"script-src 'self'":                                              "",
		"script-src 'unsafe-inline'":                                     "",
		"img-src *":                                                      "",
		"script-src 'nonce-abc', script-src 'unsafe-inline'":             "abc",
		"script-src 'nonce-abc', img-src *":                              "abc",
		"script-src 'nonce-abc', script-src 'nonce-abc' x":               "abc",
		"script-src 'nonce-abc', script-src 'nonce-def'":                 "",
		"script-src 'nonce-abc', script-src 'self'":                      "",
		"script-src 'nonce-abc', script-src 'unsafe-inline' 'sha256-AA'": "",
		"script-src 'nonce-'":                                            "",
		"script-src 'nonce-x'; script-src-elem 'self'":                   "",
	} {
		got, ok := header.Nonce(header.ParseCSP([]string{policy}))
		if got != want || ok != (want != "") {
			t.Errorf("%s: %q, %v; want %q", policy, got, ok, want)
		}
	}
}

func TestAllowInline(t *testing.T) {
	const hash = "'sha256-AAAA'"
	for in, want := range map[string]string{
		"script-src 'self'":                           "script-src 'self' " + hash,
		"script-src 'none'":                           "script-src " + hash,
		"script-src":                                  "script-src " + hash,
		"script-src 'unsafe-inline'":                  "script-src 'unsafe-inline'",
		"script-src 'unsafe-inline' 'nonce-x'":        "script-src 'unsafe-inline' 'nonce-x' " + hash,
		"script-src x " + hash:                        "script-src x " + hash,
		"img-src *":                                   "img-src *",
		"default-src 'self'; img-src *":               "default-src 'self'; img-src *; script-src 'self' " + hash,
		"default-src * 'unsafe-inline'":               "default-src * 'unsafe-inline'",
		"script-src a; script-src-elem b":             "script-src a; script-src-elem b " + hash,
		"script-src 'self', default-src https:":       "script-src 'self' " + hash + "|default-src https:; script-src https: " + hash,
		"  SCRIPT-SRC   'self' ; report-uri /r":       "script-src 'self' " + hash + "; report-uri /r",
		"script-src 'strict-dynamic' 'unsafe-inline'": "script-src 'strict-dynamic' 'unsafe-inline' " + hash,
	} {
		h := http.Header{"Content-Security-Policy": {in}, "Content-Security-Policy-Report-Only": {in}}
		header.AllowInline(h, "script-src-elem", hash)
		for field, values := range h {
			if got := strings.Join(values, "|"); got != want {
				t.Errorf("%s: %q became %q, want %q", field, in, got, want)
			}
		}
		before := h.Clone()
		header.AllowInline(h, "script-src-elem", hash)
		if !reflect.DeepEqual(before, h) {
			t.Errorf("%q: a second time gave %q", in, h)
		}
	}
	h := http.Header{"Content-Security-Policy": {"script-src x"}}
	for _, bad := range []string{"", "a;b", "a,b", "a b", "a\r\nb", "a\x7f", "\u00e4"} {
		header.AllowInline(h, "script-src-elem", bad)
	}
	if h.Get("Content-Security-Policy") != "script-src x" {
		t.Errorf("a broken source came in: %q", h)
	}
	header.AllowInline(http.Header{}, "script-src-elem", hash)
}

func TestAllowSource(t *testing.T) {
	for _, c := range []struct{ in, directive, want string }{
		{"default-src 'none'", "connect-src", "default-src 'none'; connect-src a.test/x/"},
		{"connect-src 'none'", "connect-src", "connect-src a.test/x/"},
		{"connect-src b.test", "connect-src", "connect-src b.test a.test/x/"},
		{"connect-src b.test 'Self'", "connect-src", "connect-src b.test 'Self'"},
		{"default-src 'none'", "form-action", "default-src 'none'"},
		{"form-action 'none'", "form-action", "form-action a.test/x/"},
		{"default-src 'none'", "frame-src", "default-src 'none'; child-src a.test/x/"},
	} {
		h := http.Header{"Content-Security-Policy": {c.in}}
		header.AllowSource(h, c.directive, "a.test/x/")
		if got := h.Get("Content-Security-Policy"); got != c.want {
			t.Errorf("%s for %q: %q, want %q", c.directive, c.in, got, c.want)
		}
	}
}

func TestAppendCSP(t *testing.T) {
	shared := make([]string, 1, 4)
	shared[0] = "img-src *"
	h := http.Header{"Content-Security-Policy": shared}
	if !header.AppendCSP(h, "default-src 'self'") || !reflect.DeepEqual(h["Content-Security-Policy"], []string{"img-src *", "default-src 'self'"}) {
		t.Errorf("got %q", h)
	}
	if shared[:2][1] != "" {
		t.Error("a shared slice was written to")
	}
	for _, bad := range []string{"", "a, b", ",a", "a\r\nX: y", "a\x00"} {
		if header.AppendCSP(h, bad) {
			t.Errorf("%q was taken", bad)
		}
	}
}

func FuzzCSP(f *testing.F) {
	f.Add("default-src 'self'; script-src 'nonce-x', img-src *", "'sha256-AA'")
	f.Add(";,;", "x")
	f.Fuzz(func(t *testing.T, policy, source string) {
		list := header.ParseCSP([]string{policy})
		for _, c := range list {
			if again := header.ParseCSP([]string{c.String()}); len(again) != 1 || !reflect.DeepEqual(again[0], c) {
				t.Fatalf("%q reads as %q, then %q", policy, c, again)
			}
		}
		h := http.Header{"Content-Security-Policy": {policy}}
		header.AllowInline(h, "script-src-elem", source)
		after := header.ParseCSP(h["Content-Security-Policy"])
		if len(after) != len(list) {
			t.Fatalf("%q with %q: %q", policy, source, h)
		}
		// Only scripts may have become wider.
		for i := range list {
			for _, d := range []string{"img-src", "frame-src", "connect-src", "form-action", "style-src"} {
				a, aok := list[i].Sources(d)
				b, bok := after[i].Sources(d)
				if aok != bok || fmt.Sprint(a) != fmt.Sprint(b) {
					t.Fatalf("%q with %q changed %s to %q", policy, source, d, b)
				}
			}
		}
	})
}

func ExampleAllowInline() {
	h := http.Header{"Content-Security-Policy": {"default-src 'self'; img-src *"}}
	header.AllowInline(h, "script-src-elem", "'sha256-R4vD'")
	fmt.Println(h.Get("Content-Security-Policy"))
	// Output: default-src 'self'; img-src *; script-src 'self' 'sha256-R4vD'
}

func ExampleNonce() {
	policies := header.ParseCSP([]string{"script-src 'nonce-R4nd0m' 'strict-dynamic'"})
	fmt.Println(header.Nonce(policies))
	// Output: R4nd0m true
}

func ExampleDynamic() {
	fmt.Println(header.Dynamic(header.ParseCSP([]string{"default-src 'self', script-src 'Strict-Dynamic' 'nonce-R4nd0m'"})),
		header.Dynamic(header.ParseCSP([]string{"script-src-elem 'self'; script-src 'strict-dynamic'"})))
	// Output: true false
}

func ExampleAppendCSP() {
	h := http.Header{"Content-Security-Policy": {"default-src *"}}
	header.AppendCSP(h, "connect-src 'self'")
	fmt.Println(strings.Join(h["Content-Security-Policy"], " | "))
	// Output: default-src * | connect-src 'self'
}

func ExampleAllowSource() {
	h := http.Header{"Content-Security-Policy": {"form-action 'none'"}}
	header.AllowSource(h, "form-action", "shop.example/.consent/")
	fmt.Println(h.Get("Content-Security-Policy"))
	// Output: form-action shop.example/.consent/
}

func ExampleParseCSP() {
	c := header.ParseCSP([]string{"default-src 'self'; img-src *"})[0]
	fmt.Println(c.Sources("font-src"))
	// Output: ['self'] true
}
