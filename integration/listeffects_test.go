package integration

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// TestListEffects: what a list asks for beside blocking is done while its purpose is not permitted, and not after: $csp
// on the site's own pages, with guard and banner working under it; $removeparam on what the app sees; $redirect by the
// stub of the vendor it means, so that the page's code runs on.
func TestListEffects(t *testing.T) {
	t.Parallel()
	list := filepath.Join(t.TempDir(), "own.txt")
	text := "||site.test^$csp=script-src 'self'; img-src 'none'\n$removeparam=clickid\n||site.test^$removeparam=/^utm_/\n" +
		"||cdn.listed.example/x.js$script,redirect=google-analytics_analytics.js\n||cdn.listed.example/y.js$script\n"
	writeFile(t, list, text)
	d := lab.NewDoor(t)
	d.Answer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = w.Write([]byte("window.ga = function () { window.real = true }; window.y = 1"))
	}))
	var query atomic.Value
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			query.Store(r.URL.RawQuery)
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<!DOCTYPE html><title>site</title><script src='https://cdn.listed.example/x.js'></script><script src='https://cdn.listed.example/y.js'></script>"+
				"<script src='/own.js'></script><body><p>A page.")
		case "/own.js":
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprint(w, "ga('create', 'UA-1', 'auto'); document.title = 'ran on'; try { y } catch (e) { document.title += ', not y' }")
		}
	}))
	t.Cleanup(srv.Close)
	d.Site("site.test", lab.Gateway(t, strings.TrimPrefix(srv.URL, "http://"), "consent", "rules list "+list+" {\npurpose analytics\n}"))
	b := lab.NewBrowser(t, d)
	b.Open(t, "http://site.test/?clickid=7&a=1&utm_source=x&b=%20&utm_x")
	if title := lab.Eval[string](t, b, "document.title"); title != "ran on, not y" {
		t.Errorf("$redirect: the page's script says %q", title)
	}
	if q := query.Load(); q != "a=1&b=%20" {
		t.Errorf("$removeparam: the app sees %q", q)
	}
	const blocked = "new Promise((done) => { document.addEventListener('securitypolicyviolation', (e) => done(e.originalPolicy)); new Image().src = '/picture.png'; setTimeout(() => done(''), 3000) })"
	if got := lab.Eval[string](t, b, blocked); !strings.Contains(got, "img-src 'none'") {
		t.Errorf("$csp: an image is not refused: %q", got)
	}
	b.Click(t, "name", "choice", "value", "accept")
	if !lab.Soon(func() bool { return lab.Eval[bool](t, b, "window.y === 1 && window.real === true") }) {
		t.Error("after the answer, the scripts do not run")
	}
	b.Open(t, "http://site.test/?clickid=7&a=1&utm_source=x")
	if q := query.Load(); q != "clickid=7&a=1&utm_source=x" {
		t.Errorf("after consent the app sees %q", q)
	}
	if !lab.Eval[bool](t, b, "window.real === true && window.y === 1") {
		t.Error("after consent the scripts do not run")
	}
	if got := lab.Eval[string](t, b, "new Promise((done) => { const i = new Image(); i.onerror = i.onload = () => done('asked'); document.addEventListener('securitypolicyviolation', (e) => done(e.originalPolicy)); i.src = '/picture.png' })"); got != "asked" {
		t.Errorf("after consent the list's policy holds: %q", got)
	}
}
