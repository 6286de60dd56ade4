// Package records is the operator's way to the records of consent: to list, erase, sweep and verify them, to read the
// disclosure ledger, and the texts that visitors were asked with.
//
// A Keeper stands for records wherever they are: Local for a store in this process, adminapi.Client for that of a running
// gateway.
package records

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
)

// Query selects records. Unlike store.Filter it can ask for a consent id on any site.
type Query struct {
	Site     string
	ID       consent.ID
	From, To time.Time
}

// Keeper is what the records' commands work on: the store of a running instance, or one that was opened here.
type Keeper interface {
	// Scan calls fn for each record that the query selects, oldest first.
	Scan(ctx context.Context, q Query, fn func(*consent.Record) error) error
	// Erase destroys the records of a consent id on a site (GDPR Art. 17).
	Erase(ctx context.Context, site string, id consent.ID) (Removal, error)
	// Sweep destroys what is past its retention.
	Sweep(ctx context.Context, anyClock bool) (Removal, error)
	// Verify checks the whole chain. What is wrong with it stands in the report; the error says that it could not be checked.
	Verify(ctx context.Context, anchors []store.Head) (store.Report, error)
	// Disclosures returns the disclosure ledger of a site, or of all.
	Disclosures(ctx context.Context, site string) ([]store.Disclosure, error)
	// Notice returns the text that a record names by its hash.
	Notice(ctx context.Context, sum consent.Hash) ([]byte, error)
	// Close gives up what was opened for it.
	Close() error
}

// Removal is what was destroyed.
type Removal struct {
	Removed   int  `json:"removed"`             // records, and with a sweep lines of the disclosure ledger
	Compacted bool `json:"compacted,omitempty"` // the file was written anew, so that no page of it holds what was removed
}

// Local works on a store in this process.
type Local struct {
	store.Store
	Retention store.Retention
	Texts     Blobs  // where the texts are: see NoticePath
	Done      func() // called by Close, unless it is nil
}

// Close closes the store, and what was needed to open it.
func (k Local) Close() error {
	err := k.Store.Close()
	if k.Done != nil {
		k.Done()
	}
	return err
}

// Scan implements Keeper.
func (k Local) Scan(ctx context.Context, q Query, fn func(*consent.Record) error) error {
	f := store.Filter{Site: q.Site, From: q.From, To: q.To}
	if q.Site != "" {
		f.ID = q.ID
	}
	return k.Store.Scan(ctx, f, func(e store.Entry) error {
		if e.Record == nil || !q.ID.IsZero() && e.Record.PrincipalID != q.ID {
			return nil
		}
		return fn(e.Record)
	})
}

// Erase implements Keeper.
func (k Local) Erase(ctx context.Context, site string, id consent.ID) (r Removal, err error) {
	err = k.Scan(ctx, Query{Site: site, ID: id}, func(*consent.Record) error { r.Removed++; return nil })
	if err != nil {
		return Removal{}, err
	}
	if err := k.Store.Erase(ctx, site, id); err != nil {
		return Removal{}, err
	}
	r.Compacted, err = compact(ctx, k.Store)
	return r, err
}

// Sweep implements Keeper.
func (k Local) Sweep(ctx context.Context, anyClock bool) (r Removal, err error) {
	keep := k.Retention
	keep.AnyClock = anyClock
	if r.Removed, err = k.Store.Sweep(ctx, time.Now(), keep); err != nil || r.Removed == 0 {
		return r, err
	}
	r.Compacted, err = compact(ctx, k.Store)
	return r, err
}

// Verify implements Keeper.
func (k Local) Verify(ctx context.Context, anchors []store.Head) (store.Report, error) {
	report, err := k.Store.Verify(ctx, anchors...)
	if errors.Is(err, store.ErrTampered) && report.Found > 0 {
		err = nil
	}
	return report, err
}

// Disclosures implements Keeper.
func (k Local) Disclosures(ctx context.Context, site string) ([]store.Disclosure, error) {
	l := store.LedgerOf(k.Store)
	if l == nil {
		return nil, fmt.Errorf("%w: this store keeps no disclosure ledger", store.ErrUnavailable)
	}
	return l.Disclosures(ctx, site)
}

// compact writes a store's file anew, if it is one in a file: the pages that erased records leave behind hold their bytes
// until they are used again.
func compact(ctx context.Context, s store.Store) (bool, error) {
	c, ok := store.As[interface{ Compact(context.Context) error }](s)
	if !ok {
		return false, nil
	}
	if err := c.Compact(ctx); err != nil {
		return false, fmt.Errorf("the records are erased, but unused pages of the file may still hold their bytes: %w", err)
	}
	return true, nil
}

// Values writes the selection as a URL query.
func (q Query) Values() url.Values {
	v := url.Values{}
	if q.Site != "" {
		v.Set("site", q.Site)
	}
	if !q.ID.IsZero() {
		v.Set("id", q.ID.String())
	}
	if !q.From.IsZero() {
		v.Set("from", q.From.Format(time.RFC3339))
	}
	if !q.To.IsZero() {
		v.Set("to", q.To.Format(time.RFC3339))
	}
	return v
}

// ParseQuery reads what query wrote.
func ParseQuery(v url.Values) (q Query, err error) {
	q.Site = v.Get("site")
	if id := v.Get("id"); id != "" {
		if q.ID, err = ParseID(id); err != nil {
			return q, err
		}
	}
	var errs [2]error
	q.From, errs[0] = parseMoment("from", v.Get("from"))
	q.To, errs[1] = parseMoment("to", v.Get("to"))
	return q, errors.Join(errs[:]...)
}

// ParseID reads the id of somebody. The zero ID, which has a spelling, too, is nobody's, and would select everybody.
func ParseID(text string) (consent.ID, error) {
	id, err := consent.ParseID(text)
	if err != nil || id.IsZero() {
		return consent.ID{}, fmt.Errorf("id %q is no consent id: those have 22 characters, not any, as `caddy consent records list` prints them: is one missing or mistyped?", text)
	}
	return id, nil
}

// parseMoment reads a day or a moment; "" is the zero time.
func parseMoment(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%s %q is no time: use 2026-11-01 or 2026-11-01T12:00:00Z", name, text)
}
