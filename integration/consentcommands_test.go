package integration

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// told are vendors, their scripts and globals, and what these hear on acceptance, at a withdrawal, and on each page of a
// visitor who agreed.
var told = []struct{ url, global, yes, no, page string }{
	{"connect.facebook.net/en_US/fbevents.js", "fbq", `fbq ["consent","grant"]`, `fbq ["consent","revoke"]`, `fbq ["consent","grant"]`},
	{"bat.bing.com/bat.js", "uetq", `uetq.push ["consent","update",{"ad_storage":"granted"}]`, `uetq.push ["consent","update",{"ad_storage":"denied"}]`, `uetq.push ["consent","update",{"ad_storage":"granted"}]`},
	{"www.clarity.ms/tag/1", "clarity", `clarity ["consentv2",{"ad_Storage":"granted","analytics_Storage":"granted"}]`, `clarity ["consentv2",{"ad_Storage":"denied","analytics_Storage":"denied"}]`, `clarity ["consentv2",{"ad_Storage":"granted","analytics_Storage":"granted"}]`},
	{"analytics.tiktok.com/i18n/pixel/events.js", "ttq", `ttq.grantConsent []`, `ttq.revokeConsent []`, `ttq.grantConsent []`},
	{"s.pinimg.com/ct/core.js", "pintrk", `pintrk ["setconsent",true]`, `pintrk ["setconsent",false]`, `pintrk ["setconsent",true]`},
	{"www.redditstatic.com/ads/pixel.js", "rdt", `rdt ["enableFirstPartyCookies"]`, `rdt ["disableFirstPartyCookies"]`, `rdt ["enableFirstPartyCookies"]`},
	{"cdn.amplitude.com/libs/amplitude-8.5.0-min.gz.js", "amplitude", `amplitude.setOptOut [false]`, `amplitude.setOptOut [true]`, ``},
	{"cdn.mxpnl.com/libs/mixpanel-2-latest.min.js", "mixpanel", `mixpanel.opt_in_tracking []`, `mixpanel.opt_out_tracking []`, ``},
	{"app.posthog.com/static/array.js", "posthog", `posthog.opt_in_capturing []`, `posthog.opt_out_capturing []`, ``},
	{"stats.example.net/matomo.js", "_paq", `_paq.push [["setConsentGiven"]]`, `_paq.push [["forgetConsentGiven"]]`, `_paq.push [["setConsentGiven"]]`},
	{"js.hs-scripts.com/1.js", "_hsq", `_hsq.push [["doNotTrack",{"track":true}]]`, `_hsq.push [["doNotTrack"]]`, ``},
	{"a1.omtrdc.net/b/ss/alloy.js", "alloy", `alloy ["setConsent",{"consent":[{"standard":"Adobe","version":"1.0","value":{"general":"in"}}]}]`, `alloy ["setConsent",{"consent":[{"standard":"Adobe","version":"1.0","value":{"general":"out"}}]}]`, ``},
	{"tag.aticdn.net/piano-analytics.js", "pa", `pa.consent.setMode ["opt-in"]`, `pa.consent.setMode ["opt-out"]`, ``},
	{"static.zdassets.com/ekr/snippet.js", "zE", `zE ["messenger:set","cookies",true]`, `zE ["messenger:set","cookies",false]`, `zE ["messenger:set","cookies",true]`},
}

// toldScript is the site's own: it notes what vendors hear, and has Consent Mode of its own, whose default is a refusal.
const toldScript = `const said = [];
const take = (name, path = name) => self[name] = new Proxy(function () {}, {
  get: (t, k) => typeof k == 'symbol' || k == 'apply' || k == 'call' ? t[k] : hear(path + '.' + k),
  apply: (t, on, args) => { said.push(path + ' ' + JSON.stringify(args)); },
});
const hear = (path) => new Proxy(function () {}, {
  get: (t, k) => typeof k == 'symbol' || k == 'apply' || k == 'call' ? t[k] : hear(path + '.' + k),
  apply: (t, on, args) => { said.push(path + ' ' + JSON.stringify(args)); },
});
window.dataLayer = window.dataLayer || [];
function gtag() { dataLayer.push(arguments); }
gtag('consent', 'default', {ad_storage: 'denied', analytics_storage: 'denied', wait_for_update: 500});
gtag('js', new Date());
gtag('config', 'G-1');
const layer = () => [...dataLayer].map((e) => [e[0], e[0] == 'consent' ? e[1] + ' ' + e[2].ad_storage + ' ' + e[2].analytics_storage : ''].join(' ').trim()).join(', ');`

// Vendors hear through their own interfaces what the visitor decided: nothing before, all of it once after, a refusal at
// once, and on later pages what they would forget. Google's layer begins with the truth and ends with it.
func TestConsentCommands(t *testing.T) {
	t.Parallel()
	var page strings.Builder
	page.WriteString("<!DOCTYPE html><title>told</title>\n<script src=/told.js></script><script src=\"https://www.googletagmanager.com/gtag/js?id=G-1\"></script>")
	scripts := map[string]string{}
	for _, v := range told {
		fmt.Fprintf(&page, "<script src=\"https://%s\"></script>\n", v.url)
		scripts[v.url] = "take('" + v.global + "')"
	}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/told.js" {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = io.WriteString(w, toldScript)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, page.String())
	}))
	t.Cleanup(upstream.Close)
	d := lab.NewDoor(t)
	d.Answer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := strings.Cut(r.Host, ":")
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = io.WriteString(w, scripts[host+r.URL.Path])
	}))
	d.Site("told.test", lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", ""))
	b := lab.NewBrowser(t, d)
	s := &shop{d, b, ""}
	// hears fails unless the vendors hear just that, in any order: they are told as they come.
	hears := func(when string, want []string, layer string) {
		t.Helper()
		want = slices.DeleteFunc(want, func(s string) bool { return s == "" })
		var got []string
		lab.Soon(func() bool {
			got = lab.Eval[[]string](t, b, "said")
			return len(got) >= len(want) && lab.Eval[string](t, b, "layer()") == layer
		})
		got = lab.Eval[[]string](t, b, "said.splice(0)")
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s vendors hear\n%s\nwant\n%s", when, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if got := lab.Eval[string](t, b, "layer()"); got != layer {
			t.Errorf("%s Google's layer is %q, want %q", when, got, layer)
		}
	}
	const own = "consent default denied denied, js, config"
	var yes, no, each []string
	for _, v := range told {
		yes, no, each = append(yes, v.yes), append(no, v.no), append(each, v.page)
	}
	b.Open(t, "https://told.test/")
	hears("before any choice", nil, own)
	s.press(t, "accept")
	granted := "consent default granted granted, " + own + ", consent update granted granted"
	hears("after acceptance", slices.Clone(yes), granted)
	s.press(t, "refuse")
	hears("at a withdrawal", no, granted+", consent update denied denied")
	b.Open(t, "https://told.test/refused")
	hears("after a refusal", nil, own)
	s.press(t, "accept")
	hears("after another acceptance", yes, granted)
	b.Open(t, "https://told.test/agreed")
	hears("on a later page", each, granted)
	if errors := b.Errors(); len(errors) > 0 {
		t.Error(errors)
	}
}
