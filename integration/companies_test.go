package integration

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// A company promises things in its privacy policy and keeps them with one of the sites of Caddyfile.example.
type company struct {
	name     string
	port     string    // of its site in Caddyfile.example
	adapt    []string  // what it writes in place of what is there: pairs of old and new
	snippets []snippet // on its first page
	kept     string    // cookies that its vendors' scripts keep once they may
	payment  bool      // it has a checkout, where Stripe is needed
	dnt      bool      // it honours DNT
}

// companies are five whose policies say, in short: DNT is honoured, and the preference centre is one step away (Planisware);
// Like, Tweet and +1 contact nobody unasked (Planio); beacons, also those through our own server, only for those who opted in, and
// DNT is not answered (Plumstack); Stripe at the checkout only, remarketing never unasked, withdrawal at any time (Planly); unique cookies
// and those of partners after consent (Plenary IT).
var companies = []company{
	{name: "planisware", port: "8082", snippets: googleSnippets, kept: "_ga _gid __utma __utmz _ga_1 li_fat_id", dnt: true},
	{name: "planio", port: "8081", snippets: slices.Concat(googleSnippets[1:4], adrollSnippets, snapengageSnippets, buttonSnippets), kept: "_ga __utma __ar_v4 SnapABugHistory SnapABugVisit _fbp", dnt: true},
	{name: "plumstack", port: "8081", adapt: []string{"signals gpc dnt", "signals gpc", "\tencode\n\tconsent\n", "\tencode\n\tconsent {\n\t\tfirst_party detect\n\t}\n"},
		snippets: slices.Concat(segmentSnippets, amplitudeSnippets, customerioSnippets, metaSnippets, adrollSnippets[1:]), kept: "ajs_anonymous_id ajs_user_id amp_abcdef amplitude_id_1 _cio _fbp __adroll_fpc"},
	{name: "planly", port: "8085", snippets: slices.Concat(segmentSnippets[:1], metaSnippets, pinterestSnippets, zendeskSnippets), kept: "ajs_anonymous_id _fbp _pin_unauth _epik __zlcmid", payment: true, dnt: true},
	{name: "plenary", port: "8086", adapt: []string{"# rules cookies cookies.csv", "rules cookies {dir}/cookies.csv"}, snippets: slices.Concat(googleSnippets[4:5], partnerSnippets), kept: "_ga _gcl_au li_fat_id", dnt: true},
}

// ownCookies are set by each company's own server: its session, and what it keeps of visitors for others.
const ownCookies = "_fbc FPID visitor_unique"

// exampleSites returns the text of Caddyfile.example with an upstream of the test's own (or its own), free ports, and a folder
// for what it writes; and where its sites listen.
func exampleSites(t *testing.T, dir, upstream string, adapt ...string) (text string, ports map[string]string) {
	t.Helper()
	raw, err := os.ReadFile("../Caddyfile.example")
	if err != nil {
		t.Fatal(err)
	}
	text = string(raw)
	for pair := range slices.Chunk(adapt, 2) {
		if !strings.Contains(text, pair[0]) {
			t.Fatalf("Caddyfile.example has no %q", pair[0])
		}
		text = strings.ReplaceAll(text, pair[0], pair[1])
	}
	writeFile(t, filepath.Join(dir, "cookies.csv"), "ID,Platform,Category,Cookie / Data Key name,Domain,Description,Retention period,Data Controller,User Privacy & GDPR Rights Portals,Wildcard match\n"+
		"1,Plenary,Analytics,visitor_unique,,tells visitors apart,2 years,Plenary,,0\n")
	text = strings.NewReplacer("admin localhost:2019", "{global}", "\tlog {\n\t\tformat anonymize\n\t}\n}", "\tlog {\n\t\toutput file {dir}/caddy.log\n\t\tformat anonymize\n\t}\n}", "consent-data", dir, "root * caddymodule/demo/site", "root * ../caddymodule/demo/site").Replace(text)
	text = strings.ReplaceAll(text, "{dir}", dir)
	if upstream != "" {
		text = strings.ReplaceAll(text, "reverse_proxy 127.0.0.1:9000", "reverse_proxy "+upstream)
	}
	ports = map[string]string{}
	for _, port := range []string{"8081", "8082", "8083", "8084", "8085", "8086", "9000"} {
		ports[port] = fmt.Sprint(lab.FreePort(t))
		text = strings.ReplaceAll(text, ":"+port, ":"+ports[port])
	}
	return text, ports
}

