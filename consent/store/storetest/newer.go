package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
)

// Newer returns what a newer version would have written in the place of the entry that follows before: the link, the body and
// the unsigned head.
func Newer(t testing.TB, before store.Link, salt store.Salt, body []byte) (l store.Link, newer, head []byte) {
	t.Helper()
	current := []byte(`"schema_version":"` + consent.SchemaVersion + `"`)
	newer = bytes.Replace(body, current, []byte(`"schema_version":"99.0","pii_whatever":[]`), 1)
	if bytes.Equal(newer, body) {
		t.Fatalf("%s has no schema version", body)
	}
	l = before.Next(store.KindRecord, store.Commit(salt, newer))
	head, err := json.Marshal((*store.Signer)(nil).Sign(l, Epoch))
	if err != nil {
		t.Fatal(err)
	}
	return l, newer, head
}

// CheckNewer is what a node does with a store whose last record, of the consent id, a newer version wrote; newState says whether
// it wrote a state of its own kind, too. Nothing is granted, called forged or destroyed.
func CheckNewer(t *testing.T, s store.Store, site string, id consent.ID, records int, newState bool) {
	t.Helper()
	ctx := context.Background()
	refused := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, consent.ErrNewer) || errors.Is(err, store.ErrTampered) {
			t.Errorf("%s: %v", what, err)
		}
	}
	st, err := s.Latest(ctx, site, id)
	if newState {
		refused("Latest", err)
		if !errors.Is(err, store.ErrUnavailable) || st.Grants() {
			t.Errorf("Latest: %v, grants %v", err, st.Grants())
		}
	} else if err != nil {
		t.Errorf("Latest: %v", err)
	}
	seen := 0
	refused("Scan", s.Scan(ctx, store.Filter{}, func(store.Entry) error { seen++; return nil }))
	if seen != records-1 {
		t.Errorf("Scan: %d of %d records", seen, records)
	}
	_, err = s.Verify(ctx)
	refused("Verify", err)
	n, err := s.Sweep(ctx, Epoch.AddDate(20, 0, 0), store.Retention{Consent: 1, AnyClock: true})
	if newState {
		refused("Sweep", err)
	}
	if newState != (n == 0) {
		t.Errorf("Sweep: %d destroyed, %v", n, err)
	}
	MustAppend(t, s, Withdrawal(site, id, 9))
	if st, err := s.Latest(ctx, site, id); err != nil || st.Grants() {
		t.Errorf("after a withdrawal: %v, grants %v", err, st.Grants())
	}
	if err := s.Erase(ctx, site, id); err != nil {
		t.Errorf("Erase: %v", err)
	}
	if _, err := s.Verify(ctx); err != nil {
		t.Errorf("Verify, once it is erased: %v", err)
	}
}
