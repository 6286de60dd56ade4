package filterlist

import (
	"errors"
	"fmt"
	"strings"
)

// The preprocessor of uBlock Origin and AdGuard lists: !#if, !#else, !#endif and !#include
// (https://adguard.com/kb/general/ad-filtering/create-own-filters/#preprocessor-directives).

// branch is one open !#if.
type branch struct {
	active bool // lines of the current branch count
	failed bool // the condition was not understood: neither branch counts
	inElse bool
}

func (f *file) active() bool {
	for _, b := range f.branches {
		if !b.active {
			return false
		}
	}
	return true
}

// directive takes one line that begins with !#. Unknown ones are comments.
func (f *file) directive(s string) error {
	name, arg, _ := strings.Cut(strings.TrimPrefix(s, "!#"), " ")
	arg = strings.TrimSpace(arg)
	last := len(f.branches) - 1
	switch name {
	case "if":
		b := branch{}
		ok, err := evalCondition(arg, f.limits.Defined)
		if err == nil && last >= 31 {
			err = errors.New("!#if nested too deeply")
		}
		if err != nil {
			f.drop(s, err.Error())
			b.failed = true
		}
		b.active = ok && err == nil
		f.branches = append(f.branches, b)
	case "else":
		if last < 0 || f.branches[last].inElse {
			f.drop(s, "!#else without !#if")
			return nil
		}
		b := &f.branches[last]
		b.active, b.inElse = !b.active && !b.failed, true
	case "endif":
		if last < 0 {
			f.drop(s, "!#endif without !#if")
			return nil
		}
		f.branches = f.branches[:last]
	case "include":
		if !f.active() {
			f.report.Skipped++
			return nil
		}
		return f.include(s, arg)
	}
	f.report.Comments++
	return nil
}

// include parses another file in place. One that cannot be had is dropped; one that breaks a limit ends the list.
func (f *file) include(s, path string) error {
	reason := ""
	switch {
	case f.limits.Include == nil:
		reason = "includes are not loaded here"
	case path == "" || strings.Contains(path, "..") || strings.ContainsAny(path, ":\\\x00") || path[0] == '/':
		reason = "an include must be a relative path below the list"
	case f.depth >= maxIncludeDepth:
		reason = fmt.Sprintf("includes are nested more than %d deep", maxIncludeDepth)
	case f.includes >= maxIncludes:
		reason = fmt.Sprintf("more than %d includes", maxIncludes)
	}
	if reason != "" {
		f.drop(s, reason)
		return nil
	}
	f.includes++
	r, err := f.limits.Include(path)
	if err != nil {
		f.drop(s, err.Error())
		return nil
	}
	defer func() { _ = r.Close() }()
	err = f.read(path, r, f.depth+1)
	if errors.Is(err, ErrTooLarge) || errors.Is(err, ErrTooMany) {
		return err
	}
	if err != nil {
		f.drop(s, err.Error())
	}
	return nil
}

// evalCondition evaluates names joined by !, && , || and parentheses. && binds tighter than ||.
func evalCondition(s string, defined map[string]bool) (bool, error) {
	c := conditionParser{rest: s, defined: defined}
	v := c.or()
	if c.skip(); c.rest != "" || c.bad {
		return false, fmt.Errorf("the condition %q is not understood", cut(s, 80))
	}
	return v, nil
}

type conditionParser struct {
	rest    string
	defined map[string]bool
	depth   int
	bad     bool
}

func (c *conditionParser) skip() { c.rest = strings.TrimLeft(c.rest, " \t") }

func (c *conditionParser) take(op string) bool {
	c.skip()
	rest, ok := strings.CutPrefix(c.rest, op)
	c.rest = rest
	return ok
}

func (c *conditionParser) or() bool {
	v := c.and()
	for c.take("||") {
		w := c.and()
		v = v || w
	}
	return v
}

func (c *conditionParser) and() bool {
	v := c.not()
	for c.take("&&") {
		w := c.not()
		v = v && w
	}
	return v
}

func (c *conditionParser) not() bool {
	if c.depth++; c.depth > 64 {
		c.bad = true
	}
	defer func() { c.depth-- }()
	switch {
	case c.bad:
		return false
	case c.take("!"):
		return !c.not()
	case c.take("("):
		v := c.or()
		c.bad = c.bad || !c.take(")")
		return v
	}
	c.skip()
	i := 0
	for i < len(c.rest) && (isToken(c.rest[i]) || c.rest[i] == '_') {
		i++
	}
	name := c.rest[:i]
	c.rest = c.rest[i:]
	c.bad = c.bad || name == ""
	return name == "true" || c.defined[name]
}
