// Package store keeps consent records so that they can be proven: append-only, hash-chained, erasable.
//
// Every record is an entry of one hash chain per store. The chain runs over salted commitments, not over
// the records, so that a record can be erased (its salt and content are destroyed) while the chain still
// verifies. An erasure is itself an entry that names what it destroyed: a record that vanished without
// one is noticed, and so is one that was changed, added in between or cut off behind a signed [Head].
//
// Implementations are in the folders bolt (one node, the default) and postgres (many nodes). [Cache] goes
// in front of Latest, [Spool] in front of Append. A caller MUST NOT honour a grant that Append did not
// acknowledge, and MUST treat every error of Latest, [ErrNotFound] included, as "nothing is granted".
//
// Nodes of several versions may share a store while they are updated one by one. Each version reads what all before it wrote.
// What only a newer one understands is refused with consent.ErrNewer, which is no ErrTampered, and neither changed nor
// destroyed: Latest grants nothing then, Scan ends at the first such record, Verify checks the chain and says that it could
// not compare all records, and Sweep waits. Erase and Append, which need not read what is there, go on. So the records'
// commands are for the newest node until all are updated. The way back to an older version is open as long as Open is: it
// refuses a file or tables whose schema is newer. Then, and to read records that were written meanwhile, go forward again.
package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
)

// The errors that callers tell apart, with [errors.Is].
var (
	// ErrNotFound: there is no record of that consent id; it was never recorded, or erased, or swept.
	ErrNotFound = errors.New("no record of this consent")
	// ErrUnavailable: the store cannot do it now (disk full, database down). Grants must be refused;
	// the same call may succeed later, without a restart.
	ErrUnavailable = errors.New("consent store unavailable")
	// ErrInvalid: the record cannot be stored as it is, now or later.
	ErrInvalid = errors.New("invalid consent record")
	// ErrTampered: the chain, a head or a record is not what was once written.
	ErrTampered = errors.New("consent records were tampered with")
	// ErrClock: the clock jumped so far that nothing is destroyed on its word.
	ErrClock = errors.New("implausible clock")
	// ErrHeld: another process has the store's file open.
	ErrHeld = errors.New("another process holds the file")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("consent store is closed")
)

// Store keeps consent records. Implementations are safe for concurrent use.
type Store interface {
	// Append adds the records to the chain, next to each other and in order. They are durable when it
	// returns nil, all or none of them; concurrent calls share one commit. A record whose RecordID is
	// there already with the same principal and sequence number is not added again, so a call that
	// failed may be repeated. Errors: ErrInvalid, ErrUnavailable, ErrClosed, or ctx's; after an error
	// other than ErrInvalid the records may have become durable all the same.
	Append(ctx context.Context, records ...*consent.Record) error

	// Latest returns the newest state of a consent id on a site: that of its highest sequence number,
	// and where several records have it, what all of them permit. Errors: ErrNotFound, ErrUnavailable,
	// ErrClosed.
	Latest(ctx context.Context, site string, id consent.ID) (State, error)

	// Scan calls fn for each entry that the filter selects, in chain order, until fn returns an error,
	// which Scan then returns. What is appended meanwhile may or may not be seen.
	Scan(ctx context.Context, f Filter, fn func(Entry) error) error

	// Erase destroys every record of a consent id on a site and adds an entry that says so.
	// ErrNotFound if there is none.
	Erase(ctx context.Context, site string, id consent.ID) error

	// Sweep destroys what is past its retention and returns how many records and ledger lines that
	// were. ErrClock if now is before the last sweep or more than a year after it.
	Sweep(ctx context.Context, now time.Time, r Retention) (int, error)

	// Verify reads the whole chain and checks it against its contents, the store's own heads and those
	// given. The error wraps ErrTampered if anything is wrong; the report says what.
	Verify(ctx context.Context, anchors ...Head) (Report, error)

	// Close waits for what is under way and releases the store. Later calls return ErrClosed.
	Close() error
}

// Follower is a Store that other processes write to as well.
type Follower interface {
	Store
	// Follow calls changed for each consent id that any process appended to, and with an empty site
	// when any id may have changed. It returns when ctx ends, and calls synced each time that all
	// changes up to a moment, which it passes, were handed over.
	Follow(ctx context.Context, changed func(site string, id consent.ID), synced func(time.Time))
}

// Filter selects entries of the chain. The zero Filter selects every record that is still there.
type Filter struct {
	Site  string     // only this site, if not empty
	ID    consent.ID // only this consent id, if not zero; needs Site
	From  time.Time  // only records of this time and later, if not zero
	To    time.Time  // only records before this time, if not zero
	After uint64     // only entries after this index
	Whole bool       // erased records and erasures too: all that a verifier needs; the fields above but After are ignored
}

