// Package bolt is the store for one node: a single bbolt file that needs no server.
//
// Appends of concurrent callers share a commit, which costs two fsyncs. Readers are never blocked by
// writers. The bytes of an erased record stay in unused pages of the file until [Store.Compact] or until
// the pages are used again.
package bolt

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/consent/store/internal/group"
)

// Options of a store. The zero value is safe.
type Options struct {
	Signer  *store.Signer    // signs heads; nil leaves them unsigned
	Now     func() time.Time // clock for heads and erasures; nil is time.Now
	MaxSize int64            // bytes the file may grow to, 0 for no limit; beyond, appends fail with store.ErrUnavailable
	Timeout time.Duration    // how long to wait for another process to let go of the file; 0 is one second

	// OpenFile opens the file, for tests of faults; nil is os.OpenFile.
	OpenFile func(string, int, os.FileMode) (*os.File, error)
}

// schema is the version of the file's layout.
const schema = 1

// The buckets. Integers in keys are big-endian, so that the order of keys is that of numbers.
var (
	bucketMeta       = []byte("meta")       // schema, head, sweep
	bucketLinks      = []byte("links")      // index → kind, commitment, hash
	bucketBodies     = []byte("bodies")     // index → salt, body; absent once erased
	bucketPrincipals = []byte("principals") // site, consent id, sequence number, index → state
	bucketHeads      = []byte("heads")      // index → head, each 256 entries
	bucketLedger     = []byte("ledger")     // month, site, vendor → categories

	keySchema = []byte("schema")
	keyHead   = []byte("head")
	keySweep  = []byte("sweep")
)

// maxBatch bounds the entries of one commit, so that nobody waits long for somebody else's.
const maxBatch = 512

// Store is a [store.Store] and [store.Ledger] in a bbolt file.
type Store struct {
	path   string
	opts   Options
	writes *group.Group[store.Sealed]

	mu     sync.RWMutex // held for reading while db is used, for writing to replace or close it
	db     *bbolt.DB    // nil once closed
	failed bool         // the last commit failed; guarded by the turn of writes
}

var (
	_ store.Store  = (*Store)(nil)
	_ store.Ledger = (*Store)(nil)
)

// Open opens the store's file and makes it if it is not there, with the folder it is in. The file is
// readable by its owner only. Errors name the path and the way out.
func Open(path string, opts Options) (*Store, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Timeout <= 0 {
		opts.Timeout = time.Second
	}
	s := &Store{path: path, opts: opts}
	s.writes = group.New(maxBatch, s.commit)
	var err error
	if s.db, err = s.open(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Store) open() (db *bbolt.DB, err error) {
	dir := filepath.Dir(s.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("consent store %s: cannot make its folder: %w: create it and give it to the user that runs this program", s.path, err)
	}
	defer func() {
		if p := recover(); p != nil { // bbolt asserts what it reads
			db, err = nil, fmt.Errorf("consent store %s: %w: the file is damaged (%v): restore it from a backup", s.path, store.ErrTampered, p)
		}
	}()
	db, err = bbolt.Open(s.path, 0o600, &bbolt.Options{
		Timeout: s.opts.Timeout, FreelistType: bbolt.FreelistMapType, MaxSize: int(s.opts.MaxSize),
		OpenFile: s.opts.OpenFile, NoStatistics: true,
	})
	if err != nil {
		return nil, s.openError(err)
	}
	if err := s.prepare(db); err != nil {
		_ = db.Close()
		return nil, err
	}
	return db, syncDir(dir)
}

// openError says what to do about an error of bbolt.Open.
func (s *Store) openError(err error) error {
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return fmt.Errorf("consent store %s: another process holds the file: stop it, or give this one a file of its own, or use the postgres store for many nodes: %w", s.path, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("consent store %s: not permitted: give the file and its folder to the user that runs this program: %w", s.path, err)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrVersionMismatch), errors.Is(err, berrors.ErrChecksum):
		return fmt.Errorf("consent store %s: %w: not a store, or damaged: restore it from a backup, or name another file: %w", s.path, store.ErrTampered, err)
	}
	return fmt.Errorf("consent store %s: cannot open: %w", s.path, err)
}

// prepare makes the buckets of a new file and refuses one that this program does not know.
func (s *Store) prepare(db *bbolt.DB) error {
	if err := s.checkSize(db); err != nil {
		return err
	}
	var known bool
	err := db.View(func(tx *bbolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		if meta == nil {
			return nil
		}
		v := meta.Get(keySchema)
		switch {
		case len(v) != 4:
			return fmt.Errorf("consent store %s: %w: its schema cannot be read: restore it from a backup", s.path, store.ErrTampered)
		case binary.BigEndian.Uint32(v) > schema:
			return fmt.Errorf("consent store %s: written by a newer version (schema %d, this program knows %d): use the newer program, or name another file", s.path, binary.BigEndian.Uint32(v), schema)
		}
		known = true
		return nil
	})
	if err != nil || known {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		if k, _ := tx.Cursor().First(); k != nil {
			return errors.New("it is a bbolt file of another program: name another file")
		}
		for _, name := range [][]byte{bucketMeta, bucketLinks, bucketBodies, bucketPrincipals, bucketHeads, bucketLedger} {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		return tx.Bucket(bucketMeta).Put(keySchema, binary.BigEndian.AppendUint32(nil, schema))
	})
	if err != nil {
		return fmt.Errorf("consent store %s: cannot write: %w", s.path, err)
	}
	return nil
}

// checkSize refuses a file that was cut off: reading its missing pages would end the process.
func (s *Store) checkSize(db *bbolt.DB) error {
	info, err := os.Stat(s.path)
	if err != nil {
		return fmt.Errorf("consent store %s: %w", s.path, err)
	}
	return db.View(func(tx *bbolt.Tx) error {
		if info.Size() < tx.Size() {
			return fmt.Errorf("consent store %s: %w: the file was cut off at %d of %d bytes: restore it from a backup", s.path, store.ErrTampered, info.Size(), tx.Size())
		}
		return nil
	})
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return d.Sync()
}

// Close implements [store.Store]. It waits for what is under way.
func (s *Store) Close() error {
	return s.writes.Exclude(func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.db == nil {
			return nil
		}
		err := s.db.Close()
		s.db = nil
		return err
	})
}

// view runs f in a read transaction.
func (s *Store) view(ctx context.Context, f func(*bbolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.use(func(db *bbolt.DB) error { return db.View(f) })
}

// use hands the open file to f. A file that was damaged while it was open makes bbolt panic.
func (s *Store) use(f func(*bbolt.DB) error) (err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.db == nil {
		return store.ErrClosed
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("consent store %s: %w: %w: the file is damaged (%v)", s.path, store.ErrUnavailable, store.ErrTampered, p)
		}
	}()
	return f(s.db)
}

func readHead(meta *bbolt.Bucket) (h store.Head, err error) {
	if b := meta.Get(keyHead); b != nil {
		err = json.Unmarshal(b, &h)
	}
	return h, err
}
