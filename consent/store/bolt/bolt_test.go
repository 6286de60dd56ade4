package bolt_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/consent/store/bolt"
	"github.com/caddy-consent/caddy-consent/consent/store/storetest"
)

func open(t testing.TB, path string, o bolt.Options) *bolt.Store {
	t.Helper()
	s, err := bolt.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T, signer *store.Signer, now func() time.Time) store.Store {
		return open(t, filepath.Join(t.TempDir(), "new", "consent.db"), bolt.Options{Signer: signer, Now: now})
	})
}
