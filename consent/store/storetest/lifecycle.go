package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
)

func testErase(t *testing.T, s store.Store) {
	gone, stays := consent.NewID(), consent.NewID()
	MustAppend(t, s, Record("a.example", gone, 1, All), Record("a.example", stays, 1, All),
		Withdrawal("a.example", gone, 2), Record("b.example", gone, 1, All))
	before := MustVerify(t, s).Head
	if err := s.Erase(ctx, "a.example", gone); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Latest(ctx, "a.example", gone); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Latest after erasure: %v", err)
	}
	if err := s.Erase(ctx, "a.example", gone); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a second erasure: %v", err)
	}
	for _, kept := range []struct {
		site string
		id   consent.ID
	}{{"a.example", stays}, {"b.example", gone}} {
		if _, err := s.Latest(ctx, kept.site, kept.id); err != nil {
			t.Errorf("another record vanished: %v", err)
		}
	}
	if rep := MustVerify(t, s, before); rep.Erased != 2 || rep.Entries != 5 {
		t.Errorf("%+v", rep)
	}
	whole := scan(t, s, store.Filter{Whole: true})
	if len(whole) != 5 || whole[0].Body != nil || whole[0].Salt != (store.Salt{}) || whole[2].Record != nil || whole[4].Erasure == nil {
		t.Fatalf("%+v", whole)
	}
	if e := whole[4].Erasure; e.Reason != store.OnRequest || !slices.Equal(e.Spans, []store.Span{{From: 1, To: 1}, {From: 3, To: 3}}) {
		t.Errorf("erasure: %+v", e)
	}
	if got := scan(t, s, store.Filter{}); len(got) != 2 {
		t.Errorf("%d records left, want 2", len(got))
	}
	MustAppend(t, s, Record("a.example", gone, 1, All)) // they may come again
	if _, err := s.Latest(ctx, "a.example", gone); err != nil {
		t.Error(err)
	}
	MustVerify(t, s, before)
}

func testSweep(t *testing.T, s store.Store) {
	const day = 24 * time.Hour
	r := store.DefaultRetention()
	old, young, centre := consent.NewID(), consent.NewID(), consent.NewID()
	late := Record("a.example", young, 1, All)
	late.Time = Epoch.Add(1000 * day)
	late.Expiry = late.Time.Add(180 * day)
	pref := Withdrawal("a.example", centre, 1)
	pref.Method = consent.MethodPreferences
	MustAppend(t, s, Record("a.example", old, 1, 0), late, pref)
	steps := []struct {
		day  int
		want int
		left int
	}{{0, 0, 3}, {89, 0, 3}, {91, 1, 2}, {400, 0, 2}, {700, 0, 2}, {1000, 0, 2}, {1094, 0, 2}, {1096, 1, 1}, {1200, 0, 1}}
	for _, step := range steps {
		n, err := s.Sweep(ctx, Epoch.Add(time.Duration(step.day)*day), r)
		if err != nil || n != step.want {
			t.Errorf("day %d: swept %d, %v; want %d", step.day, n, err, step.want)
		}
		if left := len(scan(t, s, store.Filter{})); left != step.left {
			t.Errorf("day %d: %d left, want %d", step.day, left, step.left)
		}
		MustVerify(t, s)
	}
	if _, err := s.Latest(ctx, "a.example", old); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("swept record: %v", err)
	}
	if e := scan(t, s, store.Filter{Whole: true}); e[3].Erasure == nil || e[3].Erasure.Reason != store.OnRetention {
		t.Errorf("%+v", e[3])
	}
}

// An answer ends when the same visitor gives another one on the same site.
func testSweepSuperseded(t *testing.T, s store.Store) {
	const day = 24 * time.Hour
	changed, other := consent.NewID(), consent.NewID()
	later := Withdrawal("a.example", changed, 2)
	later.Time = Epoch.Add(10 * day)
	MustAppend(t, s, Record("a.example", changed, 1, All), Record("a.example", other, 1, All), Record("b.example", changed, 1, All), later)
	r := store.DefaultRetention()
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{9 * day, 0}, {11 * day, 2}, {179 * day, 0}, {181 * day, 2}} {
		if n, err := s.Sweep(ctx, Epoch.Add(r.Consent+step.after), r); n != step.want || err != nil {
			t.Errorf("%v after the retention: swept %d, %v; want %d", step.after, n, err, step.want)
		}
		MustVerify(t, s)
	}
}

