package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// monthLayout writes a month as the ledger does.
const monthLayout = "2006-01"

// Disclosure is a line of the ledger: which categories of data a vendor was sent by a site in a month. It
// holds no visitor data.
type Disclosure struct {
	Month      string   `json:"month"` // such as 2026-11, UTC
	Site       string   `json:"site"`
	Vendor     string   `json:"vendor"`     // catalogue id
	Categories []string `json:"categories"` // sorted, each once
}

// MonthOf returns the ledger's month of a time.
func MonthOf(t time.Time) string { return t.UTC().Format(monthLayout) }

// Limits of a ledger line.
const (
	maxCategories = 64
	maxCategory   = 128
)

// Check returns an error that wraps [ErrInvalid] if the line cannot be stored.
func (d *Disclosure) Check() error {
	if _, err := time.Parse(monthLayout, d.Month); err != nil {
		return fmt.Errorf("%w: month %.20q: write it as 2026-11", ErrInvalid, d.Month)
	}
	if d.Site == "" || len(d.Site) > MaxSite || d.Vendor == "" || len(d.Vendor) > MaxVendor || len(d.Categories) > maxCategories ||
		strings.ContainsRune(d.Site+d.Vendor, 0) {
		return fmt.Errorf("%w: ledger line has an empty, overlong or impossible site, vendor or list of categories", ErrInvalid)
	}
	for _, c := range d.Categories {
		if c == "" || len(c) > maxCategory {
			return fmt.Errorf("%w: category %.150q has %d bytes, want 1 to %d", ErrInvalid, c, len(c), maxCategory)
		}
	}
	return nil
}

// MergeCategories returns the sorted union of two lists and whether it has more than the first.
func MergeCategories(have, add []string) (all []string, more bool) {
	all = slices.Concat(have, add)
	slices.Sort(all)
	all = slices.Compact(all)
	return all, len(all) > len(have)
}

// Ledger is what a Store offers that also keeps the disclosure ledger, which Sweep shortens.
type Ledger interface {
	// Disclose adds the categories to the ledger's lines; what is there already costs no write.
	Disclose(ctx context.Context, lines ...Disclosure) error
	// Disclosures returns a site's lines, of every site if it is empty, by month, site and vendor.
	Disclosures(ctx context.Context, site string) ([]Disclosure, error)
}

// LedgerOf returns the ledger of a store, looking behind [Cache] and [Spool]; nil if it keeps none.
func LedgerOf(s Store) Ledger {
	l, _ := As[Ledger](s)
	return l
}

// As returns what of a store, and of those behind [Cache] and [Spool], is a T.
func As[T any](s Store) (found T, ok bool) {
	for {
		if found, ok = s.(T); ok {
			return found, true
		}
		w, wraps := s.(interface{ Unwrap() Store })
		if !wraps {
			return found, false
		}
		s = w.Unwrap()
	}
}
