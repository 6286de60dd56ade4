// Package storetest holds what every implementation of store.Store must do, as a test suite.
package storetest

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
)

// Epoch is when the suite's records begin.
var Epoch = time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)

// Signer returns a signer whose key is derived from a number.
func Signer(t testing.TB, n byte) *store.Signer {
	t.Helper()
	s, err := store.NewSigner(Key(n))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Key returns the key of [Signer].
func Key(n byte) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = n
	return ed25519.NewKeyFromSeed(seed)
}

// Record returns a plausible record that grants the purposes and refuses the other optional ones.
func Record(site string, id consent.ID, seq uint32, granted consent.Purposes) *consent.Record {
	r := &consent.Record{
		SchemaVersion: consent.SchemaVersion, RecordID: consent.NewID(), PrincipalID: id, Seq: seq, Site: site,
		Event: consent.EventRefused, Time: Epoch.Add(time.Duration(seq) * time.Minute),
		Granted: granted, Denied: consent.OptionalPurposes &^ granted,
		Notice: consent.Notice{ID: "banner", Version: "3", Language: "de", SHA256: consent.Hash{1, 2, 3}},
		Method: consent.MethodBanner, LawfulBasis: "consent", PolicyVersion: "2026-01", BrowserMajor: "Firefox 140",
	}
	if granted&consent.OptionalPurposes != 0 {
		r.Event, r.Expiry = consent.EventGiven, r.Time.Add(180*24*time.Hour)
	}
	return r
}

// Withdrawal returns a record that takes everything back.
func Withdrawal(site string, id consent.ID, seq uint32) *consent.Record {
	r := Record(site, id, seq, 0)
	r.Event = consent.EventWithdrawn
	return r
}

// All is every purpose that can be granted.
const All = consent.OptionalPurposes

// Opener returns an empty store; the suite closes it. The signer and the clock are to be used by it.
type Opener func(t *testing.T, signer *store.Signer, now func() time.Time) store.Store

// Run runs the suite.
func Run(t *testing.T, open Opener) {
	for _, c := range []struct {
		name string
		test func(*testing.T, store.Store)
	}{
		{"an empty store", testEmpty},
		{"what was appended is found", testRoundTrip},
		{"the newest sequence number counts", testLatest},
		{"an invalid record is refused", testInvalid},
		{"a repeated append adds nothing", testIdempotent},
		{"many writers make one chain", testConcurrent},
		{"scan selects", testScan},
		{"erasure", testErase},
		{"sweep", testSweep},
		{"sweep of what was superseded", testSweepSuperseded},
		{"clock", testClock},
		{"ledger", testLedger},
		{"cancelled", testCancelled},
		{"closed", testClosed},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t, Signer(t, 1), func() time.Time { return Epoch })
			defer func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}()
			c.test(t, s)
		})
	}
}

var ctx = context.Background()

// MustAppend appends or ends the test.
func MustAppend(t testing.TB, s store.Store, records ...*consent.Record) {
	t.Helper()
	if err := s.Append(ctx, records...); err != nil {
		t.Fatal(err)
	}
}

// MustVerify verifies or ends the test.
func MustVerify(t testing.TB, s store.Store, anchors ...store.Head) store.Report {
	t.Helper()
	r, err := s.Verify(ctx, anchors...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func scan(t testing.TB, s store.Store, f store.Filter) (entries []store.Entry) {
	t.Helper()
	if err := s.Scan(ctx, f, func(e store.Entry) error { entries = append(entries, e); return nil }); err != nil {
		t.Fatal(err)
	}
	return entries
}

func testEmpty(t *testing.T, s store.Store) {
	if _, err := s.Latest(ctx, "a.example", consent.NewID()); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Latest: %v", err)
	}
	if err := s.Erase(ctx, "a.example", consent.NewID()); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Erase: %v", err)
	}
	if r := MustVerify(t, s); r.Entries != 0 || r.Head.Index != 0 {
		t.Errorf("Verify: %+v", r)
	}
	if e := scan(t, s, store.Filter{Whole: true}); len(e) != 0 {
		t.Errorf("Scan: %v", e)
	}
	if err := s.Append(ctx); err != nil {
		t.Errorf("Append of nothing: %v", err)
	}
}

