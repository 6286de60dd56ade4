package filterlist

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
)

// The compiled form on disk: magic, version, length and CRC-32C of the rest; then the engine's fields in order, numbers
// little-endian, each sequence after its length. What is read is checked, so that a damaged or forged file is refused
// and not trusted.
const (
	cacheMagic   = "CCFL"
	cacheVersion = 5 // to be raised with every change of rule, condition, key or table
	cacheHead    = 4 + 4 + 8 + 4
	maxCache     = 1 << 30
)

// ErrCache is the error of ReadEngine for bytes that WriteTo of this version did not write.
var ErrCache = errors.New("this is not a compiled filter list of this version")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// WriteTo writes the compiled engine, for ReadEngine to load faster than Parse and Compile would.
func (e *Engine) WriteTo(w io.Writer) (int64, error) {
	var c encoder
	c.b = make([]byte, cacheHead, cacheHead+len(e.blob)+len(e.rules)*40+len(e.block.slots)*8)
	c.strings(e.names)
	c.length(len(e.roots))
	for _, r := range e.roots {
		c.u16(r)
	}
	c.length(len(e.sums))
	for _, s := range e.sums {
		c.b = append(c.b, s[:]...)
	}
	c.string(e.blob)
	c.words(e.conds)
	c.strings(e.sources)
	c.length(len(e.rules))
	for i := range e.rules {
		c.rule(&e.rules[i])
	}
	for _, t := range e.tables() {
		c.table(t)
	}
	for _, f := range []filter{e.tokens, e.hosts, e.pages, e.tails.long} {
		c.length(len(f))
		for _, x := range f {
			c.b = binary.LittleEndian.AppendUint64(c.b, x)
		}
	}
	c.b = binary.LittleEndian.AppendUint64(c.b, e.tails.short)
	for _, x := range e.edges {
		c.b = binary.LittleEndian.AppendUint64(c.b, x)
	}
	c.b = append(c.b, 0)
	if e.entities {
		c.b[len(c.b)-1] = 1
	}
	body := c.b[cacheHead:]
	head := append(c.b[:0], cacheMagic...)
	head = binary.LittleEndian.AppendUint32(head, cacheVersion)
	head = binary.LittleEndian.AppendUint64(head, uint64(len(body)))
	binary.LittleEndian.AppendUint32(head, crc32.Checksum(body, castagnoli))
	n, err := w.Write(c.b)
	return int64(n), err
}

func (e *Engine) tables() [classes]*table {
	return [classes]*table{classBlock: &e.block, classStrong: &e.strong, classExcept: &e.except, classModify: &e.modify}
}

type encoder struct{ b []byte }

func (c *encoder) u16(x uint16)    { c.b = binary.LittleEndian.AppendUint16(c.b, x) }
func (c *encoder) u32(x uint32)    { c.b = binary.LittleEndian.AppendUint32(c.b, x) }
func (c *encoder) length(n int)    { c.u32(uint32(n)) }
func (c *encoder) string(s string) { c.length(len(s)); c.b = append(c.b, s...) }

func (c *encoder) strings(l []string) {
	c.length(len(l))
	for _, s := range l {
		c.string(s)
	}
}

func (c *encoder) words(l []uint32) {
	c.length(len(l))
	for _, x := range l {
		c.u32(x)
	}
}

func (c *encoder) rule(r *rule) {
	c.u32(r.text)
	c.u32(r.pat)
	c.u32(r.cond)
	c.u32(r.line)
	c.u16(r.textLen)
	c.u16(r.patLen)
	c.u16(r.types)
	c.u16(r.flags)
	c.u16(r.list)
	c.b = append(c.b, byte(r.shape), byte(r.mod))
}

func (c *encoder) table(t *table) {
	c.length(len(t.slots))
	for _, s := range t.slots {
		c.u32(s.key)
		c.u32(s.ref)
	}
	c.length(len(t.posts))
	for _, p := range t.posts {
		c.u32(p.rule)
		c.u32(p.want)
		c.u32(p.mask)
		c.u16(uint16(p.off))
		c.u16(uint16(p.place))
	}
	c.words(t.always)
}

// ReadEngine reads what WriteTo wrote. It fails with ErrCache for anything else.
func ReadEngine(r io.Reader) (*Engine, error) {
	var head [cacheHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCache, err)
	}
	size := binary.LittleEndian.Uint64(head[8:])
	if string(head[:4]) != cacheMagic || binary.LittleEndian.Uint32(head[4:]) != cacheVersion || size > maxCache {
		return nil, ErrCache
	}
	body, err := readBody(r, int(size))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCache, err)
	}
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(head[16:]) {
		return nil, fmt.Errorf("%w: wrong checksum", ErrCache)
	}
	e, err := decode(body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCache, err)
	}
	return e, nil
}

