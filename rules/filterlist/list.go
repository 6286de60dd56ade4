package filterlist

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
)

// Limits bound what Parse takes. The zero value of each field means its default.
type Limits struct {
	MaxBytes int64 // size of a list with what it includes; default 32 MiB
	MaxLine  int   // length of a line, at most 60,000; default 16 KiB
	MaxRules int   // number of rules; default 1,000,000
	// Defined names the conditions of !#if that hold, such as "env_chromium". None by default.
	Defined map[string]bool
	// Include opens what !#include names, a relative path without "..". Without it includes are dropped and reported.
	Include func(path string) (io.ReadCloser, error)
}

const (
	maxLineEver     = 60_000    // rule.textLen is 16 bits
	maxBytesEver    = 256 << 20 // what is appended to the text at most triples it, and offsets have 30 bits
	maxIncludeDepth = 4
	maxIncludes     = 64
	maxDrops        = 10_000 // dropped lines that are listed one by one
)

func (l Limits) withDefaults() Limits {
	if l.MaxBytes <= 0 {
		l.MaxBytes = 32 << 20
	}
	l.MaxBytes = min(l.MaxBytes, maxBytesEver)
	if l.MaxLine <= 0 {
		l.MaxLine = 16 << 10
	}
	l.MaxLine = min(l.MaxLine, maxLineEver)
	if l.MaxRules <= 0 {
		l.MaxRules = 1_000_000
	}
	return l
}

// List is one parsed list, ready for Compile. It is immutable.
type List struct {
	names   []string // of the list and of what it includes
	rules   []rule
	blob    []byte
	conds   []uint32
	regexps []string
	sum     [sha256.Size]byte
}

// Len returns the number of rules.
func (l *List) Len() int { return len(l.rules) }

// Report says what became of each line of a list.
type Report struct {
	List     string
	Lines    int
	Rules    int // network rules in force; a line of a hosts file may hold several
	Cosmetic int // rules for hiding elements, which a gateway does not do
	Comments int // comments, headers and empty lines
	Skipped  int // lines in a branch of !#if that does not hold
	Dropped  int // lines that are not in force though they were meant as rules
	Drops    []Drop
}

// Drop is a line that is not in force.
type Drop struct {
	List   string
	Line   int
	Text   string // at most 200 bytes of it
	Reason string
}

// String gives the drop as list:line: reason: text.
func (d Drop) String() string { return fmt.Sprintf("%s:%d: %s: %s", d.List, d.Line, d.Reason, d.Text) }

// Errors of Parse. All of them mean that no List was made.
var (
	ErrTooLarge = errors.New("the list is larger than its limit")
	ErrTooMany  = errors.New("the list has more rules than its limit")
	ErrNotAList = errors.New("this is not a filter list")
)

// Parse reads a list in the syntax of Adblock Plus, uBlock Origin or AdGuard, or a hosts file. A line that is not
// understood in full is dropped and reported with its reason. The Report is never nil; the List is nil with an error.
func Parse(name string, r io.Reader, limits Limits) (*List, *Report, error) {
	p := parser{limits: limits.withDefaults(), report: &Report{List: name}, sum: sha256.New()}
	p.list = &List{conds: make([]uint32, 1)}
	if err := p.read(name, r, 0); err != nil {
		return nil, p.report, fmt.Errorf("%s: %w", name, err)
	}
	rep := p.report
	rep.Rules = len(p.list.rules)
	if rep.Dropped > 20 && rep.Dropped > rep.Rules+rep.Cosmetic || rep.Dropped > 0 && rep.Rules+rep.Cosmetic == 0 {
		return nil, rep, fmt.Errorf("%s: %w: %d of %d lines are not rules; the first is line %d (%s)", name, ErrNotAList,
			rep.Dropped, rep.Lines, rep.Drops[0].Line, rep.Drops[0].Reason)
	}
	p.sum.Sum(p.list.sum[:0])
	return p.list, rep, nil
}

// parser holds the state of one Parse.
type parser struct {
	limits   Limits
	list     *List
	report   *Report
	sum      hash.Hash
	bytes    int64
	includes int
	regexps  int // size of all regular expressions so far
	keyless  int // of those, and of other rules, what has to be tried on every URL
	rule     network
}

