package caddymodule

import (
	"context"
	"maps"
	"net/http"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-consent/caddy-consent/caddymodule/problem"
	"github.com/caddy-consent/caddy-consent/consent"
)

// regionFunc returns what tells a visitor's region, nil where the options do not ask for it. Sites share a database.
func (a *App) regionFunc(o *Options) (func(http.Header, netip.Addr) consent.Region, error) {
	r := o.Region
	if r == nil {
		return nil, nil
	}
	regions := consent.DefaultRegions()
	if r.Database == "" {
		return regions.FromHeader(r.Header, r.Subdivision), nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	db := a.databases[r.Database]
	if db == nil {
		var err error
		if db, err = regions.OpenDatabase(r.Database); err != nil {
			return nil, problem.At(o.Places, r.Database, err)
		}
		if a.databases == nil {
			a.databases = map[string]*consent.RegionDatabase{}
		}
		a.databases[r.Database] = db
	}
	return db.Region, nil
}

// databasesEvery is how often region databases are looked at for changes.
const databasesEvery = 2 * time.Second

// watchDatabases reads region databases again when they were replaced, until ctx ends.
func (a *App) watchDatabases(ctx context.Context) {
	t := time.NewTicker(databasesEvery)
	defer t.Stop()
	said := map[string]string{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		a.mu.Lock()
		all := maps.Clone(a.databases)
		a.mu.Unlock()
		for path, db := range all {
			changed, err := db.Refresh()
			if err != nil && said[path] != err.Error() {
				said[path] = err.Error()
				a.log.Error("the changed region database cannot be used; the old one stays in force", zap.Error(err))
			}
			if changed {
				delete(said, path)
				a.log.Info("region database reloaded", zap.String("path", path))
			}
		}
	}
}
