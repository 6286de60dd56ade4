package bolt

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
)

// chunk bounds the entries read in one transaction: a long one would keep pages from being used again.
const chunk = 256

// Latest implements [store.Store].
func (s *Store) Latest(ctx context.Context, site string, id consent.ID) (latest store.State, err error) {
	if site == "" || len(site) > store.MaxSite {
		return latest, store.ErrNotFound
	}
	err = s.view(ctx, func(tx *bbolt.Tx) error {
		var buf [1 + store.MaxSite + 16 + seqAndIndex]byte
		prefix := appendPrincipal(buf[:0], site, id)
		c := tx.Bucket(bucketPrincipals).Cursor()
		// Behind the last possible key of this consent id, then back.
		end := append(prefix, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
		var v []byte
		k, _ := c.Seek(end)
		if k == nil {
			k, v = c.Last()
		} else {
			k, v = c.Prev()
		}
		found := false
		for ; bytes.HasPrefix(k, prefix) && len(k) == len(prefix)+seqAndIndex; k, v = c.Prev() {
			if found && binary.BigEndian.Uint32(k[len(prefix):]) != latest.Seq {
				return nil
			}
			var state store.State
			if err := state.UnmarshalBinary(v); err != nil {
				return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
			}
			if found {
				state = store.Merge(latest, state)
			}
			latest, found = state, true
		}
		if !found {
			return store.ErrNotFound
		}
		return nil
	})
	return latest, err
}

// Scan implements [store.Store].
func (s *Store) Scan(ctx context.Context, f store.Filter, fn func(store.Entry) error) error {
	next := func(after uint64) ([]store.Entry, error) { return s.after(ctx, after) }
	if !f.ID.IsZero() && !f.Whole {
		indexes, err := s.indexesOf(ctx, f.Site, f.ID)
		if err != nil {
			return err
		}
		next = func(after uint64) ([]store.Entry, error) { return s.at(ctx, indexes, after) }
	}
	return f.Each(next, fn)
}

// after returns the entries that follow an index, a chunk of them.
func (s *Store) after(ctx context.Context, after uint64) (entries []store.Entry, err error) {
	err = s.view(ctx, func(tx *bbolt.Tx) error {
		bodies, c := tx.Bucket(bucketBodies), tx.Bucket(bucketLinks).Cursor()
		for k, v := c.Seek(indexKey(after + 1)); k != nil && len(entries) < chunk; k, v = c.Next() {
			l, err := parseLink(k, v)
			if err != nil {
				return err
			}
			entries = append(entries, entryOf(l, bodies.Get(k)))
		}
		return nil
	})
	return entries, err
}

// at returns the entries at those of the indexes that are behind after, a chunk of them.
func (s *Store) at(ctx context.Context, indexes []uint64, after uint64) (entries []store.Entry, err error) {
	from, _ := slices.BinarySearch(indexes, after+1)
	err = s.view(ctx, func(tx *bbolt.Tx) error {
		bodies, links := tx.Bucket(bucketBodies), tx.Bucket(bucketLinks)
		for _, i := range indexes[from:min(len(indexes), from+chunk)] {
			k := indexKey(i)
			l, err := parseLink(k, links.Get(k))
			if err != nil {
				return err
			}
			entries = append(entries, entryOf(l, bodies.Get(k)))
		}
		return nil
	})
	return entries, err
}

// entryOf copies what is only valid during the transaction.
func entryOf(l store.Link, v []byte) store.Entry {
	e := store.Entry{Link: l}
	if n := copy(e.Salt[:], v); n == len(e.Salt) {
		e.Body = append([]byte{}, v[n:]...)
	}
	return e
}

func (s *Store) indexesOf(ctx context.Context, site string, id consent.ID) (indexes []uint64, err error) {
	if len(site) > store.MaxSite {
		return nil, nil
	}
	err = s.view(ctx, func(tx *bbolt.Tx) error {
		forEach(tx, site, id, func(k, _ []byte) {
			indexes = append(indexes, binary.BigEndian.Uint64(k[len(k)-8:]))
		})
		return nil
	})
	slices.Sort(indexes)
	return indexes, err
}

func forEach(tx *bbolt.Tx, site string, id consent.ID, f func(k, v []byte)) {
	prefix := appendPrincipal(nil, site, id)
	c := tx.Bucket(bucketPrincipals).Cursor()
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix) && len(k) == len(prefix)+seqAndIndex; k, v = c.Next() {
		f(k, v)
	}
}