// legacy is a company's site, which nobody edits: it knows nothing of consent.
type legacy struct {
	company

	mu      sync.Mutex
	beacons []string // what reached it of what it passes on to vendors
}

func (l *legacy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	page := ""
	switch r.URL.Path {
	case "/":
		for _, s := range l.snippets {
			page += s.markup + "\n"
		}
		page += `<script>addEventListener('load', function() { navigator.sendBeacon('/g/collect?v=2&tid=G-1&gtm=45&cid=1.1&en=page_view');
fetch('/relay/v1/t', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{"event":"x","type":"track","anonymousId":"b7c1d0f2-6e0d-4a0e-9d0f-0a1b2c3d4e5f","messageId":"ajs-next-1","writeKey":"KEY","context":{"library":{"name":"analytics.js","version":"2.0"}}}'}); });</script>`
	case "/checkout", "/index.php":
		page = `<form action="/pay" method="post"><label>Card <input name="card" autocomplete="cc-number"></label><div id="card-element"></div></form><script src="https://js.stripe.com/v3/"></script>`
	case "/about":
		page = `<p>Nothing is paid here.</p><script src="https://js.stripe.com/v3/"></script>`
	case "/g/collect", "/relay/v1/t":
		l.mu.Lock()
		l.beacons = append(l.beacons, r.URL.Path)
		l.mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
		return
	default:
		http.NotFound(w, r)
		return
	}
	w.Header().Add("Set-Cookie", "session=1; Path=/; HttpOnly")
	for name := range strings.FieldsSeq(ownCookies) {
		w.Header().Add("Set-Cookie", name+"=d81c3f60-52f7-4c0e-8a57-3f1f3d1d8f2a; Path=/; Max-Age=63072000; HttpOnly")
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, "<!DOCTYPE html><html lang=en><head><title>"+l.name+"</title><script>var own = 1</script></head><body><h1>"+l.name+"</h1>\n"+page+"</body></html>")
}

// passedOn returns what reached the site's own relays since the last call.
func (l *legacy) passedOn() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.beacons
	l.beacons = nil
	return b
}

// vendorsAnswer is everybody else: scripts keep cookies, and do what madeByScripts says; from withdrawal on, when labTick is
// set, they go on sending as timers do.
func vendorsAnswer(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	switch r.Header.Get("Sec-Fetch-Dest") {
	case "script":
		h.Set("Content-Type", "text/javascript")
		host, _, _ := strings.Cut(r.Host, ":")
		for domain, kept := range keptByScripts {
			cookies, keys, _ := strings.Cut(kept, ";")
			if strings.HasSuffix(host, domain) || strings.HasPrefix(host+r.URL.Path, "storage.googleapis.com/"+domain) {
				fmt.Fprintf(w, "for (const n of %q.split(' ')) document.cookie = n + '=GA1.1.1784092345.1784092345; path=/; max-age=99999'; if (%q) localStorage.setItem(%[2]q, '1');\n", cookies, keys)
			}
		}
		_, _ = io.WriteString(w, madeByScripts[host+r.URL.Path]+"setInterval(() => { if (globalThis.labTick) new Image().src = 'https://"+host+r.URL.Path+"?tick' }, 50);")
	case "iframe":
		h.Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!DOCTYPE html><title>third party</title>")
	default:
		h.Set("Content-Type", "image/gif")
		_, _ = io.WriteString(w, "GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")
	}
}

// office is where a company's promises are tried.
type office struct {
	*legacy
	shop
}

func newOffice(t *testing.T, c company, d *lab.Door, b *lab.Browser) *office {
	t.Helper()
	o := &office{legacy: &legacy{company: c}, shop: shop{door: d, browser: b}}
	upstream := httptest.NewServer(o.legacy)
	t.Cleanup(upstream.Close)
	text, ports := exampleSites(t, t.TempDir(), upstream.Listener.Addr().String(), c.adapt...)
	lab.Caddy(t, text)
	o.addr = "127.0.0.1:" + ports[c.port]
	d.Answer(http.HandlerFunc(vendorsAnswer))
	d.Site(c.name+".test", o.addr)
	return o
}

