package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/consent/store/bolt"
	"github.com/caddy-consent/caddy-consent/consent/store/storetest"
)

// A gateway puts a cache in front of its store and a spool in front of both, and asks the outermost.
func Example() {
	dir, _ := os.MkdirTemp("", "consent")
	defer func() { _ = os.RemoveAll(dir) }()
	db, err := bolt.Open(filepath.Join(dir, "consent.db"), bolt.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	cache := store.NewCache(db, 16<<20)
	s, err := store.OpenSpool(filepath.Join(dir, "spool"), cache, store.SpoolOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = s.Close() }()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go cache.Run(ctx) // hears of other nodes
	go s.Run(ctx)     // records what had to wait

	visitor := consent.NewID()
	_, err = s.Latest(ctx, "example.com", visitor)
	fmt.Println(errors.Is(err, store.ErrNotFound))
	_ = s.Append(ctx, storetest.Record("example.com", visitor, 1, consent.Purposes(consent.Analytics)))
	state, err := s.Latest(ctx, "example.com", visitor)
	fmt.Println(state.Granted, err)
	// Output:
	// true
	// analytics <nil>
}

func ExampleStore_verify() {
	dir, _ := os.MkdirTemp("", "consent")
	defer func() { _ = os.RemoveAll(dir) }()
	signer, _ := store.NewSigner(storetest.Key(1))
	s, err := bolt.Open(filepath.Join(dir, "consent.db"), bolt.Options{Signer: signer})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = s.Close() }()
	ctx := context.Background()
	_ = s.Append(ctx, storetest.Record("example.com", consent.NewID(), 1, storetest.All))
	january, _ := s.Verify(ctx) // print january.Head and keep it

	_ = s.Append(ctx, storetest.Record("example.com", consent.NewID(), 1, storetest.All))
	june, err := s.Verify(ctx, january.Head) // nothing before it was changed or cut off
	fmt.Println(june.Entries, june.Signed, err)
	// Output: 2 2 <nil>
}
