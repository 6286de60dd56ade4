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
	validGlobal = regexp.MustCompile(`^[A-Za-z_$][\w$]*(\[\])?$`)
	printable   = regexp.MustCompile(`^[!-~]+$`)
)

// catalogue collects what the script's constants are made of.
type catalogue struct {
	lines, names []string
	text         map[uint32]string // which pattern has a hash
	hosts        map[string]bool
	errs         []error
}

// newCatalogue checks a configuration and compiles its vendors, in order.
func newCatalogue(c Config) (*catalogue, error) {
	k := &catalogue{text: make(map[uint32]string), hosts: make(map[string]bool)}
	if c.Prefix == "" || c.Prefix[0] != '/' || strings.HasSuffix(c.Prefix, "/") || !printable.MatchString(c.Prefix) {
		k.errs = append(k.errs, fmt.Errorf("guard: prefix %q: want a path like /.consent", c.Prefix))
	}
	for _, h := range c.Allow {
		if !validHost.MatchString(h) {
			k.errs = append(k.errs, fmt.Errorf("guard: allow %q: not a host", h))
		}
	}
	seen, hosts := make(map[string]bool), owners(c.Vendors)
	for i := range c.Vendors {
		v := &c.Vendors[i]
		if seen[v.ID] {
			k.errs = append(k.errs, fmt.Errorf("guard: vendor %q: twice in the catalogue", v.ID))
		}
		seen[v.ID] = true
		k.add(v, func(host string) bool {
			owner, named := hosts[host]
			return named && owner != i
		})
	}
	if len(k.errs) > 0 {
		return nil, errors.Join(k.errs...)
	}
	return k, nil
}

// severalOwners is the owner of a host that several vendors name.
const severalOwners = -1

// owners returns which vendor names a host, in its patterns or hosts. On a host of another one a pattern has to be spelled
// out although its own vendor's host would say the same.
func owners(vendors []Vendor) map[string]int {
	all := make(map[string]int)
	add := func(host string, i int) {
		if owner, ok := all[host]; ok && owner != i {
			i = severalOwners
		}
		all[host] = i
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

func (k *catalogue) fail(v *Vendor, format string, args ...any) {
	k.errs = append(k.errs, fmt.Errorf("guard: vendor %q: "+format, append([]any{v.ID}, args...)...))
}

func (k *catalogue) add(v *Vendor, foreign func(host string) bool) {
	bit := slices.Index(purposes, v.Purpose)
	if !validID.MatchString(v.ID) {
		k.fail(v, "an id has lower-case letters, digits and hyphens")
	}
	if bit < 0 {
		k.fail(v, "no purpose %q", v.Purpose)
	}
	var hosts []string
	for _, h := range v.Hosts {
		switch {
		case !validHost.MatchString(h) || !strings.Contains(h, "."):
			k.fail(v, "host %q", h)
		case !k.hosts[h]:
			k.hosts[h] = true
			if stem, ok := strings.CutSuffix(h, ".com"); ok && !strings.Contains(stem, ".") {
				h = stem // the script completes a host without a dot
			}
			hosts = append(hosts, h)
		}
	}
	globs, group := k.patterns(v, v.Patterns, foreign)
	for _, g := range v.Globals {
		if !validGlobal.MatchString(g) {
			k.fail(v, "global %q", g)
		}
	}
	line := fmt.Sprintf("%d%s %s %s %s %s", bit, v.ID, strings.Join(hosts, ","), strings.Join(globs, "|"), group, strings.Join(v.Globals, " "))
	k.lines = append(k.lines, strings.TrimRight(line, " "))
	if len(v.Passes) > 0 { // as those of a nameless vendor that needs no consent
		globs, group := k.patterns(&Vendor{ID: v.ID}, v.Passes, nil)
		k.lines[len(k.lines)-1] += fmt.Sprintf(";0  %s %s", strings.Join(globs, "|"), group)
	}
	if names := append(k.prefixed(v, "c", v.Cookies), k.prefixed(v, "s", v.Storage)...); len(names) > 0 {
		k.names = append(k.names, v.ID+" "+strings.Join(names, " "))
	}
}

// patterns returns, of a vendor's URL patterns, those that need a regular expression, and the hashes of the others.
func (k *catalogue) patterns(v *Vendor, patterns []string, foreign func(host string) bool) (globs []string, group string) {
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
		case slices.ContainsFunc(kept, func(q string) bool { return strings.HasPrefix(p, q) }):
			continue
		case v.covers(strings.TrimLeft(host, "*.")) && !foreign(strings.TrimLeft(host, "*.")):
			continue
		case strings.Contains(strings.TrimPrefix(host, "*."), "*") || strings.Contains(path, "*"):
			kept = append(kept, p)
			globs = append(globs, expression(p))
		default:
			kept = append(kept, p)
			group += k.key(v, strings.TrimPrefix(p, "*"))
		}
	}
	return globs, group
}

// covers reports whether one of the vendor's hosts says all there is to say about a host.
func (v *Vendor) covers(host string) bool {
	return slices.ContainsFunc(v.Hosts, func(h string) bool { return host == h || strings.HasSuffix(host, "."+h) })
}

// expression returns a pattern as a JavaScript regular expression; * matches no slash in the host.
func expression(pattern string) string {
	host, path, _ := strings.Cut(pattern, "/")
	quote := func(s, star string) string {
		parts := strings.Split(s, "*")
		for i, p := range parts {
			parts[i] = regexp.QuoteMeta(p)
		}
		return strings.Join(parts, star)
	}
	return quote(host, "[^/]*") + "/" + quote(path, ".*")
}

// prefixed returns names with their kind in front. The script knows a * at the end only: what follows another is any rest.
func (k *catalogue) prefixed(v *Vendor, kind string, names []string) (list []string) {
	for _, n := range names {
		stem, _, open := strings.Cut(n, "*")
		if len(stem) < 2 || !printable.MatchString(stem) || strings.ContainsAny(stem, ";") {
			k.fail(v, "name %q: want two characters or more before any *", n)
			continue
		}
		if open {
			stem += "*"
		}
		list = append(list, kind+stem)
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
