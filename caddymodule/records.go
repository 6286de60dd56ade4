package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
)

// recordQuery selects records. Unlike store.Filter it can ask for a consent id on any site.
type recordQuery struct {
	Site     string
	ID       consent.ID
	From, To time.Time
}

// recordKeeper is what the records' commands work on: the store of a running instance, or one that was opened here.
type recordKeeper interface {
	// Scan calls fn for each record that the query selects, oldest first.
	Scan(ctx context.Context, q recordQuery, fn func(*consent.Record) error) error
	// Erase destroys the records of a consent id on a site (GDPR Art. 17).
	Erase(ctx context.Context, site string, id consent.ID) (removal, error)
	// Sweep destroys what is past its retention.
	Sweep(ctx context.Context, anyClock bool) (removal, error)
	// Verify checks the whole chain. What is wrong with it stands in the report; the error says that it could not be checked.
	Verify(ctx context.Context, anchors []store.Head) (store.Report, error)
	// Disclosures returns the disclosure ledger of a site, or of all.
	Disclosures(ctx context.Context, site string) ([]store.Disclosure, error)
	// Notice returns the text that a record names by its hash.
	Notice(ctx context.Context, sum consent.Hash) ([]byte, error)
	Close() error
}

// removal is what was destroyed.
type removal struct {
	Removed   int  `json:"removed"`             // records, and with a sweep lines of the disclosure ledger
	Compacted bool `json:"compacted,omitempty"` // the file was written anew, so that no page of it holds what was removed
}

// storeKeeper works on a store in this process.
type storeKeeper struct {
	store.Store
	retention store.Retention
	storage   blobs
}

// Scan implements recordKeeper.
func (k storeKeeper) Scan(ctx context.Context, q recordQuery, fn func(*consent.Record) error) error {
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

// Erase implements recordKeeper.
func (k storeKeeper) Erase(ctx context.Context, site string, id consent.ID) (r removal, err error) {
	err = k.Scan(ctx, recordQuery{Site: site, ID: id}, func(*consent.Record) error { r.Removed++; return nil })
	if err != nil {
		return removal{}, err
	}
	if err := k.Store.Erase(ctx, site, id); err != nil {
		return removal{}, err
	}
	r.Compacted, err = compact(ctx, k.Store)
	return r, err
}

// Sweep implements recordKeeper.
func (k storeKeeper) Sweep(ctx context.Context, anyClock bool) (r removal, err error) {
	keep := k.retention
	keep.AnyClock = anyClock
	if r.Removed, err = k.Store.Sweep(ctx, time.Now(), keep); err != nil || r.Removed == 0 {
		return r, err
	}
	r.Compacted, err = compact(ctx, k.Store)
	return r, err
}

// Verify implements recordKeeper.
func (k storeKeeper) Verify(ctx context.Context, anchors []store.Head) (store.Report, error) {
	report, err := k.Store.Verify(ctx, anchors...)
	if errors.Is(err, store.ErrTampered) && report.Found > 0 {
		err = nil
	}
	return report, err
}

// Disclosures implements recordKeeper.
func (k storeKeeper) Disclosures(ctx context.Context, site string) ([]store.Disclosure, error) {
	l := store.LedgerOf(k.Store)
	if l == nil {
		return nil, fmt.Errorf("%w: this store keeps no disclosure ledger", store.ErrUnavailable)
	}
	return l.Disclosures(ctx, site)
}

// compact writes a store's file anew, if it is one in a file: the pages that erased records leave behind hold their bytes
// until they are used again.
func compact(ctx context.Context, s store.Store) (bool, error) {
	for s != nil {
		if c, ok := s.(interface{ Compact(context.Context) error }); ok {
			err := c.Compact(ctx)
			if err != nil {
				err = fmt.Errorf("the records are erased, but unused pages of the file may still hold their bytes: %w", err)
			}
			return err == nil, err
		}
		w, ok := s.(interface{ Unwrap() store.Store })
		if !ok {
			break
		}
		s = w.Unwrap()
	}
	return false, nil
}

// openSpooled opens the store that a module describes, with the spool that a gateway may have left records in. Where a
// running gateway holds the spool, it hands them over itself.
func openSpooled(ctx context.Context, o StoreOpener, signer *store.Signer) (store.Store, error) {
	s, err := o.Open(ctx, signer)
	if err != nil {
		return nil, err
	}
	path := spoolPath(o.Key())
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	spool, err := store.OpenSpool(path, s, store.SpoolOptions{})
	if err != nil {
		return s, nil //nolint:nilerr // see above
	}
	if err := spool.Drain(ctx); err != nil {
		return nil, errors.Join(err, spool.Close())
	}
	return spool, nil
}

// query writes the selection as a URL query.
func (q recordQuery) query() url.Values {
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

// parseRecordQuery reads what query wrote.
func parseRecordQuery(v url.Values) (q recordQuery, err error) {
	q.Site = v.Get("site")
	if id := v.Get("id"); id != "" {
		if q.ID, err = parseConsentID(id); err != nil {
			return q, err
		}
	}
	var errs [2]error
	q.From, errs[0] = parseMoment("from", v.Get("from"))
	q.To, errs[1] = parseMoment("to", v.Get("to"))
	return q, errors.Join(errs[:]...)
}

// parseConsentID reads the id of somebody. The zero ID, which has a spelling, too, is nobody's, and would select everybody.
func parseConsentID(text string) (consent.ID, error) {
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
