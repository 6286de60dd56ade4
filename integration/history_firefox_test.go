package integration

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// TestHistoryInFirefox: who withdraws on one page and goes back to another finds nothing of a vendor alive there, though Firefox
// shows that page as it was left (HTML, 7.4.6.2, "reactivate"), timers, frames and all.
func TestHistoryInFirefox(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if r.URL.Path == "/a" {
			_, _ = io.WriteString(w, `<!doctype html><html lang=en><title>a</title><body><iframe width=300 height=200 src="http://ib.adnxs.com/frame"></iframe>
<script>addEventListener('pageshow', (e) => self.back = e.persisted)</script><script>setInterval(() => { new Image().src = 'http://ib.adnxs.com/beat?back=' + !!self.back }, 500)</script>`)
			return
		}
		_, _ = io.WriteString(w, `<!doctype html><html lang=en><title>b</title><body>b`)
	}))
	t.Cleanup(upstream.Close)
	d := lab.NewDoor(t)
	d.Site("history.test", lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", ""))
	// Firefox keeps a number of pages that depends on the machine's memory.
	p := &firefoxPage{lab.NewFirefox(t, d, map[string]string{"browser.sessionhistory.max_total_viewers": "8"}), d, nil}
	at := func(path string) {
		t.Helper()
		p.wait(t, path, "location.pathname == '"+path+"' && document.readyState == 'complete'")
	}
	press := func(choice string) {
		t.Helper()
		p.wait(t, "the guard's second part", guardIsWhole)
		var done bool
		p.Eval(t, "document.querySelector('consent-banner').shadowRoot.querySelector('button[name=choice][value="+choice+"]').click(); return true", &done)
	}
	contacted := func(part string) bool {
		for _, c := range d.Contacts() {
			if strings.Contains(c.Host+c.Path, part) {
				return true
			}
		}
		return false
	}
	var done bool
	p.Visit(t, "http://history.test/a")
	at("/a")
	press("accept")
	if !lab.Soon(func() bool { return contacted("adnxs.com/beat") && contacted("adnxs.com/frame") }) {
		t.Fatal("an agreement brings nothing: nothing is proven")
	}
	p.Eval(t, "delete self.back; location = '/b'; return true", &done)
	at("/b")
	p.Eval(t, "fetch('/.consent/choose', {method: 'POST', headers: {Accept: 'application/json'}, body: new URLSearchParams({choice: 'refuse'})}).then((r) => self.refused = r.ok); return true", &done) // no other page hears of it
	p.wait(t, "the withdrawal", "self.refused")
	d.Quiet(300 * time.Millisecond)
	d.Reset()
	p.Eval(t, "history.back(); return true", &done)
	at("/a")
	p.wait(t, "the page's return", "typeof self.back == 'boolean'")
	if !p.holds(t, "self.back") {
		t.Skip("this Firefox did not keep the page in its back/forward cache")
	}
	p.wait(t, "the frame without its address", "!document.querySelector('iframe').hasAttribute('src')")
	d.Quiet(1500 * time.Millisecond)
	for _, c := range d.Contacts() {
		t.Errorf("back on the page %s%s was contacted", c.Host, c.Path)
	}
}
