package inventory

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
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
	page := Tally{Document: true, Counts: true}
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

// TestInventoryIsSavedLater: what could not be written once is written the next time, though nothing was added.
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

// TestCookiesThatAreSentProveNothing: anybody can send any cookie. None makes the site name a vendor to its visitors, nor the
// ledger tell of a disclosure, unless pages or responses hold that vendor, too.
func TestCookiesThatAreSentProveNothing(t *testing.T) {
	facebook := rules.Match{Vendor: "meta-pixel", Purpose: consent.Marketing, Rule: "_fbp"}
	sent := func() *Tally {
		s := Tally{Document: true, Asking: true}
		s.Add(KindCookie, &facebook, false)
		return &s
	}
	var i Inventory
	i.Add("shop.example", "/", sent())
	told := new(lines)
	if err := i.Disclose(t.Context(), told, time.Now()); err != nil || len(*told) != 0 || len(i.Vendors("shop.example")) != 0 {
		t.Errorf("a cookie that was sent: visitors are asked about %v, disclosed %+v, %v", i.Vendors("shop.example"), *told, err)
	}
	if r := i.Report().Sites[0].Seen; len(r) != 1 || !r[0].Claimed {
		t.Errorf("the report: %+v", r)
	}
	page := Tally{Document: true}
	page.Add(KindScript, &rules.Match{Vendor: "meta-pixel", Purpose: consent.Marketing, Rule: "fbq("}, true)
	i.Add("shop.example", "/", &page)
	i.Add("shop.example", "/", sent())
	if err := i.Disclose(t.Context(), told, time.Now()); err != nil || len(*told) != 1 || len(i.Vendors("shop.example")) != 1 {
		t.Errorf("one that a page holds: visitors are asked about %v, disclosed %+v, %v", i.Vendors("shop.example"), *told, err)
	}
	path := filepath.Join(t.TempDir(), "inventory.json")
	var sentOnly Inventory
	sentOnly.Add("shop.example", "/", sent())
	if err := sentOnly.save(path); err != nil || len(Open(path).Vendors("shop.example")) != 0 {
		t.Errorf("after a restart: %v, %v", Open(path).Vendors("shop.example"), err)
	}
}

// lines is a ledger in memory.
type lines []store.Disclosure

func (l *lines) Disclose(_ context.Context, more ...store.Disclosure) error {
	*l = append(*l, more...)
	return nil
}

func (l *lines) Disclosures(context.Context, string) ([]store.Disclosure, error) { return *l, nil }

// TestWhatPagesHoldFindsRoom: a site that is full of what was met once, or that clients only spoke of, takes in what its pages
// hold and keeps it, and so does a gateway that is full of sites that hardly anybody visits.
func TestWhatPagesHoldFindsRoom(t *testing.T) {
	var i Inventory
	const site = "shop.example"
	real := Tally{Document: true, Counts: true}
	real.AddHost([]byte("cdn.example"), rewrite.DestinationScript, &rules.Match{}, false)
	real.Add(KindScript, &rules.Match{Vendor: "late", Purpose: consent.Marketing, Rule: "late("}, true)
	invent := func(n int, claimed bool) {
		one := Tally{Document: !claimed, claimed: claimed, Asking: claimed}
		one.AddHost(fmt.Appendf(nil, "h%d.invented.example", n), rewrite.DestinationScript, &rules.Match{}, false)
		one.Add(KindCookie, &rules.Match{Vendor: "v", Purpose: consent.Marketing, Rule: fmt.Sprint("cookie ", n)}, true)
		for range map[bool]int{true: 3, false: 1}[claimed] {
			i.Add(site, "/", &one)
		}
	}
	for n := range maxSeen + 200 {
		invent(n, n < maxSeen/2)
	}
	for range 2 {
		i.Add(site, "/", &real)
	}
	for n := range 100 {
		invent(2*maxSeen+n, n%2 == 0)
	}
	v := i.of(site)
	if v.Hosts["cdn.example"] == nil || v.Seen[seenKey{KindScript, "late", "marketing", "late("}] == nil || len(v.Hosts) > maxSeenHosts || len(v.Seen) > maxSeen {
		t.Errorf("what its pages hold is left out: %d hosts, %d things", len(v.Hosts), len(v.Seen))
	}
	for _, c := range v.Hosts {
		if c.claimed {
			t.Fatal("a host that only clients spoke of outlasts those of pages")
		}
	}
	for n := range maxSites + 100 {
		for range 3 {
			i.Add(fmt.Sprintf("h%d.invented.example", n), "/", &Tally{Document: true, Counts: true})
		}
		if n == 0 {
			i.Add(site, "/", &real)
			i.Add(site, "/", &real)
		}
	}
	i.Add("new.example", "/", &Tally{Document: true, Counts: true})
	if _, ok := i.sites["new.example"]; !ok || i.sites[site] != v || len(i.sites) > maxSites {
		t.Errorf("among %d sites: a new one %t, the visited one %t", len(i.sites), ok, i.sites[site] == v)
	}
}

// TestVersionOfVendors: policies are made anew for new vendors, not for a host that belongs to one and another by its paths.
func TestVersionOfVendors(t *testing.T) {
	var i Inventory
	add := func(vendor string) uint32 {
		one := Tally{Document: true}
		one.AddHost([]byte("www.google.example"), rewrite.DestinationScript, &rules.Match{Vendor: vendor, Purpose: consent.Marketing}, false)
		i.Add("shop.example", "/", &one)
		return i.Version("shop.example")
	}
	first, second := add("captcha"), add("ads")
	if first == second || add("captcha") != second || add("ads") != second || !slices.Equal(i.Known("shop.example"), []string{"ads", "captcha"}) {
		t.Errorf("versions %d, %d, then %d; known: %v", first, second, i.Version("shop.example"), i.Known("shop.example"))
	}
}

// TestManyHostsInOnePage: a page with many hosts that were not met before replaces some of a full table, not all: what that costs
// is done within the site's lock.
func TestManyHostsInOnePage(t *testing.T) {
	var i Inventory
	const site = "forum.example"
	page := func(from, hosts int) {
		one := Tally{Document: true}
		for n := range hosts {
			one.AddHost(fmt.Appendf(nil, "h%d.member.example", from+n), rewrite.DestinationImage, &rules.Match{}, false)
		}
		i.Add(site, "/", &one)
	}
	for n := 0; n < maxSeenHosts; n += maxTallyHosts {
		page(n, maxTallyHosts)
	}
	v := i.of(site)
	if len(v.Hosts) != maxSeenHosts {
		t.Fatalf("%d hosts", len(v.Hosts))
	}
	page(2*maxSeenHosts, maxTallyHosts)
	fresh := 0
	for n := range maxTallyHosts {
		if v.Hosts[fmt.Sprintf("h%d.member.example", 2*maxSeenHosts+n)] != nil {
			fresh++
		}
	}
	if fresh == 0 || fresh > maxEvicted || len(v.Hosts) != maxSeenHosts {
		t.Errorf("%d of %d hosts are new", fresh, len(v.Hosts))
	}
}
