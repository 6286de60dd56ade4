package caddymodule

import (
	"strings"
	"testing"
)

func TestRobots(t *testing.T) {
	r := parseRobots(strings.NewReader("User-agent: other\nDisallow: /\n\nUser-agent: *\nDisallow: /private\nAllow: /private/open\nDisallow: /*.pdf$\nDisallow:\n"))
	for path, want := range map[string]bool{"/": true, "/private": false, "/private/x": false, "/private/open/y": true, "/a.pdf": false, "/a.pdf?x": true} {
		if r.allows(path) != want {
			t.Errorf("%s: %t", path, !want)
		}
	}
	own := parseRobots(strings.NewReader("User-agent: *\nDisallow: /\nUser-agent: Caddy-Consent\nUser-agent: more\nDisallow: /x\n"))
	if !own.allows("/y") || own.allows("/x") {
		t.Error("the group for our own name does not count")
	}
}

func TestPathPattern(t *testing.T) {
	for path, want := range map[string]string{
		"/": "/", "/blog/2026/11/a-very-long-title-of-an-article-1234": "/blog/2026/11/a-very-long-title-of-an-article-1234",
		"/orders/12345678": "/orders/*", "/u/jane@example.com/x": "/u/*/x", "/t/9f86d081884c7d659a2feaa0c55ad015": "/t/*",
	} {
		if got := pathPattern(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
