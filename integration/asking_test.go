package integration

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// asking serves one page behind a gateway and opens it.
func asking(t *testing.T, body string) *app {
	t.Helper()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!doctype html><html lang=en><title>Asking</title><body>"+body)
	}))
	t.Cleanup(upstream.Close)
	door := lab.NewDoor(t)
	addr := lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", "")
	a := &app{&shop{door, lab.NewBrowser(t, door), addr}, "asking.test"}
	door.Site(a.host, addr)
	a.browser.Open(t, "https://"+a.host+"/")
	return a
}

// inBanner is an expression about an element of the banner.
func inBanner(selector, rest string) string {
	return "document.querySelector('consent-banner').shadowRoot.querySelector('" + selector + "')" + rest
}

// Escape folds the banner and decides nothing, but is the page's own while something of the page has the focus; what was
// said about a choice goes when the banner is opened again.
func TestEscape(t *testing.T) {
	t.Parallel()
	a := asking(t, `<input id=own>`)
	a.becomes(t, "at first", inBanner("details", ".open"))
	a.becomes(t, "at first", "!document.querySelector('script[src*=guard-]') && document.readyState == 'complete'")
	lab.Eval[bool](t, a.browser, "own.focus(), true")
	a.browser.Do(t, chromedp.KeyEvent("\u001b"))
	a.becomes(t, "after Escape in a field of the page", inBanner("details", ".open"))
	lab.Eval[bool](t, a.browser, "own.blur(), true")
	a.browser.Do(t, chromedp.KeyEvent("\u001b"))
	a.becomes(t, "after Escape", "!"+inBanner("details", ".open"))
	if stored := a.stored(t); stored != "" {
		t.Errorf("Escape decided something: %s", stored)
	}
	a.press(t, "refuse")
	a.becomes(t, "after refusal", inBanner("[data-consent-status]", ".textContent != ''"))
	lab.Eval[bool](t, a.browser, inBanner("summary", ".click(), true"))
	a.becomes(t, "opened again", inBanner("[data-consent-status]", ".textContent == ''"))
}

// Who goes by keyboard or ear finds the banner before the page, which keeps its own first and last elements, and nothing of the
// page lies above the banner, but a dialog that leaves nothing else to use (WCAG 2.2, 2.1.1, 2.4.3 and 2.4.11).
func TestBannerComesFirst(t *testing.T) {
	t.Parallel()
	a := asking(t, `<a id=first href="#x">First</a>`+strings.Repeat(`<p><a href="#y">More</a>`, 30)+
		`<div style="position:fixed;inset:0;z-index:2147483647;background:teal"></div><dialog id=d><button>Own</button></dialog>`)
	a.becomes(t, "at first", guardIsWhole)
	const above = "((r) => document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2))(%s.getBoundingClientRect())"
	refuse := fmt.Sprintf(above, inBanner("button[value=refuse]", ""))
	a.becomes(t, "under a cover of the page's", refuse+".localName == 'consent-banner'")
	lab.Eval[bool](t, a.browser, "d.showModal(), true")
	a.browser.Do(t, chromedp.KeyEvent("\t"))
	a.becomes(t, "in a modal dialog", fmt.Sprintf(above, "d")+".closest('dialog')")
	lab.Eval[bool](t, a.browser, "d.close(), document.activeElement.blur(), true")
	a.browser.Open(t, "https://"+a.host+"/")
	a.becomes(t, "anew", guardIsWhole)
	walk := ""
	for range 3 {
		a.browser.Do(t, chromedp.KeyEvent("\t"))
		walk += lab.Eval[string](t, a.browser, "((e) => e ? e.value || e.localName : document.activeElement.id)(document.activeElement.shadowRoot?.activeElement) + ' '")
	}
	if walk != "summary summary refuse " {
		t.Errorf("Tab leads to %s", walk)
	}
	a.becomes(t, "in the end", "document.documentElement.firstElementChild == document.head && document.body.previousElementSibling.localName == 'consent-banner' && document.body.firstElementChild.id == 'first'")
	a.press(t, "refuse")
	a.becomes(t, "after refusal", fmt.Sprintf(above, inBanner("summary", ""))+".localName == 'consent-banner'")
}