// readBody reads exactly size bytes without trusting that there are so many.
func readBody(r io.Reader, size int) ([]byte, error) {
	const step = 16 << 20
	body := make([]byte, 0, min(size, step))
	for len(body) < size {
		n := min(size-len(body), step)
		body = append(body, make([]byte, n)...)
		if _, err := io.ReadFull(r, body[len(body)-n:]); err != nil {
			return nil, err
		}
	}
	return body, nil
}

var errShort = errors.New("it ends too early")

func decode(body []byte) (*Engine, error) {
	d := decoder{b: body}
	e := &Engine{names: d.strings()}
	e.roots = make([]uint16, d.length(2))
	for i := range e.roots {
		e.roots[i] = d.u16()
	}
	e.sums = make([][32]byte, d.length(32))
	for i := range e.sums {
		copy(e.sums[i][:], d.take(32))
	}
	e.blob = d.string()
	e.conds = d.words()
	e.sources = d.strings()
	e.rules = make([]rule, d.length(ruleBytes))
	for i := range e.rules {
		d.rule(&e.rules[i])
	}
	for _, t := range e.tables() {
		d.table(t)
	}
	for _, f := range []*filter{&e.tokens, &e.hosts, &e.pages, &e.tails.long} {
		*f = make(filter, d.length(8))
		for i := range *f {
			(*f)[i] = binary.LittleEndian.Uint64(d.take(8))
		}
	}
	e.tails.short = binary.LittleEndian.Uint64(d.take(8))
	for i := range e.edges {
		e.edges[i] = binary.LittleEndian.Uint64(d.take(8))
	}
	e.entities = d.take(1)[0] != 0
	if d.err != nil || len(d.b) != 0 {
		return nil, errShort
	}
	if err := e.verify(); err != nil {
		return nil, err
	}
	e.findPages()
	return e, e.compileRegexps()
}

const ruleBytes = 28

// decoder reads numbers and sequences; after an error it yields zeros.
type decoder struct {
	b   []byte
	err error
}

var zeros [64]byte

// take returns the next n bytes, n <= len(zeros) unless length was asked before.
func (d *decoder) take(n int) []byte {
	if n > len(d.b) {
		d.b, d.err = nil, errShort
		return zeros[:n]
	}
	t := d.b[:n]
	d.b = d.b[n:]
	return t
}

func (d *decoder) u16() uint16 { return binary.LittleEndian.Uint16(d.take(2)) }
func (d *decoder) u32() uint32 { return binary.LittleEndian.Uint32(d.take(4)) }

// length reads the length of a sequence whose elements take at least size bytes each.
func (d *decoder) length(size int) int {
	n := int(d.u32())
	if n > len(d.b)/size || n > math.MaxInt32 {
		d.b, d.err = nil, errShort
		return 0
	}
	return n
}

func (d *decoder) string() string { return string(d.take(d.length(1))) }

func (d *decoder) strings() []string {
	l := make([]string, d.length(4))
	for i := range l {
		l[i] = d.string()
	}
	return l
}

func (d *decoder) words() []uint32 {
	l := make([]uint32, d.length(4))
	b := d.take(4 * len(l))
	for i := range l {
		l[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	return l
}

func (d *decoder) rule(r *rule) {
	b := d.take(ruleBytes)
	*r = rule{
		text: binary.LittleEndian.Uint32(b), pat: binary.LittleEndian.Uint32(b[4:]), cond: binary.LittleEndian.Uint32(b[8:]), line: binary.LittleEndian.Uint32(b[12:]),
		textLen: binary.LittleEndian.Uint16(b[16:]), patLen: binary.LittleEndian.Uint16(b[18:]),
		types: binary.LittleEndian.Uint16(b[20:]), flags: binary.LittleEndian.Uint16(b[22:]),
		list: binary.LittleEndian.Uint16(b[24:]), shape: shape(b[26]), mod: modifier(b[27]),
	}
}

func (d *decoder) table(t *table) {
	t.slots = make([]slot, d.length(8))
	b := d.take(8 * len(t.slots))
	for i := range t.slots {
		t.slots[i] = slot{binary.LittleEndian.Uint32(b[8*i:]), binary.LittleEndian.Uint32(b[8*i+4:])}
	}
	t.posts = make([]post, d.length(16))
	for i := range t.posts {
		b := d.take(16)
		t.posts[i] = post{binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:]),
			int16(binary.LittleEndian.Uint16(b[12:])), int16(binary.LittleEndian.Uint16(b[14:]))}
	}
	t.always = d.words()
}
