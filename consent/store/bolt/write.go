package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"go.etcd.io/bbolt"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
)

// Append implements [store.Store].
func (s *Store) Append(ctx context.Context, records ...*consent.Record) error {
	sealed, err := store.SealAll(records)
	if err != nil {
		return err
	}
	return s.writes.Do(ctx, sealed...)
}

func (s *Store) commit(batch []store.Sealed) error {
	return s.update(func(tx *bbolt.Tx) error {
		w, err := s.newWriter(tx)
		if err != nil {
			return err
		}
		for i := range batch {
			if err := w.add(&batch[i]); err != nil {
				return err
			}
		}
		return w.finish()
	})
}

// update runs f in a write transaction; the caller holds the turn.
func (s *Store) update(f func(*bbolt.Tx) error) error {
	err := s.use(func(db *bbolt.DB) error {
		if s.damaged {
			return errDamaged
		}
		if s.failed {
			if err := heal(s.path); err != nil {
				return s.unavailable(err)
			}
		}
		err := db.Update(f)
		if s.failed = err != nil; s.failed {
			return s.unavailable(err)
		}
		return nil
	})
	s.damaged = s.damaged || errors.Is(err, errDamaged)
	return err
}

func (s *Store) unavailable(err error) error {
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrClock) {
		return err
	}
	return fmt.Errorf("consent store %s: %w: %w", s.path, store.ErrUnavailable, err)
}

// heal writes bbolt's two meta pages again as they are read. After a failed fsync the system may show
// bytes that never reached the disk, and does not write them again by itself; a commit that built on such
// a meta page would reuse pages that the one on disk still needs.
func heal(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	pages := make([]byte, 2*os.Getpagesize())
	if _, err = f.ReadAt(pages, 0); err == nil {
		_, err = f.WriteAt(pages, 0)
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// writer extends the chain within one transaction.
type writer struct {
	s                                      *Store
	meta, links, bodies, principals, heads *bbolt.Bucket
	first, last                            store.Link
}

func (s *Store) newWriter(tx *bbolt.Tx) (*writer, error) {
	w := &writer{
		s: s, meta: tx.Bucket(bucketMeta), links: tx.Bucket(bucketLinks), bodies: tx.Bucket(bucketBodies),
		principals: tx.Bucket(bucketPrincipals), heads: tx.Bucket(bucketHeads),
	}
	// Entries come in order: full pages instead of half-empty ones.
	w.links.FillPercent, w.bodies.FillPercent, w.heads.FillPercent = 0.95, 0.95, 0.95
	if k, v := w.links.Cursor().Last(); k != nil {
		var err error
		if w.last, err = parseLink(k, v); err != nil {
			return nil, err
		}
	}
	w.first = w.last
	return w, nil
}

// add appends a record unless it is there already.
func (w *writer) add(r *store.Sealed) error {
	seq := binary.BigEndian.AppendUint32(appendPrincipal(nil, r.Site, r.ID), r.State.Seq)
	c := w.principals.Cursor()
	for k, v := c.Seek(seq); bytes.HasPrefix(k, seq); k, v = c.Next() {
		var s store.State
		if err := s.UnmarshalBinary(v); err != nil {
			return err
		}
		if s.RecordID == r.State.RecordID {
			return nil
		}
	}
	if err := w.extend(store.KindRecord, r.Commitment, r.Salt, r.Body); err != nil {
		return err
	}
	r.State.Index = w.last.Index
	state, err := r.State.MarshalBinary()
	if err != nil {
		return err
	}
	return w.principals.Put(binary.BigEndian.AppendUint64(seq, w.last.Index), state)
}

// erase appends the entry that says that the content of the indexes was destroyed, and destroys it.
func (w *writer) erase(why store.Reason, indexes []uint64) error {
	for _, i := range indexes {
		if err := w.bodies.Delete(indexKey(i)); err != nil {
			return err
		}
	}
	salt, body, commitment, err := store.SealErasure(w.s.opts.Now(), why, store.Spans(indexes))
	if err != nil {
		return err
	}
	return w.extend(store.KindErasure, commitment, salt, body)
}

func (w *writer) extend(kind store.Kind, commitment consent.Hash, salt store.Salt, body []byte) error {
	w.last = w.last.Next(kind, commitment)
	key := indexKey(w.last.Index)
	if err := w.links.Put(key, encodeLink(w.last)); err != nil {
		return err
	}
	if err := w.bodies.Put(key, append(salt[:len(salt):len(salt)], body...)); err != nil {
		return err
	}
	if w.last.Index%store.Checkpoint == 0 {
		head, err := json.Marshal(w.s.opts.Signer.Sign(w.last, w.s.opts.Now()))
		if err != nil {
			return err
		}
		return w.heads.Put(key, head)
	}
	return nil
}

// finish signs the new head, if there is one.
func (w *writer) finish() error {
	if w.last == w.first {
		return nil
	}
	head, err := json.Marshal(w.s.opts.Signer.Sign(w.last, w.s.opts.Now()))
	if err != nil {
		return err
	}
	return w.meta.Put(keyHead, head)
}

func indexKey(i uint64) []byte { return binary.BigEndian.AppendUint64(make([]byte, 0, 8), i) }

// appendPrincipal appends the part of a key that all records of a consent id share.
func appendPrincipal(b []byte, site string, id consent.ID) []byte {
	b = append(b, byte(len(site)))
	b = append(b, site...)
	return append(b, id[:]...)
}

// principalKey returns the key under which the index holds the state of a record.
func principalKey(r *consent.Record, index uint64) []byte {
	b := appendPrincipal(nil, r.Site, r.PrincipalID)
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(b, r.Seq), index)
}

// seqAndIndex is the size of what follows it.
const seqAndIndex = 4 + 8

func encodeLink(l store.Link) []byte {
	b := make([]byte, 0, 1+len(l.Commitment)+len(l.Hash))
	b = append(b, byte(l.Kind))
	b = append(b, l.Commitment[:]...)
	return append(b, l.Hash[:]...)
}

func parseLink(k, v []byte) (l store.Link, err error) {
	if len(k) != 8 || len(v) != 1+len(l.Commitment)+len(l.Hash) {
		return l, fmt.Errorf("%w: link %x cannot be read", store.ErrTampered, k)
	}
	l.Index, l.Kind = binary.BigEndian.Uint64(k), store.Kind(v[0])
	copy(l.Commitment[:], v[1:])
	copy(l.Hash[:], v[1+len(l.Commitment):])
	return l, nil
}
