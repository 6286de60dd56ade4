// Package integration proves the promises against the real parts: Caddy with the gateway, Chromium, the store.
package integration

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/caddy-consent/caddy-consent/caddymodule/demo"
	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// shopHost is the demonstration's name in the lab; HTTPS ends at the door.
const shopHost = "halden.test"

// trackers are the hosts that the shop's first page contacts once everything is permitted, in the order of the page.
var trackers = []string{
	"www.googletagmanager.com", "connect.facebook.net", "www.facebook.com", "platform.twitter.com", "apis.google.com",
	"cdn.segment.com", "static.zdassets.com", "s.adroll.com", "count.mailing-partner.example",
}

// embeds are the hosts of the shop's video and map.
var embeds = []string{"www.youtube.com", "www.google.com"}

// directive is how the demonstration's gateway is set up.
const directive = "consent"

// trackingCookies are those of the shop that need consent.
var trackingCookies = []string{"_ga", "FPID", "_fbp"}

// shop is the demonstration behind a gateway, in the lab.
type shop struct {
	door    *lab.Door
	browser *lab.Browser
	addr    string
}

func newShop(t *testing.T, directive string, options ...chromedp.ExecAllocatorOption) *shop {
	t.Helper()
	upstream := httptest.NewServer(demo.Handler())
	t.Cleanup(upstream.Close)
	d := lab.NewDoor(t)
	b := lab.NewBrowser(t, d, options...)
	addr := lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), directive, "")
	d.Site(shopHost, addr)
	return &shop{d, b, addr}
}

// visit opens the first page and waits until the last contact.
func (s *shop) visit(t *testing.T) {
	t.Helper()
	s.door.Reset()
	s.browser.Open(t, "https://"+shopHost+"/")
	s.settle(t)
}

// settle scrolls, so that lazy things load, and waits for silence.
func (s *shop) settle(t *testing.T) {
	t.Helper()
	lab.Eval[bool](t, s.browser, "scrollTo(0, 9e9), scrollTo(0, 0), true")
	s.door.Quiet(600 * time.Millisecond)
}

// guardIsWhole is an expression that is true once the guard's second part runs, whose element has gone by then, and drives the
// banner, which takes an answer in place: until then a press is a form's.
const guardIsWhole = "performance.getEntriesByType('resource').some((e) => /guard-/.test(e.name) && e.responseEnd) && !document.querySelector('script[src*=\"/guard-\"]')" +
	" && performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd > 0 && !!document.querySelector(':not(head) > consent-banner:popover-open')"

// ready waits until the banner takes an answer in place, and the page has nothing left to do.
func (s *shop) ready(t *testing.T) {
	t.Helper()
	if !lab.Soon(func() bool { return lab.Eval[bool](t, s.browser, guardIsWhole) }) {
		t.Fatal("the guard's second part does not come")
	}
	lab.Eval[bool](t, s.browser, idle)
}

// idle is an expression whose promise is kept once the page has nothing to do; one that never rests is not waited for.
const idle = "new Promise((done) => requestIdleCallback(() => done(true), {timeout: 5000}))"

// press presses a button of the banner and waits until the answer is stored.
func (s *shop) press(t *testing.T, choice string) {
	t.Helper()
	s.ready(t)
	s.door.Reset()
	before := s.stored(t)
	found := lab.Eval[bool](t, s.browser, `(() => {
		const b = document.querySelector('consent-banner').shadowRoot.querySelector('button[name=choice][value=`+choice+`]');
		b && b.click();
		return !!b;
	})()`)
	if !found {
		t.Fatalf("the banner has no button %s", choice)
	}
	s.answered(t, before)
	s.settle(t)
}

// stored is what the browser keeps of the visitor's answers.
func (s *shop) stored(t *testing.T) (answers string) {
	t.Helper()
	for _, c := range s.browser.Cookies(t) {
		if strings.HasSuffix(c.Name, "consent") { // __Host-consent over HTTPS
			answers += c.Domain + "=" + c.Value + "\n"
		}
	}
	return answers
}

// answered waits until what is stored is no longer what was before.
func (s *shop) answered(t *testing.T, before string) {
	t.Helper()
	if !lab.Soon(func() bool { return s.stored(t) != before }) {
		t.Fatalf("the answer is not stored; the banner says %q", lab.Eval[string](t, s.browser, `((document.querySelector('consent-banner') || {}).shadowRoot || {querySelector() {}}).querySelector('[data-consent-status]')?.textContent ?? 'nothing'`))
	}
}

