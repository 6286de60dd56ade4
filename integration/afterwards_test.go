package integration

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// beatingPage contacts a vendor over and over, by a timer and by a shared worker. What it notes for the test is in a script
// of its own, which runs also where the other one is gated. No address comes twice: Chromium asks for one and the same but once at
// a time, and for those that wait also when their page has gone.
const beatingPage = `<!DOCTYPE html><title>beats</title><body><script>
addEventListener('pageshow', (e) => self.restored = e.persisted);
</script><script>
let n = 0;
setInterval(() => fetch('https://www.facebook.com/tr?id=page&n=' + n++, {mode: 'no-cors'}).catch(() => {}), 30);
</script></body>`

const beatingWorker = `setInterval(() => fetch('https://www.facebook.com/tr?id=worker', {mode: 'no-cors'}).catch(() => {}), 30); onconnect = () => {};`

// newBeating is a site whose pages and shared worker go on contacting a vendor, behind the gateway.
func newBeating(t *testing.T, options ...chromedp.ExecAllocatorOption) *app {
	t.Helper()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/worker.js":
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = io.WriteString(w, beatingWorker)
		case "/page":
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, beatingPage)
		default:
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<!DOCTYPE html><title>quiet</title><body>quiet")
		}
	}))
	t.Cleanup(upstream.Close)
	d := lab.NewDoor(t)
	addr := lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", "")
	d.Site("beats.test", addr)
	return &app{&shop{d, lab.NewBrowser(t, d, options...), addr}, "beats.test"}
}

// agree accepts on a quiet page and opens the one that beats.
func (a *app) agree(t *testing.T) {
	t.Helper()
	a.browser.Open(t, "https://beats.test/quiet")
	a.press(t, "accept")
	a.browser.Open(t, "https://beats.test/page")
}

// beats waits until what is named contacts the vendor.
func (a *app) beats(t *testing.T, id string) {
	t.Helper()
	a.door.Reset()
	if !lab.Soon(func() bool { return a.contacted(id) }) {
		t.Fatalf("the %s does not contact the vendor after a grant: this test would prove nothing", id)
	}
}

func (a *app) contacted(id string) bool {
	for _, c := range a.door.Contacts() {
		if strings.Contains(c.Path, "id="+id) {
			return true
		}
	}
	return false
}

// falls waits until nobody is contacted any more, and fails if somebody is after that.
func (a *app) falls(t *testing.T, when string) {
	t.Helper()
	silent := lab.Soon(func() bool {
		a.door.Reset()
		time.Sleep(300 * time.Millisecond) // ten beats
		return len(a.door.Contacts()) == 0
	})
	if !silent {
		t.Errorf("%s: contacted by the page: %t, by the worker: %t", when, a.contacted("page"), a.contacted("worker"))
	}
}