// Each calls fn for the entries that the filter selects, of those that page returns: some that follow an index, in order, none at
// the end. It serves implementations of [Store]'s Scan.
func (f *Filter) Each(page func(after uint64) ([]Entry, error), fn func(Entry) error) error {
	for after := f.After; ; {
		entries, err := page(after)
		if err != nil || len(entries) == 0 {
			return err
		}
		for i := range entries {
			e := &entries[i]
			after = e.Index
			if err := e.Open(); err != nil {
				return err
			}
			if f.Whole || e.Record != nil && f.selects(e.Record) {
				if err := fn(*e); err != nil {
					return err
				}
			}
		}
	}
}

// selects reports whether the filter, After aside, selects the record.
func (f *Filter) selects(r *consent.Record) bool {
	return (f.Site == "" || f.Site == r.Site) && (f.ID.IsZero() || f.ID == r.PrincipalID) &&
		(f.From.IsZero() || !r.Time.Before(f.From)) && (f.To.IsZero() || r.Time.Before(f.To))
}

// Entry is one entry of the chain with its content.
type Entry struct {
	Link
	Salt    Salt
	Body    []byte          // exact bytes under the commitment; nil if erased
	Record  *consent.Record // of a KindRecord that is not erased
	Erasure *Erasure        // of a KindErasure
}

// Open fills the entry's Record or Erasure from its Body. An error wraps [ErrTampered], or consent.ErrNewer where a newer
// version of this program wrote the record.
func (e *Entry) Open() error {
	if e.Body == nil {
		return nil
	}
	if Commit(e.Salt, e.Body) != e.Commitment {
		return fmt.Errorf("entry %d: %w: content does not match its commitment", e.Index, ErrTampered)
	}
	var err error
	switch e.Kind {
	case KindRecord:
		e.Record = new(consent.Record)
		err = e.Record.UnmarshalJSON(e.Body)
	case KindErasure:
		e.Erasure, err = parseErasure(e.Body)
	default:
		err = fmt.Errorf("unknown kind %d", e.Kind)
	}
	switch {
	case errors.Is(err, consent.ErrNewer):
		return fmt.Errorf("entry %d: %w", e.Index, err)
	case err != nil:
		return fmt.Errorf("entry %d: %w: %w", e.Index, ErrTampered, err)
	}
	return nil
}

// Limits of a record. A form post that asks for more is not one of ours.
const (
	MaxRecord  = 16 << 10 // bytes of the JSON form
	MaxSite    = 255      // bytes of Site
	MaxVendors = 512      // individual vendor answers
	MaxVendor  = 64       // bytes of a vendor's id
)

// Sealed is a record made ready for the chain.
type Sealed struct {
	Site       string
	ID         consent.ID
	State      State // Index is set when the record gets its place
	Salt       Salt
	Body       []byte
	Commitment consent.Hash
}

// Seal checks the record and makes it ready for the chain. Errors wrap [ErrInvalid].
func Seal(r *consent.Record) (Sealed, error) {
	if err := check(r); err != nil {
		return Sealed{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	body, err := r.MarshalJSON()
	if err != nil {
		return Sealed{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	// What cannot be read back is no proof.
	if err := new(consent.Record).UnmarshalJSON(body); err != nil {
		return Sealed{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if len(body) > MaxRecord {
		return Sealed{}, fmt.Errorf("%w: %d bytes, the limit is %d", ErrInvalid, len(body), MaxRecord)
	}
	s := Sealed{Site: r.Site, ID: r.PrincipalID, State: StateOf(r), Salt: NewSalt(), Body: body}
	s.Commitment = Commit(s.Salt, body)
	return s, nil
}

// SealAll seals the records in order; it fails as a whole.
func SealAll(records []*consent.Record) ([]Sealed, error) {
	sealed := make([]Sealed, len(records))
	for i, r := range records {
		var err error
		if sealed[i], err = Seal(r); err != nil {
			return nil, err
		}
	}
	return sealed, nil
}

func check(r *consent.Record) error {
	switch {
	case r == nil:
		return errors.New("no record")
	case r.RecordID.IsZero():
		return errors.New("no record id")
	case r.PrincipalID.IsZero():
		return errors.New("no consent id")
	case r.Site == "" || len(r.Site) > MaxSite:
		return fmt.Errorf("site has %d bytes, want 1 to %d", len(r.Site), MaxSite)
	case !plausible(r.Time) || !r.Expiry.IsZero() && !plausible(r.Expiry):
		return errors.New("time or expiry is not within the years 1970 to 9999")
	case len(r.Vendors) > MaxVendors:
		return fmt.Errorf("%d vendor answers, the limit is %d", len(r.Vendors), MaxVendors)
	}
	for id := range r.Vendors {
		if id == "" || len(id) > MaxVendor {
			return fmt.Errorf("vendor id %.80q has %d bytes, want 1 to %d", id, len(id), MaxVendor)
		}
	}
	return nil
}

// plausible keeps to the years that the records' time format can express.
func plausible(t time.Time) bool { y := t.UTC().Year(); return y >= 1970 && y <= 9999 }
