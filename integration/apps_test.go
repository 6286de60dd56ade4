package integration

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// apps are built from testdata/apps: rendered on a server and hydrated, but for react-client, which has no server. The first
// four are tried always, the others with CONSENT_APPS=all.
var apps = []string{"react-document", "react-18-document", "vue", "svelte", "react", "react-client", "preact"}

// buildApps builds them into a folder, with packages that npm fetches once into the folder for temporary files.
func buildApps(t *testing.T) string {
	t.Helper()
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("npm is not installed (apt-get install npm): no small applications to try")
	}
	manifest, err := os.ReadFile("testdata/apps/package.json")
	if err != nil {
		t.Fatal(err)
	}
	packages := filepath.Join(os.TempDir(), "caddy-consent-apps-1")
	if have, err := os.ReadFile(filepath.Join(packages, "complete")); err != nil || string(have) != string(manifest) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		if err := os.MkdirAll(packages, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(packages, "package.json"), manifest, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(ctx, npm, "install", "--legacy-peer-deps", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund", "--prefix", packages).CombinedOutput(); err != nil {
			t.Skipf("npm could not fetch the small applications' packages: %v %.300s", err, out)
		}
		if err := os.WriteFile(filepath.Join(packages, "complete"), manifest, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sources, err := filepath.Abs("testdata/apps/build.mjs")
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	build := exec.CommandContext(t.Context(), "node", sources, out)
	build.Dir = packages
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the applications: %v\n%.2000s", err, said)
	}
	return out
}

// app is one of them in a browser.
type app struct {
	*shop
	host string
}

// click presses one of the page's own buttons.
func (a *app) click(t *testing.T, id string) {
	t.Helper()
	lab.Eval[bool](t, a.browser, "document.getElementById('"+id+"').click(), true")
}

// becomes waits until the expression is true.
func (a *app) becomes(t *testing.T, when, expression string) {
	t.Helper()
	if !lab.Soon(func() bool { return lab.Eval[bool](t, a.browser, "!!("+expression+")") }) {
		t.Fatalf("%s: not %s; the page is %.1500s", when, expression, lab.Eval[string](t, a.browser, "document.body.outerHTML"))
	}
}

// silent fails if a tracker or an embed was contacted.
func (a *app) silent(t *testing.T, when string) {
	t.Helper()
	a.door.Quiet(200 * time.Millisecond)
	for _, c := range a.door.Contacts() {
		t.Errorf("%s: %s%s was contacted", when, c.Host, c.Path)
	}
}

// stands says that a frame is held and shows a placeholder with the provider's name, a button and a link.
func stands(frame, provider string) string {
	return `((f) => f && !f.hasAttribute('src') && f.contentDocument && f.contentDocument.querySelector('[data-consent-load]') && f.contentDocument.querySelector('a[href]') && f.contentDocument.body.textContent.includes('` + provider + `'))(document.querySelector('` + frame + `'))`
}

// TestApps: hydration keeps the server's nodes, what a client route, a late fragment or a changed attribute brings is gated
// and gets a placeholder, consent revives it in place, and withdrawal takes it away; the application's state stays.
func TestApps(t *testing.T) {
	t.Parallel()
	folder := buildApps(t)
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, _, _ := strings.Cut(r.Host, ".")
		files := http.Dir(filepath.Join(folder, filepath.Base(name)))
		if f, err := files.Open(r.URL.Path); err != nil {
			r.URL.Path = "/" // a client route
		} else {
			_ = f.Close()
		}
		http.FileServer(files).ServeHTTP(w, r)
	}))
	t.Cleanup(upstream.Close)
	d := lab.NewDoor(t)
	addr := lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", "")
	b := lab.NewBrowser(t, d)
	chosen := apps[:4]
	if os.Getenv("CONSENT_APPS") == "all" {
		chosen = apps
	}
	for _, name := range chosen {
		t.Run(name, func(t *testing.T) {
			a := &app{&shop{d, b.Tab(t), addr}, name + ".test"}
			d.Site(a.host, addr)
			a.live(t)
			if errs := a.browser.Errors(); len(errs) > 0 {
				t.Errorf("the page has errors: %q", errs)
			}
		})
	}
}

// live goes through an application as a visitor does.
func (a *app) live(t *testing.T) {
	a.door.Reset()
	a.browser.Open(t, "https://"+a.host+"/")
	a.becomes(t, "at first", "document.documentElement.dataset.hydrated == 'yes'")
	if a.host != "react-client.test" {
		a.becomes(t, "after hydration", "self.served && self.served == document.querySelector('h1')")
	}
	a.click(t, "count")
	a.becomes(t, "at first", "document.getElementById('count').textContent == '1'")
	a.becomes(t, "at first", stands("#film", "YouTube"))
	a.becomes(t, "at first", "document.querySelector('consent-banner').shadowRoot")
	a.click(t, "to-map")
	a.becomes(t, "on a client route", stands("#place", "Google"))
	a.click(t, "more")
	a.becomes(t, "after a late fragment", stands("#late iframe", "Vimeo"))
	a.click(t, "to-home")
	a.becomes(t, "back on the first route", stands("#film", "YouTube"))
	a.click(t, "next")
	a.becomes(t, "after another film", stands("#film", "YouTube")+" && document.querySelector('#film').srcdoc.includes('M7lc1UVf-VE')")
	a.silent(t, "before any choice")

	lab.Eval[bool](t, a.browser, "self.sameDocument = true")
	a.press(t, "accept")
	for _, want := range []string{"www.youtube.com/embed/M7lc1UVf-VE", "player.vimeo.com/video/1", "www.facebook.com/tr?id=1&ev=PageView", "www.facebook.com/tr?id=2&ev=Late"} {
		if !lab.Soon(func() bool {
			return slices.ContainsFunc(a.door.Contacts(), func(c lab.Contact) bool { return c.Host+c.Path == want })
		}) {
			t.Errorf("after acceptance %s was not contacted; %s", want, lab.Eval[string](t, a.browser, "document.getElementById('late').outerHTML.replace(/srcdoc=.[^\"]*/, 'SRCDOC')"))
		}
	}
	a.click(t, "to-map")
	a.becomes(t, "after acceptance, on a client route", "document.querySelector('#place').hasAttribute('src') && !document.querySelector('#place').srcdoc")
	a.alive(t, "after acceptance, on a client route", []string{"www.google.com"})
	a.click(t, "count")
	a.becomes(t, "after acceptance", "self.sameDocument && document.getElementById('count').textContent == '2'")

	a.press(t, "refuse")
	a.becomes(t, "after withdrawal", stands("#place", "Google"))
	a.becomes(t, "after withdrawal", stands("#late iframe", "Vimeo"))
	a.click(t, "to-home")
	a.becomes(t, "after withdrawal, on another route", stands("#film", "YouTube"))
	a.click(t, "count")
	a.becomes(t, "after withdrawal", "self.sameDocument && document.getElementById('count').textContent == '3'")
	a.silent(t, "after withdrawal")
}
