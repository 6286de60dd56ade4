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

// firefoxSite puts a handler's site behind a gateway and a Firefox in front of it.
func firefoxSite(t *testing.T, h http.HandlerFunc) *firefoxPage {
	t.Helper()
	upstream := httptest.NewServer(h)
	t.Cleanup(upstream.Close)
	d := lab.NewDoor(t)
	p := &firefoxPage{lab.NewFirefox(t, d, nil), d, new(leakySite)}
	d.Site("fox.test", lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", ""))
	return p
}

// click presses a button of the banner.
func (p *firefoxPage) click(t *testing.T, choice string) {
	t.Helper()
	p.wait(t, "the guard's second part", guardIsWhole)
	var pressed bool
	p.Eval(t, "document.querySelector('consent-banner').removeAttribute('data-consent-state'); document.querySelector('consent-banner').shadowRoot.querySelector('button[name=choice][value="+choice+"]').click(); return true", &pressed)
	p.wait(t, "the answer to "+choice, "document.querySelector('consent-banner')?.getAttribute('data-consent-state')")
}

// meets waits until a host was contacted.
func (p *firefoxPage) meets(t *testing.T, host string) {
	t.Helper()
	if !lab.Soon(func() bool { return p.door.Asked(host) }) {
		t.Errorf("%s was not contacted: %v", host, p.door.Hosts())
	}
}

// TestXHTMLInFirefox: Firefox, too, runs guard and banner in a page that it parses as XML.
func TestXHTMLInFirefox(t *testing.T) {
	t.Parallel()
	p := firefoxSite(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xhtml+xml; charset=utf-8")
		_, _ = io.WriteString(w, strings.ReplaceAll(xhtmlPages["head"].body, "</body>", `<script src="http://b.scorecardresearch.com/beacon.js"/></body>`))
	})
	p.Visit(t, "http://fox.test/")
	p.wait(t, "the page's own script", "document.documentElement.dataset.ran == '1' && document.getElementById('made').childElementCount == 3")
	p.wait(t, "a placeholder", "document.querySelector('iframe[srcdoc]')")
	p.wait(t, "the banner", "document.querySelector('consent-banner')?.shadowRoot?.querySelector('[role=region]')?.getBoundingClientRect().height > 99")
	p.door.Quiet(time.Second)
	for _, c := range p.door.Contacts() {
		t.Errorf("contact before consent: %s%s", c.Host, c.Path)
	}
	p.click(t, "accept")
	p.meets(t, "b.scorecardresearch.com") // by plain HTTP, as the lab's certificates suit Chromium alone
}
