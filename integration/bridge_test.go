package integration

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// TestBridge: what Usercentrics keeps in localStorage reaches the gateway, which lets analytics load in place, remembers
// it, and takes it back with the platform's answer. The site's own policy forbids inline scripts.
func TestBridge(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Security-Policy", "script-src 'self' https:")
		_, _ = io.WriteString(w, `<!DOCTYPE html><title>t</title><script async src="https://www.google-analytics.com/analytics.js"></script>
<script async src="https://connect.facebook.net/en_US/fbevents.js"></script><p>page`)
	}))
	defer upstream.Close()
	d := lab.NewDoor(t)
	b := lab.NewBrowser(t, d)
	d.Site("site.test", lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent {\nbanner off\nplatform usercentrics\n}", ""))
	b.Open(t, "https://site.test/")
	d.Quiet(time.Second)
	if hosts := d.Hosts(); len(hosts) > 0 {
		t.Fatalf("contacted before any answer: %v", hosts)
	}
	lab.Eval[bool](t, b, `localStorage.setItem('uc_gcm', '{"analyticsStorage":"granted","adStorage":"denied"}'), true`)
	d.Quiet(time.Second)
	if hosts := d.Hosts(); len(hosts) > 0 {
		t.Fatalf("contacted by the platform's defaults, before the visitor answered: %v", hosts)
	}
	lab.Eval[bool](t, b, `localStorage.setItem('uc_user_interaction', 'true'), true`)
	lab.Soon(func() bool { return len(d.Hosts()) > 0 })
	d.Quiet(time.Second)
	if hosts := d.Hosts(); !slices.Equal(hosts, []string{"www.google-analytics.com"}) {
		t.Fatalf("contacted after agreement to analytics: %v", hosts)
	}
	d.Reset()
	b.Open(t, "https://site.test/?again")
	d.Quiet(time.Second)
	if hosts := d.Hosts(); !slices.Equal(hosts, []string{"www.google-analytics.com"}) {
		t.Errorf("contacted on the next page: %v", hosts)
	}
	lab.Eval[bool](t, b, `localStorage.setItem('uc_gcm', '{"analyticsStorage":"denied","adStorage":"denied"}'), true`)
	if !lab.Soon(func() bool {
		return lab.Eval[int](t, b, "fetch('/.consent/state').then((r) => r.json()).then((s) => s.granted)") == 1
	}) {
		t.Error("the platform's withdrawal does not reach the gateway")
	}
	d.Reset()
	b.Open(t, "https://site.test/?withdrawn")
	d.Quiet(time.Second)
	if hosts := d.Hosts(); len(hosts) > 0 {
		t.Errorf("contacted after withdrawal: %v", hosts)
	}
}
