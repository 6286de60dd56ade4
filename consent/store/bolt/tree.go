package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"go.etcd.io/bbolt"

	"github.com/caddy-consent/caddy-consent/consent/store"
)

// The layout of a bbolt file's pages, version 2, in the byte order of the machine: a header (page number
// u64, flags u16, elements u16, further pages u32), then the elements with offsets from their own start.
const (
	pageHeader    = 16
	elementSize   = 16 // of a branch (key offset u32, key size u32, page u64) and of a leaf (flags, key offset, key size, value size)
	bucketHeader  = 16 // a value that is a bucket: root page u64, 0 if the page follows inline; sequence u64
	branchPage    = 0x01
	leafPage      = 0x02
	bucketElement = 0x01
	maxDepth      = 64
)

// tree checks that the pages of a file form a tree with its keys in order. bbolt trusts what it reads: a
// damaged page number sends it round in a circle for ever, or until the stack of the program is used up.
type tree struct {
	tx   *bbolt.Tx
	file io.ReaderAt
	size int    // bytes of a page
	end  uint64 // pages in use
	seen []uint64
	buf  []byte // of one page at a time
}

// checkTree reads each page in use once.
func (s *Store) checkTree(db *bbolt.DB, file io.ReaderAt) error {
	return db.View(func(tx *bbolt.Tx) error {
		size := db.Info().PageSize
		end := uint64(tx.Size()) / uint64(size)
		c := &tree{tx: tx, file: file, size: size, end: end, seen: make([]uint64, end/64+1)}
		if err := c.page(ref{page: uint64(tx.Cursor().Bucket().Root())}, 0); err != nil {
			return fmt.Errorf("consent store %s: %w: %w: restore it from a backup", s.path, store.ErrTampered, err)
		}
		return nil
	})
}

// ref is what a page says of another: its keys are at least low and below high. nil is no bound.
type ref struct {
	page      uint64
	low, high []byte
}

func (c *tree) page(r ref, depth int) error {
	id := r.page
	if id < 2 || id >= c.end { // 0 and 1 are the meta pages
		return fmt.Errorf("a page refers to page %d of %d", id, c.end)
	}
	if c.seen[id/64]&(1<<(id%64)) != 0 || depth > maxDepth {
		return fmt.Errorf("page %d is referred to twice", id)
	}
	c.seen[id/64] |= 1 << (id % 64)
	if info, err := c.tx.Page(int(id)); err != nil || info.Type == "free" {
		return fmt.Errorf("page %d is in use and listed as free", id)
	}
	p, err := c.read(id)
	if err != nil {
		return err
	}
	below, err := refs(p, r)
	if err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	for _, r := range below {
		if err := c.page(r, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// read returns the page with the pages that continue it, until the next call.
func (c *tree) read(id uint64) ([]byte, error) {
	var head [pageHeader]byte
	if _, err := c.file.ReadAt(head[:], int64(id)*int64(c.size)); err != nil {
		return nil, fmt.Errorf("page %d cannot be read: %w", id, err)
	}
	more := uint64(binary.NativeEndian.Uint32(head[12:]))
	if binary.NativeEndian.Uint64(head[:]) != id || more >= c.end-id {
		return nil, fmt.Errorf("page %d has a wrong header", id)
	}
	n := int(more+1) * c.size
	if cap(c.buf) < n {
		c.buf = make([]byte, n)
	}
	if _, err := c.file.ReadAt(c.buf[:n], int64(id)*int64(c.size)); err != nil {
		return nil, fmt.Errorf("page %d cannot be read: %w", id, err)
	}
	return c.buf[:n], nil
}

// refs returns what a page refers to. It refuses elements that lie outside the page and keys out of order,
// with which a walk from key to key would not end.
func refs(p []byte, self ref) (below []ref, err error) {
	flags, count := binary.NativeEndian.Uint16(p[8:]), int(binary.NativeEndian.Uint16(p[10:]))
	branch := flags == branchPage
	if !branch && flags != leafPage || branch && count == 0 || pageHeader+count*elementSize > len(p) {
		return nil, fmt.Errorf("flags %#x, %d elements in %d bytes", flags, count, len(p))
	}
	before := self.low
	for i := range count {
		key, value, to, err := element(p[pageHeader+i*elementSize:], branch)
		switch {
		case err != nil:
			return nil, fmt.Errorf("element %d: %w", i, err)
		case before != nil && (bytes.Compare(key, before) < 0 || i > 0 && bytes.Equal(key, before)),
			self.high != nil && bytes.Compare(key, self.high) >= 0:
			return nil, fmt.Errorf("element %d: its key is out of order", i)
		case branch:
			key = bytes.Clone(key) // p is read over when the walk goes down
			if i > 0 {
				below[i-1].high = key
			}
			below = append(below, ref{page: to, low: key, high: self.high})
		case value != nil:
			if to, err = bucketRoot(value); err != nil {
				return nil, fmt.Errorf("element %d: %w", i, err)
			}
			if to != 0 {
				below = append(below, ref{page: to})
			}
		}
		before = key
	}
	return below, nil
}

// element reads the element at the start of e: the page it refers to if it is one of a branch, and the
// value if that is a bucket.
func element(e []byte, branch bool) (key, bucket []byte, page uint64, err error) {
	field := func(n int) uint64 { return uint64(binary.NativeEndian.Uint32(e[4*n:])) }
	start, end := field(1), field(1)+field(2)
	after := end + field(3)
	if branch {
		start, end = field(0), field(0)+field(1)
		after, page = end, binary.NativeEndian.Uint64(e[8:])
	}
	if after > uint64(len(e)) {
		return nil, nil, 0, errors.New("it is outside its page")
	}
	if !branch && field(0)&bucketElement != 0 {
		bucket = e[end:after:after]
	}
	return e[start:end], bucket, page, nil
}

// bucketRoot returns the root page of a bucket, or 0 if its only page is inside the value.
func bucketRoot(value []byte) (uint64, error) {
	if len(value) < bucketHeader {
		return 0, fmt.Errorf("a bucket of %d bytes", len(value))
	}
	root := binary.NativeEndian.Uint64(value)
	if root != 0 {
		return root, nil
	}
	if len(value) < bucketHeader+pageHeader {
		return 0, fmt.Errorf("a bucket of %d bytes", len(value))
	}
	below, err := refs(value[bucketHeader:], ref{})
	if err == nil && len(below) > 0 {
		err = errors.New("an inline bucket refers to pages")
	}
	return 0, err
}
