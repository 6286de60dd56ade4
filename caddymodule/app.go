// Package caddymodule joins the consent firewall to Caddy: the consent app (store, rules, keys, texts), the handler consent, the
// matcher, the stores, the admin API and the Caddyfile. What it joins, consent, rules and rewrite, are plain libraries that know
// neither each other nor Caddy. What needs no request stands in packages below: logs without addresses, the rules' sources, the
// inventory of what was seen, and the commands; none of them knows this one.
//
// One request can be followed in serve.go; what it may make the browser contact is judged in policy.go.
package caddymodule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-consent/caddy-consent/caddymodule/anonymize"
	"github.com/caddy-consent/caddy-consent/caddymodule/cname"
	"github.com/caddy-consent/caddy-consent/caddymodule/inventory"
	"github.com/caddy-consent/caddy-consent/caddymodule/learned"
	"github.com/caddy-consent/caddy-consent/caddymodule/metrics"
	"github.com/caddy-consent/caddy-consent/caddymodule/problem"
	"github.com/caddy-consent/caddy-consent/caddymodule/records"
	"github.com/caddy-consent/caddy-consent/caddymodule/rulesource"
	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
)

func init() {
	caddy.RegisterModule(new(App))
}

// App holds what all sites share: the records' store, the rules, the keys that sign answers. It needs no configuration:
// a site's consent directive starts it with its defaults.
type App struct {
	// Options hold for every site that does not override them.
	Options

	// StoreRaw is where records are kept. Default: bolt, in Caddy's data folder.
	StoreRaw json.RawMessage `json:"store,omitempty" caddy:"namespace=consent.stores inline_key=store"`
	// Keys sign the visitors' answers: base64 of 32 random bytes each, newest first; older ones still verify.
	// Default: one key, generated into Caddy's storage.
	Keys []string `json:"keys,omitempty"`
	// VendorFiles are further vendor files (JSON, rules/catalogue/README.md) as glob patterns.
	VendorFiles []string `json:"vendor_files,omitempty"`
	// CookieDatabase is a file that classifies cookies which the catalogue does not know: CSV in the format of the Open
	// Cookie Database. Default: none.
	CookieDatabase string `json:"cookie_database,omitempty"`
	// Lists are filter lists in Adblock Plus, uBlock Origin or AdGuard syntax, or hosts files.
	Lists []rulesource.List `json:"lists,omitempty"`
	// Retention is how long a consent record is kept after it ended. Default: 3 years.
	Retention caddy.Duration `json:"retention,omitempty"`
	// CNAME makes the gateway look up what the sites' own sub-domains stand for. Default: it does not.
	CNAME *CNAME `json:"cname,omitempty"`

	ctx       caddy.Context
	log       *zap.Logger
	store     *storeLease
	opening   sync.Once
	opened    error // what opening ended with
	released  atomic.Bool
	keys      *consent.Keyring
	signer    *store.Signer
	rules     *rulesource.Source
	compiled  rulesource.Rules     // those in force
	aliases   *cname.Aliases       // nil without CNAME
	inventory *inventory.Inventory // lives with the store, so that a reload loses nothing

	limiter *limiter // of answers
	claims  *limiter // of what clients say that a site loads
	views   *limiter

	answersOut, recordsOut outage
	notices                records.Notices
	noticesFailing         atomic.Bool

	mu        sync.Mutex
	databases map[string]*consent.RegionDatabase // by path
	sites     map[*Handler]struct{}
	current   atomic.Pointer[[]*site] // those of sites that gate
	stop      context.CancelFunc
	done      sync.WaitGroup
}

// CaddyModule returns the app's ID.
func (*App) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "consent", New: func() caddy.Module { return new(App) }}
}

// Provision compiles the rules and checks all that Start needs. All that is wrong is reported together. It writes nothing:
// `caddy validate` comes no further, often as another user than the one that runs the gateway, and beside it.
func (a *App) Provision(ctx caddy.Context) error {
	anonymize.RedirectStdlib()
	a.ctx, a.log = ctx, ctx.Logger()
	a.answersOut.what = "visitors' answers cannot be recorded: refusals are in force all the same, grants are refused; see to the store"
	a.recordsOut.what = "the consent records cannot be read: who agreed is treated as undecided, receipts and links do not open; see to the store"
	a.sites = map[*Handler]struct{}{}
	a.limiter, a.claims, a.views = newLimiter(answersPerMinute), newLimiter(claimsPerMinute), newLimiter(viewsPerMinute)
	var err error
	if a.CNAME != nil {
		a.aliases, err = cname.New(a.CNAME.Resolver)
	}
	return errors.Join(err, metrics.Register(ctx.GetMetricsRegistry(), spooled), a.provisionRules(), a.provisionKeys(), a.provisionStore())
}

