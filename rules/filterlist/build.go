package filterlist

import (
	"fmt"
	"slices"
	"strings"
)

// text appends a rule's line to the blob and returns its offset.
func (f *file) text(s string) uint32 {
	at := len(f.list.blob)
	f.list.blob = append(append(f.list.blob, s...), '\n')
	return uint32(at)
}

// add appends the rule that f.rule holds; its line stands in the blob at that offset.
func (f *file) add(text string, at uint32) error {
	l, n := f.list, &f.rule
	if len(l.rules) >= f.limits.MaxRules {
		return fmt.Errorf("%w of %d", ErrTooMany, f.limits.MaxRules)
	}
	r := rule{
		text: at, textLen: uint16(len(text)), line: uint32(f.line), list: f.index,
		types: uint16(n.typeSet()), flags: n.flags, shape: n.shape, mod: n.mod,
	}
	b := builder{list: l, text: text, base: at}
	if err := f.checkRegexps(n); err != nil {
		l.blob = l.blob[:at]
		f.drop(text, err.Error())
		return nil
	}
	switch n.shape {
	case shapeAny:
	case shapeRegexp:
		r.pat = uint32(len(l.regexps))
		l.regexps = append(l.regexps, regexpSource(n.pattern, n.flags))
	default:
		r.pat, r.patLen = b.place(n.pattern), uint16(len(n.pattern))
	}
	r.cond = b.conditions(n)
	l.rules = append(l.rules, r)
	return nil
}

// checkRegexps checks the pattern and the value as far as they are regular expressions, and what a rule costs that has to
// be tried on every URL.
func (f *file) checkRegexps(n *network) error {
	cost := 1
	if n.shape == shapeRegexp {
		before := f.regexps
		if err := f.checkRegexp(regexpSource(n.pattern, n.flags)); err != nil {
			return err
		}
		cost = f.regexps - before
	}
	if keyless(n) {
		if f.keyless+cost > maxKeyless {
			return errKeyless
		}
		f.keyless += cost
	}
	if n.valueRegexp != "" {
		return f.checkRegexp(n.valueRegexp)
	}
	return nil
}

// builder places strings and conditions of one rule.
type builder struct {
	list *List
	text string
	base uint32
	from int // where in text the next string is looked for: strings mostly come in order
}

// place returns the offset of s in the blob: inside the rule's own text where it stands there, else appended.
func (b *builder) place(s string) uint32 {
	if i := strings.Index(b.text[b.from:], s); i >= 0 {
		b.from += i
		return b.base + uint32(b.from)
	}
	at := uint32(len(b.list.blob))
	b.list.blob = append(append(b.list.blob, s...), '\n')
	return at
}

// conditions appends the rule's conditions and returns their offset, 0 for none.
func (b *builder) conditions(n *network) uint32 {
	at := uint32(len(b.list.conds))
	b.hosts(opFrom, n.from)
	b.hosts(opTo, n.to)
	b.hosts(opDeny, n.deny)
	if n.hasMethods {
		set := n.methods
		if n.methodsNot {
			set = ^set
		}
		b.list.conds = append(b.list.conds, opMethod<<opShift|1, set)
	}
	if n.mod != modNone {
		b.from = 0
		b.list.conds = append(b.list.conds, opValue<<opShift|1, b.place(n.value), uint32(len(n.value)))
	}
	if n.valueRegexp != "" {
		b.list.conds = append(b.list.conds, opValueRegexp<<opShift|1, uint32(len(b.list.regexps)))
		b.list.regexps = append(b.list.regexps, n.valueRegexp)
	}
	if at == uint32(len(b.list.conds)) {
		return 0
	}
	b.list.conds = append(b.list.conds, 0)
	return at
}

// hosts appends one set of hosts, sorted by hash.
func (b *builder) hosts(op uint32, hosts []hostOption) {
	if len(hosts) == 0 {
		return
	}
	b.from = 0
	type entry struct{ hash, ref uint32 }
	entries := make([]entry, 0, len(hosts))
	head := uint32(0)
	for _, h := range hosts {
		e := entry{hostHash(h.name), b.placeHost(h)}
		if h.not {
			e.ref |= hostNot
		} else {
			head |= setIncludes
		}
		if h.entity {
			e.ref |= hostEntity
			head |= setEntity
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(x, y entry) int {
		if x.hash != y.hash {
			return int(int64(x.hash) - int64(y.hash))
		}
		return int(int64(y.ref) - int64(x.ref)) // exclusions first: they win over the same host included
	})
	b.list.conds = append(b.list.conds, op<<opShift|head|uint32(len(entries)))
	for _, e := range entries {
		b.list.conds = append(b.list.conds, e.hash, e.ref)
	}
}

// placeHost is place for a host: what follows it in the blob must be no part of a name, so that its end is known. The
// hosts of one option come in order, so that all their searches together pass over the text once.
func (b *builder) placeHost(h hostOption) uint32 {
	for i := b.from; !h.changed; i++ {
		k := strings.Index(b.text[i:], h.name)
		if k < 0 {
			break
		}
		i += k
		end := i + len(h.name)
		starts := i > 0 && strings.IndexByte("=|~", b.text[i-1]) >= 0
		ends := end == len(b.text) || chars[b.text[end]]&charHost == 0 || strings.HasPrefix(b.text[end:], ".*")
		if starts && ends {
			b.from = i
			return b.base + uint32(i)
		}
	}
	at := uint32(len(b.list.blob))
	b.list.blob = append(append(b.list.blob, h.name...), '\n')
	return at
}