// ran waits until as many of the sink's scripts ran.
func (s *shop) ran(t *testing.T, when string, n int) {
	t.Helper()
	var ran []string
	if !lab.Soon(func() bool { ran = lab.Eval[[]string](t, s.browser, "globalThis.labRan || []"); return len(ran) >= n }) {
		t.Errorf("%s only these scripts ran: %v", when, ran)
	}
}

// clean fails if anybody was contacted or a tracking cookie is stored, or if the site's own session was lost. Cookies that
// scripts set under names which no catalogue knows are only reported.
func (s *shop) clean(t *testing.T, when string) {
	t.Helper()
	for _, c := range s.door.Contacts() {
		t.Errorf("%s: %s%s was contacted", when, c.Host, c.Path)
	}
	session, unknown := false, []string{}
	for _, c := range s.browser.Cookies(t) {
		session = session || c.Name == "PHPSESSID"
		if slices.Contains(trackingCookies, c.Name) {
			t.Errorf("%s: cookie %s of %s is stored", when, c.Name, c.Domain)
		}
		if strings.HasPrefix(c.Name, "_lab") {
			unknown = append(unknown, c.Name)
		}
	}
	if len(unknown) > 0 {
		t.Logf("%s: cookies of unknown names: %v", when, unknown)
	}
	if !session {
		t.Errorf("%s: the site's session cookie is gone", when)
	}
	if errs := s.browser.Errors(); len(errs) > 0 {
		t.Errorf("%s: the page has errors: %q", when, errs)
	}
}

// alive fails unless every one of the hosts was contacted.
func (s *shop) alive(t *testing.T, when string, hosts []string) {
	t.Helper()
	for _, host := range hosts {
		if !lab.Soon(func() bool { return s.door.Asked(host) }) {
			t.Errorf("%s: %s was not contacted; contacted: %v", when, host, s.door.Hosts())
		}
	}
}

// Without the gateway the shop contacts everybody: otherwise the other tests would prove nothing.
func TestShopWithoutGateway(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(demo.Handler())
	defer upstream.Close()
	s := &shop{door: lab.NewDoor(t)}
	s.browser = lab.NewBrowser(t, s.door)
	s.door.Site(shopHost, strings.TrimPrefix(upstream.URL, "http://"))
	s.visit(t)
	s.alive(t, "without the gateway", trackers)
}

func TestShopBeforeAnyChoice(t *testing.T) {
	t.Parallel()
	s := newShop(t, directive)
	s.visit(t)
	s.clean(t, "before any choice")
	if text := lab.Eval[string](t, s.browser, "document.querySelector('consent-banner').shadowRoot.textContent"); !strings.Contains(text, "Refuse") && !strings.Contains(text, "Reject") {
		t.Errorf("the banner does not offer to refuse: %q", text)
	}
}

func TestShopAfterRefusal(t *testing.T) {
	t.Parallel()
	s := newShop(t, directive)
	s.visit(t)
	s.press(t, "refuse")
	s.clean(t, "after refusal")
	s.visit(t)
	s.clean(t, "on the next page after refusal")
}

// A signal is honoured in the first byte, and the page sees the same answer as the server.
func TestShopHonoursSignals(t *testing.T) {
	t.Parallel()
	s := newShop(t, directive)
	for field, property := range map[string]string{"Sec-GPC": "navigator.globalPrivacyControl === true", "DNT": "navigator.doNotTrack === '1'"} {
		tab := &shop{s.door, s.browser.Tab(t), s.addr}
		tab.browser.Headers(t, map[string]any{field: "1"})
		tab.visit(t)
		tab.clean(t, "with "+field)
		if !lab.Eval[bool](t, tab.browser, property) {
			t.Errorf("with %s: not %s", field, property)
		}
		if state := lab.Eval[string](t, tab.browser, "document.querySelector('consent-banner').dataset.consentState"); state != "signal" {
			t.Errorf("with %s: the banner's state is %s, want the notice that the signal is honoured", field, state)
		}
	}
}

