package guard

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A URL pattern's hash takes five of these digits, 30 bits.
const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

var purposes = []string{"necessary", "functional", "analytics", "marketing", "social"}

var (
	validID     = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	validHost   = regexp.MustCompile(`^[a-z0-9_-]+(\.[a-z0-9_-]+)*$`)
	validGlobal = regexp.MustCompile(`^[A-Za-z_$][\w$]*(\[\]|\{\})?$`)
	printable   = regexp.MustCompile(`^[!-~]+$`)
)

// catalogue collects what the script's constants are made of.
type catalogue struct {
	lines []string
	text  map[uint32]string // which host or pattern has a hash
	hosts map[string]int    // which vendor names a host
	names map[string]int    // which vendor names a cookie ("c…") or a storage key ("s…")
	errs  []error
}

// newCatalogue checks a configuration and compiles its vendors, in order.
func newCatalogue(c Config) (*catalogue, error) {
	k := &catalogue{text: make(map[uint32]string), hosts: owners(c.Vendors), names: nameOwners(c.Vendors)}
	if c.Prefix == "" || c.Prefix[0] != '/' || strings.HasSuffix(c.Prefix, "/") || !printable.MatchString(c.Prefix) {
		k.errs = append(k.errs, fmt.Errorf("guard: prefix %q: want a path like /.consent", c.Prefix))
	}
	for _, h := range c.Allow {
		if !validHost.MatchString(h) {
			k.errs = append(k.errs, fmt.Errorf("guard: allow %q: not a host", h))
		}
	}
	seen := make(map[string]bool)
	for i := range c.Vendors {
		v := &c.Vendors[i]
		if seen[v.ID] {
			k.errs = append(k.errs, fmt.Errorf("guard: vendor %q: twice in the catalogue", v.ID))
		}
		seen[v.ID] = true
		k.add(v, i)
	}
	if len(k.errs) > 0 {
		return nil, errors.Join(k.errs...)
	}
	return k, nil
}

// severalOwners is the owner of a host that several vendors name.
const severalOwners = -1

// owners returns which vendor names a host in its patterns or hosts, counted from 1. On a host of another one a pattern has
// to be spelled out although its own vendor's host would say the same.
func owners(vendors []Vendor) map[string]int {
	all := make(map[string]int)
	add := func(host string, i int) {
		if owner := all[host]; owner != 0 && owner != i+1 {
			all[host] = severalOwners
			return
		}
		all[host] = i + 1
	}
	for i, v := range vendors {
		for _, p := range v.Patterns {
			h, _, _ := strings.Cut(p, "/")
			add(strings.TrimLeft(h, "*."), i)
		}
		for _, h := range v.Hosts {
			add(h, i)
		}
	}
	return all
}

// nameOwners returns the first vendor that names a cookie ("c…") or a storage key ("s…"), counted from 1.
func nameOwners(vendors []Vendor) map[string]int {
	all := make(map[string]int)
	for i, v := range vendors {
		for _, list := range []struct {
			kind  string
			names []string
		}{{"c", v.Cookies}, {"s", v.Storage}} {
			for _, n := range list.names {
				if n = list.kind + stem(n); all[n] == 0 {
					all[n] = i + 1
				}
			}
		}
	}
	return all
}

// stem cuts a name after its first *: the script knows one at the end only, which stands for any rest.
func stem(name string) string {
	before, _, open := strings.Cut(name, "*")
	if open {
		before += "*"
	}
	return before
}

func (k *catalogue) fail(v *Vendor, format string, args ...any) {
	k.errs = append(k.errs, fmt.Errorf("guard: vendor %q: "+format, append([]any{v.ID}, args...)...))
}

