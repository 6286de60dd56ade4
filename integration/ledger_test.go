package integration

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// TestDisclosureLedger: what visitors agreed to is in the ledger, and nothing else: neither what was gated, nor what needs no
// consent, nor anything of a visitor. It outlives the process.
func TestDisclosureLedger(t *testing.T) {
	i := newInstance(t, trackingPage)
	i.options, i.directive = "store bolt "+i.bolt(), "consent {\n site shop.example\n}"
	i.start()
	at := "--address=" + i.admin
	i.page("/visitors/4711-secret")
	if out := mustCommand(t, "records", "disclosures", at); !strings.Contains(out, "nothing was disclosed") {
		t.Errorf("before anybody agreed:\n%s", out)
	}
	res, _ := post(t, "http://"+i.addr+"/.consent/choose", "choice=save&purpose=analytics&return=/elsewhere", "Accept", "application/json")
	cookies := token(t, res)
	if out := mustCommand(t, "records", "disclosures", at); !strings.Contains(out, "nothing was disclosed") {
		t.Errorf("after an agreement on a page with nothing gated:\n%s", out)
	}
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+i.addr+"/visitors/4711-secret", nil)
	r.Header.Set("Sec-Fetch-Dest", "document")
	r.Header.Set("Cookie", cookies)
	body(t, r)
	want := []string{"google-analytics  analytics: cookie identifiers", "google-analytics  analytics: network address, browser and page visited"}
	check := func(out string) {
		t.Helper()
		lines := strings.Split(strings.TrimSpace(out), "\n")
		if len(lines) != 1+len(want) {
			t.Errorf("the ledger has %d lines:\n%s", len(lines), out)
			return
		}
		for n, w := range want {
			if !strings.Contains(lines[n+1], "shop.example") || !strings.Contains(lines[n+1], w) {
				t.Errorf("line %q lacks %q", lines[n+1], w)
			}
		}
	}
	check(mustCommand(t, "records", "disclosures", at))
	check(mustCommand(t, "records", "disclosures", at, "--month="+time.Now().UTC().Format("2006-01")))
	if out := mustCommand(t, "records", "disclosures", at, "--month=2001-01"); !strings.Contains(out, "nothing") {
		t.Errorf("of another month: %s", out)
	}
	if out := mustCommand(t, "records", "disclosures", at, "--site=other.example"); !strings.Contains(out, "nothing") {
		t.Errorf("of another site:\n%s", out)
	}
	i.stop()
	check(mustCommand(t, "records", "disclosures", "--store", i.bolt()))
	if out := mustCommand(t, "records", "disclosures", "--store", i.bolt(), "--json"); strings.Contains(out, "4711") || strings.Contains(out, "127.0.0.1") || !strings.Contains(out, `"categories":[`) {
		t.Errorf("as JSON: %s", out)
	}
}

// TestLedgerAtTheEnd: what was let through shortly before the gateway stops is in the ledger, a filter list's trackers by host.
func TestLedgerAtTheEnd(t *testing.T) {
	i := newInstance(t, trackingPage)
	list := filepath.Join(i.dir, "list.txt")
	writeFile(t, list, "||cdn.unknown.example/app.js\n")
	i.options = "store bolt " + i.bolt() + "\nrules list " + list + " {\npurpose marketing\n}"
	i.directive = "consent {\n site shop.example\n}"
	i.start()
	res, _ := post(t, "http://"+i.addr+"/.consent/choose", "choice=accept", "Accept", "application/json")
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+i.addr+"/", nil)
	r.Header.Set("Sec-Fetch-Dest", "document")
	r.Header.Set("Cookie", token(t, res))
	body(t, r)
	i.stop()
	if out := mustCommand(t, "records", "disclosures", "--store", i.bolt()); !strings.Contains(out, "cdn.unknown.example  marketing: network") || !strings.Contains(out, "google-analytics") {
		t.Errorf("the ledger:\n%s", out)
	}
}

// TestLedgerOfRevival: a vendor that comes to life in place, by a click on the page that held it back, is in the ledger.
func TestLedgerOfRevival(t *testing.T) {
	i := newInstance(t, trackingPage)
	i.options, i.directive = "store bolt "+i.bolt(), "consent {\n site shop.example\n}"
	i.start()
	d := lab.NewDoor(t)
	d.Site("shop.example", i.addr)
	b := lab.NewBrowser(t, d)
	b.Open(t, "https://shop.example/page?user=4711")
	d.Reset()
	b.Click(t, "name", "choice", "value", "accept")
	eventually(t, "the vendor to be contacted", func() bool { return d.Asked("www.google-analytics.com") })
	if out := mustCommand(t, "records", "disclosures", "--address="+i.admin); !strings.Contains(out, "google-analytics  analytics: network") {
		t.Errorf("the ledger:\n%s", out)
	}
}
