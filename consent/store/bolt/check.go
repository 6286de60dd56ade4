package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// Check tells whether Open would work, and neither makes nor changes a file: whoever validates a configuration is often not
// the user that runs it. It waits for opts.Timeout for another process that has the file open, and returns store.ErrHeld
// then. What only writing shows, such as a full disk, is left to Open. Errors name the path and the way out.
func Check(path string, opts Options) error {
	s := newStore(path, opts)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s.checkFolder(filepath.Dir(path))
	case err != nil:
		return s.openError(err)
	case info.IsDir():
		return fmt.Errorf("consent store %s: it is a folder: name a file in it", path)
	case info.Size() == 0:
		return nil // bbolt makes a store of it
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0) // as Open will
	if err != nil {
		return s.openError(err)
	}
	_ = f.Close()
	o := s.boltOptions()
	o.ReadOnly, o.PreLoadFreelist = true, true
	db, err := s.load(o, func(db *bbolt.DB) error {
		_, err := s.known(db)
		return err
	})
	if err != nil {
		return err
	}
	return db.Close()
}

// checkFolder reports why the folder could not be used, or made.
func (s *Store) checkFolder(dir string) error {
	info, err := os.Stat(dir)
	for errors.Is(err, fs.ErrNotExist) && filepath.Dir(dir) != dir {
		dir = filepath.Dir(dir)
		info, err = os.Stat(dir)
	}
	if err == nil && !info.IsDir() {
		err = &fs.PathError{Op: "mkdir", Path: dir, Err: errors.New("not a directory")}
	}
	if err == nil {
		err = writable(dir)
	}
	if err != nil {
		return s.folderError(err)
	}
	return nil
}

func (s *Store) folderError(err error) error {
	return fmt.Errorf("consent store %s: cannot make its folder: %w: create it and give it to the user that runs this program", s.path, err)
}
