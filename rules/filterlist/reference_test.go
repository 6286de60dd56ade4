package filterlist

import (
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// reference matches with the same rules as an Engine in the plainest way: each rule in turn, patterns as regular
// expressions, hosts as strings. It is slow; it exists so that tests can compare the two.
type reference struct {
	rules []referenceRule
}

type referenceRule struct {
	rule
	pattern        *regexp.Regexp
	source         Source
	root           int
	from, to, deny []hostOption
	methods        uint32
}

// reference returns a slow matcher with the rules of the engine.
func (e *Engine) reference() *reference {
	ref := &reference{}
	for i := range e.rules {
		r := &e.rules[i]
		x := referenceRule{rule: *r, source: e.source(uint32(i)), root: int(e.roots[r.list]), methods: ^uint32(0)}
		for op, hosts := range map[uint32]*[]hostOption{opFrom: &x.from, opTo: &x.to, opDeny: &x.deny} {
			hostsOf(e.blob, e.conds, r.cond, op, func(host string, ref uint32) {
				*hosts = append(*hosts, hostOption{name: host, not: ref&hostNot != 0, entity: ref&hostEntity != 0})
			})
		}
		if r.cond != 0 {
			for head, body, rest := condition(e.conds[r.cond:]); body != nil; head, body, rest = condition(rest) {
				if head>>opShift == opMethod {
					x.methods = body[0]
				}
			}
		}
		if r.shape == shapeRegexp {
			x.pattern = e.regexps[r.pat]
		} else {
			pat := ""
			if r.shape != shapeAny {
				pat = e.pattern(r)
			}
			x.pattern = patternRegexp(pat, r.flags, r.shape == shapeHost)
		}
		ref.rules = append(ref.rules, x)
	}
	return ref
}

// patternRegexp writes a pattern as a regular expression, the way Adblock Plus explains its patterns.
func patternRegexp(pat string, flags uint16, host bool) *regexp.Regexp {
	const separator = `(?:[^0-9A-Za-z%._-]|$)`
	s := strings.NewReplacer(`\*`, `.*`, `\^`, separator).Replace(strings.NewReplacer(`^`, `\^`).Replace(quoteMeta(pat)))
	switch {
	case flags&flagLeft != 0:
		s = `^` + s
	case flags&flagHost != 0:
		s = `^[^:]+://(?:[^/?#@]*@)?(?:[^/?#:]+\.)?` + s
	}
	if host {
		s += separator
	}
	if flags&flagRight != 0 {
		s += `$`
	}
	if flags&flagMatchCase == 0 {
		s = `(?i)` + s
	}
	return regexp.MustCompile(`(?s)` + s)
}

// quoteMeta is regexp.QuoteMeta without ^, which stays to be replaced.
func quoteMeta(s string) string {
	parts := strings.Split(s, "^")
	for i, p := range parts {
		parts[i] = regexp.QuoteMeta(p)
	}
	return strings.Join(parts, "^")
}

// match answers as Engine.Match does, Result.Redirect apart. Where several rules match, it may name another one.
func (ref *reference) match(r *Request) (Result, bool) {
	block := ref.find(r, func(x *referenceRule) bool { return classBlock.in(&x.rule) && x.flags&flagImportant != 0 })
	if block == nil {
		block = ref.find(r, func(x *referenceRule) bool { return classBlock.in(&x.rule) })
	}
	if block == nil {
		return Result{}, false
	}
	important := block.flags & flagImportant
	res := Result{Source: block.source, ListIndex: block.root, Important: important != 0}
	exception := ref.find(r, func(x *referenceRule) bool { return classExcept.in(&x.rule) && x.flags&important == important })
	if host := strings.TrimSuffix(r.PageHost, "."); exception == nil && host != "" {
		page := Request{URL: []byte("https://" + host + "/"), HostStart: 8, HostEnd: 8 + len(host), Type: Document, PageHost: host}
		exception = ref.find(&page, func(x *referenceRule) bool {
			return classExcept.in(&x.rule) && x.flags&flagPage != 0 && x.flags&important == important
		})
	}
	if exception != nil {
		res.Exception = exception.source
		return res, false
	}
	return res, true
}

func (ref *reference) find(r *Request, want func(*referenceRule) bool) *referenceRule {
	for i := range ref.rules {
		if x := &ref.rules[i]; want(x) && x.matches(r) {
			return x
		}
	}
	return nil
}

func (x *referenceRule) matches(r *Request) bool {
	url, host := string(r.URL), strings.ToLower(string(r.Host()))
	if strings.HasSuffix(host, ".") {
		url = url[:r.HostEnd-1] + url[r.HostEnd:]
		host = strings.TrimSuffix(host, ".")
	}
	page := strings.TrimSuffix(r.PageHost, ".")
	typ := r.Type
	if typ == 0 {
		typ = Other
	}
	has := func(flag uint16) bool { return x.flags&flag != 0 }
	switch {
	case Type(x.types)&typ == 0,
		has(flagThirdParty) && !r.ThirdParty, has(flagFirstParty) && r.ThirdParty,
		has(flagStrict3p) && host == page, has(flagStrict1p) && host != page,
		x.methods&methodBit(r.Method) == 0,
		!referenceHosts(x.from, page), !referenceHosts(x.to, host),
		len(x.deny) > 0 && referenceHosts(x.deny, host):
		return false
	}
	return x.pattern.MatchString(url)
}

// referenceHosts walks up from the host to its parents; the first that a list of hosts names decides.
func referenceHosts(hosts []hostOption, host string) bool {
	if len(hosts) == 0 {
		return true
	}
	for h := host; h != ""; {
		suffix, _ := publicsuffix.PublicSuffix(host)
		for _, entity := range []bool{false, true} {
			name := h
			if entity {
				name = strings.TrimSuffix(h, "."+suffix)
			}
			if entity && name == h {
				continue
			}
			named := slices.ContainsFunc(hosts, func(o hostOption) bool { return o.name == name && o.entity == entity })
			excluded := slices.ContainsFunc(hosts, func(o hostOption) bool { return o.name == name && o.entity == entity && o.not })
			if named {
				return !excluded
			}
		}
		_, h, _ = strings.Cut(h, ".")
	}
	return !slices.ContainsFunc(hosts, func(o hostOption) bool { return !o.not })
}
