//go:build unix

package postgres_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/consent/store/postgres"
	"github.com/caddy-consent/caddy-consent/consent/store/storetest"
)

func TestNodesStartTogether(t *testing.T) {
	prefix := fresh(t)
	var wg sync.WaitGroup
	for range 6 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			s, err := postgres.Open(ctx, server.DSN(), postgres.Options{Prefix: prefix, Timeout: 20 * time.Second})
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = s.Close() }()
			if err := s.Append(ctx, storetest.Record(site, consent.NewID(), 1, 0)); err != nil {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	if rep := storetest.MustVerify(t, open(t, postgres.Options{Prefix: prefix})); rep.Entries != 6 {
		t.Errorf("%d entries, want 6", rep.Entries)
	}
}

func TestOpenErrors(t *testing.T) {
	prefix := fresh(t)
	open(t, postgres.Options{Prefix: prefix})
	exec(t, "UPDATE "+prefix+"_schema SET version = 9")
	exec(t, "CREATE ROLE reader LOGIN")
	nowhere := "host=" + t.TempDir() + " user=postgres password=hunter2"
	for name, c := range map[string]struct{ dsn, prefix, want string }{
		"newer schema":  {server.DSN(), prefix, "schema 9"},
		"prefix":        {server.DSN(), "a; DROP TABLE b", "table prefix"},
		"long prefix":   {server.DSN(), strings.Repeat("a", 41), "table prefix"},
		"nonsense":      {"postgres://%zz", "", "connection string"},
		"no server":     {nowhere, "", "unavailable"},
		"not permitted": {strings.Replace(server.DSN(), "user=postgres", "user=reader", 1), "theirs", "right to create tables"},
	} {
		_, opened := postgres.Open(ctx, c.dsn, postgres.Options{Prefix: c.prefix})
		checked := postgres.Check(ctx, c.dsn, postgres.Options{Prefix: c.prefix})
		for _, err := range []error{opened, checked} {
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if err := postgres.Check(ctx, nowhere, postgres.Options{Lazy: true}); err != nil {
		t.Errorf("lazy, checked: %v", err)
	}
	s, err := postgres.Open(ctx, nowhere, postgres.Options{Lazy: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if _, err := s.Latest(ctx, site, consent.NewID()); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("lazy: %v", err)
	}
}

func TestAddress(t *testing.T) {
	for dsn, want := range map[string]string{
		"postgres://u:secret@10.0.0.7:5433/consent":                    "10.0.0.7:5433/consent",
		"postgres://u:secret@a.example,b.example:6000/c?sslmode=allow": "a.example:5432,b.example:6000/c",
		"host=fd00::7 port=5432 user=u password=secret dbname=consent": "[fd00::7]:5432/consent",
		"postgres://%zz": "",
	} {
		if got := postgres.Address(dsn); got != want {
			t.Errorf("%s: %s, want %s", dsn, got, want)
		}
	}
}

// TestCheckMakesNothing: whoever validates a configuration leaves the database as it is.
func TestCheckMakesNothing(t *testing.T) {
	prefix := fresh(t)
	tables := func() (n int) {
		t.Helper()
		c, err := pgx.Connect(ctx, server.DSN())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close(ctx) }()
		if err := c.QueryRow(ctx, "SELECT count(*) FROM pg_tables WHERE tablename LIKE $1", prefix+`\_%`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if err := postgres.Check(ctx, server.DSN(), postgres.Options{Prefix: prefix}); err != nil || tables() != 0 {
		t.Errorf("before the first start: %v, %d tables", err, tables())
	}
	open(t, postgres.Options{Prefix: prefix})
	exec(t, "UPDATE "+prefix+"_schema SET version = 0")
	n := tables()
	if err := postgres.Check(ctx, server.DSN(), postgres.Options{Prefix: prefix}); err != nil || n == 0 || tables() != n {
		t.Errorf("with an older schema: %v, %d tables, then %d", err, n, tables())
	}
}

func exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	c, err := pgx.Connect(ctx, server.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(ctx) }()
	if _, err := c.Exec(ctx, sql, args...); err != nil {
		t.Fatal(err)
	}
}

// TestTampering edits the tables as somebody with access to them would.
func TestTampering(t *testing.T) {
	for name, sql := range map[string]string{
		"record changed":     `UPDATE #_entry SET body = convert_to(replace(convert_from(body, 'UTF8'), 'denied', 'granted'), 'UTF8') WHERE idx = 2`,
		"record removed":     `UPDATE #_entry SET body = NULL, salt = NULL WHERE idx = 2`,
		"entry removed":      `DELETE FROM #_entry WHERE idx = 2`,
		"end removed":        `DELETE FROM #_entry WHERE idx = 3`,
		"state removed":      `DELETE FROM #_state WHERE idx = 3`,
		"state changed":      `UPDATE #_state SET state = set_byte(state, 6, 31) WHERE idx = 3`,
		"sequence changed":   `UPDATE #_state SET seq = 0 WHERE idx = 3`,
		"site changed":       `UPDATE #_state SET site = 'b.example' WHERE idx = 3`,
		"state added":        `INSERT INTO #_state SELECT site, principal, 99, 99, record, state FROM #_state WHERE idx = 1`,
		"head moved":         `UPDATE #_head SET idx = 2, hash = (SELECT hash FROM #_entry WHERE idx = 2)`,
		"hash cut":           `UPDATE #_entry SET hash = 'x' WHERE idx = 2`,
		"checkpoint added":   `INSERT INTO #_checkpoint SELECT 2, convert_to(replace(convert_from(head, 'UTF8'), '"index":3', '"index":2'), 'UTF8') FROM #_head`,
		"checkpoint damaged": `INSERT INTO #_checkpoint VALUES (2, 'x')`,
	} {
		t.Run(name, func(t *testing.T) {
			prefix := fresh(t)
			s := open(t, postgres.Options{Prefix: prefix, Signer: storetest.Signer(t, 1)})
			for seq := range uint32(3) {
				storetest.MustAppend(t, s, storetest.Record(site, consent.NewID(), seq+1, 0))
			}
			storetest.MustVerify(t, s)
			exec(t, strings.ReplaceAll(sql, "#", prefix))
			if _, err := s.Verify(ctx); !errors.Is(err, store.ErrTampered) {
				t.Errorf("Verify: %v", err)
			}
		})
	}
}

func BenchmarkAppend64(b *testing.B) {
	s := open(b, postgres.Options{Prefix: fresh(b), Signer: storetest.Signer(b, 1)})
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := s.Append(ctx, storetest.Record(site, consent.NewID(), 1, storetest.All)); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

func BenchmarkLatest(b *testing.B) {
	s := open(b, postgres.Options{Prefix: fresh(b)})
	id := consent.NewID()
	storetest.MustAppend(b, s, storetest.Record(site, id, 1, 0))
	b.ResetTimer()
	for range b.N {
		if _, err := s.Latest(ctx, site, id); err != nil {
			b.Fatal(err)
		}
	}
}
