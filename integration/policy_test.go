package integration

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// sitePolicies are Content-Security-Policies that sites have.
var sitePolicies = []string{
	"default-src 'none'",
	"default-src 'self'",
	"default-src https://cdn.test",
	"script-src 'nonce-abc'; style-src 'self'; connect-src 'none'; form-action 'none'",
	"script-src 'nonce-abc' 'strict-dynamic'",
	"script-src 'sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='",
	"require-trusted-types-for 'script'; trusted-types own",
	"default-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'",
	"script-src 'self' 'unsafe-inline' https:; style-src 'unsafe-inline'",
}

// TestSitePolicies: guard and banner work under the site's own Content-Security-Policy, whatever it allows, and an answer
// takes effect in place.
func TestSitePolicies(t *testing.T) {
	t.Parallel()
	hosts := map[string]string{} // each policy has a site of its own, where nobody has answered yet
	for i, policy := range sitePolicies {
		hosts[fmt.Sprintf("policy%d.test", i)] = policy
	}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Security-Policy", hosts[r.Host])
		_, _ = io.WriteString(w, `<!DOCTYPE html><title>own policy</title><body><p>text</p>`+
			`<script nonce="abc" src="https://www.google-analytics.com/analytics.js"></script>`)
	}))
	t.Cleanup(upstream.Close)
	d := lab.NewDoor(t)
	gateway := lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", "")
	b := lab.NewBrowser(t, d)
	for host, policy := range hosts {
		t.Run(policy, func(t *testing.T) {
			d.Site(host, gateway)
			d.Reset()
			b.Open(t, "https://"+host+"/")
			d.Quiet(300 * time.Millisecond)
			if hosts := d.Hosts(); len(hosts) > 0 {
				t.Errorf("contacted before any choice: %v", hosts)
			}
			(&shop{d, b, gateway}).ready(t)
			lab.Eval[bool](t, b, "window.sameDocument = true, document.querySelector('consent-banner').shadowRoot.querySelector('button[value=accept]').click(), true")
			const inPlace = "/^(rest|decided)$/.test(document.querySelector('consent-banner')?.getAttribute('data-consent-state')) && !!window.sameDocument"
			if !lab.Soon(func() bool { return lab.Eval[bool](t, b, inPlace) }) {
				t.Errorf("after the answer the banner is in state %q", lab.Eval[string](t, b, "document.querySelector('consent-banner')?.dataset.consentState + (window.sameDocument ? ' in place' : ' after a reload')"))
			}
			if strings.Contains(policy, "connect-src 'none'") || policy == "default-src 'none'" {
				if lab.Eval[bool](t, b, "fetch('/own').then(() => true, () => false)") {
					t.Error("what the policy forbids a script, to contact its own site, it may now")
				}
			}
			b.Open(t, "about:blank") // its last contact is not the next one's
		})
	}
}

// TestPolicyOutlivesRevival: what the site's own policy refuses does not run because it was gated and is put back, although
// that policy trusts what scripts insert; what has the policy's nonce does.
func TestPolicyOutlivesRevival(t *testing.T) {
	t.Parallel()
	const policy = "script-src 'nonce-abc' 'strict-dynamic'"
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		meta := ""
		if r.Host == "meta.test" {
			meta = `<meta http-equiv="Content-Security-Policy" content="script-src 'self' 'strict-dynamic' 'sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='">`
		} else {
			w.Header().Set("Content-Security-Policy", policy)
		}
		_, _ = io.WriteString(w, `<!DOCTYPE html>`+meta+`<title>own policy</title><body>`+
			`<script src="https://www.google-analytics.com/injected.js"></script>`+
			`<script>self.injected = 1; ga('send', 'https://www.google-analytics.com/analytics.js')</script>`+
			`<script nonce="abc" src="https://www.google-analytics.com/own.js"></script>`+
			`<img src="https://www.google-analytics.com/last.gif">`)
	}))
	t.Cleanup(upstream.Close)
	d := lab.NewDoor(t)
	gateway := lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", "")
	b := lab.NewBrowser(t, d)
	for host, own := range map[string]bool{"header.test": true, "meta.test": false} {
		d.Site(host, gateway)
		d.Reset()
		b.Open(t, "https://"+host+"/")
		(&shop{d, b, gateway}).press(t, "accept")
		if !lab.Soon(func() bool { return contacted(d, "/last.gif") && contacted(d, "/own.js") == own }) {
			t.Errorf("%s: after acceptance %v came", host, d.Contacts())
		}
		if contacted(d, "/injected.js") || lab.Eval[bool](t, b, "!!self.injected") {
			t.Errorf("%s: what the site's policy refuses ran after acceptance", host)
		}
		b.Open(t, "about:blank")
	}
}