func testRoundTrip(t *testing.T, s store.Store) {
	id := consent.NewID()
	r := Record("a.example", id, 7, consent.Purposes(consent.Analytics))
	r.Vendors = map[string]bool{"youtube": true, "matomo": false}
	r.Signals = consent.SignalGPC
	MustAppend(t, s, r)
	got, err := s.Latest(ctx, "a.example", id)
	if err != nil {
		t.Fatal(err)
	}
	want := store.StateOf(r)
	want.Index = 1
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("Latest\n got %+v\nwant %+v", got, want)
	}
	entries := scan(t, s, store.Filter{})
	body, _ := r.MarshalJSON()
	if len(entries) != 1 || string(entries[0].Body) != string(body) || entries[0].Record.RecordID != r.RecordID {
		t.Errorf("Scan: %+v", entries)
	}
	rep := MustVerify(t, s)
	if rep.Entries != 1 || rep.Signed != 1 || !rep.Head.Time.Equal(Epoch) {
		t.Errorf("Verify: %+v", rep)
	}
	for _, other := range []struct {
		site string
		id   consent.ID
	}{{"b.example", id}, {"a.example", consent.NewID()}, {"", id}, {string(make([]byte, 300)), id}, {"a.exampl", id}} {
		if _, err := s.Latest(ctx, other.site, other.id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Latest of %.20q %v: %v", other.site, other.id, err)
		}
	}
}

func testLatest(t *testing.T, s store.Store) {
	id, site := consent.NewID(), "a.example"
	granted := func() consent.Purposes {
		t.Helper()
		st, err := s.Latest(ctx, site, id)
		if err != nil {
			t.Fatal(err)
		}
		return st.Granted
	}
	MustAppend(t, s, Record(site, id, 2, All))
	if granted() != All {
		t.Error("a grant is not found")
	}
	MustAppend(t, s, Withdrawal(site, id, 1)) // recorded late, from a spool
	if granted() != All {
		t.Error("an older answer took over")
	}
	MustAppend(t, s, Withdrawal(site, id, 3))
	if granted() != 0 {
		t.Error("the withdrawal does not count")
	}
	MustAppend(t, s, Record(site, id, 3, All)) // two tabs at once
	if st, _ := s.Latest(ctx, site, id); st.Granted != 0 || st.Event != consent.EventWithdrawn {
		t.Errorf("a grant won over a refusal of the same moment: %+v", st)
	}
	MustAppend(t, s, Record(site, id, 4, consent.Purposes(consent.Social)))
	if granted() != consent.Purposes(consent.Social) {
		t.Error("a later grant does not count")
	}
	MustAppend(t, s, Withdrawal(site, id, 1<<32-1))
	if granted() != 0 {
		t.Error("the highest sequence number does not count")
	}
	// The neighbours in key order.
	var low, high consent.ID
	for i := range high {
		high[i] = 0xff
	}
	low[15] = 1
	for _, n := range []consent.ID{low, high} {
		if _, err := s.Latest(ctx, site, n); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("neighbour: %v", err)
		}
		MustAppend(t, s, Record(site, n, 1, All))
		if st, err := s.Latest(ctx, site, n); err != nil || st.Granted != All {
			t.Errorf("neighbour: %+v, %v", st, err)
		}
	}
	MustVerify(t, s)
}