func (o *office) open(t *testing.T, path string) {
	t.Helper()
	o.door.Reset()
	o.passedOn()
	o.browser.Open(t, "https://"+o.name+".test"+path)
	o.door.Quiet(300 * time.Millisecond)
}

// nobody fails if anybody was contacted, or anything of a vendor is kept in the browser.
func (o *office) nobody(t *testing.T, when string) {
	t.Helper()
	for _, c := range o.door.Contacts() {
		t.Errorf("%s: %s: %s%s was contacted", o.name, when, c.Host, c.Path)
	}
	for _, path := range o.passedOn() {
		if slices.Contains(o.adapt, "signals gpc") { // the one that says so of its own relays
			t.Errorf("%s: %s: %s reached the site's own relay", o.name, when, path)
		}
	}
	forbidden := strings.Fields(o.kept + " _fbc FPID")
	if o.name == "plenary" {
		forbidden = append(forbidden, "visitor_unique")
	}
	session := false
	for _, c := range o.browser.Cookies(t) {
		if strings.TrimPrefix(c.Domain, ".") != o.name+".test" {
			continue // another company's, or a vendor's own, which never passes through here
		}
		session = session || c.Name == "session"
		if slices.Contains(forbidden, c.Name) {
			t.Errorf("%s: %s: cookie %s of %s is kept", o.name, when, c.Name, c.Domain)
		}
	}
	if !session {
		t.Errorf("%s: %s: the site's own session is gone", o.name, when)
	}
}

// all fails unless each of these is contacted.
func (o *office) all(t *testing.T, when string, wanted []string) {
	t.Helper()
	missing := func() (missing []string) {
		seen := o.door.Contacts()
		for _, w := range wanted {
			if !slices.ContainsFunc(seen, func(c lab.Contact) bool { return strings.HasPrefix(c.Host+c.Path, w) }) {
				missing = append(missing, w)
			}
		}
		return missing
	}
	if !lab.Soon(func() bool { return len(missing()) == 0 }) {
		t.Errorf("%s: %s: not contacted: %v; the page: %s", o.name, when, missing(), lab.Eval[string](t, o.browser,
			"location.href + ' ' + document.readyState + ' ' + JSON.stringify(performance.getEntriesByType('resource')) + (document.body?.innerHTML ?? '')"))
	}
}

// names fails unless each of these cookies is kept.
func (o *office) names(t *testing.T, when, wanted string) {
	t.Helper()
	var missing map[string]bool
	if !lab.Soon(func() bool {
		missing = map[string]bool{}
		for name := range strings.FieldsSeq(wanted) {
			missing[name] = true
		}
		for _, c := range o.browser.Cookies(t) {
			if strings.HasSuffix(c.Domain, o.name+".test") {
				delete(missing, c.Name)
			}
		}
		return len(missing) == 0
	}) {
		t.Errorf("%s: %s: cookies not kept: %v", o.name, when, slices.Sorted(maps.Keys(missing)))
	}
}

