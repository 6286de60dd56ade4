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
// It compresses block by block: a block is 64 KiB, which refers to nothing before it, or what was written before a Flush,
// to the end of which the next refers. That costs a fiftieth more bytes than one long stream, and lets the compressor, which
// is nearly a megabyte, be held for as long as it computes and not while a slow client takes what came out.
//
// A Constant that is written as one piece is taken as it was compressed: a stream of DEFLATE is a sequence of blocks that
// begin anywhere (RFC 1951, 2.3).
type Gzip struct {
	w        io.Writer
	constant *Constant
	level    GzipLevel
	block    *gzipBlock // of the pool
	n        int        // what of block waits to be compressed
	history  *gzipHistory
	known    int // how much of history there is
	sum      uint32
	size     int64
	begun    bool
	closed   bool
}

// gzipBlock holds what waits: as much as the compressor takes into one block.
type gzipBlock [64<<10 - 1]byte

// gzipHistory is the end of what was flushed. Of pages that come in pieces of 8 KiB it saves a tenth, for a fifth more time;
// twice as much saves a fiftieth more.
type gzipHistory [4 << 10]byte

// GzipLevel is how much work is spent on fewer bytes.
type GzipLevel uint8

// The levels of a Gzip. Beside GzipFast, GzipSmall takes a quarter more time for a twentieth fewer bytes.
const (
	GzipFast GzipLevel = iota
	GzipSmall
)

// gzipLevels are the levels of the library.
var gzipLevels = [...]int{GzipFast: 2, GzipSmall: 4}

var (
	gzipBlocks  = sync.Pool{New: func() any { return new(gzipBlock) }}
	gzipEnds    = sync.Pool{New: func() any { return new(gzipHistory) }}
	gzipOutputs = sync.Pool{New: func() any { return new(bytes.Buffer) }}
	gzipWriters [len(gzipLevels)]sync.Pool
)

// NewGzip returns a Gzip that writes to w; c may be nil.
func NewGzip(w io.Writer, c *Constant, level GzipLevel) *Gzip {
	return &Gzip{w: w, constant: c, level: level}
}

// gzipHeader has no name, time or flags; the operating system is unknown (RFC 1952, 2.3.1).
const gzipHeader = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"

// gzipEnd is a last block that holds nothing (RFC 1951, 3.2.4).
const gzipEnd = "\x01\x00\x00\xff\xff"

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
		fit := copy(g.block[g.n:], p)
		g.n += fit
		p = p[fit:]
		if g.n == len(g.block) {
			if err := g.deflate(0); err != nil {
				return 0, err
			}
		}
	}
	return n, nil
}

// deflate compresses what waits into blocks that end at a byte, and hands them on. It keeps so much of its end as history.
func (g *Gzip) deflate(keep int) error {
	if g.n == 0 {
		return nil
	}
	b := gzipOutputs.Get().(*bytes.Buffer)
	defer gzipOutputs.Put(b)
	b.Reset()
	if err := g.deflateTo(b, keep); err != nil {
		return err
	}
	_, err := g.w.Write(b.Bytes())
	return err
}

// deflateTo compresses what waits into b, and gives everything back that was needed for it.
func (g *Gzip) deflateTo(b *bytes.Buffer, keep int) error {
	defer g.free(keep)
	pool := &gzipWriters[g.level]
	w, ok := pool.Get().(*flate.Writer)
	if !ok {
		fresh, err := flate.NewWriter(nil, gzipLevels[g.level])
		if err != nil {
			return err
		}
		w = fresh
	}
	defer pool.Put(w)
	w.ResetDict(b, g.before()) // Reset would take the dictionary of another stream
	if _, err := w.Write(g.block[:g.n]); err != nil {
		return err
	}
	return w.Flush()
}

// splice hands on the constant behind all that was written.
func (g *Gzip) splice() error {
	if err := g.flush(0); err != nil {
		return err
	}
	g.forget()
	_, err := g.w.Write(g.constant.deflated)
	return err
}

// Flush hands on all that was written.
func (g *Gzip) Flush() error { return g.flush(len(gzipHistory{})) }

func (g *Gzip) flush(keep int) error {
	if err := g.begin(); err != nil {
		return err
	}
	return g.deflate(keep)
}

// before returns what the next block may refer to.
func (g *Gzip) before() []byte {
	if g.history == nil {
		return nil
	}
	return g.history[:g.known]
}

// free gives the block back, and keeps so much of its end.
func (g *Gzip) free(keep int) {
	if keep == 0 {
		g.forget()
	} else {
		if g.history == nil {
			g.history = gzipEnds.Get().(*gzipHistory)
		}
		g.known = copy(g.history[:], g.block[max(0, g.n-keep):g.n])
	}
	gzipBlocks.Put(g.block)
	g.block, g.n = nil, 0
}

func (g *Gzip) forget() {
	if g.history != nil {
		gzipEnds.Put(g.history)
		g.history, g.known = nil, 0
	}
}

// Close ends the body. A second Close does nothing; nothing else may follow.
func (g *Gzip) Close() error {
	if g.closed {
		return nil
	}
	g.closed = true
	if err := g.flush(0); err != nil {
		return err
	}
	g.forget()
	trailer := append(make([]byte, 0, len(gzipEnd)+8), gzipEnd...)
	trailer = binary.LittleEndian.AppendUint32(trailer, g.sum)
	trailer = binary.LittleEndian.AppendUint32(trailer, uint32(g.size))
	_, err := g.w.Write(trailer)
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
