package encoding

import (
	"bufio"
	"errors"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// maxWindow is the largest window a client must support for zstd over HTTP (RFC 9659, 3); brotli's is 16 MiB by its format.
const maxWindow = 8 << 20

// The pools hold decoders without state between two bodies: zstd's costs more to make than a page to decode.
var (
	bufferedReaders = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 4096) }}
	brotliReaders   = sync.Pool{New: func() any { return new(brotli.Reader) }}
	gzipReaders     = sync.Pool{New: func() any { return new(gzip.Reader) }}
	zlibReaders     sync.Pool
	flateReaders    = sync.Pool{New: func() any { return flate.NewReader(nil) }}
	zstdReaders     = sync.Pool{New: func() any {
		r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return err
		}
		return r
	}}
)

// stack is the chain of decoders for one body.
type stack struct {
	free   []func()
	top    *bufio.Reader // what the uppermost coding reads from
	broken bool
}

// release gives all decoders back, unless one of them panicked.
func (s *stack) release() {
	if s.broken {
		return
	}
	for _, f := range s.free {
		f()
	}
}

// drain reads on after the end of the uppermost stream: what follows is ignored, but the streams below must end well.
func (s *stack) drain() error {
	_, err := io.Copy(io.Discard, s.top)
	return err
}

// open returns the reader of what list was applied to. It reads as far as it needs to tell whether the body is what
// list says; a layer that is not is left out.
func (s *stack) open(list []coding, w *worker) (io.Reader, error) {
	var r io.Reader = w
	for i := len(list) - 1; i >= 0; i-- {
		br := bufferedReaders.Get().(*bufio.Reader)
		br.Reset(r)
		s.top = br
		s.free = append(s.free, func() { br.Reset(nil); bufferedReaders.Put(br) })
		layer, err := s.layer(list[i], br)
		if err != nil {
			return nil, err
		}
		r = &meter{r: layer, w: w}
	}
	return r, nil
}

func (s *stack) layer(c coding, br *bufio.Reader) (io.Reader, error) {
	first, err := br.Peek(1)
	if err != nil {
		return br, nil //nolint:nilerr // an empty body, or an error that reading will show again
	}
	switch c {
	case gzipCoding:
		if magic, _ := br.Peek(2); isGzip(magic) {
			return s.gzip(br)
		}
	case zstdCoding:
		if magic, _ := br.Peek(4); isZstd(magic) {
			return s.zstd(br)
		}
	case deflateCoding:
		if magic, _ := br.Peek(2); isZlib(magic) {
			return s.zlib(br)
		}
		if !beginsLikeText(first[0], br) {
			r := flateReaders.Get().(io.ReadCloser)
			s.free = append(s.free, func() { flateReaders.Put(r) })
			return r, r.(flate.Resetter).Reset(br, nil)
		}
	case brotliCoding:
		if !beginsLikeText(first[0], br) {
			r := brotliReaders.Get().(*brotli.Reader)
			s.free = append(s.free, func() { _ = r.Reset(nil); brotliReaders.Put(r) })
			return brotliBody{r}, r.Reset(br)
		}
	}
	return br, nil
}

// isGzip checks the magic of RFC 1952, 2.3.1.
func isGzip(m []byte) bool { return len(m) == 2 && m[0] == 0x1f && m[1] == 0x8b }

// isZlib checks the header of RFC 1950, 2.2: method deflate, window at most 32 KiB, check bits.
func isZlib(m []byte) bool {
	return len(m) == 2 && m[0]&0x0f == 8 && m[0]>>4 <= 7 && (int(m[0])<<8|int(m[1]))%31 == 0
}

// isZstd checks for a frame or a skippable frame (RFC 8878, 3.1).
func isZstd(m []byte) bool {
	return len(m) == 4 && m[1] == 0xb5 && m[2] == 0x2f && m[3] == 0xfd && m[0] == 0x28 ||
		len(m) == 4 && m[0]&0xf0 == 0x50 && m[1] == 0x2a && m[2] == 0x4d && m[3] == 0x18
}

// beginsLikeText tells text from brotli and raw deflate, which have no magic. It needs more than the first byte only
// where that one could begin a document.
func beginsLikeText(first byte, br *bufio.Reader) bool {
	switch first {
	case '<', '{', '[', '"', ' ', '\t', '\n', '\r', 0xef, 0xfe, 0xff:
	default:
		return false
	}
	prefix, _ := br.Peek(16)
	for i, c := range prefix {
		bom := i < 3 && c >= 0xbb
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' || c >= 0x7f && !bom {
			return false
		}
	}
	return true
}

func (s *stack) gzip(br *bufio.Reader) (io.Reader, error) {
	r := gzipReaders.Get().(*gzip.Reader)
	s.free = append(s.free, func() { gzipReaders.Put(r) })
	if err := r.Reset(br); err != nil {
		return nil, truncated(err)
	}
	r.Multistream(false)
	return &gzipBody{r: r, br: br}, nil
}

func (s *stack) zlib(br *bufio.Reader) (io.Reader, error) {
	r, ok := zlibReaders.Get().(io.ReadCloser)
	if !ok { // the library makes none without a body
		fresh, err := zlib.NewReader(br)
		if err != nil {
			return nil, truncated(err)
		}
		s.free = append(s.free, func() { zlibReaders.Put(fresh) })
		return fresh, nil
	}
	s.free = append(s.free, func() { zlibReaders.Put(r) })
	return r, truncated(r.(zlib.Resetter).Reset(br, nil))
}

func (s *stack) zstd(br *bufio.Reader) (io.Reader, error) {
	r, ok := zstdReaders.Get().(*zstd.Decoder)
	if !ok {
		return nil, errors.New("content coding: no zstd decoder")
	}
	s.free = append(s.free, func() {
		if r.Reset(nil) == nil {
			zstdReaders.Put(r)
		}
	})
	return r, r.Reset(br)
}

// gzipBody reads all members (RFC 1952, 2.2) and, as browsers do, ignores what follows them.
type gzipBody struct {
	r  *gzip.Reader
	br *bufio.Reader
}

func (g *gzipBody) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	if n > 0 || err != io.EOF {
		if n > 0 && err == io.EOF {
			err = nil
		}
		return n, err
	}
	if magic, err := g.br.Peek(2); !isGzip(magic) {
		if err == nil {
			err = io.EOF
		}
		return 0, err
	}
	if err := g.r.Reset(g.br); err != nil {
		return 0, truncated(err)
	}
	g.r.Multistream(false)
	return 0, nil
}

// truncated makes the end of input within a header the error that it is.
func truncated(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// brotliBody ends where the stream ends and, as browsers do, ignores what follows it.
type brotliBody struct{ r *brotli.Reader }

func (b brotliBody) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err != nil && err.Error() == "brotli: excessive input" { // the library does not export it
		err = io.EOF
	}
	return n, err
}
