package caddymodule

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddy-consent/caddy-consent/consent/store"
)

// countedStore counts how often a store is closed, and what is asked of it after that.
type countedStore struct {
	store.Store
	closed, late atomic.Int32
}

func (s *countedStore) Close() error {
	s.closed.Add(1)
	return s.Store.Close()
}

func (s *countedStore) Verify(ctx context.Context, anchors ...store.Head) (store.Report, error) {
	if s.closed.Load() > 0 {
		s.late.Add(1)
	}
	return s.Store.Verify(ctx, anchors...)
}

type countedOpener struct {
	path   string
	stores []*countedStore
}

func (o *countedOpener) Key() string { return "counted " + o.path }

func (o *countedOpener) Check(context.Context) error { return nil }

func (o *countedOpener) Open(ctx context.Context, signer *store.Signer) (store.Store, error) {
	s, err := (&BoltStore{Path: o.path}).Open(ctx, signer)
	if err != nil {
		return nil, err
	}
	o.stores = append(o.stores, &countedStore{Store: s})
	return o.stores[len(o.stores)-1], nil
}

// TestLease: configurations share a store; it closes once, when the last of them has gone and the last request that holds it
// has ended; then it can be opened again.
func TestLease(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	o := &countedOpener{path: filepath.Join(t.TempDir(), "consent.db")}
	lease := func() *storeLease {
		t.Helper()
		l, err := leaseStore(o)
		if err = errors.Join(err, l.open(nil)); err != nil {
			t.Fatal(err)
		}
		return l
	}
	for round := range 20 {
		first, second := lease(), lease()
		if first != second || len(o.stores) != round+1 {
			t.Fatalf("round %d: two configurations opened %d stores", round, len(o.stores))
		}
		counted := o.stores[round]
		if err := first.hold(); err != nil { // a request in flight
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 8 { // requests that come and go meanwhile
			wg.Go(func() {
				for second.hold() == nil {
					_, _ = second.Verify(t.Context())
					second.letGo()
				}
			})
		}
		if err := errors.Join(first.release(), second.release()); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		if counted.closed.Load() != 0 {
			t.Fatal("the store was closed under a request")
		}
		if _, err := first.Verify(t.Context()); err != nil {
			t.Fatalf("the request in flight: %v", err)
		}
		first.letGo()
		if n := counted.closed.Load(); n != 1 || counted.late.Load() != 0 || first.hold() == nil {
			t.Fatalf("closed %d times, used %d times after it", n, counted.late.Load())
		}
	}
}

// TestMetricsOfUnopenedStore: metrics may be asked for at any time, also while a store is being opened.
func TestMetricsOfUnopenedStore(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	l, err := leaseStore(&countedOpener{path: filepath.Join(t.TempDir(), "consent.db")})
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(spooled)
	gather := func() {
		if _, err := registry.Gather(); err != nil {
			t.Error(err)
		}
	}
	gather()
	var wg sync.WaitGroup
	wg.Go(gather)
	err = l.open(nil)
	wg.Wait()
	if err = errors.Join(err, l.release()); err != nil {
		t.Fatal(err)
	}
}
