// Package postgres is the store for many nodes: a PostgreSQL database, or one that speaks its protocol
// and the portable part of its SQL, such as CockroachDB and YugabyteDB.
//
// The chain is one for all nodes: a node extends it while it holds the row of the head. Nodes follow each
// other by polling, woken by LISTEN/NOTIFY where the server has it.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/consent/store/internal/group"
)

// Options of a store. The zero value is safe.
type Options struct {
	Signer  *store.Signer    // signs heads, the same key on every node; nil leaves them unsigned
	Now     func() time.Time // clock for heads and erasures; nil is time.Now
	Prefix  string           // of the tables' names; "" is consent
	Timeout time.Duration    // for one operation, connecting included; 0 is two seconds
	Poll    time.Duration    // how often Follow asks; 0 is a quarter of a second
	// Lazy lets Open succeed while the server is down; until it is there, everything fails with
	// store.ErrUnavailable.
	Lazy bool
}

// maxBatch bounds the entries of one commit.
const maxBatch = 512

// Store is a [store.Follower] and [store.Ledger] in a PostgreSQL database.
type Store struct {
	opts   Options
	sql    queries
	pool   *pgxpool.Pool
	writes *group.Group[store.Sealed]
	state  chan state // of capacity one: whoever takes it out may change it
}

// state is what a store learns from its server.
type state struct {
	migrated, closed bool
	notify           bool // the server knows LISTEN and NOTIFY
}

var (
	_ store.Follower = (*Store)(nil)
	_ store.Ledger   = (*Store)(nil)
)

var prefixForm = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,39}$`)

// Open connects to the database and makes or migrates the tables. The connection string is a URL or
// keyword/value list of libpq, with the pool options of pgxpool. The pool keeps goroutines of its own
// until Close. Errors name what to do; a password is not in them.
func Open(ctx context.Context, dsn string, opts Options) (*Store, error) {
	s, err := connect(ctx, dsn, opts)
	if err != nil {
		return nil, err
	}
	if err := s.do(ctx, func(context.Context) error { return nil }); err != nil && !s.later(err) {
		s.pool.Close()
		return nil, err
	}
	return s, nil
}

// Check tells whether Open would work, and makes and migrates nothing.
func Check(ctx context.Context, dsn string, opts Options) error {
	s, err := connect(ctx, dsn, opts)
	if err != nil {
		return err
	}
	defer s.pool.Close()
	limited, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	if err := s.classify(ctx, s.check(limited)); err != nil && !s.later(err) {
		return err
	}
	return nil
}

// later reports whether an error is one that a lazy store waits for the end of.
func (s *Store) later(err error) bool { return s.opts.Lazy && errors.Is(err, store.ErrUnavailable) }

// connect makes the pool, which connects when it is used.
func connect(ctx context.Context, dsn string, opts Options) (*Store, error) {
	if opts.Prefix == "" {
		opts.Prefix = "consent"
	}
	if !prefixForm.MatchString(opts.Prefix) {
		return nil, fmt.Errorf("consent store: table prefix %.60q: use up to 40 lower-case letters, digits and underscores, a letter first", opts.Prefix)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Timeout <= 0 {
		opts.Timeout = 2 * time.Second
	}
	if opts.Poll <= 0 {
		opts.Poll = 250 * time.Millisecond
	}
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("consent store: connection string: %w: write it as postgres://user:password@host:5432/database", err)
	}
	if config.ConnConfig.ConnectTimeout <= 0 || config.ConnConfig.ConnectTimeout > opts.Timeout {
		config.ConnConfig.ConnectTimeout = opts.Timeout
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("consent store: %w", err)
	}
	s := &Store{opts: opts, sql: newQueries(opts.Prefix), pool: pool, state: make(chan state, 1)}
	s.state <- state{}
	s.writes = group.New(maxBatch, s.commit)
	return s, nil
}

// Address returns where the database of a connection string is, as host:port/database, without user and password; of several
// hosts all, with commas. It is "" if the string cannot be read.
func Address(dsn string) string {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return ""
	}
	c := config.ConnConfig
	hosts := []string{net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))}
	for _, f := range c.Fallbacks {
		if one := net.JoinHostPort(f.Host, strconv.Itoa(int(f.Port))); !slices.Contains(hosts, one) {
			hosts = append(hosts, one)
		}
	}
	return strings.Join(hosts, ",") + "/" + c.Database
}

// Close implements [store.Store].
func (s *Store) Close() error {
	return s.writes.Exclude(func() error {
		st := <-s.state
		closed := st.closed
		st.closed = true
		s.state <- st
		if !closed {
			s.pool.Close()
		}
		return nil
	})
}

// do runs f with a time limit once the tables are there, and makes its error one of the store's.
func (s *Store) do(ctx context.Context, f func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	return s.run(ctx, limited, f)
}

// run is do with a context of its own for the work.
func (s *Store) run(ctx, work context.Context, f func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := s.ready(work)
	if err == nil {
		err = f(work)
	}
	return s.classify(ctx, err)
}

// ready migrates the tables the first time that the server is there.
func (s *Store) ready(ctx context.Context) error {
	var st state
	select {
	case st = <-s.state:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { s.state <- st }()
	switch {
	case st.closed:
		return store.ErrClosed
	case st.migrated:
		return nil
	}
	if err := s.migrate(ctx); err != nil {
		return err
	}
	_, err := s.pool.Exec(ctx, "SELECT pg_notify($1, '')", s.opts.Prefix)
	st.migrated, st.notify = true, err == nil
	return nil
}

func (s *Store) notifies() bool {
	st := <-s.state
	s.state <- st
	return st.notify
}

// classify tells the caller's own end of patience, what the store knows by name and all else apart.
func (s *Store) classify(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if e := ctx.Err(); e != nil {
		return e
	}
	for _, known := range []error{store.ErrNotFound, store.ErrClock, store.ErrInvalid, store.ErrTampered, store.ErrClosed, consent.ErrNewer, errSchema} {
		if errors.Is(err, known) {
			return err
		}
	}
	if st := <-s.state; true {
		s.state <- st
		if st.closed {
			return store.ErrClosed
		}
	}
	return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
}

// attempts bounds how often a transaction that lost a race is run again.
const attempts = 8

// transact runs f in a transaction, again when the server says that it lost a race. CockroachDB does so
// as a matter of course.
func (s *Store) transact(ctx context.Context, o pgx.TxOptions, f func(pgx.Tx) error) (err error) {
	for i := range attempts {
		err = pgx.BeginTxFunc(ctx, s.pool, o, f)
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != "40001" && pg.Code != "40P01" {
			return err
		}
		select {
		case <-time.After(time.Duration(i+1) * 5 * time.Millisecond):
		case <-ctx.Done():
			return err
		}
	}
	return err
}
