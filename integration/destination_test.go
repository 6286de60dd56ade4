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

// appShell is a service worker that answers navigations from the network, one from what it kept at its installation.
const appShell = `oninstall = (e) => { skipWaiting(); e.waitUntil(caches.open('a').then((c) => c.add('/shell'))); };
onactivate = (e) => e.waitUntil(clients.claim());
onfetch = (e) => {
	if (new URL(e.request.url).pathname == '/kept') e.respondWith(caches.match('/shell'));
	else if (e.request.mode == 'navigate') e.respondWith(fetch(e.request));
};`

// workerSite is a site whose service worker is /sw.js; all else is one page, which ends with what is given. It returns its address.
func workerSite(t *testing.T, worker, end string) string {
	t.Helper()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/sw.js" {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = io.WriteString(w, worker)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!DOCTYPE html><title>app</title><body><p>app</p>"+end)
	}))
	t.Cleanup(upstream.Close)
	return strings.TrimPrefix(upstream.URL, "http://")
}

// TestServiceWorkerPages: pages that come through the site's own service worker have guard and banner as others have.
func TestServiceWorkerPages(t *testing.T) {
	t.Parallel()
	origin := workerSite(t, appShell, "<script>navigator.serviceWorker.register('/sw.js')</script>")
	d := lab.NewDoor(t)
	b := lab.NewBrowser(t, d)
	d.Site("app.test", lab.Gateway(t, origin, "consent", ""))
	b.Open(t, "https://app.test/")
	lab.Eval[bool](t, b, "navigator.serviceWorker.ready.then(() => navigator.serviceWorker.controller || new Promise((done) => navigator.serviceWorker.oncontrollerchange = done)).then(() => true)")
	for _, path := range []string{"/again", "/kept"} {
		d.Reset()
		b.Open(t, "https://app.test"+path)
		if !lab.Eval[bool](t, b, "!!navigator.serviceWorker.controller") {
			t.Fatalf("%s: the page has no service worker", path)
		}
		if !lab.Eval[bool](t, b, "!!document.querySelector('consent-banner')") {
			t.Errorf("%s: no banner", path)
		}
		lab.Eval[bool](t, b, "new Image().src = 'https://www.facebook.com/tr?id=1', true")
		d.Quiet(200 * time.Millisecond)
		if hosts := d.Hosts(); len(hosts) > 0 {
			t.Errorf("%s: the page's script contacted %v", path, hosts)
		}
	}
}

// TestDestinations: what a browser will show as a page gets the guard, however the request looks; what a script fetches
// does not.
func TestDestinations(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!DOCTYPE html><p>page")
	}))
	t.Cleanup(upstream.Close)
	addr := lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", "")
	const navigation = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for _, c := range []struct {
		name   string
		page   bool
		fields []string
	}{
		{"a browser without fetch metadata", true, []string{"Accept", navigation}},
		{"an Android web view", true, []string{"Accept", navigation, "X-Requested-With", "com.example.app"}},
		{"a service worker's navigation", true, []string{"Accept", navigation, "Sec-Fetch-Dest", "empty", "Sec-Fetch-Mode", "navigate"}},
		{"a service worker's store", true, []string{"Accept", "*/*", "Sec-Fetch-Dest", "empty", "Sec-Fetch-Mode", "cors", "Referer", "http://" + addr + "/sw.js?v=2"}},
		{"a prefetch", true, []string{"Accept", "*/*", "Sec-Fetch-Dest", "empty", "Sec-Purpose", "prefetch;prerender"}},
		{"fetch()", false, []string{"Accept", "*/*", "Sec-Fetch-Dest", "empty", "Sec-Fetch-Mode", "cors", "Referer", "http://" + addr + "/page"}},
		{"jQuery without fetch metadata", false, []string{"Accept", "text/html, */*; q=0.01", "X-Requested-With", "XMLHttpRequest"}},
	} {
		r, err := http.NewRequest(http.MethodGet, "http://"+addr+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(c.fields); i += 2 {
			r.Header.Set(c.fields[i], c.fields[i+1])
		}
		_, body := answer(t, r)
		if got := strings.Contains(string(body), "data-consent-guard") || strings.Contains(string(body), "data-mark="); got != c.page {
			t.Errorf("%s: guard %v, want %v: %.80s", c.name, got, c.page, body)
		}
	}
}

