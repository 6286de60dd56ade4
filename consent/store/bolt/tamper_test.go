package bolt_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/consent/store/bolt"
	"github.com/caddy-consent/caddy-consent/consent/store/storetest"
)

func edit(t *testing.T, path string, change func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(change), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestTampering edits the file as somebody with access to it would.
func TestTampering(t *testing.T) {
	bucket := func(name string) func(*bbolt.Tx) *bbolt.Bucket {
		return func(tx *bbolt.Tx) *bbolt.Bucket { return tx.Bucket([]byte(name)) }
	}
	last := func(b *bbolt.Bucket) (k, v []byte) {
		k, v = b.Cursor().Last()
		return bytes.Clone(k), bytes.Clone(v)
	}
	intact := filepath.Join(t.TempDir(), "consent.db")
	s := open(t, intact, bolt.Options{Signer: storetest.Signer(t, 1)})
	records := make([]*consent.Record, 300)
	for i := range records {
		records[i] = storetest.Record(site, consent.NewID(), 1, 0)
	}
	storetest.MustAppend(t, s, records...)
	storetest.MustVerify(t, s)
	_ = s.Close()
	content, err := os.ReadFile(intact)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*bbolt.Tx) error{
		"record changed": func(tx *bbolt.Tx) error {
			k, v := last(bucket("bodies")(tx))
			return bucket("bodies")(tx).Put(k, bytes.Replace(v, []byte(`"denied"`), []byte(`"granted"`), 1))
		},
		"record removed": func(tx *bbolt.Tx) error { k, _ := last(bucket("bodies")(tx)); return bucket("bodies")(tx).Delete(k) },
		"link removed":   func(tx *bbolt.Tx) error { k, _ := last(bucket("links")(tx)); return bucket("links")(tx).Delete(k) },
		"link unreadable": func(tx *bbolt.Tx) error {
			k, _ := last(bucket("links")(tx))
			return bucket("links")(tx).Put(k, []byte("x"))
		},
		"state removed": func(tx *bbolt.Tx) error {
			k, _ := last(bucket("principals")(tx))
			return bucket("principals")(tx).Delete(k)
		},
		"state changed": func(tx *bbolt.Tx) error {
			k, v := last(bucket("principals")(tx))
			v[6], v[7] = 0x1f, 0
			return bucket("principals")(tx).Put(k, v)
		},
		"state unreadable": func(tx *bbolt.Tx) error {
			k, _ := last(bucket("principals")(tx))
			return bucket("principals")(tx).Put(k, nil)
		},
		"state added": func(tx *bbolt.Tx) error {
			k, v := last(bucket("principals")(tx))
			k[len(k)-9]++
			return bucket("principals")(tx).Put(k, v)
		},
		"head removed":    func(tx *bbolt.Tx) error { return bucket("meta")(tx).Delete([]byte("head")) },
		"head unreadable": func(tx *bbolt.Tx) error { return bucket("meta")(tx).Put([]byte("head"), []byte("{")) },
		"checkpoint changed": func(tx *bbolt.Tx) error {
			k, v := last(bucket("heads")(tx))
			return bucket("heads")(tx).Put(k, bytes.Replace(v, []byte(`"index":256`), []byte(`"index":250`), 1))
		},
		"checkpoint unreadable": func(tx *bbolt.Tx) error {
			k, _ := last(bucket("heads")(tx))
			return bucket("heads")(tx).Put(k, []byte("{"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "consent.db")
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			edit(t, path, change)
			s := open(t, path, bolt.Options{Signer: storetest.Signer(t, 1)})
			if _, err := s.Verify(ctx); !errors.Is(err, store.ErrTampered) {
				t.Errorf("Verify: %v", err)
			}
		})
	}
}

// TestRandomDamage flips bits anywhere. CONSENT_DAMAGES=10000 is the full size.
func TestRandomDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "consent.db")
	s := open(t, path, bolt.Options{Signer: storetest.Signer(t, 1)})
	ids := make([]consent.ID, 100)
	for i := range ids {
		ids[i] = consent.NewID()
		storetest.MustAppend(t, s, storetest.Withdrawal(site, ids[i], 1))
	}
	_ = s.Close()
	intact, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rounds := 60
	if n, err := strconv.Atoi(os.Getenv("CONSENT_DAMAGES")); err == nil {
		rounds = n
	}
	for n := range rounds {
		seed := rand.Uint64()
		r := rand.New(rand.NewPCG(seed, 1))
		watch := time.AfterFunc(20*time.Second, func() { panic("the store does not come back: seed " + strconv.FormatUint(seed, 10)) })
		b := bytes.Clone(intact)
		for range 1 + r.IntN(20) {
			b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		}
		p := filepath.Join(t.TempDir(), strconv.Itoa(n))
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := bolt.Open(p, bolt.Options{Signer: storetest.Signer(t, 1), Timeout: time.Millisecond})
		if err != nil {
			watch.Stop()
			continue
		}
		granted := 0
		for _, id := range ids {
			if st, err := s.Latest(ctx, site, id); err == nil && st.Grants() {
				granted++
			}
		}
		_, err = s.Verify(ctx)
		if granted > 0 && err == nil {
			t.Errorf("damage %d: %d withdrawals are answered as granted, and Verify finds nothing", n, granted)
		}
		_ = s.Append(ctx, storetest.Record(site, consent.NewID(), 1, 0))
		_ = s.Close()
		watch.Stop()
	}
}
