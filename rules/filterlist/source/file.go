package source

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// file is a list on disk. It has changed when its time or size has, and rests: of a file that is being written the first
// half would come into force, or none of it.
type file struct {
	path string

	mu             sync.Mutex
	loaded, looked version
}

// version is what tells one content of a file from the next.
type version struct {
	time time.Time
	size int64
}

func (v version) of(info os.FileInfo) bool {
	return info.ModTime().Equal(v.time) && info.Size() == v.size
}

func (f *file) open(context.Context) ([]byte, error) {
	info, err := os.Stat(f.path) // opening a pipe would wait for who writes to it
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", f.path)
	}
	r, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	f.mu.Lock()
	f.loaded = version{info.ModTime(), info.Size()}
	f.mu.Unlock()
	return readAll(r)
}

func (f *file) changed(context.Context) (bool, error) {
	info, err := os.Stat(f.path)
	if err != nil {
		return false, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	rests := f.looked.of(info)
	f.looked = version{info.ModTime(), info.Size()}
	return rests && !f.loaded.of(info), nil
}

func (f *file) checked() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.loaded.time
}

func (*file) keep() error { return nil }

// sibling returns an included file. It must be below the list's own folder, symbolic links included.
func (f *file) sibling(path string) (origin, error) {
	folder := filepath.Dir(f.path)
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	if _, err := root.Stat(path); err != nil {
		return nil, err
	}
	return &file{path: filepath.Join(folder, path)}, nil
}

// maxBytes is the largest file taken: what filterlist.Parse takes.
const maxBytes = 32 << 20

// readAll reads to the end; more than maxBytes are an error.
func readAll(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err == nil && len(b) > maxBytes {
		return nil, fmt.Errorf("larger than %d bytes", maxBytes)
	}
	return b, err
}