// The banner is seen and takes an answer while more of the page is still to come, in whatever state frameworks find the page.
func TestAskedWhileStreaming(t *testing.T) {
	t.Parallel()
	rest := make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, `<!doctype html><html lang=en><title>Asking</title><style>title{display:block}</style><body><p>x<script src="/own.js"></script>`)
		_ = http.NewResponseController(w).Flush()
		if r.URL.Path == "/" {
			<-rest
		}
		_, _ = io.WriteString(w, `<p id=rest>y`)
	}))
	t.Cleanup(upstream.Close)
	door := lab.NewDoor(t)
	addr := lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", "")
	a := &app{&shop{door, lab.NewBrowser(t, door), addr}, "streaming.test"}
	door.Site(a.host, addr)
	lab.Eval[bool](t, a.browser, "location = 'https://"+a.host+"/', true")
	shown := "document.readyState == 'loading' && document.querySelector('consent-banner')?.shadowRoot && ((r) => document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2)?.localName == 'consent-banner')(" + inBanner("button[value=refuse]", "") + ".getBoundingClientRect())"
	a.becomes(t, "while the page streams", shown)
	a.becomes(t, "while the page streams", "!document.querySelector('script[src*=\"/guard-\"]') && !document.querySelector('title').checkVisibility()")
	a.browser.Click(t, "name", "choice", "value", "refuse")
	if !lab.Soon(func() bool { return a.stored(t) != "" }) {
		t.Error("the refusal is not stored")
	}
	close(rest)
	a.becomes(t, "in the end", "document.getElementById('rest') && document.readyState == 'complete' && !"+inBanner("details", ".open"))
}

// Where the browser keeps no cookies nobody is told that an answer was saved.
func TestAnswerThatCannotBeKept(t *testing.T) {
	t.Parallel()
	a := asking(t, `<p>x`)
	a.browser.Before(t, "Object.defineProperty(Navigator.prototype, 'cookieEnabled', {get: () => false})")
	a.browser.Open(t, "https://"+a.host+"/")
	a.becomes(t, "at first", guardIsWhole)
	lab.Eval[bool](t, a.browser, inBanner("button[value=accept]", ".click(), true"))
	a.becomes(t, "after acceptance", inBanner("[data-consent-status]", ".textContent == 'Your choice could not be saved. Please try again.'"))
}

