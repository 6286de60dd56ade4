package integration

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// leakySite is a site whose page contacts the tracker in every way of vectors.
type leakySite struct {
	mu    sync.Mutex
	posts []string // what reached the path that passes data on
	asked map[string]bool
	plain bool // without TLS, as the lab's certificates suit Chromium alone
}

// shown reports whether a path was asked for since the last time it was.
func (s *leakySite) shown(path string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.asked[path]
	delete(s.asked, path)
	return was
}

const leakyHost = "leaky.test"

// policyAlone are what only an enforced Content-Security-Policy holds: no script can stand before import().
var policyAlone = []string{"rt-import", "rt-own-module"}

// leakyCookies are set by the server, readable and not, and by the page; "session" is the site's own.
const leakyCookies = "_trk_server _trk_http _trk_script _trk_store"

func (s *leakySite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if s.asked == nil {
		s.asked = map[string]bool{}
	}
	s.asked[r.URL.Path] = true
	s.mu.Unlock()
	name := filepath.Base(r.URL.Path)
	address := "https://tracker.test/v/" + name
	if s.plain {
		address = strings.Replace(address, "https", "http", 1)
	}
	head := w.Header()
	answer := func(contentType, body string) {
		head.Set("Content-Type", contentType)
		if s.plain {
			body = strings.ReplaceAll(body, "https:", "http:")
		}
		_, _ = w.Write([]byte(body))
	}
	switch kind := strings.Split(r.URL.Path, "/")[1]; kind {
	case "":
		for _, c := range []string{"session=1; Path=/; HttpOnly", "_trk_server=1; Path=/; Max-Age=9999", "_trk_http=1; Path=/; Max-Age=9999; HttpOnly"} {
			head.Add("Set-Cookie", c)
		}
		answer("text/html; charset=utf-8", leakyPage())
	case "page":
		i := slices.IndexFunc(vectors, func(v vector) bool { return v.name == name })
		if i < 0 {
			http.NotFound(w, r)
			return
		}
		if field, value, ok := strings.Cut(vectors[i].header, ": "); ok {
			head.Set(field, strings.ReplaceAll(value, "TRACKER", address))
		}
		answer("text/html; charset=utf-8", "<!DOCTYPE html><title>x</title>"+strings.ReplaceAll(vectors[i].page, "TRACKER", address))
	case "redirect":
		http.Redirect(w, r, address, http.StatusFound)
	case "css":
		answer("text/css", "#"+name+"{background:url("+address+")}")
	case "svg":
		answer("image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="`+address+`" width="9" height="9"/></svg>`)
	case "app.js":
		answer("text/javascript", leakyScript())
	case "worker.js", "sw":
		answer("text/javascript", "fetch(location.search.slice(1), {mode: 'no-cors'}).catch(() => {}); onfetch = () => {}")
	case "module.js":
		answer("text/javascript", `import "https://tracker.test/v/rt-own-module"`)
	case "api":
		answer("application/json", `{"html": "<b>late<\/b><img src=\"https://tracker.test/v/rt-json-html\">"}`)
	case "stats":
		s.mu.Lock()
		s.posts = append(s.posts, name)
		s.mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
	case "own.gif":
		answer("image/gif", "GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")
	case "empty":
		answer("text/html", "<!DOCTYPE html><title>empty</title>")
	default:
		http.NotFound(w, r)
	}
}

// takePosts returns what reached the tracker by the site's own path since the last call.
func (s *leakySite) takePosts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.posts
	s.posts = nil
	return p
}

func leakyPage() string {
	var b strings.Builder
	b.WriteString("<!DOCTYPE html><html lang=en><head><title>leaky</title><script>u = (name) => 'https://' + ['tracker', 'test'].join('.') + '/v/' + name</script></head><body><iframe name=nowhere src=/empty></iframe>\n")
	for _, v := range vectors {
		b.WriteString(strings.ReplaceAll(v.markup, "TRACKER", "https://tracker.test/v/"+v.name) + "\n")
		if v.page != "" {
			b.WriteString("<iframe src=\"/page/" + v.name + "\"></iframe>\n")
		}
	}
	b.WriteString("<script src=/app.js></script></body></html>")
	return b.String()
}

