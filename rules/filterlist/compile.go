package filterlist

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
)

// Compile joins lists into an Engine. Rules that another rule names with $badfilter are taken out. It fails only for
// lists that are too large together.
func Compile(lists ...*List) (*Engine, error) {
	e := &Engine{conds: make([]uint32, 1)}
	size, words := 0, 0
	for _, l := range lists {
		size += len(l.blob)
		words += len(l.conds)
	}
	if size >= hostOffset || words >= math.MaxInt32 {
		return nil, fmt.Errorf("%w: %d bytes together", ErrTooLarge, size)
	}
	var blob strings.Builder
	blob.Grow(size)
	e.conds = slices.Grow(e.conds, words)
	bad := badRules(lists)
	count := 0
	for _, l := range lists {
		count += len(l.rules)
	}
	e.rules = make([]rule, 0, count)
	for i, l := range lists {
		if len(e.names)+len(l.names) > math.MaxUint16 {
			return nil, fmt.Errorf("%w: %d lists", ErrTooMany, len(lists))
		}
		e.append(l, uint16(i), uint32(blob.Len()), bad)
		blob.Write(l.blob)
	}
	e.blob = blob.String()
	if err := e.compileRegexps(); err != nil {
		return nil, err
	}
	e.index()
	return e, nil
}

// append takes the rules of a list whose blob will begin at base.
func (e *Engine) append(l *List, root uint16, base uint32, bad map[string][]badRule) {
	names, conds, regexps := uint16(len(e.names)), uint32(len(e.conds))-1, uint32(len(e.sources))
	e.names = append(e.names, l.names...)
	e.sums = append(e.sums, l.sum)
	for range l.names {
		e.roots = append(e.roots, root)
	}
	e.sources = append(e.sources, l.regexps...)
	e.conds = append(e.conds, l.conds[1:]...)
	for _, r := range l.rules {
		if r.flags&flagBad != 0 || len(bad) > 0 && isBad(bad, l, &r) {
			continue
		}
		if r.cond != 0 {
			r.cond += conds
			rebase(e.conds[r.cond:], base, regexps)
		}
		if r.shape == shapeRegexp {
			r.pat += regexps
		} else {
			r.pat += base
		}
		r.text += base
		r.list += names
		e.rules = append(e.rules, r)
	}
}

// rebase moves the offsets in one rule's conditions.
func rebase(c []uint32, base, regexps uint32) {
	for head, body, rest := condition(c); body != nil; head, body, rest = condition(rest) {
		switch head >> opShift {
		case opFrom, opTo, opDeny:
			for i := 1; i < len(body); i += 2 {
				body[i] += base
			}
		case opValue:
			body[0] += base
		case opValueRegexp:
			body[0] += regexps
		}
	}
}

func (e *Engine) compileRegexps() error {
	e.regexps = make([]*regexp.Regexp, len(e.sources))
	for i, src := range e.sources {
		re, err := regexp.Compile(src)
		if err != nil {
			return err
		}
		e.regexps[i] = re
	}
	return nil
}

// badRule is a rule with $badfilter and the list it stands in.
type badRule struct {
	list *List
	rule *rule
}

// badRules returns the rules with $badfilter by their pattern.
func badRules(lists []*List) map[string][]badRule {
	var m map[string][]badRule
	for _, l := range lists {
		for i := range l.rules {
			r := &l.rules[i]
			if r.flags&flagBad == 0 {
				continue
			}
			if m == nil {
				m = make(map[string][]badRule)
			}
			p := l.pattern(r)
			m[p] = append(m[p], badRule{l, r})
		}
	}
	return m
}

func (l *List) pattern(r *rule) string {
	if r.shape == shapeRegexp {
		return l.regexps[r.pat]
	}
	return string(l.blob[r.pat : r.pat+uint32(r.patLen)])
}

// isBad reports whether a rule is the same as one with $badfilter, that option apart.
func isBad(bad map[string][]badRule, l *List, r *rule) bool {
	for _, b := range bad[l.pattern(r)] {
		if b.rule.flags&^flagBad == r.flags && b.rule.shape == r.shape && b.rule.types == r.types && b.rule.mod == r.mod &&
			sameConditions(b.list, b.rule.cond, l, r.cond) {
			return true
		}
	}
	return false
}

// sameConditions compares the conditions of rules of two lists as they are spelled. Sets are sorted by hash.
func sameConditions(l *List, at uint32, m *List, bt uint32) bool {
	return slices.Equal(l.spell(at), m.spell(bt))
}

// spell writes a rule's conditions out.
func (l *List) spell(at uint32) []string {
	var out []string
	if at == 0 {
		return nil
	}
	blob := string(l.blob)
	for head, body, rest := condition(l.conds[at:]); body != nil; head, body, rest = condition(rest) {
		out = append(out, fmt.Sprint(head))
		switch head >> opShift {
		case opFrom, opTo, opDeny:
			for i := 1; i < len(body); i += 2 {
				out = append(out, fmt.Sprint(hostAt(blob, body[i]), body[i]&^hostOffset))
			}
		case opValue:
			out = append(out, blob[body[0]:body[0]+body[1]])
		case opMethod:
			out = append(out, fmt.Sprint(body[0]))
		}
	}
	return out
}
