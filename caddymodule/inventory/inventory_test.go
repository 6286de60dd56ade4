package inventory

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rules"
)

// TestInventedNamesLeaveRoom: neither hosts that a client only speaks of, nor sites that it asks for once, keep what the
// pages hold out of the report.
func TestInventedNamesLeaveRoom(t *testing.T) {
	var i Inventory
	for n := range 2 * maxSeenHosts {
		claimed := Tally{claimed: true}
		claimed.AddHost(fmt.Appendf(nil, "h%d.invented.example", n), rewrite.DestinationScript, &rules.Match{}, false)
		i.Add("shop.example", "/", &claimed)
	}
	page := Tally{Document: true}
	page.AddHost([]byte("cdn.example"), rewrite.DestinationScript, &rules.Match{}, false)
	i.Add("shop.example", "/", &page)
	i.Add("shop.example", "/", &page)
	for n := range 2 * maxSites {
		i.Add(fmt.Sprintf("h%d.invented.example", n), "/", &Tally{Document: true})
	}
	i.Add("late.example", "/", &Tally{Document: true})
	sites := map[string]SiteReport{}
	for _, s := range i.Report().Sites {
		sites[s.Site] = s
	}
	if _, ok := sites["late.example"]; !ok || len(sites) > maxSites {
		t.Errorf("a site that comes late is left out of %d", len(sites))
	}
	for _, h := range sites["shop.example"].Hosts {
		if h.Host == "cdn.example" {
			return
		}
	}
	t.Errorf("the site, or a host that its pages name, is left out: %d hosts", len(sites["shop.example"].Hosts))
}

// TestInventoryIsSavedLater: what could not be written once is written the next time, though nothing was added.
// TestVendorsAreAllNamed: whom visitors are asked about is the same at every look, and nobody is left out.
func TestVendorsAreAllNamed(t *testing.T) {
	var i Inventory
	var want []string
	for n := range 600 {
		page := Tally{Document: true}
		for _, rule := range []string{"a", "b"} {
			page.Add(KindResource, &rules.Match{Vendor: fmt.Sprintf("vendor-%03d", n), Rule: rule, Purpose: consent.Marketing}, true)
		}
		i.Add("shop.example", "/", &page)
		want = append(want, fmt.Sprintf("vendor-%03d", n))
	}
	if got := i.Vendors("shop.example"); !slices.Equal(got, want) {
		t.Errorf("%d of %d vendors, in order: %t", len(got), len(want), slices.IsSorted(got))
	}
}

func TestInventoryIsSavedLater(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dir")
	path := filepath.Join(dir, "inventory.json")
	var i Inventory
	i.Add("shop.example", "/", &Tally{Document: true})
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := i.save(path); err == nil {
		t.Fatal("saved below a file that is no folder")
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := i.save(path); err != nil {
		t.Fatal(err)
	}
	if r, err := ReadReport(path); err != nil || len(r.Sites) != 1 {
		t.Errorf("%d sites were saved: %v", len(r.Sites), err)
	}
}

func TestPathPattern(t *testing.T) {
	for path, want := range map[string]string{
		"/": "/", "/blog/2026/11/a-very-long-title-of-an-article-1234": "/blog/2026/11/a-very-long-title-of-an-article-1234",
		"/orders/12345678": "/orders/*", "/u/jane@example.com/x": "/u/*/x", "/t/9f86d081884c7d659a2feaa0c55ad015": "/t/*",
	} {
		if got := PathPattern(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
