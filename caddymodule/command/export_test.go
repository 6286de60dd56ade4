package command

import (
	"bytes"
	"encoding/csv"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/caddymodule/records"
	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/consent/store/bolt"
)

// TestRecordsForSpreadsheets: the table has a row for each record of the time that was asked for, and no cell that calculates.
func TestRecordsForSpreadsheets(t *testing.T) {
	s, err := bolt.Open(filepath.Join(t.TempDir(), "c.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	k := records.Local{Store: s, Retention: store.DefaultRetention()}
	defer func() { _ = k.Close() }()
	terms := consent.Terms{PolicyVersion: "2026-05"}
	var people []consent.ID
	var receipts []consent.ID
	for i, site := range []string{"shop.example", "=cmd|'/c calc'!a0", "shop.example"} {
		at := time.Date(2026, time.Month(4+i), 30, 12, 0, 0, 0, time.UTC)
		token := consent.Token{ID: consent.NewID(), Seq: 1, At: at, Granted: consent.Purposes(consent.Analytics), Denied: consent.Purposes(consent.Marketing)}
		r := consent.NewRecord(site, &terms, &consent.Signals{}, &token, consent.EventGiven, at)
		r.Notice = consent.Notice{Language: "en", SHA256: consent.Hash{byte(i / 2)}} // the third record has another text
		r.Vendors = map[string]bool{"youtube": true}
		if err := s.Append(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
		people, receipts = append(people, r.PrincipalID), append(receipts, r.RecordID)
	}
	q := records.Query{From: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)}
	var out bytes.Buffer
	if err := export(t.Context(), k, &out, q, true); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(out.String(), "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 3 || !slices.Equal(rows[0], exportColumns) {
		t.Fatalf("%v: %q", err, rows)
	}
	column := func(row []string, name string) string { return row[slices.Index(exportColumns, name)] }
	if r := rows[1]; column(r, "event_time") != "2026-05-30 12:00:00" || column(r, "site") != "'=cmd|'/c calc'!a0" || column(r, "granted") != "analytics,youtube" || column(r, "refused") != "marketing" || column(r, "policy_version") != "2026-05" {
		t.Errorf("%q", r)
	}
	texts, err := shownNotices(t.Context(), k, records.Query{Site: "shop.example"})
	if err != nil || len(texts) != 2 || texts[0].Given != 1 || texts[1].SHA256 != (consent.Hash{1}) || texts[1].First.Month() != time.June || texts[1].PolicyVersion != "2026-05" {
		t.Errorf("texts: %+v, %v", texts, err)
	}
	none := consent.NewID()
	for id, want := range map[consent.ID]consent.ID{people[1]: people[1], receipts[1]: people[1], none: none} {
		if person, err := personOf(t.Context(), k, records.Query{ID: id}); err != nil || person != want {
			t.Errorf("%s is of %s, want %s: %v", id, person, want, err)
		}
	}
}
