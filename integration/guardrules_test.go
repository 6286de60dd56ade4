package integration

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/integration/lab"
	"github.com/caddy-consent/caddy-consent/rules"
	"github.com/caddy-consent/caddy-consent/rules/catalogue"
	"github.com/caddy-consent/caddy-consent/rules/filterlist"
)

// TestGuardAgreesWithRules fetches every vendor's examples and look-alikes, and the root of each of its hosts, from a page
// behind the gateway: what the guard lets out must be what the rules let pass. Two descriptions of one catalogue, one in
// Go and one hashed into a script, drift apart unnoticed otherwise.
func TestGuardAgreesWithRules(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("thousands of requests")
	}
	d := lab.NewDoor(t)
	d.Answer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!DOCTYPE html><title>site</title><body><p>A page."))
	}))
	t.Cleanup(srv.Close)
	d.Site("site.test", lab.Gateway(t, strings.TrimPrefix(srv.URL, "http://"), "consent", ""))
	wanted := vendorURLs(t)
	b := lab.NewBrowser(t, d)
	b.Open(t, "http://site.test/")
	d.Reset()
	n := fetchAll(t, b, slices.Sorted(maps.Keys(wanted)))
	let := letOut(d, wanted)
	if missing := missingOf(wanted, let); len(missing) > 0 && len(missing) < 100 { // which a browser among thousands may have given up
		fetchAll(t, b, missing)
		maps.Copy(let, letOut(d, wanted))
	}
	if len(let) == 0 {
		t.Fatal("nothing was let out: the page does not fetch, and the test proves nothing")
	}
	gated, wrong := 0, 0
	for u, m := range wanted {
		p, err := url.Parse(u)
		if err != nil {
			t.Fatal(err)
		}
		out := let[p.Hostname()+p.RequestURI()]
		if m.gate {
			gated++
		}
		if out == m.gate {
			wrong++
			t.Errorf("%s: the rules gate it: %v (%s by %q); the guard lets it out: %v", u, m.gate, m.Vendor, m.Rule, out)
		}
	}
	t.Logf("%d addresses, %d gated by the rules; the guard differs in %d", n, gated, wrong)
}

// fetchAll fetches addresses from the page, some at a time: together they may take minutes. The guard may hold a request back
// until its late part has come: the page waits, but not for ever, until few are under way. A browser refuses more when there are
// thousands.
func fetchAll(t *testing.T, b *lab.Browser, urls []string) (n int) {
	t.Helper()
	for some := range slices.Chunk(urls, 100) {
		list, _ := json.Marshal(some)
		n += lab.Eval[int](t, b, fmt.Sprintf(`(async () => {
			const list = %s;
			self.pending ??= 0;
			for (const u of list) { pending++; fetch(u, {mode: 'no-cors'}).catch(() => {}).finally(() => pending--); }
			for (let n = 0; n < 2 || n < 200 && pending > 300; n++) await new Promise((done) => setTimeout(done, 30));
			return list.length;
		})()`, list))
	}
	return n
}

// missingOf returns the addresses that are to pass and were not asked for.
func missingOf(wanted map[string]verdict, let map[string]bool) (list []string) {
	for u, m := range wanted {
		if p, err := url.Parse(u); err == nil && !m.gate && !let[p.Hostname()+p.RequestURI()] {
			list = append(list, u)
		}
	}
	return list
}

// letOut returns the addresses that were asked for. It waits until all that are to pass were, and a little longer for those
// that are not; it gives up when nothing comes for half a minute.
func letOut(d *lab.Door, wanted map[string]verdict) map[string]bool {
	missing := map[string]bool{}
	for u, m := range wanted {
		if p, err := url.Parse(u); err == nil && !m.gate {
			missing[p.Hostname()+p.RequestURI()] = true
		}
	}
	let := map[string]bool{}
	look := func() (more bool) {
		for _, c := range d.Contacts() {
			more = more || !let[c.Host+c.Path]
			let[c.Host+c.Path] = true
			delete(missing, c.Host+c.Path)
		}
		return more
	}
	for idle := 0; len(missing) > 0 && idle < 60; idle++ {
		time.Sleep(500 * time.Millisecond)
		if look() {
			idle = 0
		}
	}
	d.Quiet(time.Second)
	look()
	return let
}

type verdict struct {
	rules.Match
	gate bool
}

// vendorURLs returns the addresses to try, by plain HTTP so that no handshake costs time, and what the rules say of each.
func vendorURLs(t *testing.T) map[string]verdict {
	c, err := catalogue.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	s, err := rules.New(c, nil, rules.Options{})
	if err != nil {
		t.Fatal(err)
	}
	wanted := map[string]verdict{}
	for _, v := range c.Vendors {
		list := slices.Concat(v.Examples.URLs, v.Benign.URLs)
		for _, h := range v.Hosts {
			list = append(list, "https://"+h+"/", "https://x."+h+"/a/b?c=d")
		}
		for _, p := range slices.Concat(v.Patterns, v.Embeds, v.Passes) {
			host, path, _ := strings.Cut(strings.TrimPrefix(p, "."), "/")
			if strings.Contains(p, "*") {
				some := strings.NewReplacer(".*", ".com", "*", "x1").Replace(host) + "/" + strings.ReplaceAll(path, "*", "x1")
				list = append(list, "https://"+some, "https://www."+some)
			} else {
				list = append(list, "https://"+host+"/"+path, "https://"+host+"/"+path+"x", "https://"+host+"/")
				if path != "" && path[0] != '?' { // as servers read it, too
					list = append(list, fmt.Sprintf("https://%s/%%%02X%s", host, path[0], path[1:]), "https://"+host+"//"+path)
				}
			}
		}
		for _, p := range slices.Concat(v.Patterns, v.Embeds) { // where a host passes, and a path under its domain does not
			host, path, _ := strings.Cut(p, "/")
			for _, q := range v.Passes {
				if pass, _, _ := strings.Cut(q, "/"); strings.HasSuffix(pass, strings.TrimPrefix(host, "*")) && !strings.Contains(pass+path, "*") {
					list = append(list, "https://"+strings.TrimPrefix(pass, ".")+"/"+path)
				}
			}
		}
		for _, u := range list {
			p, err := url.Parse(u)
			if err != nil || p.Port() != "" || strings.HasSuffix(p.Hostname(), "accounts.google.com") { // the lab takes that one for the browser's own errand
				continue
			}
			p.Scheme, p.Fragment = "http", ""
			r, err := filterlist.NewRequest(p.String(), "http://site.test/", filterlist.XHR)
			if err != nil {
				t.Fatal(err)
			}
			m, gate := s.Match(&r, rules.Context{})
			wanted[string(r.URL)] = verdict{m, gate}
		}
	}
	return wanted
}
