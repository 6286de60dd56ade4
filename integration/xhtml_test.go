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

const xhtmlStart = `<?xml version="1.0" encoding="utf-8"?>
<!-- a page --><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" lang="en">
`

// xhtmlContacts reach trackers in each way that a page served as XML has; each leaves the page whole.
const xhtmlContacts = `<script>var a="https://www.face",b="book.com/t";new Image().src=a+b+"r?id=1"</script>` +
	`<script><![CDATA[var n=1; if(n<2 && n>0) document.documentElement.dataset.ran="1"]]></script>` +
	`<script src="https://connect.facebook.net/en_US/fbevents.js"></script>` +
	`<p>text</p><img src="https://www.facebook.com/tr?id=2&amp;ev=PageView" alt=""/>` +
	`<iframe src="https://www.youtube.com/embed/abc?rel=0&amp;a=&lt;" title="a &amp; b"></iframe>` +
	`<div id="made"/><script><![CDATA[document.getElementById("made").innerHTML='<p/><div/><img src="'+a+b+'r?id=3" alt=""/>']]></script>`

// xhtmlPages are documents that browsers parse as XML.
var xhtmlPages = map[string]struct {
	body   string
	banner bool // else the response's policy holds back
}{
	"head":      {xhtmlStart + `<head><title>t</title><script>var a="https://www.face",b="book.com/t";new Image().src=a+b+"r?id=0"</script></head><body>` + xhtmlContacts + `</body></html>`, true},
	"headless":  {xhtmlStart + `<body class="x">` + xhtmlContacts + `</body></html>`, true},
	"emptyhead": {`<html xmlns='http://www.w3.org/1999/xhtml'><head/><body>` + xhtmlContacts + `</body></html>`, true},
	"prefixes":  {`<?xml version="1.0"?><h:html xmlns:h="http://www.w3.org/1999/xhtml"><h:head><h:title>t</h:title></h:head><h:body><h:script>var a="https://www.face",b="book.com/t";new Image().src=a+b+"r?id=1"</h:script><h:img src="https://www.facebook.com/tr?id=2" alt=""/></h:body></h:html>`, false},
	"subset":    {`<!DOCTYPE html [<!ENTITY nbsp "&#160;"><!ENTITY who "Us">]><html xmlns="http://www.w3.org/1999/xhtml"><head><title>&who;</title></head><body>&nbsp;` + xhtmlContacts + `</body></html>`, false},
	"notours":   {`<feed xmlns="http://www.w3.org/2005/Atom"><script xmlns="http://www.w3.org/1999/xhtml">var a="https://www.face",b="book.com/t";new Image().src=a+b+"r?id=1"</script></feed>`, false},
	"none":      {`<html><body><script xmlns="http://www.w3.org/1999/xhtml">var a="https://www.face",b="book.com/t";new Image().src=a+b+"r?id=1"</script></body></html>`, false},
}

// TestXHTML: pages that are parsed as XML stay whole, contact nobody before consent, ask, and are revived by an agreement.
func TestXHTML(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, own := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/"), "-csp")
		p, ok := xhtmlPages[name]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if own {
			w.Header().Set("Content-Security-Policy", "script-src 'self' 'sha256-none'; style-src 'self'")
		}
		w.Header().Set("Content-Type", "application/xhtml+xml; charset=utf-8")
		_, _ = io.WriteString(w, p.body)
	}))
	t.Cleanup(upstream.Close)
	origin := strings.TrimPrefix(upstream.URL, "http://")
	d := lab.NewDoor(t)
	d.Site("plain.test", origin)
	for name := range xhtmlPages {
		d.Site(name+".test", lab.Gateway(t, origin, "consent", ""))
	}
	for name, p := range xhtmlPages {
		t.Run(name, func(t *testing.T) {
			b := lab.NewBrowser(t, d)
			d.Reset()
			if !lab.Soon(func() bool {
				b.Try("https://plain.test/"+name, 3*time.Second)
				d.Quiet(200 * time.Millisecond)
				return len(d.Contacts()) > 0
			}) {
				t.Fatal("no contact without the gateway: nothing is proven")
			}
			b.Open(t, "about:blank")
			d.Quiet(300 * time.Millisecond)
			d.Reset()
			b.Open(t, "https://"+name+".test/"+name)
			d.Quiet(300 * time.Millisecond)
			for _, c := range d.Contacts() {
				t.Errorf("contact before consent: %s%s (%s)", c.Host, c.Path, c.Dest)
			}
			if lab.Eval[bool](t, b, `!!document.querySelector("parsererror")`) {
				t.Fatalf("not well-formed: %s", lab.Eval[string](t, b, `document.querySelector("parsererror").textContent`))
			}
			shown := `(()=>{const b=document.querySelector("consent-banner"),r=b&&b.shadowRoot,p=r&&r.querySelector("[role=region]");return !!p&&p.checkVisibility()&&p.getBoundingClientRect().height>99&&getComputedStyle(p).backgroundColor!="rgba(0, 0, 0, 0)"})()`
			if !p.banner {
				if lab.Eval[bool](t, b, `!!document.querySelector("consent-banner")`) {
					t.Error("a banner where none can be")
				}
				return
			}
			if ran := lab.Eval[string](t, b, `document.documentElement.dataset.ran||""`); ran != "1" {
				t.Error("the page's own script did not run")
			}
			if n := lab.Eval[int](t, b, `document.getElementById("made").childElementCount`); n != 3 {
				t.Errorf("markup with 3 elements in XML became %d", n)
			}
			if !lab.Soon(func() bool { return lab.Eval[bool](t, b, shown) }) {
				t.Fatal("no banner")
			}
			if !lab.Eval[bool](t, b, `!!document.querySelector("iframe[srcdoc]")`) {
				t.Error("no placeholder")
			}
			b.Click(t, "value", "accept")
			for _, host := range []string{"www.facebook.com", "connect.facebook.net", "www.youtube.com"} {
				if !lab.Soon(func() bool { return d.Asked(host) }) {
					t.Errorf("no contact to %s after the agreement: %v", host, d.Hosts())
				}
			}
			b.Open(t, "https://"+name+".test/"+name+"-csp")
			if !lab.Soon(func() bool {
				return lab.Eval[bool](t, b, `!!document.documentElement.querySelector("consent-banner")?.shadowRoot`)
			}) {
				t.Error("no banner under the site's own policy")
			}
		})
	}
}
