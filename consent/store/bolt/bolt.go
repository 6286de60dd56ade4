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
	"runtime/debug"
	"sync"
	"syscall"
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

	mu sync.RWMutex // held for reading while db is used, for writing to replace or close it
	db *bbolt.DB    // nil once closed

	// Guarded by the turn of writes.
	failed  bool // the last commit failed
	damaged bool // a commit panicked: bbolt's locks may be held for ever
}

var (
	_ store.Store  = (*Store)(nil)
	_ store.Ledger = (*Store)(nil)
)

// Open opens the store's file and makes it if it is not there, with the folder it is in. The file is
// readable by its owner only. Errors name the path and the way out.
func Open(path string, opts Options) (*Store, error) {
	s := newStore(path, opts)
	var err error
	if s.db, err = s.open(); err != nil {
		return nil, err
	}
	return s, nil
}

func newStore(path string, opts Options) *Store {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Timeout <= 0 {
		opts.Timeout = time.Second
	}
	if opts.OpenFile == nil {
		opts.OpenFile = os.OpenFile
	}
	s := &Store{path: path, opts: opts}
	s.writes = group.New(maxBatch, s.commit)
	return s
}

func (s *Store) open() (*bbolt.DB, error) {
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return nil, s.folderError(err)
	}
	return s.load(s.boltOptions(), func(db *bbolt.DB) error {
		if err := s.prepare(db); err != nil {
			return err
		}
		return syncDir(s.path)
	})
}

// load opens the file, refuses one that is damaged, and hands it to next.
func (s *Store) load(o *bbolt.Options, next func(*bbolt.DB) error) (db *bbolt.DB, err error) {
	var file *os.File
	o.OpenFile = func(path string, flag int, mode os.FileMode) (f *os.File, err error) {
		file, err = s.opts.OpenFile(path, flag, mode)
		return file, err
	}
	if err := guard(func() error { db, err = bbolt.Open(s.path, 0o600, o); return err }); err != nil {
		if errors.Is(err, errDamaged) {
			err = errors.Join(err, file.Close()) // bbolt did not come to it
		}
		return nil, s.openError(err)
	}
	if err := guard(func() error {
		if err := s.checkFile(db, file); err != nil {
			return err
		}
		if err := s.checkTree(db, file); err != nil {
			return err
		}
		return next(db)
	}); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// errDamaged is what a panic of bbolt, which asserts what it reads, and a fault of its memory map, behind
// which the file was cut off, become.
var errDamaged = fmt.Errorf("%w: the file is damaged: restore it from a backup", store.ErrTampered)

func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w (%v)", errDamaged, p)
		}
	}()
	return f()
}

func (s *Store) boltOptions() *bbolt.Options {
	return &bbolt.Options{
		Timeout: s.opts.Timeout, FreelistType: bbolt.FreelistMapType, MaxSize: int(s.opts.MaxSize),
		OpenFile: s.opts.OpenFile, NoStatistics: true,
	}
}

// openError says what to do about an error of bbolt.Open.
func (s *Store) openError(err error) error {
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return fmt.Errorf("consent store %s: %w: stop it, or give this one a file of its own, or use the postgres store for many nodes", s.path, store.ErrHeld)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("consent store %s: not permitted: give the file and its folder to the user that runs this program: %w", s.path, err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("consent store %s: the file system is read-only: make it writable, or name a file elsewhere; copy the file to read it: %w", s.path, err)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrVersionMismatch), errors.Is(err, berrors.ErrChecksum):
		return fmt.Errorf("consent store %s: %w: not a store, or damaged: restore it from a backup, or name another file: %w", s.path, store.ErrTampered, err)
	}
	return fmt.Errorf("consent store %s: cannot open: %w", s.path, err)
}

// known reports whether the file is a store already, and refuses one that this program does not know.
func (s *Store) known(db *bbolt.DB) (known bool, err error) {
	err = db.View(func(tx *bbolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		if meta == nil {
			if k, _ := tx.Cursor().First(); k != nil {
				return fmt.Errorf("consent store %s: it is a bbolt file of another program: name another file", s.path)
			}
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
	return known, err
}

// prepare makes the buckets of a new file.
func (s *Store) prepare(db *bbolt.DB) error {
	known, err := s.known(db)
	if err != nil || known {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
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

// checkFile refuses a file that was cut off, because reading its missing pages would end the process, and
// one that was replaced by another process while this one waited for it.
func (s *Store) checkFile(db *bbolt.DB, file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("consent store %s: %w", s.path, err)
	}
	if now, err := os.Stat(s.path); err != nil || !os.SameFile(info, now) {
		return fmt.Errorf("consent store %s: another process replaced the file meanwhile: try again", s.path)
	}
	return db.View(func(tx *bbolt.Tx) error {
		if info.Size() < tx.Size() {
			return fmt.Errorf("consent store %s: %w: the file was cut off at %d of %d bytes: restore it from a backup", s.path, store.ErrTampered, info.Size(), tx.Size())
		}
		return nil
	})
}

// syncDir makes a file's name durable.
func syncDir(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Close implements [store.Store]. It waits for what is under way.
func (s *Store) Close() error {
	return s.writes.Exclude(func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.db == nil {
			return nil
		}
		db := s.db
		s.db = nil
		if s.damaged {
			return fmt.Errorf("consent store %s: %w", s.path, errDamaged)
		}
		return db.Close()
	})
}

// view runs f in a read transaction.
func (s *Store) view(ctx context.Context, f func(*bbolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.use(func(db *bbolt.DB) error { return db.View(f) })
}

// use hands the open file to f.
func (s *Store) use(f func(*bbolt.DB) error) (err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.db == nil {
		return store.ErrClosed
	}
	err = guard(func() error { return f(s.db) })
	if errors.Is(err, errDamaged) {
		return fmt.Errorf("consent store %s: %w: %w", s.path, store.ErrUnavailable, err)
	}
	return err
}

func readHead(meta *bbolt.Bucket) (h store.Head, err error) {
	if b := meta.Get(keyHead); b != nil {
		err = json.Unmarshal(b, &h)
	}
	return h, err
}
