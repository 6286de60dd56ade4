package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

var errSchema = errors.New("consent store: schema")

// migrations lead from one version of the schema to the next; the first makes the tables. # stands for
// the prefix. Names and consent ids are bytes, so that order and equality do not depend on a collation.
var migrations = [][]string{{
	`CREATE TABLE IF NOT EXISTS #_head (one SMALLINT PRIMARY KEY, idx BIGINT NOT NULL, hash BYTEA NOT NULL, head BYTEA NOT NULL, sweep BYTEA)`,
	`CREATE TABLE IF NOT EXISTS #_entry (idx BIGINT PRIMARY KEY, kind SMALLINT NOT NULL, commitment BYTEA NOT NULL, hash BYTEA NOT NULL, salt BYTEA, body BYTEA)`,
	`CREATE TABLE IF NOT EXISTS #_state (site BYTEA NOT NULL, principal BYTEA NOT NULL, seq BIGINT NOT NULL, idx BIGINT NOT NULL, record BYTEA NOT NULL, state BYTEA NOT NULL, PRIMARY KEY (site, principal, seq, idx))`,
	`CREATE UNIQUE INDEX IF NOT EXISTS #_state_idx ON #_state (idx)`,
	`CREATE INDEX IF NOT EXISTS #_state_record ON #_state (record)`,
	`CREATE TABLE IF NOT EXISTS #_checkpoint (idx BIGINT PRIMARY KEY, head BYTEA NOT NULL)`,
	`CREATE TABLE IF NOT EXISTS #_ledger (month BYTEA NOT NULL, site BYTEA NOT NULL, vendor BYTEA NOT NULL, categories BYTEA NOT NULL, PRIMARY KEY (month, site, vendor))`,
	`INSERT INTO #_head (one, idx, hash, head) VALUES (1, 0, '', '') ON CONFLICT (one) DO NOTHING`,
}}

// queries are the statements with the tables' names filled in.
type queries struct {
	schema, schemaInsert, schemaUpdate, schemaTable    string
	schemaLook                                         string
	head, headUpdate, sweep, sweepUpdate, checkpoints  string
	known, insertEntries, insertStates, insertHead     string
	latest, entries, entriesOf, verify, orphans        string
	statesOf, states, deleteStates, wipe, changes      string
	disclosure, disclose, disclosures, sweepDisclosure string
	migrations                                         [][]string
}

func newQueries(prefix string) queries {
	q := func(s string) string { return strings.ReplaceAll(s, "#", prefix) }
	all := make([][]string, len(migrations))
	for i, m := range migrations {
		for _, s := range m {
			all[i] = append(all[i], q(s))
		}
	}
	return queries{
		migrations:   all,
		schemaTable:  q(`CREATE TABLE IF NOT EXISTS #_schema (one SMALLINT PRIMARY KEY, version BIGINT NOT NULL)`),
		schemaInsert: q(`INSERT INTO #_schema (one, version) VALUES (1, 0) ON CONFLICT (one) DO NOTHING`),
		schemaLook:   q(`SELECT version FROM #_schema WHERE one = 1`),
		schema:       q(`SELECT version FROM #_schema WHERE one = 1 FOR UPDATE`),
		schemaUpdate: q(`UPDATE #_schema SET version = $1 WHERE one = 1`),

		head:        q(`SELECT idx, hash, head FROM #_head WHERE one = 1`),
		headUpdate:  q(`UPDATE #_head SET idx = $1, hash = $2, head = $3 WHERE one = 1`),
		sweep:       q(`SELECT sweep FROM #_head WHERE one = 1`),
		sweepUpdate: q(`UPDATE #_head SET sweep = $1 WHERE one = 1`),
		checkpoints: q(`SELECT head FROM #_checkpoint ORDER BY idx`),

		known:         q(`SELECT site, principal, seq, record FROM #_state WHERE record = ANY($1)`),
		insertEntries: q(`INSERT INTO #_entry (idx, kind, commitment, hash, salt, body) SELECT * FROM unnest($1::BIGINT[], $2::SMALLINT[], $3::BYTEA[], $4::BYTEA[], $5::BYTEA[], $6::BYTEA[])`),
		insertStates:  q(`INSERT INTO #_state (site, principal, seq, idx, record, state) SELECT * FROM unnest($1::BYTEA[], $2::BYTEA[], $3::BIGINT[], $4::BIGINT[], $5::BYTEA[], $6::BYTEA[])`),
		insertHead:    q(`INSERT INTO #_checkpoint (idx, head) VALUES ($1, $2)`),

		latest:    q(`SELECT state FROM #_state WHERE site = $1 AND principal = $2 AND seq = (SELECT max(seq) FROM #_state WHERE site = $1 AND principal = $2)`),
		entries:   q(`SELECT idx, kind, commitment, hash, salt, body FROM #_entry WHERE idx > $1 ORDER BY idx LIMIT $2`),
		entriesOf: q(`SELECT e.idx, e.kind, e.commitment, e.hash, e.salt, e.body FROM #_entry e JOIN #_state s ON s.idx = e.idx WHERE s.site = $3 AND s.principal = $4 AND e.idx > $1 ORDER BY e.idx LIMIT $2`),
		verify:    q(`SELECT e.idx, e.kind, e.commitment, e.hash, e.salt, e.body, s.site, s.principal, s.seq, s.state FROM #_entry e LEFT JOIN #_state s ON s.idx = e.idx WHERE e.idx > $1 ORDER BY e.idx LIMIT $2`),
		orphans:   q(`SELECT count(*) FROM #_state s LEFT JOIN #_entry e ON e.idx = s.idx WHERE e.body IS NULL`),

		statesOf:     q(`SELECT idx FROM #_state WHERE site = $1 AND principal = $2`),
		states:       q(`SELECT site, principal, idx, state FROM #_state ORDER BY site, principal, seq, idx`),
		deleteStates: q(`DELETE FROM #_state WHERE idx = ANY($1) RETURNING idx`),
		wipe:         q(`UPDATE #_entry SET salt = NULL, body = NULL WHERE idx = ANY($1)`),
		changes:      q(`SELECT e.idx, s.site, s.principal FROM #_entry e LEFT JOIN #_state s ON s.idx = e.idx WHERE e.idx > $1 ORDER BY e.idx LIMIT $2`),

		disclosure:      q(`SELECT categories FROM #_ledger WHERE month = $1 AND site = $2 AND vendor = $3`),
		disclose:        q(`INSERT INTO #_ledger (month, site, vendor, categories) VALUES ($1, $2, $3, $4) ON CONFLICT (month, site, vendor) DO UPDATE SET categories = excluded.categories`),
		disclosures:     q(`SELECT month, site, vendor, categories FROM #_ledger ORDER BY month, site, vendor`),
		sweepDisclosure: q(`DELETE FROM #_ledger WHERE month < $1`),
	}
}