// Who answers without a script comes back to a page that says that the answer was saved; it is not stored as if it always did.
func TestSavedIsSaid(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"1"`)
		http.ServeContent(w, r, "a.html", time.Time{}, strings.NewReader("<!doctype html><html lang=en><title>Asking</title><body><p>x"))
	}))
	t.Cleanup(upstream.Close)
	door := lab.NewDoor(t)
	addr := lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", "")
	a := &app{&shop{door, lab.NewBrowser(t, door, chromedp.Flag("blink-settings", "scriptEnabled=false")), addr}, "saved.test"}
	door.Site(a.host, addr)
	const said = "[...document.querySelector('consent-banner')?.shadowRoot?.querySelectorAll('[role=status]') || []].some((e) => e.checkVisibility() && e.textContent == 'Your choice has been saved.')"
	a.browser.Open(t, "https://"+a.host+"/")
	a.becomes(t, "at first", "!"+said)
	a.browser.Click(t, "name", "choice", "value", "refuse")
	a.becomes(t, "after refusal", said)
	a.browser.Open(t, "https://"+a.host+"/.consent/")
	a.becomes(t, "in the preference centre", "document.querySelector('[role=status]').textContent == 'Your choice has been saved.'")
	if !lab.Soon(func() bool {
		a.browser.Open(t, "https://"+a.host+"/")
		return lab.Eval[bool](t, a.browser, "!"+said)
	}) {
		t.Error("it is said for ever")
	}
}

// Who chooses by keyboard is led back to the button that opens the banner again, and hears what was done (WCAG 2.2, 2.4.3 and
// 4.1.3); a focus of the page's own stays where it is.
func TestFocusAfterChoice(t *testing.T) {
	t.Parallel()
	a := asking(t, `<input id=own>`)
	a.becomes(t, "at first", "!document.querySelector('script[src*=guard-]') && document.readyState == 'complete'")
	a.becomes(t, "at first", inBanner("[data-consent-status]", ".getAttribute('role') == 'status'")+" && "+inBanner("[data-consent-status]", ".textContent == ''"))
	lab.Eval[bool](t, a.browser, inBanner("button[value=refuse]", ".focus(), true"))
	a.browser.Do(t, chromedp.KeyEvent("\r"))
	a.becomes(t, "after Enter on refuse", "!"+inBanner("details", ".open")+" && "+inBanner("[data-consent-status]", ".textContent != ''"))
	a.becomes(t, "after Enter on refuse", inBanner("summary", ".matches(':focus')"))
	a.browser.Do(t, chromedp.KeyEvent("\r"))
	a.becomes(t, "after Enter again", inBanner("details", ".open"))
	if !lab.Soon(func() bool { return a.stored(t) != "" }) {
		t.Error("the refusal is not stored")
	}
	lab.Eval[bool](t, a.browser, "new Promise((done) => setTimeout(() => done(true), 200))")
	a.becomes(t, "once the gateway has answered", inBanner("details", ".open"))
	lab.Eval[bool](t, a.browser, "own.focus(), "+inBanner("button[value=accept]", ".click(), true"))
	a.becomes(t, "after a click from elsewhere", "!"+inBanner("details", ".open"))
	a.becomes(t, "after a click from elsewhere", "document.activeElement == own")
}

// A form that leads to a gated party is not sent elsewhere and loses nothing: the visitor is asked.
func TestGatedFormAsks(t *testing.T) {
	t.Parallel()
	a := asking(t, `<form id=f method=post action="https://www.google-analytics.com/collect"><input id=own name=mail value=typed><button id=send>Send</button></form>`)
	a.becomes(t, "at first", "!document.querySelector('script[src*=guard-]') && document.readyState == 'complete'")
	a.press(t, "refuse")
	a.becomes(t, "after refusal", "!"+inBanner("details", ".open"))
	lab.Eval[bool](t, a.browser, "self.sameDocument = true")
	a.click(t, "send")
	a.becomes(t, "after sending", "self.sameDocument && own.value == 'typed' && "+inBanner("details", ".open"))
	a.silent(t, "after sending")
	a.press(t, "accept")
	a.click(t, "send")
	a.alive(t, "after acceptance", []string{"www.google-analytics.com"})
}

// Of two gateways in a row the inner one asks nothing, and what a request says of a decision grants nothing. Where both
// put their guard into the page, what is gated still comes once, in order, and goes again.
func TestTwoGateways(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, `<!doctype html><html lang=en><title>Two</title><body><img src="https://www.facebook.com/tr?id=1">
<script src="https://connect.facebook.net/en_US/fbevents.js"></script>
<script>self.inline = (self.inline || 0) + 1; window.fbq = window.fbq || (() => {}); fbq('init', '1'); document.write('<i>written</i>');</script>
<script>const s = document.createElement('script'); s.src = 'https://static.hotjar.com/c/hotjar-1.js'; document.head.append(s);</script>
<iframe src="https://www.youtube.com/embed/x"></iframe>`)
	}))
	t.Cleanup(upstream.Close)
	inner, outer := strconv.Itoa(lab.FreePort(t)), strconv.Itoa(lab.FreePort(t))
	lab.Caddy(t, `{
	{global}
	consent {
		store bolt {store}
	}
}
http://:`+inner+` {
	consent
	reverse_proxy `+strings.TrimPrefix(upstream.URL, "http://")+`
}
http://:`+outer+` {
	consent
	reverse_proxy 127.0.0.1:`+inner+`
}
`)
	door := lab.NewDoor(t)
	a := &app{&shop{door, lab.NewBrowser(t, door), "127.0.0.1:" + outer}, "two.test"}
	door.Site(a.host, a.addr)
	a.browser.Open(t, "https://"+a.host+"/")
	a.becomes(t, "at first", "document.querySelectorAll('consent-banner').length == 1")
	a.silent(t, "at first")
	a.becomes(t, "at first", stands("iframe", "YouTube"))
	if errs := a.browser.Errors(); len(errs) > 0 {
		t.Errorf("before a choice: %q", errs)
	}
	a.press(t, "accept")
	a.alive(t, "after acceptance", []string{"www.facebook.com", "connect.facebook.net", "static.hotjar.com", "www.youtube.com"})
	a.becomes(t, "after acceptance", "self.inline == 1 && self.labRan && labRan.length == 2 && document.querySelectorAll('i').length == 1")
	door.Quiet(300 * time.Millisecond)
	times := map[string]int{}
	for _, c := range door.Contacts() {
		times[c.Host+c.Path]++
	}
	for _, once := range []string{"www.facebook.com/tr?id=1", "connect.facebook.net/en_US/fbevents.js", "static.hotjar.com/c/hotjar-1.js", "www.youtube.com/embed/x"} {
		if times[once] != 1 {
			t.Errorf("%s was contacted %d times: %v", once, times[once], times)
		}
	}
	if errs := a.browser.Errors(); len(errs) > 0 {
		t.Errorf("after acceptance: %q", errs)
	}
	a.press(t, "refuse")
	a.becomes(t, "after withdrawal", stands("iframe", "YouTube"))
	door.Quiet(300 * time.Millisecond)
	door.Reset()
	a.browser.Open(t, "https://"+a.host+"/")
	a.silent(t, "after withdrawal")

	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:"+inner+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Consent-Decision", "marketing=granted;by=token")
	r.Header.Set("Sec-Fetch-Dest", "document")
	if _, body := answer(t, r); !strings.Contains(string(body), ` data-consent-src="https://www.facebook.com`) {
		t.Errorf("a request's own word was taken for consent: %.500s", body)
	}
}