// answering is a site under the gateway's policy, whose own file can import and does so on one host.
func answering(t *testing.T) (d *lab.Door, gateway string) {
	t.Helper()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/own.js" {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = io.WriteString(w, "function load(n) { return import('https://connect.facebook.net/' + n).catch(() => {}) }\n")
			if r.Host == "imports.test" {
				_, _ = io.WriteString(w, "load('early.js')")
			}
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<!DOCTYPE html><title>x</title><body><script src="https://connect.facebook.net/tag.js"></script><script src=/own.js></script>`)
	}))
	t.Cleanup(upstream.Close)
	gateway = lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", "")
	d = lab.NewDoor(t)
	for _, host := range []string{"answer.test", "imports.test"} {
		d.Site(host, gateway)
		warm(t, gateway, host, "/")
	}
	return d, gateway
}

func contacted(d *lab.Door, path string) bool {
	return slices.ContainsFunc(d.Contacts(), func(c lab.Contact) bool { return c.Path == path })
}

// visit opens a page and lets it come to rest; what it is asked about afterwards tells whether it is still the same one.
func visit(t *testing.T, d *lab.Door, b *lab.Browser, url string) {
	t.Helper()
	d.Reset()
	b.Open(t, url)
	d.Quiet(300 * time.Millisecond)
	lab.Eval[bool](t, b, "window.sameDocument = true")
}

// TestAnswerUnderThePolicy: on a site whose policy is in force an agreement takes effect in place, and a withdrawal too, for
// import() as well, which the policy alone holds.
func TestAnswerUnderThePolicy(t *testing.T) {
	t.Parallel()
	d, gateway := answering(t)
	b := lab.NewBrowser(t, d)
	visit(t, d, b, "https://answer.test/")
	if hosts := d.Hosts(); len(hosts) > 0 {
		t.Errorf("contacted before any choice: %v", hosts)
	}
	(&shop{d, b, gateway}).press(t, "accept")
	if !lab.Soon(func() bool { return contacted(d, "/tag.js") }) {
		t.Error("after an agreement nothing is loaded")
	}
	if !lab.Eval[bool](t, b, "window.sameDocument === true") {
		t.Error("the agreement brought a new document")
	}
	if lab.Eval[bool](t, b, "load('1.js').then(() => true)"); !contacted(d, "/1.js") {
		t.Error("after an agreement the site imports nothing")
	}
	(&shop{d, b, gateway}).press(t, "refuse")
	const brought = "document.querySelector('meta[http-equiv=Content-Security-Policy]') !== null"
	if !lab.Soon(func() bool { return lab.Eval[bool](t, b, brought) }) {
		t.Error("the withdrawal brought no policy")
	}
	d.Reset()
	lab.Eval[bool](t, b, "load('2.js').then(() => true)")
	d.Quiet(300 * time.Millisecond)
	if hosts := d.Hosts(); len(hosts) > 0 {
		t.Errorf("contacted after the withdrawal: %v", hosts)
	}
	(&shop{d, b, gateway}).press(t, "accept") // under a policy that cannot be taken back
	lab.Eval[bool](t, b, "self.load?.('3.js'), true")
	if !lab.Soon(func() bool { return contacted(d, "/tag.js") }) {
		t.Error("after another agreement there is no new document")
	}
}

// TestEscapeIsLearned: where a site's own file is seen to import from a tracker, the policy is in force also for those who
// were not asked yet, and an agreement brings a new document.
func TestEscapeIsLearned(t *testing.T) {
	t.Parallel()
	d, gateway := answering(t)
	b := lab.NewBrowser(t, d)
	visit(t, d, b, "https://imports.test/")
	if !lab.Soon(func() bool { return contacted(d, "/early.js") }) {
		t.Error("the import is held without a policy: nothing is proven")
	}
	if !lab.Soon(func() bool { visit(t, d, b, "https://imports.test/"); return len(d.Hosts()) == 0 }) {
		t.Errorf("contacted before any choice: %v", d.Hosts())
	}
	(&shop{d, b, gateway}).press(t, "accept")
	if !lab.Soon(func() bool { return contacted(d, "/tag.js") && contacted(d, "/early.js") }) {
		t.Errorf("after an agreement: %v", d.Contacts())
	}
}

// TestHostsLearnApart: what the pages of one host load says nothing of another host, though both are one site in the records.
func TestHostsLearnApart(t *testing.T) {
	i := newInstance(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<!DOCTYPE html><title>t</title><script src="https://cdn.`+r.Host+`.example/a.js"></script>`)
	}))
	i.directive = "consent {\n\t\tsite both\n\t}"
	i.start()
	visit := func(host, path string) string {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+i.addr+path, nil)
		r.RequestURI = ""
		r.Host = host
		r.Header.Set("Sec-Gpc", "1")
		res, _ := answer(t, r)
		return res.Header.Get("Content-Security-Policy")
	}
	for n := range 120 {
		visit("a.test", "/"+strconv.Itoa(n))
	}
	if p := visit("a.test", "/new"); !strings.Contains(p, "cdn.a.test.example") {
		t.Errorf("nothing was learned: %q", p)
	}
	if p := visit("b.test", "/new"); strings.Contains(p, "script-src") {
		t.Errorf("the first page of another host is held to %q", p)
	}
}