// TestCompanies: five companies' sites, with their vendors' historic snippets in all forms: before an answer nobody is contacted and
// nothing is kept; after acceptance everybody is, and keeps what they keep; after withdrawal nobody again, neither by timers of scripts that
// run nor by new elements, and all cookies are gone by name.
func TestCompanies(t *testing.T) {
	t.Parallel()
	for _, c := range companies {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := lab.NewDoor(t)
			o := newOffice(t, c, d, lab.NewBrowser(t, d))
			o.signals(t)
			o.open(t, "/")
			o.nobody(t, "before an answer")
			if c.payment {
				o.payments(t)
			}
			wanted := contacts(c.snippets, true)
			o.press(t, "accept")
			o.all(t, "after acceptance", wanted)
			o.open(t, "/")
			o.all(t, "on the next page", wanted)
			o.names(t, "after acceptance", c.kept+" "+ownCookies)
			if passed := o.passedOn(); len(passed) != 2 {
				t.Errorf("%s: after acceptance the site's own relays got %v", c.name, passed)
			}
			o.press(t, "refuse")
			o.door.Reset()
			lab.Eval[bool](t, o.browser, `(() => {
				globalThis.labTick = true;
				for (const to of `+fmt.Sprintf("%q", strings.Join(slices.DeleteFunc(wanted, func(w string) bool { return strings.HasPrefix(w, "count.partner.test") }), " "))+`.split(' ')) {
					new Image().src = 'https://' + to;
					document.body.append(Object.assign(document.createElement('script'), {src: 'https://' + to}));
				}
				return true;
			})()`)
			o.door.Quiet(300 * time.Millisecond)
			o.nobody(t, "after withdrawal, in the open page")
			if left := lab.Eval[string](t, o.browser, "Object.keys(localStorage).filter((k) => /^(ajs_|ZD-)/.test(k)).join()"); left != "" {
				t.Errorf("%s: after withdrawal localStorage holds %s", c.name, left)
			}
			o.open(t, "/")
			o.nobody(t, "on the next page after withdrawal")
		})
	}
}

// signals visits with DNT, or without it being honoured with GPC, too: nobody is contacted, and the banner says what the
// company's policy does.
func (o *office) signals(t *testing.T) {
	t.Helper()
	signals := []string{"DNT"}
	if !o.dnt {
		signals = append(signals, "Sec-GPC") // which it honours
	}
	for _, signal := range signals {
		tab := &office{legacy: o.legacy, shop: shop{o.door, o.browser.Tab(t), o.addr}}
		tab.browser.Headers(t, map[string]any{signal: "1"})
		tab.open(t, "/")
		tab.nobody(t, "with "+signal)
		state, honoured := lab.Eval[string](t, tab.browser, "document.querySelector('consent-banner').dataset.consentState"), o.dnt || signal == "Sec-GPC"
		if (state == "signal") != honoured {
			t.Errorf("%s: with %s the banner is in state %s", o.name, signal, state)
		}
		tab.browser.Open(t, "about:blank") // it would go on refusing for its profile, which no browser's signal does by halves
	}
}

// payments: Stripe is there where somebody pays, and nowhere else, unasked.
func (o *office) payments(t *testing.T) {
	t.Helper()
	for _, page := range []string{"/checkout", "/index.php?route=checkout/checkout"} {
		o.open(t, page)
		o.all(t, "at "+page, []string{"js.stripe.com/v3/"})
		o.door.Quiet(300 * time.Millisecond)
		if hosts := o.door.Hosts(); len(hosts) != 1 {
			t.Errorf("%s: at %s, unasked: %v", o.name, page, hosts)
		}
	}
	o.open(t, "/about")
	if hosts := o.door.Hosts(); len(hosts) > 0 {
		t.Errorf("%s: where nothing is paid: %v", o.name, hosts)
	}
	o.open(t, "/")
}

// TestCompaniesWithoutJavaScript: the same for what a page needs no script for: pictures and frames beside their scripts.
func TestCompaniesWithoutJavaScript(t *testing.T) {
	t.Parallel()
	d := lab.NewDoor(t)
	b := lab.NewBrowser(t, d, chromedp.Flag("blink-settings", "scriptEnabled=false"))
	for _, c := range companies {
		t.Run(c.name, func(t *testing.T) {
			o := newOffice(t, c, d, b)
			prefix := "/.consent/"
			if c.port == "8082" {
				prefix = "/.privacy/"
			}
			choose := func(choice string) {
				before := o.stored(t)
				o.open(t, prefix)
				o.browser.Click(t, "name", "choice", "value", choice)
				o.answered(t, before)
				o.browser = b.Tab(t) // the other one is still on its way back
				o.open(t, "/")
			}
			o.open(t, "/")
			o.nobody(t, "without JavaScript")
			choose("accept")
			o.all(t, "without JavaScript, after acceptance", contacts(c.snippets, false))
			o.names(t, "without JavaScript, after acceptance", ownCookies)
			choose("refuse")
			o.nobody(t, "without JavaScript, after withdrawal")
		})
	}
}
