package caddymodule

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/caddy-consent/caddy-consent/caddymodule/anonymize"
	"github.com/caddy-consent/caddy-consent/caddymodule/inventory"
	"github.com/caddy-consent/caddy-consent/caddymodule/learned"
	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
)

// openStores are the stores in use, across configuration reloads.
var openStores = caddy.NewUsagePool()

// spooled is asked for when the metrics are.
var spooled = prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "caddy", Subsystem: "consent", Name: "spooled_records",
	Help: "Records of refusals that wait on disk until the store takes them."}, func() float64 {
	n := 0
	openStores.Range(func(_, v any) bool {
		if l, ok := v.(*storeLease); ok {
			n += l.spooled().Pending
		}
		return true
	})
	return float64(n)
})

// storeLease is a store that is shared by configurations, from the time one starts, and held by requests. Caddy cleans an old
// configuration up while its last requests are still in flight, so the store closes when the last holder lets go.
type storeLease struct {
	store.Store // a spool in front of a cache in front of the store itself, once it is open
	opener      StoreOpener
	opening     sync.Once
	opened      error // what opening ended with
	signer      *store.Signer
	kind        string                      // for the status
	address     string                      // its file, or where it is in the network
	spool       atomic.Pointer[store.Spool] // nil until the store is open; metrics look at it at any time
	inventory   *inventory.Inventory
	learned     *learned.Sites
	stop        context.CancelFunc
	running     sync.WaitGroup
	holders     atomic.Int64 // how many hold it; closingBit is added when the last configuration has gone
	closed      sync.Once
}

const (
	closingBit      = 1 << 62
	storeCacheBytes = 16 << 20
	openTimeout     = 10 * time.Second
)

// errStoreClosed can only be met by a request that begins after its configuration has ended.
var errStoreClosed = errors.New("the consent store is closing: try again")

// leaseStore joins those who use the store. The first looks whether it can be opened; a store that another process holds
// can be, as far as anybody knows: that is for open to say, so that a configuration can be validated beside the Caddy that
// runs it.
func leaseStore(o StoreOpener) (*storeLease, error) {
	v, _, err := openStores.LoadOrNew(o.Key(), func() (caddy.Destructor, error) {
		ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
		defer cancel()
		if err := o.Check(ctx); err != nil && !errors.Is(err, store.ErrHeld) {
			return nil, err
		}
		l := &storeLease{Store: unavailable{err: errStoreUnopened}, opener: o, inventory: inventory.Open(inventoryPath(o.Key())), learned: learned.NewSites(), stop: func() {}}
		l.kind, l.address = kindOf(o)
		return l, nil
	})
	if err != nil {
		return nil, err
	}
	return v.(*storeLease), nil
}

// open opens the store, once for all who use it. Nobody uses it before; where that fails, it takes and has nothing. The keys of
// the last configuration to come sign its chain.
func (l *storeLease) open(signer *store.Signer) error {
	l.opening.Do(func() {
		l.signer = signer
		ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
		defer cancel()
		s, err := l.opener.Open(ctx, signer)
		if err == nil {
			err = l.begin(s)
		}
		if err != nil {
			l.Store = unavailable{err: err}
		}
		l.opened = err
	})
	if l.signer != nil && signer != nil {
		l.signer.Renew(signer)
	}
	return l.opened
}

// besideStore is the path of a file that belongs to a store, in Caddy's data folder.
func besideStore(what, key string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(dataDir(), what+"-"+hex.EncodeToString(sum[:6]))
}

func spoolPath(key string) string { return besideStore("spool", key) }

func inventoryPath(key string) string { return besideStore("inventory", key) + ".json" }

// begin puts cache and spool in front of the store, which the lease then owns.
func (l *storeLease) begin(s store.Store) error {
	cache := store.NewCache(s, storeCacheBytes)
	spool, err := store.OpenSpool(spoolPath(l.opener.Key()), cache, store.SpoolOptions{})
	if err != nil {
		_ = cache.Close()
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	l.Store, l.stop = spool, stop
	l.spool.Store(spool)
	l.running.Go(func() { l.inventory.Run(ctx, inventoryPath(l.opener.Key())) })
	l.running.Go(func() {
		l.inventory.Tell(ctx, store.LedgerOf(s), func(err error) {
			caddy.Log().Named("consent").Error("the disclosure ledger could not be written; it is tried again", anonymize.Own("store", l.address), zap.Error(err))
		})
	})
	l.running.Go(func() { cache.Run(ctx) })
	l.running.Go(func() { spool.Run(ctx) })
	return nil
}

// errStoreUnopened is what a store says that nobody has opened.
var errStoreUnopened = fmt.Errorf("%w: it is not open yet", store.ErrUnavailable)

// unavailable stands for a store that is not open: it takes and has nothing. What no request calls is left out.
type unavailable struct {
	store.Store
	err error
}

func (u unavailable) Append(context.Context, ...*consent.Record) error { return u.err }

func (u unavailable) Latest(context.Context, string, consent.ID) (store.State, error) {
	return store.State{}, u.err
}

func (u unavailable) Scan(context.Context, store.Filter, func(store.Entry) error) error { return u.err }

func (u unavailable) Close() error { return nil }

// Latest returns the newest answer of a visitor. The store stays open meanwhile.
func (l *storeLease) Latest(ctx context.Context, site string, id consent.ID) (store.State, error) {
	if err := l.hold(); err != nil {
		return store.State{}, err
	}
	defer l.letGo()
	return l.Store.Latest(ctx, site, id)
}

// Defer records refusals at a pace: see store.Spool. The store stays open meanwhile.
func (l *storeLease) Defer(ctx context.Context, r ...*consent.Record) error {
	if err := l.hold(); err != nil {
		return err
	}
	defer l.letGo()
	if spool := l.spool.Load(); spool != nil {
		return spool.Defer(ctx, r...)
	}
	return l.Store.Append(ctx, r...)
}

// spooled tells how the spool is doing.
func (l *storeLease) spooled() store.SpoolStats {
	if spool := l.spool.Load(); spool != nil {
		return spool.Stats()
	}
	return store.SpoolStats{}
}

// release gives up one configuration's use.
func (l *storeLease) release() error {
	_, err := openStores.Delete(l.opener.Key())
	return err
}

// Destruct is called when no configuration uses the store any more.
func (l *storeLease) Destruct() error {
	if l.holders.Add(closingBit) == closingBit {
		return l.close()
	}
	return nil
}

// hold keeps the store open until letGo is called.
func (l *storeLease) hold() error {
	if l.holders.Add(1) >= closingBit {
		l.letGo()
		return errStoreClosed
	}
	return nil
}

func (l *storeLease) letGo() {
	if l.holders.Add(-1) == closingBit {
		_ = l.close()
	}
}

func (l *storeLease) close() (err error) {
	l.closed.Do(func() {
		l.opening.Do(func() { l.opened = errStoreClosed }) // or wait until it is open
		l.stop()
		l.running.Wait()
		err = l.Store.Close()
	})
	return err
}

var _ caddy.Destructor = (*storeLease)(nil)
