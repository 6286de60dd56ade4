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

// Constant is a text that many bodies hold, compressed once and well. It is immutable.
type Constant struct{ text, deflated []byte }

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
	return &Constant{text, b.Bytes()}, nil
}

// is reports whether p is the constant itself, not a copy.
func (c *Constant) is(p []byte) bool {
	return c != nil && len(p) == len(c.text) && len(p) > 0 && &p[0] == &c.text[0]
}

// Gzip compresses a body that is written to it (RFC 1952). It serves one goroutine.
//
// It compresses block by block and holds no more than the last 24 KiB, nothing after a Flush; a compressor with tables of
// its own would make an answer to one slow client cost a megabyte, for a twentieth fewer bytes.
//
// A Constant that is written as one piece is taken as it was compressed: a stream of DEFLATE is a sequence of blocks that
// begin anywhere (RFC 1951, 2.3), and those of a Constant refer to nothing before them. What follows does not refer to
// what came before it either.
type Gzip struct {
	w        io.Writer
	constant *Constant
	block    *gzipBlock // of the pool
	from, to int        // what of block waits to be compressed
	sum      uint32
	size     int64
	begun    bool
	closed   bool
}

// gzipBlock holds what was compressed last, to which the next may refer, and what waits.
type gzipBlock [gzipDictionary + 16<<10]byte

// gzipDictionary is how far back a block may refer into the one before it.
const gzipDictionary = 8 << 10

var (
	gzipBlocks  = sync.Pool{New: func() any { return new(gzipBlock) }}
	gzipOutputs = sync.Pool{New: func() any { return new(bytes.Buffer) }}
)

// NewGzip returns a Gzip that writes to w; c may be nil.
func NewGzip(w io.Writer, c *Constant) *Gzip { return &Gzip{w: w, constant: c} }

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
	g.sum = crc32.Update(g.sum, crc32.IEEETable, p)
	g.size += int64(len(p))
	if g.constant.is(p) {
		return len(p), g.splice()
	}
	n := len(p)
	for len(p) > 0 {
		if g.block == nil {
			g.block = gzipBlocks.Get().(*gzipBlock)
		}
		fit := copy(g.block[g.to:], p)
		g.to += fit
		p = p[fit:]
		if g.to < len(g.block) {
			break
		}
		if err := g.deflate(false); err != nil {
			return 0, err
		}
		g.from = copy(g.block[:gzipDictionary], g.block[g.to-gzipDictionary:])
		g.to = g.from
	}
	return n, nil
}

// deflate compresses what waits into blocks that end at a byte, and then hands them on: what compresses, which is large,
// is not held while somebody takes what came out.
func (g *Gzip) deflate(end bool) error {
	if g.from == g.to && !end {
		return nil
	}
	var wait, before []byte
	if g.block != nil {
		wait, before = g.block[g.from:g.to], g.block[max(0, g.from-gzipDictionary):g.from]
	}
	b := gzipOutputs.Get().(*bytes.Buffer)
	defer gzipOutputs.Put(b)
	b.Reset()
	if err := flate.StatelessDeflate(b, wait, end, before); err != nil {
		return err
	}
	_, err := g.w.Write(b.Bytes())
	return err
}

// splice hands on the constant behind all that was written.
func (g *Gzip) splice() error {
	if err := g.Flush(); err != nil {
		return err
	}
	_, err := g.w.Write(g.constant.deflated)
	return err
}

// Flush hands on all that was written.
func (g *Gzip) Flush() error {
	if err := g.begin(); err != nil {
		return err
	}
	err := g.deflate(false)
	g.free()
	return err
}

func (g *Gzip) free() {
	if g.block != nil {
		gzipBlocks.Put(g.block)
		g.block, g.from, g.to = nil, 0, 0
	}
}

// Close ends the body. A second Close does nothing; nothing else may follow.
func (g *Gzip) Close() error {
	if g.closed {
		return nil
	}
	g.closed = true
	if err := g.begin(); err != nil {
		return err
	}
	err := g.deflate(true)
	g.free()
	if err != nil {
		return err
	}
	var trailer [8]byte
	binary.LittleEndian.PutUint32(trailer[:4], g.sum)
	binary.LittleEndian.PutUint32(trailer[4:], uint32(g.size))
	_, err = g.w.Write(trailer[:])
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
