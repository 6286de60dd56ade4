package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/consent/store/bolt"
	"github.com/caddy-consent/caddy-consent/consent/store/postgres"
)

func init() {
	caddy.RegisterModule(new(BoltStore))
	caddy.RegisterModule(new(PostgresStore))
}

// StoreOpener is what a module of the namespace consent.stores is.
type StoreOpener interface {
	// Key identifies the store: openers with the same key share one open store across configuration reloads.
	Key() string
	// Check tells whether Open would work, as far as that can be told without making or changing anything.
	Check(context.Context) error
	// Open opens the store. The error names the path or address and the way out.
	Open(context.Context, *store.Signer) (store.Store, error)
}

// BoltStore keeps records in one file of its own (bbolt). One process at a time can have it open.
type BoltStore struct {
	// Path of the file. Default: consent/consent.db in Caddy's data folder.
	Path string `json:"path,omitempty"`
}

// CaddyModule returns the store's ID.
func (*BoltStore) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "consent.stores.bolt", New: func() caddy.Module { return new(BoltStore) }}
}

// UnmarshalCaddyfile reads: store bolt [PATH].
func (b *BoltStore) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) > 1 {
		return d.Errf("store bolt takes one path, %q is one argument too many", args[1])
	}
	if len(args) == 1 {
		b.Path = absolute(d, args[0])
	}
	return nil
}

// Key is the file's absolute path.
func (b *BoltStore) Key() string { return "bolt " + b.path() }

func (b *BoltStore) path() string {
	p := b.Path
	if p == "" {
		return filepath.Join(dataDir(), "consent.db")
	}
	if abs, err := filepath.Abs(p); err == nil {
		return abs
	}
	return p
}

// Check looks at the file, or at where it would be.
func (b *BoltStore) Check(context.Context) error { return bolt.Check(b.path(), bolt.Options{}) }

// Open opens the file, and makes it and its folder if they are not there.
func (b *BoltStore) Open(_ context.Context, signer *store.Signer) (store.Store, error) {
	s, err := bolt.Open(b.path(), bolt.Options{Signer: signer})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// PostgresStore keeps records in PostgreSQL or what speaks its protocol (CockroachDB, YugabyteDB), for many nodes.
type PostgresStore struct {
	// DSN is the connection string; placeholders such as {env.CONSENT_DSN} are replaced.
	DSN string `json:"dsn"`
	// Table is the prefix of the tables' names. Default: "consent".
	Table string `json:"table,omitempty"`
	// Lazy starts although the server is down: until it is there, nothing is granted.
	Lazy bool `json:"lazy,omitempty"`
}

// CaddyModule returns the store's ID.
func (*PostgresStore) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "consent.stores.postgres", New: func() caddy.Module { return new(PostgresStore) }}
}

// Key is the connection string with its placeholders replaced.
func (p *PostgresStore) Key() string { return "postgres " + p.dsn() + " " + p.Table }

func (p *PostgresStore) dsn() string { return caddy.NewReplacer().ReplaceAll(p.DSN, "") }

// UnmarshalCaddyfile reads: store postgres DSN { table PREFIX; lazy }.
func (p *PostgresStore) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	if err := oneString(d, &p.DSN); err != nil {
		return d.Err("store postgres takes a connection string: store postgres {env.CONSENT_DSN}")
	}
	return parseOptions(d, p, "store postgres", postgresOptions)
}

var postgresOptions = map[string]option[PostgresStore]{
	"table": func(d *caddyfile.Dispenser, p *PostgresStore) error { return oneString(d, &p.Table) },
	"lazy":  func(d *caddyfile.Dispenser, p *PostgresStore) error { return switchOn(d, &p.Lazy) },
}

// Check connects, and looks at the tables.
func (p *PostgresStore) Check(ctx context.Context) error {
	dsn, err := replaced(p.DSN)
	if err == nil {
		err = postgres.Check(ctx, dsn, postgres.Options{Prefix: p.Table, Lazy: p.Lazy})
	}
	return p.wayOut(err)
}

// Open connects, and makes or migrates the tables.
func (p *PostgresStore) Open(ctx context.Context, signer *store.Signer) (store.Store, error) {
	s, err := postgres.Open(ctx, p.dsn(), postgres.Options{Signer: signer, Prefix: p.Table, Lazy: p.Lazy})
	if err != nil {
		return nil, p.wayOut(err)
	}
	return s, nil
}

func (p *PostgresStore) wayOut(err error) error {
	if errors.Is(err, store.ErrUnavailable) {
		err = fmt.Errorf("%w: start the database, or start without it (store postgres DSN { lazy }): then nothing is granted until it is there", err)
	}
	return err
}

var (
	_ StoreOpener = (*BoltStore)(nil)
	_ StoreOpener = (*PostgresStore)(nil)
)