// read parses one file: the list itself or what it includes.
func (p *parser) read(name string, r io.Reader, depth int) error {
	br := bufio.NewReaderSize(r, 64<<10)
	head, err := br.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err := checkHead(head); err != nil {
		return err
	}
	if bytes.HasPrefix(head, utf8BOM) {
		_, _ = br.Discard(len(utf8BOM))
	}
	f := file{parser: p, name: name, index: uint16(len(p.list.names)), depth: depth}
	p.list.names = append(p.list.names, name)
	for {
		line, tooLong, err := p.readLine(br)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if len(line) == 0 && err != nil {
			break
		}
		f.line++
		p.report.Lines++
		if tooLong {
			f.drop(string(line), fmt.Sprintf("the line is longer than %d bytes", p.limits.MaxLine))
		} else if err := f.parse(string(bytes.TrimSpace(line))); err != nil {
			return err
		}
		if err != nil {
			break
		}
	}
	if len(f.branches) > 0 {
		f.drop("", "!#if without !#endif")
	}
	return nil
}

var utf8BOM = []byte("\xEF\xBB\xBF")

// checkHead refuses what is plainly something else: a page, an archive, UTF-16.
func checkHead(head []byte) error {
	t := bytes.TrimSpace(bytes.TrimPrefix(head, utf8BOM))
	switch {
	case bytes.HasPrefix(t, []byte("<")):
		return fmt.Errorf("%w: it begins like an HTML or XML document", ErrNotAList)
	case bytes.HasPrefix(t, []byte("\x1f\x8b")), bytes.HasPrefix(t, []byte("PK\x03\x04")):
		return fmt.Errorf("%w: it is compressed", ErrNotAList)
	case bytes.IndexByte(t, 0) >= 0:
		return fmt.Errorf("%w: it is binary or UTF-16", ErrNotAList)
	}
	return nil
}

// readLine returns the next line, at most MaxLine bytes of it, valid until the next call.
func (p *parser) readLine(br *bufio.Reader) (line []byte, tooLong bool, err error) {
	for {
		chunk, e := br.ReadSlice('\n')
		p.bytes += int64(len(chunk))
		if p.bytes > p.limits.MaxBytes {
			return nil, false, fmt.Errorf("%w of %d bytes", ErrTooLarge, p.limits.MaxBytes)
		}
		_, _ = p.sum.Write(chunk)
		if e == nil && line == nil && len(chunk) <= p.limits.MaxLine {
			return chunk, false, nil
		}
		if room := p.limits.MaxLine + 1 - len(line); len(chunk) > room {
			chunk, tooLong = chunk[:room], true
		}
		line = append(line, chunk...)
		if !errors.Is(e, bufio.ErrBufferFull) {
			return line, tooLong, e
		}
	}
}

// file is the state of one file of a list.
type file struct {
	*parser
	name     string
	index    uint16
	line     int
	depth    int
	branches []branch
}

func (f *file) drop(text, reason string) {
	f.report.Dropped++
	if len(f.report.Drops) < maxDrops {
		f.report.Drops = append(f.report.Drops, Drop{f.name, f.line, strings.ToValidUTF8(cut(text, 200), "\uFFFD"), reason})
	}
}

// parse takes one line without the white space around it. An error ends the whole list.
func (f *file) parse(s string) error {
	if s == "" {
		f.report.Comments++
		return nil
	}
	k := classify(s)
	if k == kindDirective {
		return f.directive(s)
	}
	if !f.active() {
		f.report.Skipped++
		return nil
	}
	switch k {
	case kindComment:
		f.report.Comments++
	case kindCosmetic:
		f.report.Cosmetic++
	case kindHosts:
		return f.hosts(s)
	default:
		if err := f.rule.parse(s); err != nil {
			f.drop(s, err.Error())
		} else if f.rule.cosmetic {
			f.report.Cosmetic++
		} else {
			return f.add(s, f.text(s))
		}
	}
	return nil
}

func (f *file) hosts(s string) error {
	names, err := hostsNames(s)
	if err != nil {
		f.drop(s, err.Error())
		return nil
	}
	if names == nil {
		f.report.Comments++
		return nil
	}
	at := f.text(s)
	for _, n := range names {
		f.rule.reset()
		f.rule.pattern, f.rule.shape, f.rule.flags = n, shapeHost, flagHost|flagHostWhole
		if err := f.add(s, at); err != nil {
			return err
		}
	}
	return nil
}