// Without JavaScript, what a page needs no script for is gated, revived and gated again by forms alone.
func TestShopWithoutJavaScript(t *testing.T) {
	t.Parallel()
	s := newShop(t, directive, chromedp.Flag("blink-settings", "scriptEnabled=false"))
	open := func(path string) {
		s.door.Reset()
		s.browser.Open(t, "https://"+shopHost+path)
		s.door.Quiet(600 * time.Millisecond)
	}
	choose := func(choice string) {
		s.door.Reset()
		before := s.stored(t)
		s.browser.Click(t, "name", "choice", "value", choice)
		s.answered(t, before)
		s.door.Quiet(600 * time.Millisecond)
	}
	open("/")
	s.clean(t, "without JavaScript")
	choose("refuse")
	s.clean(t, "without JavaScript, after refusal")
	open("/.consent/")
	choose("accept")
	open("/")
	s.alive(t, "without JavaScript, after acceptance", []string{"www.googletagmanager.com", "www.facebook.com", "www.youtube.com", "count.mailing-partner.example"})
	open("/.consent/")
	choose("refuse")
	s.clean(t, "without JavaScript, after withdrawal")
	open("/")
	s.clean(t, "without JavaScript, on the next page after withdrawal")
}

func TestShopAcceptsAndWithdraws(t *testing.T) {
	t.Parallel()
	s := newShop(t, directive)
	s.visit(t)
	s.press(t, "accept")
	s.alive(t, "after acceptance", slices.Concat(trackers, embeds))
	s.ran(t, "after acceptance", 6)
	s.visit(t)
	s.alive(t, "on the next page", slices.Concat(trackers, embeds))
	s.browser.Errors()
	s.press(t, "refuse")
	s.clean(t, "after withdrawal")
	left := 0
	if !lab.Soon(func() bool {
		left = lab.Eval[int](t, s.browser, "[...document.querySelectorAll('iframe')].filter((f) => !f.srcdoc && /^https/.test(f.src)).length")
		return left == 0
	}) {
		t.Errorf("after withdrawal %d frames did not go back to placeholders", left)
	}
	s.visit(t)
	s.clean(t, "on the next page after withdrawal")
}

// Another tab follows a choice without being touched: alive after acceptance, silent after withdrawal, even for calls that
// its page makes later.
func TestShopInTwoTabs(t *testing.T) {
	t.Parallel()
	s := newShop(t, directive)
	s.door.Site(shopHost, slowAnswers(t, s.addr))
	s.visit(t)
	other := &shop{s.door, s.browser.Tab(t), s.addr}
	other.visit(t)
	s.press(t, "accept")
	other.ran(t, "after acceptance, in the other tab", 6)
	other.callTracker(t)
	s.alive(t, "after acceptance, in the other tab", []string{"www.google-analytics.com"})
	other.browser.Errors()
	s.press(t, "refuse")
	other.callTracker(t)
	s.clean(t, "in the other tab after withdrawal")
}

// slowAnswers delays what visitors choose on its way to the gateway, so that tabs tell each other before it arrives.
func slowAnswers(t *testing.T, gateway string) string {
	t.Helper()
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: gateway})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			time.Sleep(400 * time.Millisecond)
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://")
}

// callTracker contacts a tracker in the ways that pages use at any time.
func (s *shop) callTracker(t *testing.T) {
	t.Helper()
	lab.Eval[bool](t, s.browser, `(() => {
		const url = 'https://www.google-analytics.com/collect?v=1&tid=UA-1-1';
		new Image().src = url;
		fetch(url, {mode: 'no-cors'}).catch(() => {});
		return navigator.sendBeacon(url);
	})()`)
	s.door.Quiet(600 * time.Millisecond)
}

// The page of before the withdrawal, kept alive or opened again by the browser, does not bring anything back, nor do the
// frames' own steps in the history.
func TestShopBackAfterWithdrawal(t *testing.T) {
	t.Parallel()
	s := newShop(t, directive)
	s.visit(t)
	before := lab.Eval[int](t, s.browser, "history.length")
	s.press(t, "accept")
	s.alive(t, "after acceptance", embeds)
	s.press(t, "refuse")
	if now := lab.Eval[int](t, s.browser, "history.length"); now != before {
		t.Errorf("the choices made %d steps in the history: Back leads to what a frame showed before", now-before)
	}
	s.press(t, "accept")
	s.browser.Open(t, "https://"+shopHost+"/workshop")
	s.press(t, "refuse")
	s.door.Reset()
	s.browser.Do(t, chromedp.NavigateBack())
	s.callTracker(t)
	s.settle(t)
	s.clean(t, "back after withdrawal")
}
