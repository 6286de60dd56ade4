package bolt

import (
	"context"
	"errors"
	"fmt"
	"os"

	"go.etcd.io/bbolt"
)

// compactTx bounds the bytes that one transaction of a compaction writes.
const compactTx = 1 << 20

// Compact writes the file anew without its unused pages, in which the bytes of erased records may still
// be, and gives their space back. It needs room for a second file; appends wait meanwhile, readers do not.
func (s *Store) Compact(ctx context.Context) error {
	return s.writes.Exclude(func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if s.damaged {
			return s.unavailable(errDamaged)
		}
		next := s.path + ".compact"
		if err := os.Remove(next); err != nil && !errors.Is(err, os.ErrNotExist) {
			return s.unavailable(err)
		}
		db, err := bbolt.Open(next, 0o600, s.boltOptions())
		if err != nil {
			return s.unavailable(err)
		}
		err = s.use(func(old *bbolt.DB) error { return bbolt.Compact(db, old, compactTx) })
		if err == nil {
			err = s.replace(db, next)
		}
		if err != nil {
			return errors.Join(fmt.Errorf("consent store %s: compact: %w", s.path, err), db.Close(), os.Remove(next))
		}
		return nil
	})
}

// replace puts the new file in the old one's place. Whoever reads the old one does so to the end.
func (s *Store) replace(db *bbolt.DB, next string) error {
	if err := os.Rename(next, s.path); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.db
	s.db = db
	return errors.Join(old.Close(), syncDir(s.path))
}