// A page comes back from the back/forward cache, which our headers do not forbid; where consent was withdrawn meanwhile,
// it is clean at once.
func TestRestoredPageFollowsWithdrawal(t *testing.T) {
	t.Parallel()
	a := newBeating(t, chromedp.Flag("enable-features", "BackForwardCache"), chromedp.Flag("disable-back-forward-cache", false))
	a.agree(t)
	a.beats(t, "page")
	const tries = 8 // a page that an event reaches meanwhile is dropped, and a browser short of time or memory keeps none
	back := func(withdraw func()) bool {
		t.Helper()
		a.browser.Open(t, "https://beats.test/next")
		withdraw()
		a.falls(t, "on the next page")
		a.door.Reset()
		lab.Eval[bool](t, a.browser, "history.back() || true")
		lab.Soon(func() bool {
			return lab.Eval[bool](t, a.browser, "location.pathname == '/page' && typeof self.restored == 'boolean'")
		})
		return lab.Eval[bool](t, a.browser, "!!self.restored")
	}
	kept := false
	for n := 0; n < tries && !kept; n++ {
		kept = back(func() {})
	}
	if !kept {
		t.Fatal("the page is not kept: headers or guard forbid it")
	}
	a.beats(t, "page")
	// Withdrawn where no tab is told: by another device with the same cookie, or by a mail's link.
	kept = false
	for n := 0; n < tries && !kept; n++ {
		if n > 0 {
			a.agree(t)
			a.beats(t, "page")
		}
		kept = back(func() {
			lab.Eval[int](t, a.browser, "fetch('/.consent/choose', {method: 'POST', body: new URLSearchParams({choice: 'refuse'})}).then((r) => r.status)")
		})
	}
	if !kept {
		t.Skip("the browser kept the page at no withdrawal")
	}
	a.door.Quiet(500 * time.Millisecond)
	if a.contacted("page") {
		t.Error("a page that came back goes on contacting the vendor after a withdrawal")
	}
	a.agree(t)
	a.beats(t, "page")
	other := &shop{a.door, a.browser.Tab(t), a.addr}
	other.browser.Open(t, "https://beats.test/other")
	back(func() { other.press(t, "refuse") }) // a message to a kept page drops it
	a.door.Quiet(500 * time.Millisecond)
	if a.contacted("page") {
		t.Error("after a withdrawal in another tab the page before contacts the vendor")
	}
}

// What runs in other tabs ends at a withdrawal, shared workers too.
func TestOtherTabsFollowWithdrawal(t *testing.T) {
	t.Parallel()
	a := newBeating(t)
	a.agree(t)
	lab.Eval[bool](t, a.browser, "new SharedWorker('/worker.js'), true")
	a.beats(t, "worker")
	a.beats(t, "page")
	second := &shop{a.door, a.browser.Tab(t), a.addr}
	second.browser.Open(t, "https://beats.test/second")
	second.press(t, "refuse")
	a.falls(t, "after a withdrawal in another tab")
}

// Pages that a service worker stored before the gateway came are forgotten once its update comes through the gateway.
func TestServiceWorkerFromBefore(t *testing.T) {
	t.Parallel()
	const worker = `oninstall = () => skipWaiting();
onactivate = (e) => e.waitUntil(clients.claim());
onfetch = (e) => {
	if (e.request.mode == 'navigate') e.respondWith(caches.match(e.request).then((kept) => kept || fetch(e.request)));
};`
	origin := workerSite(t, worker, "<img src='https://www.facebook.com/tr?id=1'>")
	d := lab.NewDoor(t)
	b := lab.NewBrowser(t, d)
	d.Site("before.test", origin)
	b.Open(t, "https://before.test/page")
	lab.Eval[bool](t, b, `(async () => {
		const cache = await caches.open('pages');
		await cache.add('/page');
		await cache.put('/data', new Response('{}', {headers: {'Content-Type': 'application/json'}}));
		await navigator.serviceWorker.register('/sw.js');
		await navigator.serviceWorker.ready;
		return true;
	})()`)
	d.Site("before.test", lab.Gateway(t, origin, "consent", ""))
	d.Reset()
	b.Open(t, "https://before.test/page") // stored: nothing of it comes through the gateway
	d.Quiet(300 * time.Millisecond)
	if len(d.Hosts()) == 0 {
		t.Fatal("the page is not the stored one: this test would prove nothing")
	}
	const stored = "caches.open('pages').then((c) => c.keys()).then((all) => all.map((r) => new URL(r.url).pathname).join())"
	if !lab.Soon(func() bool { return lab.Eval[string](t, b, stored) == "/data" }) {
		t.Fatalf("stored is %s, want /data alone", lab.Eval[string](t, b, stored))
	}
	d.Reset()
	b.Open(t, "https://before.test/page")
	d.Quiet(500 * time.Millisecond)
	if hosts := d.Hosts(); len(hosts) > 0 {
		t.Errorf("once the worker was updated, %v are contacted", hosts)
	}
}
