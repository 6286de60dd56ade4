package caddymodule

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-consent/caddy-consent/consent"
)

// served is a handler and the same chain without it.
type served struct {
	handler *Handler
	next    caddyhttp.Handler
	dest    string
	size    int64
}

// newServed returns a site that answers with an asset that needs nothing, or with a small page.
func newServed(tb testing.TB, page bool) *served {
	s := newUnopened(tb, page)
	if err := s.handler.app.open(); err != nil {
		tb.Fatal(err)
	}
	return s
}

// newUnopened is newServed before the store is open.
func newUnopened(tb testing.TB, page bool) *served {
	tb.Setenv("XDG_DATA_HOME", tb.TempDir())
	ctx, cancel := caddy.NewContext(caddy.Context{Context: context.Background()})
	tb.Cleanup(cancel)
	app := &App{StoreRaw: []byte(`{"store":"bolt","path":"` + tb.TempDir() + `/c.db"}`), Keys: []string{consent.GenerateKey().Secret()}}
	if err := app.Provision(ctx); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = app.Cleanup() })
	s := &served{handler: &Handler{app: app}, dest: "image"}
	if err := app.addSite(s.handler, modeEnforce); err != nil {
		tb.Fatal(err)
	}
	contentType, body := "image/png", bytes.Repeat([]byte("x"), 4<<10)
	if page {
		s.dest, contentType = "document", "text/html; charset=utf-8"
		body = []byte("<!DOCTYPE html><title>x</title><body>" + strings.Repeat(`<p>Some text with a <a href="/link">link</a>.</p>`, 400))
	}
	s.size = int64(len(body))
	s.next = caddyhttp.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Content-Type", contentType)
		_, err := w.Write(body)
		return err
	})
	return s
}

// ask sends a request through the handler, or past it.
func (s *served) ask(tb testing.TB, past bool) {
	r := httptest.NewRequest(http.MethodGet, "https://site.test/path", nil)
	r.Header.Set("Sec-Fetch-Dest", s.dest)
	r.Header.Set("Cookie", "session=1; lang=en")
	w := httptest.NewRecorder()
	r = caddyhttp.PrepareRequest(r, caddy.NewReplacer(), w, nil)
	var err error
	if past {
		err = s.next.ServeHTTP(w, r)
	} else {
		err = s.handler.ServeHTTP(w, r, s.next)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// BenchmarkServe shows what the handler costs beside the same chain without it.
func BenchmarkServe(b *testing.B) {
	for _, page := range []bool{false, true} {
		for _, past := range []bool{true, false} {
			name := map[bool]string{false: "asset", true: "page"}[page] + map[bool]string{false: "/consent", true: "/plain"}[past]
			b.Run(name, func(b *testing.B) {
				s := newServed(b, page)
				b.ReportAllocs()
				b.SetBytes(s.size)
				for b.Loop() {
					s.ask(b, past)
				}
			})
		}
	}
}

// TestAssetAllocations: what needs nothing costs nearly nothing.
func TestAssetAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	s := newServed(t, false)
	past := testing.AllocsPerRun(500, func() { s.ask(t, true) })
	through := testing.AllocsPerRun(500, func() { s.ask(t, false) })
	if more := through - past; more > 3 {
		t.Errorf("the handler allocates %.0f times for an asset, want at most 3", more)
	}
}
