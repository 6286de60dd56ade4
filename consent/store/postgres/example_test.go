package postgres_test

import (
	"context"
	"fmt"
	"os"

	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/consent/store/postgres"
)

// Several nodes share a database; each caches what it asked for and hears what the others wrote.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	db, err := postgres.Open(ctx, os.Getenv("CONSENT_DSN"), postgres.Options{Lazy: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	cache := store.NewCache(db, 16<<20)
	defer func() { _ = cache.Close() }()
	go cache.Run(ctx)
}
