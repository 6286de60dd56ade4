package caddymodule

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// TestMissingPartIsNotStored: while a release spreads over many nodes, one is asked for a second part of the guard that another
// has. A cache that stored its 404 (RFC 9110, 15.5.5) would keep the part from all.
func TestMissingPartIsNotStored(t *testing.T) {
	s := newServed(t, true)
	w := httptest.NewRecorder()
	r := caddyhttp.PrepareRequest(httptest.NewRequest(http.MethodGet, "https://site.test/.consent/guard-next.js", nil), caddy.NewReplacer(), w, nil)
	if err := s.handler.ServeHTTP(w, r, s.next); err != nil {
		t.Fatal(err)
	}
	if w.Code != http.StatusNotFound || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d, %v", w.Code, w.Header())
	}
}
