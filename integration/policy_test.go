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

// TestSitePolicies: guard and banner work under the site's own Content-Security-Policy, whatever it allows, and an answer
// takes effect in place.
func TestSitePolicies(t *testing.T) {
	policy := ""
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Security-Policy", policy)
		_, _ = io.WriteString(w, `<!DOCTYPE html><title>own policy</title><body><p>text</p>`+
			`<script nonce="abc" src="https://www.google-analytics.com/analytics.js"></script>`)
	}))
	t.Cleanup(upstream.Close)
	d := lab.NewDoor(t)
	d.Site("policy.test", lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", ""))
	for _, policy = range []string{
		"default-src 'none'",
		"default-src 'self'",
		"default-src https://cdn.test",
		"script-src 'nonce-abc'; style-src 'self'; connect-src 'none'; form-action 'none'",
		"script-src 'nonce-abc' 'strict-dynamic'",
		"script-src 'sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='",
		"require-trusted-types-for 'script'; trusted-types own",
		"default-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'",
		"script-src 'self' 'unsafe-inline' https:; style-src 'unsafe-inline'",
	} {
		t.Run(policy, func(t *testing.T) {
			d.Reset()
			b := lab.NewBrowser(t, d)
			b.Open(t, "https://policy.test/")
			d.Quiet(300 * time.Millisecond)
			if hosts := d.Hosts(); len(hosts) > 0 {
				t.Errorf("contacted before any choice: %v", hosts)
			}
			lab.Eval[bool](t, b, `(window.sameDocument = 1, new Promise((done) => setTimeout(done, 300)).then(() => {
				document.querySelector('consent-banner').shadowRoot.querySelector('button[value=accept]').click();
				return true;
			}))`)
			state := lab.Eval[string](t, b, `new Promise((done) => {
				const started = Date.now(), look = () => {
					const banner = document.querySelector('consent-banner');
					const state = banner && banner.getAttribute('data-consent-state') + (window.sameDocument ? ' in place' : ' after a reload');
					/^(rest|decided) in place/.test(state) || Date.now() - started > 5000 ? done('' + state) : setTimeout(look, 50);
				};
				look();
			})`)
			if state != "rest in place" && state != "decided in place" {
				t.Errorf("after the answer the banner is in state %q", state)
			}
		})
	}
}