// Verify implements [store.Store]. It follows the chain to where it ends when it gets there.
func (s *Store) Verify(ctx context.Context, anchors ...store.Head) (store.Report, error) {
	heads, err := s.checkpoints(ctx)
	if err != nil {
		return store.Report{}, err
	}
	v := store.NewVerifier(s.opts.Signer, append(heads, anchors...)...)
	for after := uint64(0); ; {
		var head store.Head
		var more bool
		err := s.view(ctx, func(tx *bbolt.Tx) (err error) {
			if head, err = readHead(tx.Bucket(bucketMeta)); err != nil {
				return fmt.Errorf("%w: head cannot be read: %w", store.ErrTampered, err)
			}
			more, after, err = verifyChunk(tx, v, after)
			return err
		})
		if err != nil {
			return store.Report{}, err
		}
		if !more {
			report, err := v.Finish(head)
			return report, errors.Join(err, s.checkIndex(ctx))
		}
	}
}

func (s *Store) checkpoints(ctx context.Context) (heads []store.Head, err error) {
	err = s.view(ctx, func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketHeads).ForEach(func(k, v []byte) error {
			var h store.Head
			if err := json.Unmarshal(v, &h); err != nil {
				return fmt.Errorf("%w: head %x cannot be read: %w", store.ErrTampered, k, err)
			}
			heads = append(heads, h)
			return nil
		})
	})
	return heads, err
}

// verifyChunk hands the entries that follow an index to v and checks that Latest knows the records.
func verifyChunk(tx *bbolt.Tx, v *store.Verifier, after uint64) (more bool, last uint64, err error) {
	bodies, principals := tx.Bucket(bucketBodies), tx.Bucket(bucketPrincipals)
	c, n := tx.Bucket(bucketLinks).Cursor(), 0
	for k, b := c.Seek(indexKey(after + 1)); k != nil && n < chunk; k, b = c.Next() {
		l, err := parseLink(k, b)
		if err != nil {
			return false, after, err
		}
		e := entryOf(l, bodies.Get(k))
		v.Add(l, e.Salt, e.Body)
		if e.Open() == nil && e.Record != nil && principals.Get(principalKey(e.Record, l.Index)) == nil {
			return false, after, fmt.Errorf("%w: entry %d is not in the index that answers from it", store.ErrTampered, l.Index)
		}
		after = l.Index
		n++
	}
	return n > 0, after, nil
}

// checkIndex demands that what Latest answers from agrees with the records. Those of a newer version are told of last.
func (s *Store) checkIndex(ctx context.Context) error {
	var from []byte
	var newer error
	for {
		n := 0
		err := s.view(ctx, func(tx *bbolt.Tx) error {
			bodies, c := tx.Bucket(bucketBodies), tx.Bucket(bucketPrincipals).Cursor()
			k, v := c.Seek(from)
			if from != nil && bytes.Equal(k, from) {
				k, v = c.Next()
			}
			for ; k != nil && n < chunk; k, v = c.Next() {
				err := checkState(k, v, bodies)
				if err != nil && !errors.Is(err, consent.ErrNewer) {
					return err
				}
				newer = cmp.Or(newer, err)
				n++
				from = bytes.Clone(k)
			}
			return nil
		})
		if err != nil || n == 0 {
			return cmp.Or(err, newer)
		}
	}
}

func checkState(k, v []byte, bodies *bbolt.Bucket) error {
	var have store.State
	err := have.UnmarshalBinary(v)
	switch {
	case errors.Is(err, consent.ErrNewer):
		return err
	case err != nil || len(k) < seqAndIndex:
		return fmt.Errorf("%w: state %x cannot be read", store.ErrTampered, k)
	}
	e := entryOf(store.Link{}, bodies.Get(k[len(k)-8:]))
	var r consent.Record
	err = r.UnmarshalJSON(e.Body)
	switch {
	case errors.Is(err, consent.ErrNewer):
		return fmt.Errorf("entry %d: %w", have.Index, err)
	case err != nil:
		return fmt.Errorf("%w: entry %d: the index holds a state, but the record cannot be read", store.ErrTampered, have.Index)
	}
	want := store.StateOf(&r)
	want.Index = binary.BigEndian.Uint64(k[len(k)-8:])
	b, err := want.MarshalBinary()
	if err != nil || !bytes.Equal(b, v) || !bytes.Equal(principalKey(&r, want.Index), k) {
		return fmt.Errorf("%w: entry %d: the index holds another state than the record", store.ErrTampered, want.Index)
	}
	return nil
}