func testInvalid(t *testing.T, s store.Store) {
	id := consent.NewID()
	for name, change := range map[string]func(*consent.Record){
		"no record id":  func(r *consent.Record) { r.RecordID = consent.ID{} },
		"no consent id": func(r *consent.Record) { r.PrincipalID = consent.ID{} },
		"no site":       func(r *consent.Record) { r.Site = "" },
		"long site":     func(r *consent.Record) { r.Site = string(make([]byte, 256)) },
		"no time":       func(r *consent.Record) { r.Time = time.Time{} },
		"year 10000":    func(r *consent.Record) { r.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"year 12000":    func(r *consent.Record) { r.Expiry = time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"no event":      func(r *consent.Record) { r.Event = "" },
		"a huge field":  func(r *consent.Record) { r.PolicyVersion = string(make([]byte, 20<<10)) },
		"empty vendor":  func(r *consent.Record) { r.Vendors = map[string]bool{"": true} },
		"long vendor":   func(r *consent.Record) { r.Vendors = map[string]bool{string(make([]byte, 65)): true} },
		"many vendors": func(r *consent.Record) {
			r.Vendors = map[string]bool{}
			for i := range 513 {
				r.Vendors[fmt.Sprint(i)] = true
			}
		},
	} {
		bad := Record("a.example", id, 1, All)
		change(bad)
		// A good one next to it is not stored either.
		if err := s.Append(ctx, Record("a.example", id, 1, All), bad); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.Append(ctx, nil); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("nil: %v", err)
	}
	if rep := MustVerify(t, s); rep.Entries != 0 {
		t.Errorf("%d entries were stored", rep.Entries)
	}
}

func testIdempotent(t *testing.T, s store.Store) {
	id := consent.NewID()
	a, b := Record("a.example", id, 1, All), Withdrawal("a.example", id, 2)
	MustAppend(t, s, a, b)
	MustAppend(t, s, a, b)
	MustAppend(t, s, a, a, b, b)
	if rep := MustVerify(t, s); rep.Entries != 2 {
		t.Errorf("%d entries, want 2", rep.Entries)
	}
}

func testConcurrent(t *testing.T, s store.Store) {
	const writers, each = 8, 20
	ids := make([]consent.ID, writers)
	var wg sync.WaitGroup
	for w := range writers {
		ids[w] = consent.NewID()
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range each {
				granted := consent.Purposes(rand.IntN(32)) & All
				if err := s.Append(ctx, Record("a.example", ids[w], uint32(i+1), granted)); err != nil {
					t.Error(err)
					return
				}
				st, err := s.Latest(ctx, "a.example", ids[w])
				if err != nil || st.Seq != uint32(i+1) || st.Granted != granted {
					t.Errorf("own write is not seen: %+v, %v", st, err)
				}
			}
		}()
	}
	wg.Add(1)
	go func() {
		defer wg.Done()
		for range 5 {
			if _, err := s.Verify(ctx); err != nil {
				t.Errorf("Verify under way: %v", err)
			}
		}
	}()
	wg.Wait()
	if rep := MustVerify(t, s); rep.Entries != writers*each || rep.Signed != writers*each {
		t.Errorf("%+v", rep)
	}
	for i, e := range scan(t, s, store.Filter{}) {
		if e.Index != uint64(i+1) {
			t.Fatalf("entry %d has index %d", i, e.Index)
		}
	}
}

func testScan(t *testing.T, s store.Store) {
	a, b := consent.NewID(), consent.NewID()
	for i := range uint32(300) {
		MustAppend(t, s, Record("a.example", a, i+1, All), Record("b.example", b, i+1, All))
	}
	for name, c := range map[string]struct {
		f    store.Filter
		want int
	}{
		"all":          {store.Filter{}, 600},
		"whole":        {store.Filter{Whole: true}, 600},
		"site":         {store.Filter{Site: "a.example"}, 300},
		"id":           {store.Filter{Site: "b.example", ID: b}, 300},
		"id elsewhere": {store.Filter{Site: "a.example", ID: b}, 0},
		"after":        {store.Filter{After: 500}, 100},
		"id and after": {store.Filter{Site: "b.example", ID: b, After: 500}, 50},
		"behind":       {store.Filter{After: 1 << 62}, 0},
		"from":         {store.Filter{Site: "a.example", From: Epoch.Add(201 * time.Minute)}, 100},
		"to":           {store.Filter{To: Epoch.Add(11 * time.Minute)}, 20},
		"id, from, to": {store.Filter{Site: "b.example", ID: b, From: Epoch.Add(5 * time.Minute), To: Epoch.Add(8 * time.Minute)}, 3},
		"unknown site": {store.Filter{Site: "c.example"}, 0},
		"far too long": {store.Filter{Site: string(make([]byte, 300)), ID: a}, 0},
	} {
		got := scan(t, s, c.f)
		if len(got) != c.want {
			t.Errorf("%s: %d entries, want %d", name, len(got), c.want)
		}
		if !slices.IsSortedFunc(got, func(a, b store.Entry) int { return int(a.Index) - int(b.Index) }) {
			t.Errorf("%s: not in order", name)
		}
	}
	stop, n := errors.New("stop"), 0
	if err := s.Scan(ctx, store.Filter{}, func(store.Entry) error { n++; return stop }); err != stop || n != 1 {
		t.Errorf("Scan did not stop: %v after %d", err, n)
	}
}
