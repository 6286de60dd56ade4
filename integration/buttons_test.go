package integration

import (
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// A share button's frame becomes a link to the vendor's share page, of the button's address or else of the page's; in the
// place of one whose service was shut down there is nothing.
func TestShareButtons(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, `<!doctype html><title>Buttons</title><body>
<iframe id=1 src="https://www.facebook.com/plugins/like.php?href=https%3A%2F%2Felsewhere.example%2Fa"></iframe>
<iframe id=2 src="https://www.facebook.com/v2.8/plugins/share_button.php?layout=button"></iframe>
<iframe id=3 src="https://platform.twitter.com/widgets/tweet_button.html#text=x"></iframe>
<iframe id=4 src="https://plusone.google.com/_/+1/fastbutton?url=https://elsewhere.example/"></iframe>
<iframe id=5 src="https://www.facebook.com/plugins/page.php?href=https%3A%2F%2Fwww.facebook.com%2Fmuseum"></iframe>`)
	}))
	t.Cleanup(upstream.Close)
	base := "http://" + lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", "")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/shop?item=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Language", "es")
	r.Header.Set("Sec-Fetch-Dest", "document")
	frames := strings.Split(body(t, r), "<iframe")
	page := strings.ReplaceAll(base, ":", "%3A") + "/shop%3Fitem%3D1"
	for i, want := range []string{
		`href="https://www.facebook.com/sharer/sharer.php?u=https%3A//elsewhere.example/a" target="_blank" rel="noopener noreferrer" title="Compartir en Facebook"`,
		`href="https://www.facebook.com/sharer/sharer.php?u=` + page + `"`,
		`href="https://x.com/intent/tweet?url=` + page + `"`,
		"",
		`href="https://www.facebook.com/museum"`,
	} {
		got := html.UnescapeString(frames[i+1])
		if want == "" {
			if strings.Contains(got, "srcdoc") || !strings.Contains(got, "data-consent-src") {
				t.Errorf("frame %d is not empty: %.400s", i+1, got)
			}
		} else if !strings.Contains(got, want) {
			t.Errorf("frame %d holds no %s: %.4000s", i+1, want, got)
		}
	}
}

// TestButtonsOfAnSDK: in the place of a button that an SDK would make stands the link to the vendor's share page, beside the
// page's own nodes, so that a framework finds them as they were; once the SDK makes its button, that is seen alone.
func TestButtonsOfAnSDK(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, `<!doctype html><title>Buttons</title><body><div id=button class=fb-like data-href="https://elsewhere.example/a"></div><div id=full class=fb-like>words</div><fb:like id=xfbml href="https://elsewhere.example/b"></fb:like><fb:share-button id=share></fb:share-button>
<script async src="https://connect.facebook.net/en_US/sdk.js"></script>`)
	}))
	t.Cleanup(upstream.Close)
	d := lab.NewDoor(t)
	d.Answer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/sdk.js") {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = io.WriteString(w, "const f = document.createElement('iframe'); f.src = 'https://www.facebook.com/plugins/like.php?made=1'; button.append(f); xfbml.append(f.cloneNode())")
		}
	}))
	d.Site("shop.test", lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", ""))
	b := lab.NewBrowser(t, d)
	b.Open(t, "https://shop.test/")
	const frame = "(button.shadowRoot || button).querySelector('iframe')"
	if !lab.Soon(func() bool { return lab.Eval[bool](t, b, "!!"+frame+"?.contentDocument?.querySelector('a.l')") }) {
		t.Fatal("nothing stands for the button")
	}
	if got := lab.Eval[string](t, b, frame+".contentDocument.querySelector('a.l').href"); got != "https://www.facebook.com/sharer/sharer.php?u=https%3A//elsewhere.example/a" {
		t.Errorf("the button's link leads to %s", got)
	}
	const xfbml = "document.querySelector('#xfbml > span').shadowRoot.querySelector('iframe')"
	if !lab.Soon(func() bool { return lab.Eval[bool](t, b, "!!"+xfbml+"?.contentDocument?.querySelector('a.l')") }) {
		t.Fatal("nothing stands for the XFBML button")
	}
	if got := lab.Eval[string](t, b, xfbml+".contentDocument.querySelector('a.l').href"); got != "https://www.facebook.com/sharer/sharer.php?u=https%3A//elsewhere.example/b" {
		t.Errorf("the XFBML button's link leads to %s", got)
	}
	if !lab.Eval[bool](t, b, "!!document.querySelector('#share > span')") {
		t.Error("nothing stands for the XFBML share button")
	}
	if got := lab.Eval[string](t, b, "[button.childNodes.length, "+frame+".getClientRects().length, !!full.shadowRoot].join()"); got != "0,1,false" {
		t.Errorf("nodes in the button, link in view, link where there are words: %s", got)
	}
	d.Quiet(200 * time.Millisecond)
	if hosts := d.Hosts(); len(hosts) > 0 {
		t.Errorf("before an answer %v are contacted", hosts)
	}
	lab.Eval[bool](t, b, "document.querySelector('consent-banner').shadowRoot.querySelector('[value=accept]').click(), true")
	if !lab.Soon(func() bool { return lab.Eval[bool](t, b, "!!button.firstElementChild") }) {
		t.Fatal("after an agreement the SDK made no button")
	}
	d.Quiet(200 * time.Millisecond)
	if lab.Eval[int](t, b, frame+".getClientRects().length") != 0 {
		t.Error("the link is in view beside the button")
	}
	if got := lab.Eval[string](t, b, "[...xfbml.children].map((n) => n.localName).join()"); got != "iframe" {
		t.Errorf("in the XFBML element is %s, want the SDK's frame alone", got)
	}
	for _, c := range d.Contacts() {
		if strings.Contains(c.Path, "like.php") && !strings.Contains(c.Path, "made=1") {
			t.Errorf("what stood for the button contacts %s", c.Path)
		}
	}
}