func leakyScript() string {
	var b strings.Builder
	b.WriteString("const box = () => document.body.appendChild(document.createElement('p'));\nfunction leak() {\n")
	for _, v := range vectors {
		if v.script != "" {
			fmt.Fprintf(&b, "setTimeout(() => { const U = u(%q); %s });\n", v.name, v.script)
		}
	}
	b.WriteString(`document.cookie = '_trk_script=1; path=/; max-age=9999';
	self.cookieStore && cookieStore.set('_trk_store', '1').catch(() => {});
	localStorage.setItem('_trk_local', '1'); sessionStorage.setItem('_trk_session', '1');
	indexedDB.open('_trk_db');
}
addEventListener('load', () => leak());`)
	return b.String()
}

// leaks visits the page, or does what steps do, and returns the vectors that reached the tracker.
func leaks(d *lab.Door, s *leakySite, steps func()) map[string]bool {
	d.Reset()
	s.takePosts()
	steps()
	d.Quiet(time.Second)
	found := map[string]bool{}
	addLeaks(found, d, s)
	return found
}

// bare is how the leak by a connection without a request is called.
const bare = "a connection to "

// addLeaks adds the vectors that reached the tracker since the last reset.
func addLeaks(found map[string]bool, d *lab.Door, s *leakySite) {
	for _, c := range d.Contacts() {
		name := strings.TrimPrefix(c.Path, "/v/")
		if c.Path == "" {
			name = bare + c.Host
		}
		if i := strings.IndexAny(name, "?&/"); i > 0 {
			name = name[:i]
		}
		found[name] = true
	}
	for _, p := range s.takePosts() {
		found[p] = true
	}
}

// leakyVendor is the tracker as an operator declares it.
var leakyVendor = strings.Replace(trackerVendor, `"hosts"`, `"cookies": {"_trk_*": "1y"}, "storage": ["_trk_*"], "hosts"`, 1)

func newLeakySite(t *testing.T) (s *leakySite, origin, gateway string) {
	t.Helper()
	s = new(leakySite)
	origin = serveLeaky(t, s)
	return s, origin, leakyGateway(t, origin)
}

func serveLeaky(t *testing.T, s *leakySite) (origin string) {
	t.Helper()
	upstream := httptest.NewServer(s)
	t.Cleanup(upstream.Close)
	return strings.TrimPrefix(upstream.URL, "http://")
}

// ungated is the leaky site without the gateway, in a world of its own: what a busy browser contacts late counts nowhere else.
func ungated(t *testing.T, plain bool) (*lab.Door, *leakySite) {
	t.Helper()
	s, d := &leakySite{plain: plain}, lab.NewDoor(t)
	d.Site(leakyHost, serveLeaky(t, s))
	return d, s
}

// leakyGateway puts a gateway that knows the tracker in front of an upstream.
func leakyGateway(t *testing.T, origin string) string {
	t.Helper()
	vendor := filepath.Join(t.TempDir(), "tracker.json")
	writeFile(t, vendor, leakyVendor)
	return lab.Gateway(t, origin, "consent {\nfirst_party /stats/* tracker\njson /api/*\n}", "rules file "+vendor)
}

// warm shows the gateway a page as often as it wants to see one before its own policy header is enforced.
func warm(t *testing.T, gateway, host, path string) {
	t.Helper()
	for range 60 {
		documentHeader(t, gateway, host, path)
	}
}

// enforced waits until the gateway enforces its policy for visitors who have not chosen: once a browser has told it that
// something escaped bytes and guard, which it does in its own time.
func enforced(t *testing.T, gateway, host string) {
	t.Helper()
	if !lab.Soon(func() bool { return documentHeader(t, gateway, host, "/").Get("Content-Security-Policy") != "" }) {
		t.Fatal("the gateway's policy is not enforced")
	}
}

// unenforced fails if more leaked than what only an enforced policy holds and what is known to, and waits until all that a policy
// would hold has: a browser on a busy machine lets a page go on while it shows the next one, and its last contact would count as
// that one's.
func unenforced(t *testing.T, d *lab.Door, s *leakySite, found map[string]bool, known ...string) {
	t.Helper()
	isBare := func(name string, _ bool) bool { return strings.HasPrefix(name, bare) }
	if !lab.Soon(func() bool {
		maps.DeleteFunc(found, isBare) // a moment before its request; one that stays is found again
		addLeaks(found, d, s)
		return !slices.ContainsFunc(policyAlone, func(name string) bool { return !found[name] }) && !found[bare+"tracker.test"]
	}) {
		t.Errorf("before the policy is enforced not all of %v reached the tracker", policyAlone)
	}
	maps.DeleteFunc(found, func(name string, _ bool) bool {
		return slices.Contains(policyAlone, name) || slices.Contains(known, name)
	})
	mustNotLeak(t, "before the policy is enforced", found)
}

