package crawl

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
