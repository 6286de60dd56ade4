package integration

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// TestIntegrityPolicy: where the site takes no script without a digest, the guard's second part has one, and a choice takes effect
// in place.
func TestIntegrityPolicy(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/plain.js" {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = io.WriteString(w, "self.ran = 1")
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Integrity-Policy", "blocked-destinations=(script)")
		_, _ = io.WriteString(w, `<!doctype html><html lang=en><title>x</title><script src=/plain.js></script><body><iframe src="https://www.youtube.com/embed/x"></iframe>`)
	}))
	t.Cleanup(upstream.Close)
	door := lab.NewDoor(t)
	addr := lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", "")
	a := &app{&shop{door, lab.NewBrowser(t, door), addr}, "integrity.test"}
	door.Site(a.host, addr)
	a.browser.Open(t, "https://"+a.host+"/")
	if lab.Eval[bool](t, a.browser, "!!self.ran") {
		t.Skip("this browser knows no Integrity-Policy")
	}
	a.silent(t, "before any choice")
	a.becomes(t, "before any choice", guardIsWhole)
	lab.Eval[bool](t, a.browser, "self.same = true")
	lab.Eval[bool](t, a.browser, "document.querySelector('consent-banner').shadowRoot.querySelector('button[value=accept]').click(), true")
	a.becomes(t, "after acceptance", "!!document.querySelector('iframe')?.hasAttribute('src')")
	a.alive(t, "after acceptance", []string{"www.youtube.com"})
	if !lab.Eval[bool](t, a.browser, "!!self.same") {
		t.Error("the choice reloaded the page")
	}
}
