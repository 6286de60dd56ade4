package caddymodule

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
)

// The disclosure ledger says, by month, site and vendor, which categories of data were disclosed after visitors agreed. It
// has nothing of visitors. It is written once a minute from what the inventory counted, so requests do no work for it.

// What a vendor gets to know, in the ledger's words.
const (
	disclosedContact = "network address, browser and page visited" // by being contacted
	disclosedCookie  = "cookie identifiers"
)

// maxDisclosed bounds the lines that are written at once.
const maxDisclosed = 4096

// told is how far the ledger knows of something that was seen.
type told struct {
	passed  uint64 // what had passed by then
	month   string // in which it holds it already
	revived bool   // it was let through in place, in a page that was delivered before its visitor agreed
}

// revive notes what an agreement let through on the page where it was given.
func (i *inventories) revive(site, path string, permits func(purpose, vendor string) bool) {
	v := i.of(site)
	if v == nil {
		return
	}
	path = pathPattern(path)
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

// disclose writes to the ledger what was let through since the last time. What cannot be written is tried again.
func (i *inventories) disclose(ctx context.Context, l store.Ledger, now time.Time) error {
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
func (v *inventory) disclosures(month string) (lines []store.Disclosure, note func()) {
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
		category := disclosedContact
		if k.Kind == kindCookie {
			category = disclosedCookie
		}
		if k.Vendor != "" && needsConsent(k.Purpose) {
			take(c, c.Passed, k.Vendor, k.Purpose, category)
		}
	}
	for host, h := range v.Hosts {
		if h.Vendor == "" && needsConsent(h.Purpose) {
			take(&h.seenCount, h.permitted, host[max(0, len(host)-store.MaxVendor):], h.Purpose, disclosedContact)
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

// tell writes to the ledger again and again until ctx ends, and then once more.
func (i *inventories) tell(ctx context.Context, l store.Ledger, failed func(error)) {
	t := time.NewTicker(saveEvery)
	defer t.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
		if err := i.disclose(last, l, time.Now()); err != nil {
			failed(err)
		}
		cancel()
	}
}

// Disclosures implements [recordKeeper].
func (k storeKeeper) Disclosures(ctx context.Context, site string) ([]store.Disclosure, error) {
	l := store.LedgerOf(k.Store)
	if l == nil {
		return nil, fmt.Errorf("%w: this store keeps no disclosure ledger", store.ErrUnavailable)
	}
	return l.Disclosures(ctx, site)
}

// Disclosures implements [recordKeeper].
func (c adminClient) Disclosures(_ context.Context, site string) (lines []store.Disclosure, err error) {
	err = c.get(http.MethodGet, "records/disclosures", url.Values{"site": {site}}, nil, &lines)
	return lines, err
}

// adminDisclosures answers with the ledger, up to now.
func (a *App) adminDisclosures(_ http.ResponseWriter, r *http.Request) (any, error) {
	k := a.keeper()
	if err := a.inventory.disclose(r.Context(), store.LedgerOf(k.Store), time.Now()); err != nil {
		return nil, err
	}
	lines, err := k.Disclosures(r.Context(), r.URL.Query().Get("site"))
	if err == nil && lines == nil {
		lines = []store.Disclosure{}
	}
	return lines, err
}

// addDisclosures adds the sub-command that prints the ledger.
func (f *recordsFlags) addDisclosures(sub subCommand) {
	var site, month string
	c := sub("disclosures", "Show what was disclosed to whom, by month, after visitors agreed",
		`Prints the disclosure ledger: for each month, site and vendor the categories of data that the vendor got to know because
visitors agreed or, where a region asks for no agreement, did not refuse. It holds nothing of visitors and goes back twelve
months. Third parties that no rule knows are nobody's vendors: caddy consent report names them.`, 0,
		func(ctx context.Context, k recordKeeper, out io.Writer, _ []string) error {
			if _, err := time.Parse("2006-01", month); month != "" && err != nil {
				return usageError("--month %q is no month: write it as 2026-05", month)
			}
			lines, err := k.Disclosures(ctx, site)
			if err != nil {
				return err
			}
			lines = slices.DeleteFunc(lines, func(d store.Disclosure) bool { return month != "" && d.Month != month })
			return f.disclosures(out, lines)
		})
	c.Flags().StringVar(&site, "site", "", "only this site")
	c.Flags().StringVar(&month, "month", "", "only this month (2026-05), in UTC")
}

func (f *recordsFlags) disclosures(out io.Writer, lines []store.Disclosure) error {
	if f.json {
		if lines == nil {
			lines = []store.Disclosure{}
		}
		return json.NewEncoder(out).Encode(lines)
	}
	if len(lines) == 0 {
		_, err := fmt.Fprintln(out, "nothing was disclosed")
		return err
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "MONTH\tSITE\tVENDOR\tPURPOSE AND CATEGORY")
	for _, d := range lines {
		for _, c := range d.Categories {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", d.Month, d.Site, d.Vendor, c)
		}
	}
	return t.Flush()
}