// TestServiceWorkerKeepsNoConsent: a page that the site's service worker stored while everything was permitted does not
// come back with its trackers after a withdrawal. Where it was withdrawn without a page's knowledge, the stored page finds out.
func TestServiceWorkerKeepsNoConsent(t *testing.T) {
	t.Parallel()
	const worker = `oninstall = () => skipWaiting();
onactivate = (e) => e.waitUntil(clients.claim());
onfetch = (e) => {
	if (e.request.mode == 'navigate') e.respondWith(caches.open('pages').then(async (c) => {
		const kept = await c.match(e.request);
		if (kept) return kept;
		const fresh = await fetch(e.request);
		await c.put(e.request, fresh.clone());
		return fresh;
	}));
};`
	origin := workerSite(t, worker, "<script>navigator.serviceWorker.register('/sw.js')</script><img src='https://www.facebook.com/tr?id=1'>")
	d := lab.NewDoor(t)
	b := lab.NewBrowser(t, d)
	d.Site("app.test", lab.Gateway(t, origin, "consent", ""))
	s := &shop{d, b, ""}
	choose := func(choice string) {
		t.Helper()
		before := s.stored(t)
		if !lab.Eval[bool](t, b, `(() => { const b = document.querySelector('consent-banner').shadowRoot.querySelector('button[value=`+choice+`]'); b && b.click(); return !!b; })()`) {
			t.Fatalf("no button %s", choice)
		}
		s.answered(t, before)
		d.Quiet(300 * time.Millisecond)
	}
	b.Open(t, "https://app.test/first")
	lab.Eval[bool](t, b, "navigator.serviceWorker.ready.then(() => navigator.serviceWorker.controller || new Promise((done) => navigator.serviceWorker.oncontrollerchange = done)).then(() => true)")
	choose("accept")
	b.Open(t, "https://app.test/page") // stored with everything permitted
	d.Quiet(300 * time.Millisecond)
	if len(d.Hosts()) == 0 {
		t.Fatal("nobody is contacted after a grant: this test would prove nothing")
	}
	choose("refuse")
	d.Reset()
	b.Open(t, "https://app.test/page")
	d.Quiet(300 * time.Millisecond)
	if hosts := d.Hosts(); len(hosts) > 0 {
		t.Errorf("after the withdrawal the stored page contacts %v", hosts)
	}
	choose("accept")
	b.Open(t, "https://app.test/other") // stored with everything permitted
	lab.Eval[int](t, b, "fetch('/.consent/choose', {method: 'POST', body: new URLSearchParams({choice: 'refuse'})}).then((r) => r.status)")
	d.Reset()
	b.Open(t, "https://app.test/other")
	const forgotten = "caches.open('pages').then((c) => c.match('/other')).then((kept) => !kept)"
	if !lab.Soon(func() bool { return lab.Eval[bool](t, b, forgotten) }) {
		t.Error("after a withdrawal elsewhere the page is stored on")
	}
	d.Quiet(300 * time.Millisecond)
	d.Reset() // the stored page may contact them once
	b.Open(t, "https://app.test/other")
	d.Quiet(300 * time.Millisecond)
	if hosts := d.Hosts(); len(hosts) > 0 {
		t.Errorf("after a withdrawal elsewhere the stored page goes on to contact %v", hosts)
	}
}

// TestServiceWorkerThatWaits: a visitor comes back whose browser has a service worker, and pages, from before the gateway
// came. The first page is shown as it was stored; the worker's update, for which the browser asks then, takes its place at
// once, though its own code would let it wait, and from the next page on nobody is contacted, by the worker neither.
func TestServiceWorkerThatWaits(t *testing.T) {
	t.Parallel()
	const worker = `onfetch = (e) => {
	if (e.request.mode == 'navigate') e.respondWith(caches.open('pages').then(async (c) => {
		fetch('https://www.facebook.com/tr?id=worker', {mode: 'no-cors'}).catch(() => 0);
		const kept = await c.match(e.request);
		if (kept) return kept;
		const fresh = await fetch(e.request);
		await c.put(e.request, fresh.clone());
		return fresh;
	}));
};`
	origin := workerSite(t, worker, "<script>navigator.serviceWorker.register('/sw.js')</script><img src='https://www.facebook.com/tr?id=page'>")
	d := lab.NewDoor(t)
	b := lab.NewBrowser(t, d)
	d.Site("app.test", origin)
	b.Open(t, "https://app.test/")
	lab.Eval[bool](t, b, "navigator.serviceWorker.ready.then(() => true)")
	b.Open(t, "https://app.test/") // controlled, and stored
	if !lab.Eval[bool](t, b, "!!navigator.serviceWorker.controller") {
		t.Fatal("the service worker has no page")
	}
	d.Quiet(300 * time.Millisecond)
	d.Site("app.test", lab.Gateway(t, origin, "consent", ""))
	d.Reset()
	b.Open(t, "https://app.test/")
	d.Quiet(300 * time.Millisecond)
	if len(d.Hosts()) == 0 {
		t.Fatal("the stored page contacts nobody: this test would prove nothing")
	}
	if !lab.Eval[bool](t, b, `new Promise((done) => { navigator.serviceWorker.oncontrollerchange = () => done(true); setTimeout(done, 50000, false); navigator.serviceWorker.ready.then((r) => r.update()); })`) {
		t.Error("the worker from before goes on")
	}
	d.Reset()
	b.Open(t, "https://app.test/")
	d.Quiet(500 * time.Millisecond)
	if hosts := d.Hosts(); len(hosts) > 0 {
		t.Errorf("the next page contacts %v", hosts)
	}
	if !lab.Eval[bool](t, b, "!!document.querySelector('consent-banner')") {
		t.Error("the next page has no banner")
	}
}
