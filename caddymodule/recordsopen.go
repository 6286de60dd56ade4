package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"go.uber.org/zap"

	"github.com/caddy-consent/caddy-consent/consent/store"
)

// recordsFlags say which store the records' commands work on.
type recordsFlags struct {
	address, store, config string
	json                   bool
}

// open returns the records of a running instance, or opens the store itself.
func (f *recordsFlags) open() (recordKeeper, error) {
	switch {
	case f.store != "" && f.config != "":
		return nil, usageError("--store and --config exclude each other: the configuration names its store")
	case (f.store != "" || f.config != "") && f.address != "":
		return nil, usageError("--address is for a running instance, --store and --config open the store without one")
	case f.store != "" || f.config != "":
		return openOffline(f.store, f.config, false)
	}
	return newAdminClient(f.address), nil
}

// offlineKeeper closes with its store what was needed to open it.
type offlineKeeper struct {
	storeKeeper
	cancel context.CancelFunc
}

// Close implements recordKeeper.
func (k offlineKeeper) Close() error {
	err := k.Store.Close()
	k.cancel()
	return err
}

// openOffline opens a bolt file, or the store that a configuration names. The keys by which heads are signed are the
// configuration's, or lie in the storage that it names; without any, signatures are neither made nor checked. A bolt file that is
// not there is made only where the caller says so.
func openOffline(path, config string, create bool) (k offlineKeeper, err error) {
	app := &App{log: zap.NewNop()}
	var c configFile
	if config != "" {
		if c, err = readConfigFile(config); err != nil {
			return k, err
		}
		if err := c.app(app); err != nil {
			return k, fmt.Errorf("%s: %w", config, err)
		}
	} else {
		app.StoreRaw = caddyconfig.JSONModuleObject(&BoltStore{Path: path}, "store", "bolt", nil)
	}
	quiet := &caddy.Logging{Logs: map[string]*caddy.CustomLog{caddy.DefaultLoggerName: {BaseLog: caddy.BaseLog{Level: "ERROR"}}}}
	ctx, err := caddy.ProvisionContext(&caddy.Config{StorageRaw: c.Storage, Logging: quiet})
	if err != nil {
		return k, err
	}
	bound, cancel := caddy.NewContext(ctx)
	app.ctx = bound
	s, err := app.openOffline(bound, create)
	if err != nil {
		cancel()
		if errors.Is(err, store.ErrHeld) {
			err = fmt.Errorf("%w; if it is a running Caddy that holds it, ask that one: leave --store and --config out, and name its admin API with --address", err)
		}
		return k, err
	}
	return offlineKeeper{storeKeeper{s, app.retention(), bound.Storage()}, cancel}, nil
}

func (a *App) openOffline(ctx caddy.Context, create bool) (store.Store, error) {
	if len(a.Keys) > 0 || ctx.Storage().Exists(ctx, keyPath) {
		if err := a.provisionKeys(); err != nil {
			return nil, err
		}
	}
	opener, err := a.storeOpener()
	if err != nil {
		return nil, err
	}
	if b, ok := opener.(*BoltStore); ok && !create {
		if _, err := os.Stat(b.path()); err != nil {
			return nil, fmt.Errorf("consent store: %w: name the file with --store, or a configuration with --config", err)
		}
	}
	timed, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	return openSpooled(timed, opener, a.signer)
}
