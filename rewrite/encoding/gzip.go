package encoding

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"strings"
	"sync"

	"github.com/klauspost/compress/flate"
)

// gzipLevel is the level at which bodies are compressed on the way: on real pages three times as fast as the library's
// default (5), for an eighth more bytes.
const gzipLevel = 2

// Constant is a text that many bodies hold, compressed once and well. It is immutable.
type Constant struct {
	text, deflated []byte
	sum            uint32
}

// NewConstant compresses text, which must not change from then on.
func NewConstant(text []byte) (*Constant, error) {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	_, _ = w.Write(text) // a buffer takes all
	if err := w.Flush(); err != nil {
		return nil, err
	}
	return &Constant{text, b.Bytes(), crc32.ChecksumIEEE(text)}, nil
}

// is reports whether p is the constant itself, not a copy.
func (c *Constant) is(p []byte) bool {
	return c != nil && len(p) == len(c.text) && len(p) > 0 && &p[0] == &c.text[0]
}

// Gzip compresses a body that is written to it (RFC 1952). It serves one goroutine.
//
// A Constant that is written as one piece is taken as it was compressed: a stream of DEFLATE is a sequence of blocks that
// begin anywhere (RFC 1951, 2.3), and those of a Constant refer to nothing before them. What follows does not refer to
// what came before it either.
type Gzip struct {
	w        io.Writer
	deflater *flate.Writer
	constant *Constant
	sum      uint32
	size     int64
	begun    bool
}

var deflaters = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, gzipLevel)
	if err != nil {
		panic(err) // the level is a constant
	}
	return w
}}

// NewGzip returns a Gzip that writes to w; c may be nil.
func NewGzip(w io.Writer, c *Constant) *Gzip {
	g := &Gzip{w: w, constant: c, deflater: deflaters.Get().(*flate.Writer)}
	g.deflater.Reset(w)
	return g
}

// gzipHeader has no name, time or flags; the operating system is unknown (RFC 1952, 2.3.1).
const gzipHeader = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"

func (g *Gzip) begin() error {
	if g.begun {
		return nil
	}
	g.begun = true
	_, err := io.WriteString(g.w, gzipHeader)
	return err
}

// Write compresses p. What comes out of it may wait for more, or for Flush.
func (g *Gzip) Write(p []byte) (int, error) {
	if err := g.begin(); err != nil {
		return 0, err
	}
	if g.constant.is(p) {
		return len(p), g.splice()
	}
	n, err := g.deflater.Write(p)
	g.sum = crc32.Update(g.sum, crc32.IEEETable, p[:n])
	g.size += int64(n)
	return n, err
}

func (g *Gzip) splice() error {
	if err := g.deflater.Flush(); err != nil {
		return err
	}
	if _, err := g.w.Write(g.constant.deflated); err != nil {
		return err
	}
	g.deflater.Reset(g.w)
	g.sum = crc32.Update(g.sum, crc32.IEEETable, g.constant.text)
	g.size += int64(len(g.constant.text))
	return nil
}

// Flush hands on all that was written.
func (g *Gzip) Flush() error {
	if err := g.begin(); err != nil {
		return err
	}
	return g.deflater.Flush()
}

// Close ends the body. A second Close does nothing; nothing else may follow. A Gzip that is not closed is left to the
// garbage collector.
func (g *Gzip) Close() error {
	if g.deflater == nil {
		return nil
	}
	if err := g.begin(); err != nil {
		return err
	}
	if err := g.deflater.Close(); err != nil {
		return err
	}
	g.deflater.Reset(nil)
	deflaters.Put(g.deflater)
	g.deflater = nil
	var trailer [8]byte
	binary.LittleEndian.PutUint32(trailer[:4], g.sum)
	binary.LittleEndian.PutUint32(trailer[4:], uint32(g.size))
	_, err := g.w.Write(trailer[:])
	return err
}

// Size returns how many bytes were written to the Gzip.
func (g *Gzip) Size() int64 { return g.size }

// AcceptsGzip reports whether a request's Accept-Encoding fields allow gzip (RFC 9110, 12.5.3). No field allows anything,
// but who sends none is unlikely to expect it.
func AcceptsGzip(values []string) bool {
	wildcard := false
	for _, v := range values {
		for item := range strings.SplitSeq(v, ",") {
			coding, params, _ := strings.Cut(item, ";")
			switch coding = strings.TrimSpace(coding); {
			case strings.EqualFold(coding, "gzip"), strings.EqualFold(coding, "x-gzip"):
				return !zeroWeight(params)
			case coding == "*":
				wildcard = !zeroWeight(params)
			}
		}
	}
	return wildcard
}

// zeroWeight reports whether parameters hold a weight of nothing: "q=0", "q=0.000" (RFC 9110, 12.4.2).
func zeroWeight(params string) bool {
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(param, "=")
		if strings.EqualFold(strings.TrimSpace(name), "q") {
			return strings.Trim(strings.TrimSpace(value), "0.") == ""
		}
	}
	return false
}
