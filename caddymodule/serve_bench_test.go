package caddymodule

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-consent/caddy-consent/consent"
)

// BenchmarkServe shows what the handler costs beside the same chain without it: for an asset that needs nothing, and for a
// small page.
func BenchmarkServe(b *testing.B) {
	b.Setenv("XDG_DATA_HOME", b.TempDir())
	ctx, cancel := caddy.NewContext(caddy.Context{Context: context.Background()})
	defer cancel()
	app := &App{StoreRaw: []byte(`{"store":"bolt","path":"` + b.TempDir() + `/c.db"}`), Keys: []string{consent.GenerateKey().Secret()}}
	if err := app.Provision(ctx); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = app.Cleanup() }()
	h := &Handler{app: app}
	if err := app.addSite(h, modeEnforce); err != nil {
		b.Fatal(err)
	}
	page := "<!DOCTYPE html><title>x</title><body>" + strings.Repeat(`<p>Some text with a <a href="/link">link</a>.</p>`, 400)
	for _, c := range []struct{ name, contentType, dest, body string }{
		{"asset", "image/png", "image", strings.Repeat("x", 4<<10)},
		{"page", "text/html; charset=utf-8", "document", page},
	} {
		next := caddyhttp.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Content-Type", c.contentType)
			_, err := io.WriteString(w, c.body)
			return err
		})
		serve := func(b *testing.B, f func(http.ResponseWriter, *http.Request) error) {
			b.ReportAllocs()
			b.SetBytes(int64(len(c.body)))
			for b.Loop() {
				r := httptest.NewRequest(http.MethodGet, "https://site.test/path", nil)
				r.Header.Set("Sec-Fetch-Dest", c.dest)
				r.Header.Set("Cookie", "session=1; lang=en")
				w := httptest.NewRecorder()
				r = caddyhttp.PrepareRequest(r, caddy.NewReplacer(), w, nil)
				if err := f(w, r); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.Run(c.name+"/plain", func(b *testing.B) { serve(b, next.ServeHTTP) })
		b.Run(c.name+"/consent", func(b *testing.B) {
			serve(b, func(w http.ResponseWriter, r *http.Request) error { return h.ServeHTTP(w, r, next) })
		})
	}
}
