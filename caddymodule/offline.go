package caddymodule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"go.uber.org/zap"

	"github.com/caddy-consent/caddy-consent/caddymodule/command"
	"github.com/caddy-consent/caddy-consent/caddymodule/crawl"
	"github.com/caddy-consent/caddy-consent/caddymodule/inventory"
	"github.com/caddy-consent/caddy-consent/caddymodule/records"
	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
)

// offlineSite is the first site of a configuration, or one with all defaults, without a store: it can judge, not record.
func offlineSite(path string) (*site, error) {
	app, h := &App{}, &Handler{}
	if path != "" {
		if err := readConfig(path, app, h); err != nil {
			return nil, err
		}
	}
	app.log, app.inventory = zap.NewNop(), new(inventory.Inventory)
	if err := app.provisionRules(); err != nil {
		return nil, err
	}
	for _, l := range app.rules.Status() {
		if l.Error != "" {
			return nil, errors.New(l.Error)
		}
	}
	m, err := parseMode(h.Mode)
	if err != nil {
		return nil, err
	}
	return newSite(app, app.Options.merged(h.Options), m)
}

// judgeOffline judges responses as the site of a configuration would for a visitor who has not answered, and counts what it sees.
func judgeOffline(config string, seen *inventory.Inventory) (crawl.Judge, error) {
	s, err := offlineSite(config)
	if err != nil {
		return nil, err
	}
	s.mode = modeEnforce // strict would give undeclared hosts a purpose
	if s.app.keys, err = consent.NewKeyring(consent.GenerateKey()); err != nil {
		return nil, err
	}
	return func(res *http.Response, dest string, body []byte) error {
		u := res.Request.URL
		r, err := http.NewRequestWithContext(res.Request.Context(), http.MethodGet, u.String(), nil)
		if err != nil {
			return err
		}
		r.Header.Set("Sec-Fetch-Dest", dest)
		r.RemoteAddr = "127.0.0.1:0"
		x := s.exchange(r)
		h := res.Header.Clone()
		w := x.newResponseWriter(discarded{&h})
		defer w.abort()
		w.WriteHeader(res.StatusCode)
		if _, err := w.Write(body); err != nil {
			return err
		}
		err = w.finish()
		seen.Add(x.siteName, u.Path, &x.policy.tally)
		return err
	}, nil
}

// openOffline opens a bolt file, or the store that a configuration names. The keys by which heads are signed are the
// configuration's, or lie in the storage that it names; without any, signatures are neither made nor checked. A bolt file that is
// not there is made only where the caller says so.
func openOffline(path, config string, create bool) (k records.Local, err error) {
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
	return records.Local{Store: s, Retention: app.retention(), Texts: bound.Storage(), Done: cancel}, nil
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

// openSpooled opens the store that a module describes, with the spool that a gateway may have left records in. Where a
// running gateway holds the spool, it hands them over itself.
func openSpooled(ctx context.Context, o StoreOpener, signer *store.Signer) (store.Store, error) {
	s, err := o.Open(ctx, signer)
	if err != nil {
		return nil, err
	}
	path := spoolPath(o.Key())
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	spool, err := store.OpenSpool(path, s, store.SpoolOptions{})
	if err != nil {
		return s, nil //nolint:nilerr // see above
	}
	if err := spool.Drain(ctx); err != nil {
		return nil, errors.Join(err, spool.Close())
	}
	return spool, nil
}

// configFile is what the commands need of a configuration.
type configFile struct {
	Storage json.RawMessage            `json:"storage"`
	Apps    map[string]json.RawMessage `json:"apps"`
}

// readConfigFile reads a Caddyfile or a JSON configuration.
func readConfigFile(path string) (c configFile, err error) {
	data, err := command.ReadConfig(path)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// app reads the consent app, if the configuration has one.
func (c *configFile) app(app *App) error {
	raw, ok := c.Apps["consent"]
	if !ok {
		return nil
	}
	if err := json.Unmarshal(raw, app); err != nil {
		return fmt.Errorf("apps.consent: %w", err)
	}
	return nil
}

// readConfig takes the consent app and the first consent handler out of a Caddyfile or JSON configuration.
func readConfig(path string, app *App, h *Handler) error {
	config, err := readConfigFile(path)
	if err != nil {
		return err
	}
	if err := config.app(app); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if raw := findHandler(config.Apps["http"]); raw != nil {
		if err := json.Unmarshal(raw, h); err != nil {
			return fmt.Errorf("%s: handler consent: %w", path, err)
		}
	}
	return nil
}

// findHandler returns the first object that says "handler": "consent" and is not off.
func findHandler(raw json.RawMessage) json.RawMessage {
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) == nil {
		if string(object["handler"]) == `"consent"` && string(object["mode"]) != `"off"` {
			return raw
		}
		for _, k := range slices.Sorted(maps.Keys(object)) {
			if found := findHandler(object[k]); found != nil {
				return found
			}
		}
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		for _, v := range list {
			if found := findHandler(v); found != nil {
				return found
			}
		}
	}
	return nil
}
