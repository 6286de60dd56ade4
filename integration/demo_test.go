// Package integration proves the promises against the real parts: Caddy with the gateway, Chromium, the store.
package integration

import (
	"net/http/httptest"
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

// press presses a button of the banner.
func (s *shop) press(t *testing.T, choice string) {
	t.Helper()
	s.door.Reset()
	found := lab.Eval[bool](t, s.browser, `(() => {
		const b = document.querySelector('consent-banner').shadowRoot.querySelector('button[name=choice][value=`+choice+`]');
		b && b.click();
		return !!b;
	})()`)
	if !found {
		t.Fatalf("the banner has no button %s", choice)
	}
	s.settle(t)
}

// clean fails if anybody was contacted or a tracking cookie was stored, or if the site's own session was lost.
func (s *shop) clean(t *testing.T, when string) {
	t.Helper()
	for _, c := range s.door.Contacts() {
		if c.Host != "www.youtube.com" && c.Host != "www.google.com" {
			t.Errorf("%s: %s%s was contacted", when, c.Host, c.Path)
		}
	}
	session := false
	for _, c := range s.browser.Cookies(t) {
		session = session || c.Name == "PHPSESSID"
		if slices.Contains(trackingCookies, c.Name) || strings.HasPrefix(c.Name, "_lab") {
			t.Errorf("%s: cookie %s of %s is stored", when, c.Name, c.Domain)
		}
	}
	if !session {
		t.Errorf("%s: the site's session cookie is gone", when)
	}
	if errs := s.browser.Errors(); len(errs) > 0 {
		t.Errorf("%s: the page has errors: %q", when, errs)
	}
}

// Without the gateway the shop contacts everybody: otherwise the other tests would prove nothing.
func TestShopWithoutGateway(t *testing.T) {
	upstream := httptest.NewServer(demo.Handler())
	defer upstream.Close()
	s := &shop{door: lab.NewDoor(t)}
	s.browser = lab.NewBrowser(t, s.door)
	s.door.Site(shopHost, strings.TrimPrefix(upstream.URL, "http://"))
	s.visit(t)
	for _, host := range trackers {
		if !slices.Contains(s.door.Hosts(), host) {
			t.Errorf("%s was not contacted; contacted: %v", host, s.door.Hosts())
		}
	}
}

func TestShopBeforeAnyChoice(t *testing.T) {
	s := newShop(t, "consent")
	s.visit(t)
	s.clean(t, "before any choice")
	if text := lab.Eval[string](t, s.browser, "document.querySelector('consent-banner').shadowRoot.textContent"); !strings.Contains(text, "Refuse") && !strings.Contains(text, "Reject") {
		t.Errorf("the banner does not offer to refuse: %q", text)
	}
}

func TestShopAfterRefusal(t *testing.T) {
	s := newShop(t, "consent")
	s.visit(t)
	s.press(t, "refuse")
	s.clean(t, "after refusal")
	s.visit(t)
	s.clean(t, "on the next page after refusal")
}

func TestShopWithoutJavaScript(t *testing.T) {
	s := newShop(t, "consent", chromedp.Flag("blink-settings", "scriptEnabled=false"))
	s.door.Reset()
	s.browser.Open(t, "https://"+shopHost+"/")
	s.door.Quiet(600 * time.Millisecond)
	s.clean(t, "without JavaScript")
}

func TestShopAcceptsAndWithdraws(t *testing.T) {
	s := newShop(t, "consent")
	s.visit(t)
	s.press(t, "accept")
	hosts := s.door.Hosts()
	at := -1
	for _, host := range trackers {
		i := slices.Index(hosts, host)
		if i < 0 {
			t.Errorf("after acceptance %s was not contacted; contacted: %v", host, hosts)
		}
		_ = at
	}
	if ran := lab.Eval[[]string](t, s.browser, "globalThis.labRan || []"); len(ran) < 6 {
		t.Errorf("only these scripts ran: %v", ran)
	}
	s.visit(t)
	for _, host := range trackers {
		if !slices.Contains(s.door.Hosts(), host) {
			t.Errorf("on the next page %s was not contacted; contacted: %v", host, s.door.Hosts())
		}
	}
	s.browser.Errors()
	s.press(t, "refuse")
	s.clean(t, "after withdrawal")
	s.visit(t)
	s.clean(t, "on the next page after withdrawal")
}
