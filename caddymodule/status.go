package caddymodule

import (
	"context"
	"errors"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-consent/caddy-consent/caddymodule/rulesource"
	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/consent/store/postgres"
)

// status is how a gateway is doing. It holds no connection string: those have passwords.
type status struct {
	Store struct {
		Kind    string `json:"kind"`
		Address string `json:"address,omitempty"` // its file; host:port/database of a server
		Spooled int    `json:"spooled"`           // records that wait until the store takes them
		Dropped int    `json:"dropped"`           // records that it never will
		Error   string `json:"error,omitempty"`   // why it cannot be read now; until it can, nobody's agreement counts
	} `json:"store"`
	Rules struct {
		Vendors int                     `json:"vendors"`
		Filters int                     `json:"filters"` // rules of all lists
		Lists   []rulesource.ListStatus `json:"lists"`
	} `json:"rules"`
	Sites []siteStatus `json:"sites"`
}

// siteStatus is one handler's site.
type siteStatus struct {
	Site    string    `json:"site"` // "" where the host names it
	Mode    string    `json:"mode"`
	Version string    `json:"policy_version"`
	Since   time.Time `json:"since"`
}

// statusTimeout bounds how long the store is waited for.
const statusTimeout = 3 * time.Second

// status gathers how the gateway is doing.
func (a *App) status(ctx context.Context) status {
	var s status
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	// Nobody has this id, so that no cache answers.
	if _, err := a.store.Latest(ctx, "status", consent.NewID()); err != nil && !errors.Is(err, store.ErrNotFound) {
		s.Store.Error = err.Error()
	}
	spool := a.store.spooled()
	s.Store.Kind, s.Store.Address, s.Store.Spooled, s.Store.Dropped = a.store.kind, a.store.address, spool.Pending, spool.Dropped
	a.mu.Lock()
	s.Rules.Vendors = len(a.compiled.Catalogue.Vendors)
	if e := a.compiled.Engine; e != nil {
		s.Rules.Filters = e.Len()
	}
	a.mu.Unlock()
	s.Rules.Lists = a.rules.Status()
	for _, one := range a.activeSites() {
		s.Sites = append(s.Sites, siteStatus{one.options.Site, one.mode.String(), one.options.PolicyVersion, one.since})
	}
	return s
}

// kindOf names a store's module, and where it is: no password, which a connection string has.
func kindOf(o StoreOpener) (kind, address string) {
	if m, ok := o.(caddy.Module); ok {
		kind = m.CaddyModule().ID.Name()
	}
	switch s := o.(type) {
	case *BoltStore:
		address = s.path()
	case *PostgresStore:
		address = postgres.Address(s.dsn())
	}
	return kind, address
}
