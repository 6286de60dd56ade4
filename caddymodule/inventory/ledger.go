package inventory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
)

// The disclosure ledger says, by month, site and vendor, which categories of data were disclosed after visitors agreed. It
// has nothing of visitors. It is written once a minute from what the inventory counted, so requests do no work for it.

// What a vendor gets to know, in the ledger's words.
const (
	DisclosedContact = "network address, browser and page visited" // by being contacted
	DisclosedCookie  = "cookie identifiers"
)

// tellTimeout bounds how long the ledger is waited for.
const tellTimeout = 5 * time.Second

// maxDisclosed bounds the lines that are written at once.
const maxDisclosed = 4096

// told is how far the ledger knows of something that was seen.
type told struct {
	passed  uint64 // what had passed by then
	month   string // in which it holds it already
	revived bool   // it was let through in place, in a page that was delivered before its visitor agreed
}

// Revive notes what an agreement let through on the page where it was given; permits tells what was agreed to.
func (i *Inventory) Revive(site, path string, permits func(purpose, vendor string) bool) {
	v := i.of(site)
	if v == nil {
		return
	}
	path = PathPattern(path)
	v.mu.Lock()
	defer v.mu.Unlock()
	for k, c := range v.Seen {
		if c.Gated > 0 && slices.Contains(c.Pages, path) && permits(k.Purpose, k.Vendor) {
			c.told.revived = true
		}
	}
	for _, h := range v.Hosts {
		if h.Vendor == "" && h.Gated > 0 && slices.Contains(h.Pages, path) && permits(h.Purpose, "") {
			h.told.revived = true
		}
	}
}

// Disclose writes to the ledger what was let through since the last time. What cannot be written is tried again. Without a
// ledger it does nothing.
func (i *Inventory) Disclose(ctx context.Context, l store.Ledger, now time.Time) error {
	if l == nil {
		return nil
	}
	month := store.MonthOf(now)
	i.mu.Lock()
	sites := slices.Collect(maps.Values(i.sites))
	i.mu.Unlock()
	for _, v := range sites {
		lines, note := v.disclosures(month)
		for chunk := range slices.Chunk(lines, maxDisclosed) {
			if err := l.Disclose(ctx, chunk...); err != nil {
				return fmt.Errorf("disclosure ledger: %w", err)
			}
		}
		note()
	}
	return nil
}

// disclosures returns the ledger's lines for what passed since the last time that note was called.
func (v *siteSeen) disclosures(month string) (lines []store.Disclosure, note func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	type written struct {
		count   *seenCount
		passed  uint64
		revived bool
	}
	var done []written
	categories := map[string][]string{} // by vendor
	take := func(c *seenCount, passed uint64, vendor, purpose, category string) {
		if passed == c.told.passed && !c.told.revived {
			return
		}
		done = append(done, written{c, passed, c.told.revived})
		if c.told.month != month {
			categories[vendor], _ = store.MergeCategories(categories[vendor], []string{purpose + ": " + category})
		}
	}
	for k, c := range v.Seen {
		category := DisclosedContact
		if k.Kind == KindCookie {
			category = DisclosedCookie
		}
		if v.vendors[k.Vendor] && needsConsent(k.Purpose) { // not what only requests hold: anybody can send cookies
			take(c, c.Passed, k.Vendor, k.Purpose, category)
		}
	}
	for host, h := range v.Hosts {
		if h.Vendor == "" && needsConsent(h.Purpose) {
			take(&h.seenCount, h.permitted, host[max(0, len(host)-store.MaxVendor):], h.Purpose, DisclosedContact)
		}
	}
	if v.Site != "" && len(v.Site) <= store.MaxSite {
		for _, vendor := range slices.Sorted(maps.Keys(categories)) {
			lines = append(lines, store.Disclosure{Month: month, Site: v.Site, Vendor: vendor, Categories: categories[vendor]})
		}
	}
	return lines, func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		for _, w := range done {
			w.count.told = told{w.passed, month, w.count.told.revived && !w.revived}
		}
	}
}

func needsConsent(purpose string) bool {
	p, err := consent.ParsePurpose(purpose)
	return err == nil && p != consent.Necessary
}

// Tell calls Disclose once a minute until ctx ends, and then once more; failed gets what went wrong.
func (i *Inventory) Tell(ctx context.Context, l store.Ledger, failed func(error)) {
	t := time.NewTicker(saveEvery)
	defer t.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTimeout)
		if err := i.Disclose(last, l, time.Now()); err != nil {
			failed(err)
		}
		cancel()
	}
}
