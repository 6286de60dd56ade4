package guard

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The script walks a text by FNV-1a and looks each prefix's hash up; a key begins with what kind of text it is.
const (
	keyHost    = 'h' // the host reversed and ended by a dot, so that a prefix is a domain
	keyURL     = 'u' // host, path and query; from a dot of the host on for "*.host/path"
	keyCookie  = 'c' // name, ended by NUL unless any rest may follow
	keyStorage = 's'
)

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
	lines, groups []string
	owner         map[uint32]int // which vendor has a hash
	text          map[uint32]string
	group         strings.Builder
	vendor        int
	errs          []error
}

// compileCatalogue returns the declarations that the modules build upon.
func compileCatalogue(c Config) ([]byte, error) {
	k := catalogue{owner: make(map[uint32]int), text: make(map[uint32]string)}
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
		k.vendor = i
		k.add(v, foreign(c.Vendors, i))
	}
	if len(k.errs) > 0 {
		return nil, errors.Join(k.errs...)
	}
	return fmt.Appendf(nil, "const catalogue=%s,hashes=%s,commands=%s,prefix=%s,judging=%t,strict=%t,allowed=%s.split(' ').filter(h=>h);",
		literal(strings.Join(k.lines, ";")), literal(strings.Join(k.groups, ".")), literal(strings.Join(commands, ";")),
		literal(c.Prefix), c.Judge, c.Strict, literal(strings.Join(c.Allow, " "))), nil
}

// foreign returns the hosts in patterns and hosts of the vendors but the i-th: on those a pattern has to be spelled out
// although its own vendor's host would say the same.
func foreign(vendors []Vendor, i int) map[string]bool {
	hosts := make(map[string]bool)
	for j := range vendors {
		if j == i {
			continue
		}
		for _, p := range vendors[j].Patterns {
			h, _, _ := strings.Cut(p, "/")
			hosts[strings.TrimLeft(h, "*.")] = true
		}
		for _, h := range vendors[j].Hosts {
			hosts[h] = true
		}
	}
	return hosts
}

func (k *catalogue) fail(v *Vendor, format string, args ...any) {
	k.errs = append(k.errs, fmt.Errorf("guard: vendor %q: "+format, append([]any{v.ID}, args...)...))
}

func (k *catalogue) add(v *Vendor, foreign map[string]bool) {
	k.group.Reset()
	bit := slices.Index(purposes, v.Purpose)
	if !validID.MatchString(v.ID) {
		k.fail(v, "an id has lower-case letters, digits and hyphens")
	}
	if bit < 0 {
		k.fail(v, "no purpose %q", v.Purpose)
	}
	for _, h := range v.Hosts {
		if !validHost.MatchString(h) {
			k.fail(v, "host %q", h)
			continue
		}
		k.key(keyHost, reverse(h)+".")
	}
	globs := k.patterns(v, foreign)
	k.names(v, keyCookie, "cookie", v.Cookies)
	k.names(v, keyStorage, "storage key", v.Storage)
	for _, g := range v.Globals {
		if !validGlobal.MatchString(g) {
			k.fail(v, "global %q", g)
		}
	}
	line := fmt.Sprintf("%d%s %s %s", bit, v.ID, strings.Join(globs, "|"), strings.Join(v.Globals, " "))
	k.lines = append(k.lines, strings.TrimRight(line, " "))
	k.groups = append(k.groups, k.group.String())
}

// patterns adds the vendor's URL patterns and returns those that need a regular expression.
func (k *catalogue) patterns(v *Vendor, foreign map[string]bool) (globs []string) {
	list := slices.Clone(v.Patterns)
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
		case v.covers(strings.TrimLeft(host, "*.")) && !foreign[strings.TrimLeft(host, "*.")]:
			continue
		case strings.Contains(strings.TrimPrefix(host, "*."), "*") || strings.Contains(path, "*"):
			kept = append(kept, p)
			globs = append(globs, expression(p))
		default:
			kept = append(kept, p)
			k.key(keyURL, strings.TrimPrefix(p, "*"))
		}
	}
	return globs
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

func (k *catalogue) names(v *Vendor, kind byte, what string, names []string) {
	for _, n := range names {
		stem, open := strings.CutSuffix(n, "*")
		if strings.Contains(stem, "*") {
			stem, open = n[:strings.IndexByte(n, '*')], true
		}
		switch {
		case len(stem) < 2 || !printable.MatchString(stem):
			k.fail(v, "%s %q: needs two characters before its *", what, n)
		case open:
			k.key(kind, stem)
		case !slices.ContainsFunc(names, func(o string) bool {
			s, glob := strings.CutSuffix(o, "*")
			return glob && strings.HasPrefix(n, s)
		}):
			k.key(kind, stem+"\x00")
		}
	}
}

// key adds a text's hash to the vendor's group unless an earlier vendor has the same text.
func (k *catalogue) key(kind byte, text string) {
	text = string(kind) + text
	h := hash(text)
	if other, taken := k.text[h]; taken {
		if other != text {
			k.errs = append(k.errs, fmt.Errorf("guard: %q and %q have the same hash", other, text))
		}
		return
	}
	k.text[h] = text
	for shift := 24; shift >= 0; shift -= 6 {
		k.group.WriteByte(digits[h>>shift&63])
	}
}

// hash is FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), its upper 30 bits.
func hash(s string) uint32 {
	h := uint32(2166136261)
	for i := 0; i < len(s); i++ {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h >> 2
}

func reverse(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}
