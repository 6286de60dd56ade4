package integration

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// A page without a gateway: the lab must see what the page contacts, or no other test proves anything.
func TestLabSeesContacts(t *testing.T) {
	t.Parallel()
	d := lab.NewDoor(t)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!DOCTYPE html><link rel=preconnect href=https://bare.test><img src=https://pixel.test/p.gif><script src=https://script.test/s.js></script><script>throw new Error("boom")</script>`))
	}))
	defer srv.Close()
	d.Site("site.test", strings.TrimPrefix(srv.URL, "http://"))
	b := lab.NewBrowser(t, d)
	b.Open(t, "http://site.test/")
	for _, want := range []string{"pixel.test", "script.test", "bare.test"} {
		if !lab.Soon(func() bool { return slices.Contains(d.Hosts(), want) }) {
			t.Errorf("contact of %s not seen; seen: %v", want, d.Contacts())
		}
	}
	if e := b.Errors(); len(e) != 1 || !strings.Contains(e[0], "boom") {
		t.Errorf("errors = %q", e)
	}
	if len(b.Cookies(t)) < 2 {
		for _, c := range b.Cookies(t) {
			t.Errorf("cookie %s of %s", c.Name, c.Domain)
		}
	}
}

// Until the test ends nobody else is given the port: not the gateway of a second test, nor one in another process.
func TestFreePort(t *testing.T) {
	t.Parallel()
	seen := map[int]bool{}
	for range 500 {
		port := lab.FreePort(t)
		if seen[port] {
			t.Fatalf("port %d was given twice", port)
		}
		seen[port] = true
	}
}
