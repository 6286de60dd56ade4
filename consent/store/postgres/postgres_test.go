//go:build unix

package postgres_test

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/consent/store/postgres"
	"github.com/caddy-consent/caddy-consent/consent/store/postgres/pgtest"
	"github.com/caddy-consent/caddy-consent/consent/store/storetest"
)

var (
	server    *pgtest.Server
	serverErr error
	prefixes  atomic.Uint32
)

func TestMain(m *testing.M) {
	server, serverErr = pgtest.Start()
	code := m.Run()
	if server != nil {
		if err := server.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	os.Exit(code)
}

// fresh returns a prefix under which there are no tables yet.
func fresh(t testing.TB) string {
	pgtest.Need(t, serverErr)
	return fmt.Sprintf("t%d", prefixes.Add(1))
}

func open(t testing.TB, o postgres.Options) *postgres.Store {
	t.Helper()
	pgtest.Need(t, serverErr)
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second // the machine may be busy
	}
	s, err := postgres.Open(context.Background(), server.DSN(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T, signer *store.Signer, now func() time.Time) store.Store {
		return open(t, postgres.Options{Signer: signer, Now: now, Prefix: fresh(t)})
	})
}
