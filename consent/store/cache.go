package store

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coocood/freecache"

	"github.com/caddy-consent/caddy-consent/consent"
)

// Cache remembers what Latest of a store answered. It is never the truth: it may forget anything at any
// time, and what it still holds is what the store says, but for changes of other processes, which it
// learns of within a second or else asks the store.
type Cache struct {
	Store
	cache   *freecache.Cache
	stripes [256]stripe
	follows bool                      // other processes write to the store
	synced  atomic.Pointer[time.Time] // when all changes before were known, by the monotonic clock; nil is never
}

// stripe orders the writers and readers of some of the keys. Its count moves with every change, so that
// a reader does not put back what it read before the change.
type stripe struct {
	mu    sync.Mutex
	count uint64
}

// maxAge is how far behind other processes a cached answer may be.
const maxAge = time.Second

// NewCache returns a cache of about size bytes, at least 512 KiB, in front of a store, which it then
// owns: Close closes both. In front of a [Follower], nothing is cached unless Run runs.
func NewCache(s Store, size int) *Cache {
	_, follows := s.(Follower)
	return &Cache{Store: s, cache: freecache.NewCache(size), follows: follows}
}

// Unwrap returns the store behind the cache.
func (c *Cache) Unwrap() Store { return c.Store }

// Run learns of the changes of other processes until ctx ends. It returns at once where there are none.
func (c *Cache) Run(ctx context.Context) {
	f, ok := c.Store.(Follower)
	if !ok {
		return
	}
	defer c.synced.Store(nil)
	f.Follow(ctx, func(site string, id consent.ID) {
		if site == "" {
			c.clear()
			return
		}
		c.forget(site, id)
	}, func(t time.Time) { c.synced.Store(&t) })
}

// Latest implements [Store].
func (c *Cache) Latest(ctx context.Context, site string, id consent.ID) (State, error) {
	if site == "" || len(site) > MaxSite {
		return State{}, ErrNotFound
	}
	if err := ctx.Err(); err != nil {
		return State{}, err
	}
	if synced := c.synced.Load(); c.follows && (synced == nil || time.Since(*synced) > maxAge) {
		return c.Store.Latest(ctx, site, id)
	}
	var kb [MaxSite + len(id)]byte
	key := cacheKey(kb[:0], site, id)
	var vb [stateFixed + 64]byte
	if b, err := c.cache.GetWithBuf(key, vb[:]); err == nil {
		var s State
		if s.UnmarshalBinary(b) == nil {
			return s, nil
		}
	}
	st := c.stripe(id)
	st.mu.Lock()
	count := st.count
	st.mu.Unlock()
	s, err := c.Store.Latest(ctx, site, id)
	if err != nil {
		return s, err
	}
	if b, err := s.MarshalBinary(); err == nil {
		st.mu.Lock()
		defer st.mu.Unlock()
		if st.count == count {
			_ = c.cache.Set(key, b, 0) // too large for the cache: asked again next time
		}
	}
	return s, nil
}

// Append implements [Store].
func (c *Cache) Append(ctx context.Context, records ...*consent.Record) error {
	// Whatever it returns: a failed append may have been durable.
	defer func() {
		for _, r := range records {
			if r != nil {
				c.forget(r.Site, r.PrincipalID)
			}
		}
	}()
	return c.Store.Append(ctx, records...)
}

// Erase implements [Store].
func (c *Cache) Erase(ctx context.Context, site string, id consent.ID) error {
	defer c.forget(site, id)
	return c.Store.Erase(ctx, site, id)
}

// Sweep implements [Store].
func (c *Cache) Sweep(ctx context.Context, now time.Time, r Retention) (int, error) {
	defer c.clear()
	return c.Store.Sweep(ctx, now, r)
}

// Close implements [Store].
func (c *Cache) Close() error {
	defer c.clear()
	return c.Store.Close()
}

func (c *Cache) forget(site string, id consent.ID) {
	if len(site) > MaxSite {
		return
	}
	var kb [MaxSite + len(id)]byte
	s := c.stripe(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	c.cache.Del(cacheKey(kb[:0], site, id))
}

func (c *Cache) clear() {
	for i := range c.stripes {
		c.stripes[i].mu.Lock()
		c.stripes[i].count++
		defer c.stripes[i].mu.Unlock()
	}
	c.cache.Clear()
}

func (c *Cache) stripe(id consent.ID) *stripe { return &c.stripes[id[0]] }

// cacheKey needs no separator: the id has one length.
func cacheKey(b []byte, site string, id consent.ID) []byte {
	return append(append(b, id[:]...), site...)
}