// add appends the i-th vendor's lines: purpose and id, patterns with a *, hashes of other patterns and hosts, globals,
// cookies, storage keys.
func (k *catalogue) add(v *Vendor, i int) {
	bit := slices.Index(purposes, v.Purpose)
	if !validID.MatchString(v.ID) {
		k.fail(v, "an id has lower-case letters, digits and hyphens")
	}
	if bit < 0 {
		k.fail(v, "no purpose %q", v.Purpose)
	}
	globs, group := k.patterns(v, v.Patterns, i)
	group += k.hostKeys(v, i)
	for _, g := range v.Globals {
		if !validGlobal.MatchString(g) {
			k.fail(v, "global %q", g)
		}
	}
	line := fmt.Sprintf("%d%s %s %s %s %s %s", bit, v.ID, strings.Join(globs, "|"), group, strings.Join(v.Globals, ","),
		strings.Join(k.stored(v, i, "c", v.Cookies), ","), strings.Join(k.stored(v, i, "s", v.Storage), ","))
	k.lines = append(k.lines, strings.TrimRight(line, " "))
	if len(v.Passes) > 0 { // as those of a nameless vendor that needs no consent
		globs, group := k.patterns(&Vendor{ID: v.ID, Passes: v.Patterns}, v.Passes, i)
		k.lines = append(k.lines, strings.TrimRight(fmt.Sprintf("0 %s %s", strings.Join(globs, "|"), group), " "))
	}
	if len(v.Paths) > 0 {
		k.lines = append(k.lines, "/"+v.ID+" "+strings.Join(k.paths(v), "|"))
	}
}

// hostKeys returns the hashes of a vendor's hosts and labels.
func (k *catalogue) hostKeys(v *Vendor, i int) (group string) {
	for _, h := range v.Hosts {
		if !validHost.MatchString(h) || !strings.Contains(h, ".") {
			k.fail(v, "host %q", h)
			continue
		}
		// One whose parent domain says the same is left out.
		_, parent, _ := strings.Cut(h, ".")
		for k.hosts[parent] == 0 && strings.Contains(parent, ".") {
			_, parent, _ = strings.Cut(parent, ".")
		}
		if !(k.hosts[parent] == i+1 && slices.Contains(v.Hosts, parent)) {
			group += k.key(v, h)
		}
	}
	for _, l := range v.Labels {
		if !validHost.MatchString(l) || strings.Contains(l, ".") {
			k.fail(v, "label %q", l)
		}
		group += k.key(v, l+".")
	}
	return group
}

// patterns returns, of a vendor's URL patterns, those that need a regular expression, and the hashes of the others.
func (k *catalogue) patterns(v *Vendor, patterns []string, i int) (globs []string, group string) {
	list := slices.Clone(patterns)
	slices.SortFunc(list, func(a, b string) int { return len(a) - len(b) })
	var kept []string
	for _, p := range list {
		host, path, ok := strings.Cut(p, "/")
		switch {
		case !ok || !printable.MatchString(p) || host == "" || strings.ContainsAny(p, "; "):
			k.fail(v, "pattern %q: want host/path", p)
		case host == "*":
			continue
		case !v.contested(host, path) && slices.ContainsFunc(kept, func(q string) bool { return strings.HasPrefix(p, q) && wordEnd(q, p) }):
			continue
		case !v.contested(host, path) && v.covers(strings.TrimLeft(host, "*.")) && k.hosts[strings.TrimLeft(host, "*.")] == i+1:
			continue
		case strings.Contains(strings.TrimPrefix(host, "*."), "*") || strings.Contains(path, "*"):
			kept = append(kept, p)
			globs = append(globs, expression(p))
		default:
			kept = append(kept, p)
			group += k.key(v, strings.TrimPrefix(p, "*"))
			if bare, ok := strings.CutPrefix(p, "."); ok { // the host itself, too
				group += k.key(v, bare)
			}
		}
	}
	return globs, group
}

// contested reports whether a pattern has a path under a host of which the vendor's exceptions name a part as a whole: it says
// more than a shorter one then, because it beats the exception.
func (v *Vendor) contested(host, path string) bool {
	domain := strings.TrimLeft(host, "*.")
	return path != "" && slices.ContainsFunc(v.Passes, func(p string) bool {
		part, rest, _ := strings.Cut(p, "/")
		part = strings.TrimLeft(part, "*.")
		return rest == "" && (part == domain || strings.HasSuffix(part, "."+domain) || strings.HasSuffix(domain, "."+part))
	})
}