// documentHeader is the header of a page as a new visitor gets it.
func documentHeader(t *testing.T, gateway, host, path string) http.Header {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+gateway+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	r.Header.Set("Sec-Fetch-Dest", "document")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.Header
}

// Each way to leak is one without the gateway, with and without JavaScript; with it, none is: before any choice, after a
// refusal, after a withdrawal in the open page and on the next one, and without JavaScript. After acceptance all are back.
func TestVectors(t *testing.T) {
	t.Parallel()
	d, s := ungated(t, false)
	b := lab.NewBrowser(t, d)
	open := func() { b.Open(t, "https://"+leakyHost+"/") }
	mustLeak(t, "without the gateway", d, s, open, func(v vector) bool { return !v.quiet && v.name != "noscript" })

	s, _, gateway := newLeakySite(t)
	d = lab.NewDoor(t)
	d.Site(leakyHost, gateway)
	b = lab.NewBrowser(t, d)
	press := func(choice string) func() {
		return func() { (&shop{d, b, gateway}).press(t, choice) }
	}
	unenforced(t, d, s, leaks(d, s, open))
	warm(t, gateway, leakyHost, "/empty")
	enforced(t, gateway, leakyHost)
	mustNotLeak(t, "before any choice", leaks(d, s, open))
	noTraces(t, "before any choice", b)
	mustNotLeak(t, "refusing", leaks(d, s, press("refuse")))
	mustNotLeak(t, "after refusal", leaks(d, s, open))
	noTraces(t, "after refusal", b)
	mustLeak(t, "after acceptance", d, s, func() { press("accept")(); open() }, func(v vector) bool { return !v.quiet && v.name != "noscript" })
	mustNotLeak(t, "withdrawing", leaks(d, s, press("refuse")))
	mustNotLeak(t, "after withdrawal, in the open page", leaks(d, s, func() { lab.Eval[bool](t, b, "leak(), true") }))
	noTraces(t, "after withdrawal", b)
	mustNotLeak(t, "on the next page after withdrawal", leaks(d, s, open))
	noTraces(t, "on the next page after withdrawal", b)
}

func TestVectorsWithoutJavaScript(t *testing.T) {
	t.Parallel()
	d, s := ungated(t, false)
	off := chromedp.Flag("blink-settings", "scriptEnabled=false")
	b := lab.NewBrowser(t, d, off)
	open := func() { b.Open(t, "https://"+leakyHost+"/") }
	mustLeak(t, "without the gateway", d, s, open, func(v vector) bool { return v.dry && !v.quiet })

	s, _, gateway := newLeakySite(t)
	d = lab.NewDoor(t)
	d.Site(leakyHost, gateway)
	b = lab.NewBrowser(t, d, off)
	mustNotLeak(t, "with the gateway", leaks(d, s, open))
	noTraces(t, "with the gateway", b)
}

// mustLeak does the steps and waits until each vector that is wanted has reached the tracker.
func mustLeak(t *testing.T, when string, d *lab.Door, s *leakySite, steps func(), want func(vector) bool) {
	t.Helper()
	found, n := leaks(d, s, steps), 0
	lab.Soon(func() bool {
		addLeaks(found, d, s)
		return !slices.ContainsFunc(vectors, func(v vector) bool { return want(v) && !found[v.name] })
	})
	for _, v := range vectors {
		if want(v) {
			n++
			if !found[v.name] {
				t.Errorf("%s: %s did not contact the tracker", when, v.name)
			}
		}
	}
	t.Logf("%s: %d ways to leak", when, n)
}

func mustNotLeak(t *testing.T, when string, found map[string]bool) {
	t.Helper()
	for name := range found {
		t.Errorf("%s: %s reached the tracker", when, name)
	}
}

// noTraces fails if anything of the tracker is stored in the browser.
func noTraces(t *testing.T, when string, b *lab.Browser) {
	t.Helper()
	session := false
	for _, c := range b.Cookies(t) {
		session = session || c.Name == "session"
		if slices.Contains(strings.Fields(leakyCookies), c.Name) {
			t.Errorf("%s: cookie %s is stored", when, c.Name)
		}
	}
	if !session {
		t.Errorf("%s: the site's own cookie is gone", when)
	}
}
