package integration

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// What a page fetches as markup and puts into itself, and what its scripts make, gets placeholders in the visitor's
// language and comes back with consent, without a reload. What only looks like it stays as it is.
func TestLateMarkup(t *testing.T) {
	t.Parallel()
	const frame = `<iframe width=480 height=270 src="https://www.youtube.com/embed/`
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		switch r.URL.Path {
		case "/fetched":
			_, _ = io.WriteString(w, frame+`fetched"></iframe><img src="https://www.facebook.com/tr?id=fetched">`)
		case "/requested":
			_, _ = io.WriteString(w, frame+`requested"></iframe>`)
		case "/page":
			_, _ = io.WriteString(w, `<!doctype html><html lang=en><title>Late</title><body><div id=a></div><div id=b></div><div id=c></div><div id=d></div><script src=/page.js></script>`)
		case "/page.js":
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = io.WriteString(w, `
fetch('/fetched').then((r) => r.text()).then((text) => { a.innerHTML = text; });
const x = new XMLHttpRequest();
x.open('GET', '/requested');
x.onload = () => { b.innerHTML = x.responseText; };
x.send();
c.innerHTML = '`+frame+`written"></'+'iframe>';
d.innerHTML = '<img data-consent="AAAAAAAAAAAAAAAA marketing meta-pixel" data-consent-src="https://www.facebook.com/tr?id=forged">';`)
		}
	}))
	t.Cleanup(upstream.Close)
	door := lab.NewDoor(t)
	addr := lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", "")
	a := &app{&shop{door, lab.NewBrowser(t, door), addr}, "late.test"}
	a.browser.Headers(t, map[string]any{"Accept-Language": "de"})
	door.Site(a.host, addr)
	a.browser.Open(t, "https://"+a.host+"/page?x=1")
	for _, id := range []string{"a", "b", "c"} {
		a.becomes(t, "before any choice", stands("#"+id+" iframe", "YouTube"))
		a.becomes(t, "before any choice", "document.querySelector('#"+id+" iframe').contentDocument.documentElement.lang == 'de'")
	}
	if back := lab.Eval[string](t, a.browser, "document.querySelector('#c iframe').contentDocument.querySelector('input[name=return]').value"); back != "/page?x=1" {
		t.Errorf("the placeholder leads back to %q", back)
	}
	a.silent(t, "before any choice")
	a.press(t, "accept")
	for _, id := range []string{"a", "b", "c"} {
		a.becomes(t, "after acceptance", "document.querySelector('#"+id+" iframe').hasAttribute('src')")
	}
	a.alive(t, "after acceptance", []string{"www.youtube.com", "www.facebook.com"})
	for _, c := range door.Contacts() {
		if strings.Contains(c.Path, "forged") {
			t.Errorf("markup with another mark was revived: %s%s", c.Host, c.Path)
		}
	}
}

// The placeholders' endpoint answers pages of the site only, and says nothing that a page could be made of.
func TestPlaceholdersEndpoint(t *testing.T) {
	address := newPlainGateway(t, "") + "/.consent/placeholder"
	for _, c := range []struct {
		body, site string
		status     int
		want       string
	}{
		{`{"u":["https://www.youtube.com/embed/x","https://example.org/","javascript:alert(1)"],"r":"/p"}`, "same-origin", 200, "YouTube"},
		{`{"u":["https://www.youtube.com/embed/x\"><script>alert(1)</script>"],"r":"//evil.example/"}`, "same-origin", 200, `name=\"return\" value=\"/\"`},
		{`{"u":["https://www.youtube.com/embed/x"]}`, "cross-site", 403, ""},
		{`{"u":[` + strings.Repeat(`"https://www.youtube.com/embed/x",`, 64) + `"x"]}`, "same-origin", 400, ""},
		{`{`, "same-origin", 400, ""},
	} {
		res, body := post(t, address, c.body, "Sec-Fetch-Site", c.site, "Sec-Fetch-Dest", "empty")
		if res.StatusCode != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%.80s: %d %.300s", c.body, res.StatusCode, body)
		}
		if !strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
			t.Errorf("%.80s: %s", c.body, res.Header.Get("Content-Type"))
		}
		if strings.Contains(body, "<script") || strings.Contains(body, "evil.example") {
			t.Errorf("%.80s: %.300s", c.body, body)
		}
	}
}