// covers reports whether one of the vendor's hosts says all there is to say about a host.
func (v *Vendor) covers(host string) bool {
	return slices.ContainsFunc(v.Hosts, func(h string) bool { return host == h || strings.HasSuffix(host, "."+h) })
}

// expression returns a pattern as a JavaScript regular expression; * matches no slash in the host.
func expression(pattern string) string {
	host, path, _ := strings.Cut(pattern, "/")
	before := ""
	if strings.HasPrefix(host, ".") { // the host and its subdomains
		before, host = `([^/]*\.)?`, host[1:]
	}
	return before + quote(host, "[^/]*") + "/" + pathExpression(path)
}

// pathExpression returns what follows a slash as a regular expression. The path is a prefix: one that ends in a letter or
// digit must end there. "?name=beginning" asks for a parameter anywhere in the query.
func pathExpression(path string) string {
	path, query, asked := strings.Cut(path, "?")
	e := quote(path, "[^?]*")
	if path != "" && alphanumeric(path[len(path)-1]) {
		e += "(?![a-z0-9])"
	}
	if asked {
		e += `[^?]*\?(.*&)?` + regexp.QuoteMeta(query)
	}
	return e
}

// quote returns a text as a regular expression that matches it, with star in the place of each *.
func quote(s, star string) string {
	parts := strings.Split(s, "*")
	for i, p := range parts {
		parts[i] = regexp.QuoteMeta(p)
	}
	return strings.Join(parts, star)
}

// paths returns the expressions of a vendor's paths on any host.
func (k *catalogue) paths(v *Vendor) (list []string) {
	for _, p := range v.Paths {
		if !strings.HasPrefix(p, "/") || !printable.MatchString(p) || strings.ContainsAny(p, "; ") {
			k.fail(v, "path %q: want /path", p)
			continue
		}
		list = append(list, "/"+pathExpression(p[1:]))
	}
	return list
}

// wordEnd reports whether a longer pattern goes on where its beginning ends a word, so that what the longer matches the
// beginning matches too.
func wordEnd(beginning, longer string) bool {
	n := len(beginning)
	return n == len(longer) || !alphanumeric(beginning[n-1]) || !alphanumeric(longer[n]) || strings.Contains(beginning, "?")
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// stored returns a vendor's names of cookies or storage keys as the script takes them, without those that an earlier vendor
// has, and those that a shorter one of its own with a * says as well.
func (k *catalogue) stored(v *Vendor, i int, kind string, names []string) (list []string) {
	for _, n := range names {
		text := stem(n)
		if len(strings.TrimSuffix(text, "*")) < 2 || !printable.MatchString(text) || strings.ContainsAny(text, ";,") {
			k.fail(v, "name %q: want two characters or more before any *, and neither ; nor ,", n)
			continue
		}
		if k.names[kind+text] != i+1 || slices.Contains(list, text) {
			continue
		}
		shorter := strings.TrimSuffix(text, "*")
		if shorter != text {
			shorter = shorter[:len(shorter)-1]
		}
		for shorter != "" && k.names[kind+shorter+"*"] == 0 {
			shorter = shorter[:len(shorter)-1]
		}
		if shorter == "" || k.names[kind+shorter+"*"] != i+1 {
			list = append(list, text)
		}
	}
	return list
}

// key returns the digits of a pattern's hash, "" if an earlier vendor has the same pattern.
func (k *catalogue) key(v *Vendor, text string) (digest string) {
	h := hash(text)
	if other, taken := k.text[h]; taken {
		if other != text {
			k.fail(v, "pattern %q has the same hash as %q", text, other)
		}
		return ""
	}
	k.text[h] = text
	for shift := 24; shift >= 0; shift -= 6 {
		digest += digits[h>>shift&63 : h>>shift&63+1]
	}
	return digest
}

// hash is FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), its upper 30 bits.
func hash(s string) uint32 {
	h := uint32(2166136261)
	for i := 0; i < len(s); i++ {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h >> 2
}
