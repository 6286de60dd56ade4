package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
)

// SpoolFile is what a spool needs of a file.
type SpoolFile interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Sync returns when what was written is on the disk.
	Sync() error
	// Truncate sets the file's size.
	Truncate(size int64) error
}

// spoolMagic begins the file; frames follow, and zeros up to the end of what is reserved. A frame is the
// length of its body and a CRC-32C, both of four bytes, then the body. The CRC runs on from that of the
// frame before, so that what an earlier, longer content left behind never reads as a frame.
const spoolMagic = "consent spool 1\n"

const frameHeader = 8

// maxSpool is the most that a spool may be allowed to grow to.
const maxSpool = 1 << 30

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// spoolLog is the file of a spool. Its methods are not safe for concurrent use.
type spoolLog struct {
	path    string
	file    SpoolFile
	reserve int64
	max     int64
	size    int64  // of the file, zeros included
	tail    int64  // behind the last frame
	crc     uint32 // of the last frame

	emptying bool // an attempt to empty the file failed
	closed   bool
}

func openSpoolFile(path string) (SpoolFile, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: stop it, or give this one a file of its own: %w", ErrHeld, err), f.Close())
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// openSpoolLog opens the file and returns the bodies of its frames.
func openSpoolLog(path string, o SpoolOptions) (*spoolLog, [][]byte, error) {
	f, err := o.OpenFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("consent spool %s: cannot open: %w: name a file that this program's user may write", path, err)
	}
	l := &spoolLog{path: path, file: f, reserve: o.Reserve, max: o.MaxSize, tail: int64(len(spoolMagic))}
	bodies, err := l.read()
	if err == nil {
		err = l.grow(max(l.reserve, l.tail))
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("consent spool %s: %w", path, err), f.Close())
	}
	return l, bodies, nil
}

func (l *spoolLog) read() (bodies [][]byte, err error) {
	// The limit may have been lowered since the file was written.
	content, err := io.ReadAll(io.NewSectionReader(l.file, 0, maxSpool))
	if err != nil {
		return nil, fmt.Errorf("cannot read: %w", err)
	}
	l.size = int64(len(content))
	head := content[:min(len(content), len(spoolMagic))]
	if string(head) != spoolMagic {
		// A crash while the file was made leaves a part of the magic, or zeros.
		for i, b := range head {
			if b != 0 && b != spoolMagic[i] {
				return nil, errors.New("not a spool: name another file")
			}
		}
		return nil, l.write([]byte(spoolMagic), 0)
	}
	for rest := content[len(spoolMagic):]; len(rest) >= frameHeader; {
		n := binary.BigEndian.Uint32(rest)
		if n == 0 || n > MaxRecord || int(n) > len(rest)-frameHeader {
			break
		}
		body := rest[frameHeader:][:n]
		crc := crc32.Update(l.crc, castagnoli, body)
		if crc != binary.BigEndian.Uint32(rest[4:]) {
			break // torn: it was never acknowledged
		}
		bodies = append(bodies, body)
		l.crc, rest = crc, rest[frameHeader+n:]
		l.tail += frameHeader + int64(n)
	}
	return bodies, nil
}

// write writes at an offset and syncs.
func (l *spoolLog) write(b []byte, at int64) error {
	n, err := l.file.WriteAt(b, at)
	l.size = max(l.size, at+int64(n))
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return err
	}
	return l.file.Sync()
}

// grow writes zeros, so that the disk's blocks are there before they are needed.
func (l *spoolLog) grow(to int64) error {
	if l.size >= to {
		return nil
	}
	return l.write(make([]byte, to-l.size), l.size)
}

// append makes the bodies durable. After an error the next call writes at the same place: then the pages
// that the system gave up on are written again.
func (l *spoolLog) append(bodies [][]byte) error {
	if l.closed {
		return ErrClosed
	}
	if l.emptying {
		if err := l.empty(); err != nil {
			return err
		}
	}
	var b []byte
	crc := l.crc
	for _, body := range bodies {
		crc = crc32.Update(crc, castagnoli, body)
		b = binary.BigEndian.AppendUint32(b, uint32(len(body)))
		b = binary.BigEndian.AppendUint32(b, crc)
		b = append(b, body...)
	}
	end := l.tail + int64(len(b))
	if end > l.max {
		return fmt.Errorf("spool is full: %d bytes wait", l.tail)
	}
	if end > l.size {
		if err := l.grow((end/l.reserve + 1) * l.reserve); err != nil {
			return err
		}
	}
	if err := l.write(b, l.tail); err != nil {
		return err
	}
	l.tail, l.crc = end, crc
	return nil
}

// empty overwrites the frames with zeros and gives back what was not reserved. After an error nothing may
// follow the old frames, whose beginning may be gone: the next call empties first.
func (l *spoolLog) empty() error {
	const step = 1 << 20
	start := int64(len(spoolMagic))
	if l.tail == start {
		return nil
	}
	l.emptying = true
	for at := start; at < l.tail; at += step {
		if err := l.write(make([]byte, min(l.tail-at, step)), at); err != nil {
			return err
		}
	}
	l.tail, l.crc, l.emptying = start, 0, false
	if l.size > l.reserve && l.file.Truncate(l.reserve) == nil {
		l.size = l.reserve
	}
	return nil
}

// close closes the file; again, it does nothing.
func (l *spoolLog) close() error {
	if l.closed {
		return nil
	}
	l.closed = true
	return l.file.Close()
}
