package filterlist

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// value returns a modifier's value and the index of the expression in it, -1 for none.
func (e *Engine) value(r *rule) (v string, regexp int) {
	regexp = -1
	if r.cond == 0 {
		return "", regexp
	}
	for head, body, rest := condition(e.conds[r.cond:]); body != nil; head, body, rest = condition(rest) {
		switch head >> opShift {
		case opValue:
			v = e.blob[body[0] : body[0]+body[1]]
		case opValueRegexp:
			regexp = int(body[0])
		}
	}
	return v, regexp
}

// modifiers calls f for each rule of the lists that count (nil: all) with one of two modifiers that matches and that no
// exception lifts.
func (e *Engine) modifiers(s *scratch, a, b modifier, counts func(list int) bool, f func(id uint32, value string, regexp int)) {
	e.modify.visit(e, s, func(id uint32) bool {
		r := &e.rules[id]
		if r.flags&flagException != 0 || r.mod != a && r.mod != b || counts != nil && !counts(int(e.roots[r.list])) {
			return false
		}
		v, regexp := e.value(r)
		lifted := false
		e.modify.visit(e, s, func(id uint32) bool {
			x := &e.rules[id]
			if x.flags&flagException == 0 || x.mod != a && x.mod != b {
				return false
			}
			w, _ := e.value(x)
			lifted = w == "" || w == v
			return lifted
		})
		if !lifted {
			f(id, v, regexp)
		}
		return false
	})
}

// redirect returns the stand-in for a blocked request: of several the one with the highest priority ($redirect=name:priority).
func (e *Engine) redirect(s *scratch) string {
	best, highest := "", -1<<31
	e.modifiers(s, modRedirect, modRedirectRule, nil, func(_ uint32, v string, _ int) {
		name, priority := v, 0
		if i := strings.LastIndexByte(v, ':'); i >= 0 {
			if p, err := strconv.Atoi(v[i+1:]); err == nil {
				name, priority = v[:i], p
			}
		}
		if priority > highest {
			best, highest = name, priority
		}
	})
	return best
}

// Modifies reports whether there is any rule that CSP, RemoveParams or Result.Redirect come from.
func (e *Engine) Modifies() bool { return !e.modify.empty() }

// CSP appends the policies that $csp rules of the lists that count (nil: all; by their place in the arguments of Compile)
// add to the response of a Document or Subdocument request.
func (e *Engine) CSP(r *Request, counts func(list int) bool, dst []string) []string {
	if e.modify.empty() {
		return dst
	}
	s := e.acquire(r)
	defer e.scratch.Put(s)
	if _, lifted := e.pageException(s, 0); lifted {
		return dst
	}
	e.modifiers(s, modCSP, modCSP, counts, func(_ uint32, v string, _ int) {
		if !slices.Contains(dst, v) {
			dst = append(dst, v)
		}
	})
	return dst
}

// RemoveParams appends the request's URL to dst without the query parameters that $removeparam rules of the lists that
// count (nil: all) name, and reports whether there were any; if not, dst is returned as it was.
func (e *Engine) RemoveParams(r *Request, counts func(list int) bool, dst []byte) ([]byte, bool) {
	q := bytes.IndexByte(r.URL, '?')
	if q < 0 || e.modify.empty() {
		return dst, false
	}
	s := e.acquire(r)
	defer e.scratch.Put(s)
	type filter struct {
		name   string
		regexp int
		not    bool
	}
	var filters []filter
	e.modifiers(s, modRemoveParam, modRemoveParam, counts, func(_ uint32, v string, regexp int) {
		name, not := strings.CutPrefix(v, "~")
		filters = append(filters, filter{name, regexp, not})
	})
	if filters == nil {
		return dst, false
	}
	removed := func(param []byte) bool {
		name, _, _ := bytes.Cut(param, []byte("="))
		return slices.ContainsFunc(filters, func(f filter) bool {
			hit := f.name == "" || f.name == string(name)
			if f.regexp >= 0 {
				hit = e.regexps[f.regexp].Match(param)
			}
			return hit != f.not
		})
	}
	start, found, sep := len(dst), false, byte('?')
	dst = append(dst, r.URL[:q]...)
	for _, param := range bytes.Split(r.URL[q+1:], []byte("&")) {
		if removed(param) {
			found = true
			continue
		}
		dst = append(append(dst, sep), param...)
		sep = '&'
	}
	if !found {
		return dst[:start], false
	}
	return dst, true
}