func testClock(t *testing.T, s store.Store) {
	const year = 365 * 24 * time.Hour
	id := consent.NewID()
	MustAppend(t, s, Record("a.example", id, 1, All))
	r := store.DefaultRetention()
	if _, err := s.Sweep(ctx, Epoch, r); err != nil {
		t.Fatal(err)
	}
	for _, jump := range []time.Duration{-year, 10 * year} {
		if n, err := s.Sweep(ctx, Epoch.Add(jump), r); n != 0 || !errors.Is(err, store.ErrClock) {
			t.Errorf("clock %v: swept %d, %v", jump, n, err)
		}
		// Records of a wrong clock do not take the place of newer answers.
		late := Withdrawal("a.example", id, 2)
		late.Time = Epoch.Add(jump)
		MustAppend(t, s, late)
		if st, err := s.Latest(ctx, "a.example", id); err != nil || st.Grants() {
			t.Errorf("clock %v: %+v, %v", jump, st, err)
		}
	}
	MustVerify(t, s)
	r.AnyClock = true
	if n, err := s.Sweep(ctx, Epoch.Add(20*year), r); n != 3 || err != nil {
		t.Errorf("by hand: swept %d, %v", n, err)
	}
}

func testLedger(t *testing.T, s store.Store) {
	l, ok := s.(store.Ledger)
	if !ok {
		t.Skip("no ledger")
	}
	line := func(month, site, vendor string, c ...string) store.Disclosure {
		return store.Disclosure{Month: month, Site: site, Vendor: vendor, Categories: c}
	}
	for range 2 {
		if err := l.Disclose(ctx, line("2026-01", "a.example", "matomo", "pages", "device"), line("2026-02", "a.example", "matomo", "pages")); err != nil {
			t.Fatal(err)
		}
		if lines, err := l.Disclosures(ctx, "a.example"); len(lines) != 2 || err != nil { // both at once
			t.Fatal(lines, err)
		}
		if err := l.Disclose(ctx, line("2026-01", "a.example", "matomo", "referrer", "device"), line("2025-11", "b.example", "hotjar")); err != nil {
			t.Fatal(err)
		}
	}
	check := func(site string, want ...store.Disclosure) {
		t.Helper()
		got, err := l.Disclosures(ctx, site)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("site %q: %v, %v\nwant %v", site, got, err, want)
		}
	}
	full := line("2026-01", "a.example", "matomo", "device", "pages", "referrer")
	check("", line("2025-11", "b.example", "hotjar"), full, line("2026-02", "a.example", "matomo", "pages"))
	check("a.example", full, line("2026-02", "a.example", "matomo", "pages"))
	check("c.example")
	for _, bad := range []store.Disclosure{
		line("2026-13", "a.example", "matomo"), line("26-1", "a.example", "matomo"), line("2026-01", "", "matomo"),
		line("2026-01", "a.example", ""), line("2026-01", "a\x00b", "matomo"), line("2026-01", "a.example", "matomo", ""),
	} {
		if err := l.Disclose(ctx, bad); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	// Twelve months besides the current one: in December 2026, November 2025 goes.
	at := func(s string) time.Time { v, _ := time.Parse(time.RFC3339, s); return v }
	if n, err := s.Sweep(ctx, at("2026-11-30T23:59:59Z"), store.DefaultRetention()); n != 0 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	if n, err := s.Sweep(ctx, at("2026-12-01T00:00:00Z"), store.DefaultRetention()); n != 1 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	check("b.example")
}

func testCancelled(t *testing.T, s store.Store) {
	c, cancel := context.WithCancel(ctx)
	cancel()
	_, latest := s.Latest(c, "a.example", consent.NewID())
	_, sweep := s.Sweep(c, Epoch, store.DefaultRetention())
	_, verify := s.Verify(c)
	for name, err := range map[string]error{
		"Append": s.Append(c, Record("a.example", consent.NewID(), 1, 0)), "Latest": latest, "Sweep": sweep, "Verify": verify,
		"Scan": s.Scan(c, store.Filter{}, func(store.Entry) error { return nil }), "Erase": s.Erase(c, "a.example", consent.NewID()),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func testClosed(t *testing.T, s store.Store) {
	id := consent.NewID()
	MustAppend(t, s, Record("a.example", id, 1, All))
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	_, latest := s.Latest(ctx, "a.example", id)
	_, sweep := s.Sweep(ctx, Epoch, store.DefaultRetention())
	_, verify := s.Verify(ctx)
	for name, err := range map[string]error{
		"Append": s.Append(ctx, Record("a.example", id, 2, 0)), "Latest": latest, "Sweep": sweep, "Verify": verify,
		"Scan": s.Scan(ctx, store.Filter{}, func(store.Entry) error { return nil }), "Erase": s.Erase(ctx, "a.example", id),
	} {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
