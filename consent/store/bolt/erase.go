package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
)

// Erase implements [store.Store].
func (s *Store) Erase(ctx context.Context, site string, id consent.ID) error {
	if site == "" || len(site) > store.MaxSite {
		return store.ErrNotFound
	}
	return s.exclusive(ctx, func(tx *bbolt.Tx) error {
		var keys [][]byte
		forEach(tx, site, id, func(k, _ []byte) { keys = append(keys, bytes.Clone(k)) })
		if len(keys) == 0 {
			return store.ErrNotFound
		}
		_, err := s.destroy(tx, store.OnRequest, keys)
		return err
	})
}

// exclusive runs f in a write transaction between two commits.
func (s *Store) exclusive(ctx context.Context, f func(*bbolt.Tx) error) error {
	return s.writes.Exclude(func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return s.update(f)
	})
}

// destroy removes the records under the keys of the index and returns how many were still there.
func (s *Store) destroy(tx *bbolt.Tx, why store.Reason, keys [][]byte) (int, error) {
	w, err := s.newWriter(tx)
	if err != nil {
		return 0, err
	}
	indexes := make([]uint64, 0, len(keys))
	for _, k := range keys {
		if w.principals.Get(k) == nil {
			continue
		}
		if err := w.principals.Delete(k); err != nil {
			return 0, err
		}
		indexes = append(indexes, binary.BigEndian.Uint64(k[len(k)-8:]))
	}
	if len(indexes) == 0 {
		return 0, nil
	}
	if err := w.erase(why, indexes); err != nil {
		return 0, err
	}
	return len(indexes), w.finish()
}

// Sweep implements [store.Store].
func (s *Store) Sweep(ctx context.Context, now time.Time, r store.Retention) (n int, err error) {
	var keys [][]byte
	if err := s.view(ctx, func(tx *bbolt.Tx) error {
		var last time.Time
		if b := tx.Bucket(bucketMeta).Get(keySweep); b != nil {
			if err := last.UnmarshalBinary(b); err != nil {
				return fmt.Errorf("%w: time of the last sweep cannot be read: %w", store.ErrTampered, err)
			}
		}
		if err := r.CheckClock(now, last); err != nil {
			return err
		}
		keys, err = pastKeys(ctx, tx, now, &r)
		return err
	}); err != nil {
		return 0, err
	}
	for len(keys) > 0 {
		part := keys[:min(len(keys), maxBatch)]
		keys = keys[len(part):]
		if err := s.exclusive(ctx, func(tx *bbolt.Tx) error {
			destroyed, err := s.destroy(tx, store.OnRetention, part)
			n += destroyed
			return err
		}); err != nil {
			return n, err
		}
	}
	return n, s.exclusive(ctx, func(tx *bbolt.Tx) error {
		lines, err := sweepLedger(tx.Bucket(bucketLedger), r.FirstMonth(now))
		n += lines
		if err != nil {
			return err
		}
		b, err := now.UTC().MarshalBinary()
		if err != nil {
			return err
		}
		return tx.Bucket(bucketMeta).Put(keySweep, b)
	})
}

// pastKeys returns the keys of all records that are past their retention.
func pastKeys(ctx context.Context, tx *bbolt.Tx, now time.Time, r *store.Retention) (past [][]byte, err error) {
	var (
		keys   [][]byte // of one consent id
		states []store.State
	)
	flush := func() {
		for i, over := range r.Past(now, states) {
			if over {
				past = append(past, bytes.Clone(keys[i]))
			}
		}
		keys, states = keys[:0], states[:0]
	}
	c := tx.Bucket(bucketPrincipals).Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if len(k) < seqAndIndex {
			return nil, fmt.Errorf("%w: key %x of the index", store.ErrTampered, k)
		}
		if n := len(k) - seqAndIndex; len(keys) > 0 && !bytes.Equal(k[:n], keys[0][:len(keys[0])-seqAndIndex]) {
			flush()
		}
		var s store.State
		if err := s.UnmarshalBinary(v); err != nil {
			return nil, err
		}
		keys, states = append(keys, k), append(states, s)
	}
	flush()
	return past, nil
}

func sweepLedger(b *bbolt.Bucket, first string) (n int, err error) {
	c := b.Cursor()
	for k, _ := c.First(); k != nil && string(k[:min(len(k), len(first))]) < first; k, _ = c.First() {
		if err := b.Delete(k); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// Disclose implements [store.Ledger].
func (s *Store) Disclose(ctx context.Context, lines ...store.Disclosure) error {
	for i := range lines {
		if err := lines[i].Check(); err != nil {
			return err
		}
	}
	more := false
	if err := s.view(ctx, func(tx *bbolt.Tx) error {
		return eachNew(tx, lines, func([]byte, []string) error { more = true; return nil })
	}); err != nil || !more {
		return err
	}
	return s.exclusive(ctx, func(tx *bbolt.Tx) error {
		return eachNew(tx, lines, func(k []byte, all []string) error {
			v, err := json.Marshal(all)
			if err != nil {
				return err
			}
			return tx.Bucket(bucketLedger).Put(k, v)
		})
	})
}

// eachNew calls f for the lines that the ledger does not hold completely.
func eachNew(tx *bbolt.Tx, lines []store.Disclosure, f func(key []byte, all []string) error) error {
	for _, d := range lines {
		key := []byte(d.Month + "\x00" + d.Site + "\x00" + d.Vendor)
		var have []string
		v := tx.Bucket(bucketLedger).Get(key)
		if v != nil {
			if err := json.Unmarshal(v, &have); err != nil {
				return fmt.Errorf("%w: ledger line: %w", store.ErrTampered, err)
			}
		}
		if all, more := store.MergeCategories(have, d.Categories); more || v == nil {
			if err := f(key, all); err != nil {
				return err
			}
		}
	}
	return nil
}

// Disclosures implements [store.Ledger].
func (s *Store) Disclosures(ctx context.Context, site string) (lines []store.Disclosure, err error) {
	err = s.view(ctx, func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketLedger).ForEach(func(k, v []byte) error {
			parts := bytes.Split(k, []byte{0})
			if len(parts) != 3 {
				return fmt.Errorf("%w: ledger key %q", store.ErrTampered, k)
			}
			d := store.Disclosure{Month: string(parts[0]), Site: string(parts[1]), Vendor: string(parts[2])}
			if site != "" && d.Site != site {
				return nil
			}
			if err := json.Unmarshal(v, &d.Categories); err != nil {
				return fmt.Errorf("%w: ledger line: %w", store.ErrTampered, err)
			}
			lines = append(lines, d)
			return nil
		})
	})
	return lines, err
}
