package caddymodule

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rules"
)

// TestInventedNamesLeaveRoom: neither hosts that a client only speaks of, nor sites that it asks for once, keep what the
// pages hold out of the report.
func TestInventedNamesLeaveRoom(t *testing.T) {
	var i inventories
	for n := range 2 * maxSeenHosts {
		claimed := tally{claimed: true}
		claimed.addHost(fmt.Appendf(nil, "h%d.invented.example", n), rewrite.DestinationScript, &rules.Match{}, false)
		i.add("shop.example", "/", &claimed)
	}
	page := tally{document: true}
	page.addHost([]byte("cdn.example"), rewrite.DestinationScript, &rules.Match{}, false)
	i.add("shop.example", "/", &page)
	i.add("shop.example", "/", &page)
	for n := range 2 * maxSites {
		i.add(fmt.Sprintf("h%d.invented.example", n), "/", &tally{document: true})
	}
	i.add("late.example", "/", &tally{document: true})
	sites := map[string]siteReport{}
	for _, s := range i.report().Sites {
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
func TestInventoryIsSavedLater(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dir")
	path := filepath.Join(dir, "inventory.json")
	var i inventories
	i.add("shop.example", "/", &tally{document: true})
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
	if r, err := readReport(path); err != nil || len(r.Sites) != 1 {
		t.Errorf("%d sites were saved: %v", len(r.Sites), err)
	}
}