// collision are the errors of nodes that create the same table at the same moment: unique_violation in the catalogue,
// duplicate_table, duplicate_object (the table's row type) and serialization_failure.
var collision = map[string]bool{"23505": true, "42P07": true, "42710": true, "40001": true}

// migrate brings the schema to the newest version. Nodes that start at the same time may collide in
// CREATE TABLE, IF NOT EXISTS or not; the one that lost looks again.
func (s *Store) migrate(ctx context.Context) (err error) {
	for range attempts {
		err = s.migrateOnce(ctx)
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || !collision[pg.Code] {
			return s.migrateError(err)
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return err
		}
	}
	return err
}

func (s *Store) migrateOnce(ctx context.Context) error {
	for _, sql := range []string{s.sql.schemaTable, s.sql.schemaInsert} {
		if _, err := s.pool.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var version int
		if err := tx.QueryRow(ctx, s.sql.schema).Scan(&version); err != nil {
			return err
		}
		if err := s.known(version); err != nil {
			return err
		}
		for ; version < len(migrations); version++ {
			for _, sql := range s.sql.migrations[version] {
				if _, err := tx.Exec(ctx, sql); err != nil {
					return err
				}
			}
			if _, err := tx.Exec(ctx, s.sql.schemaUpdate, version+1); err != nil {
				return err
			}
		}
		return nil
	})
}

// known refuses a schema that this program does not know.
func (s *Store) known(version int) error {
	if version > len(migrations) {
		return fmt.Errorf("%w %d in tables %s_… was written by a newer version; this program knows %d: use the newer program, or another table prefix", errSchema, version, s.opts.Prefix, len(migrations))
	}
	return nil
}

const (
	undefinedTable        = "42P01"
	insufficientPrivilege = "42501"
)

// check looks whether migrate would work.
func (s *Store) check(ctx context.Context) error {
	var version int
	err := s.pool.QueryRow(ctx, s.sql.schemaLook).Scan(&version)
	var pg *pgconn.PgError
	switch {
	case err == nil:
		return s.known(version)
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case !errors.As(err, &pg) || pg.Code != undefinedTable:
		return s.migrateError(err)
	}
	var may *bool
	err = s.pool.QueryRow(ctx, "SELECT has_schema_privilege(current_schema(), 'CREATE')").Scan(&may)
	if err == nil && (may == nil || !*may) { // there is no schema, or nothing can be made in it
		err = &pgconn.PgError{Severity: "ERROR", Code: insufficientPrivilege, Message: "permission denied for the schema"}
	}
	return s.migrateError(err)
}

// migrateError says what to do when the database refuses.
func (s *Store) migrateError(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == insufficientPrivilege {
		return fmt.Errorf("%w: not permitted: give the database user the right to create tables, or let its owner create them: %w", errSchema, err)
	}
	return err
}