func (a *App) provisionStore() error {
	opener, err := a.storeOpener()
	if err != nil {
		return err
	}
	if a.store, err = leaseStore(opener); err != nil {
		if kind, address := kindOf(opener); errors.Is(err, store.ErrUnavailable) { // in the error, a masked log has no address
			a.log.Error("the consent store does not answer", zap.String("kind", kind), anonymize.Own("store", address))
		}
		return problem.At(a.Places, storePlace, err) // it names the store
	}
	a.inventory = a.store.inventory
	a.answersOut.where, a.recordsOut.where = a.store.address, a.store.address
	return nil
}

// open makes the key that signs answers, if there is none, and opens the store, once. Caddy starts apps in any order: a
// request may come before Start. Where something fails, Start says so; until then nothing is granted.
func (a *App) open() error {
	a.opening.Do(func() {
		if a.opened = a.makeKey(); a.opened == nil {
			a.opened = problem.At(a.Places, storePlace, a.store.open(a.signer))
		}
		if a.keys == nil {
			a.keys, _ = consent.NewKeyring(consent.GenerateKey()) // by which no answer is valid
		}
	})
	return a.opened
}

// storeOpener loads the module that says where records are kept.
func (a *App) storeOpener() (StoreOpener, error) {
	if a.StoreRaw == nil {
		a.StoreRaw = json.RawMessage(`{"store":"bolt"}`)
	}
	mod, err := a.ctx.LoadModule(a, "StoreRaw")
	if err != nil {
		return nil, fmt.Errorf("consent store: %w", err)
	}
	opener, ok := mod.(StoreOpener)
	if !ok {
		return nil, fmt.Errorf("consent store: %T is no store", mod)
	}
	return opener, nil
}

// Validate checks what needs no resource.
func (a *App) Validate() error {
	_, err := a.compile()
	return err
}

// Start opens the store, and begins watching the rules and sweeping records whose time is over.
func (a *App) Start() error {
	if err := a.open(); err != nil {
		return err
	}
	a.rules.Keep()
	ctx, cancel := context.WithCancel(a.ctx)
	a.stop = cancel
	a.done.Go(func() { a.rules.Watch(ctx, a.rulesChanged) })
	a.done.Go(func() { a.watchDatabases(ctx) })
	a.done.Go(func() { a.sweep(ctx) })
	if a.aliases != nil {
		a.done.Go(func() { a.aliases.Run(ctx) })
	}
	return nil
}

// Stop ends what Start began.
func (a *App) Stop() error {
	a.stop()
	a.done.Wait()
	return nil
}

// Cleanup gives the store back; it closes when the last request that uses it has ended.
func (a *App) Cleanup() error {
	// The field stays: requests in flight use it.
	if a.store != nil && !a.released.Swap(true) {
		return a.store.release()
	}
	return nil
}

// addSite compiles a handler's site and keeps it current.
func (a *App) addSite(h *Handler, m mode) error {
	s, err := newSite(a, a.Options.merged(h.Options), m)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sites[h] = struct{}{}
	h.site.Store(s)
	a.publish()
	return nil
}

// currentSites returns the sites that gate.
func (a *App) currentSites() []*site {
	if list := a.current.Load(); list != nil {
		return *list
	}
	return nil
}

// publish makes the sites known to currentSites; a.mu is held.
func (a *App) publish() {
	list := make([]*site, 0, len(a.sites))
	for h := range a.sites {
		if s := h.site.Load(); s.mode != modeOff {
			list = append(list, s)
		}
	}
	a.current.Store(&list)
}

func (a *App) removeSite(h *Handler) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.sites, h)
	a.publish()
}

// learnedOf returns what was learned of a host, whatever the name under which its answers are recorded.
func (a *App) learnedOf(host string) *learned.Hosts {
	if a.store == nil { // a scan, which keeps nothing
		return learned.Shared()
	}
	return a.store.learned.Of(host)
}

// retention is how long each class of records is kept.
func (a *App) retention() store.Retention {
	r := store.DefaultRetention()
	if a.Retention > 0 {
		r.Consent = time.Duration(a.Retention)
	}
	return r
}

// sweep removes, once an hour, the records whose retention has ended.
func (a *App) sweep(ctx context.Context) {
	t := time.NewTicker(time.Hour)
	defer t.Stop()
	for {
		if n, err := a.store.Sweep(ctx, time.Now(), a.retention()); err != nil && ctx.Err() == nil {
			a.log.Error("sweeping old consent records failed; it is tried again in an hour", anonymize.Own("store", a.store.address), zap.Error(err))
		} else if n > 0 {
			a.log.Info("old consent records swept", zap.Int("records", n))
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// dataDir is the folder of the embedded store and of the lists' last good copies.
func dataDir() string { return filepath.Join(caddy.AppDataDir(), "consent") }

var (
	_ caddy.Provisioner  = (*App)(nil)
	_ caddy.Validator    = (*App)(nil)
	_ caddy.App          = (*App)(nil)
	_ caddy.CleanerUpper = (*App)(nil)
)
