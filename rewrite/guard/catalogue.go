package guard

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var purposes = []string{"necessary", "functional", "analytics", "marketing", "social"}

var (
	validID   = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	validHost = regexp.MustCompile(`^[a-z0-9_-]+(\.[a-z0-9_-]+)*$`)
	printable = regexp.MustCompile(`^[!-~]+$`)
)

// catalogue collects what the script's constants are made of.
type catalogue struct {
	heads, globs, keys, paths []string          // a column each: what is alike stands together, and compresses better
	asked, passes             line              // of all vendors
	seldom                    []uint32          // hashes of hosts that the script asks about
	text                      map[uint32]string // which host, pattern or name has a hash
	hosts                     map[string]int    // which vendor names a host
	carried                   map[string]bool   // hosts that the script knows itself
	names                     map[string]int    // which vendor names a cookie ("c…") or a storage key ("s…")
	strict                    bool
	errs                      []error
}

// line is what the script knows of one party: patterns with a *, hashes of other patterns, hosts and names, paths.
type line struct {
	globs, paths []string
	keys         string
}

// newCatalogue checks a configuration and compiles its vendors, in order. What passes whoever gates it comes first.
func newCatalogue(c Config) (*catalogue, error) {
	k := &catalogue{strict: c.Strict, text: make(map[uint32]string), hosts: owners(c.Vendors), carried: carried(c.Vendors), names: nameOwners(c.Vendors)}
	if c.Prefix == "" || c.Prefix[0] != '/' || strings.HasSuffix(c.Prefix, "/") || !printable.MatchString(c.Prefix) {
		k.errs = append(k.errs, fmt.Errorf("guard: prefix %q: want a path like /.consent", c.Prefix))
	}
	k.errs = append(k.errs, checkHosts(c.Allow))
	seen := make(map[string]bool)
	for i := range c.Vendors {
		v := &c.Vendors[i]
		if seen[v.ID] {
			k.errs = append(k.errs, fmt.Errorf("guard: vendor %q: twice in the catalogue", v.ID))
		}
		seen[v.ID] = true
		k.add(v, i)
	}
	k.append("0", k.passes)
	k.append("?", k.asked)
	if err := errors.Join(k.errs...); err != nil {
		return nil, err
	}
	return k, nil
}

// checkHosts refuses what is no host among those that are allowed.
func checkHosts(hosts []string) error {
	var errs []error
	for _, h := range hosts {
		if !validHost.MatchString(h) {
			errs = append(errs, fmt.Errorf("guard: allow %q: not a host", h))
		}
	}
	return errors.Join(errs...)
}

// append adds a line, unless the script could do nothing with it.
func (k *catalogue) append(head string, l line) {
	if len(l.globs)+len(l.keys)+len(l.paths) == 0 {
		return
	}
	k.heads = append(k.heads, head)
	k.globs = append(k.globs, strings.Join(l.globs, "|"))
	k.keys = append(k.keys, l.keys)
	k.paths = append(k.paths, strings.Join(l.paths, "|"))
}

// constant returns the columns as one text.
func (k *catalogue) constant() string {
	var columns []string
	for _, c := range [][]string{k.heads, k.globs, k.paths, k.keys} {
		columns = append(columns, strings.Join(c, " "))
	}
	return strings.Join(columns, ";")
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

// carried returns the hosts of which the script knows something itself.
func carried(vendors []Vendor) map[string]bool {
	all := make(map[string]bool)
	for _, v := range vendors {
		if v.Seldom {
			continue
		}
		for _, h := range v.Hosts {
			all[h] = true
		}
		for _, p := range v.Patterns {
			h, _, _ := strings.Cut(p, "/")
			all[strings.TrimLeft(h, "*.")] = true
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

// add takes in the i-th vendor. Of one that is seldom met the script knows what it stores, and of the rest no more than that
// there is something to ask about.
func (k *catalogue) add(v *Vendor, i int) {
	bit := slices.Index(purposes, v.Purpose)
	if !validID.MatchString(v.ID) {
		k.fail(v, "an id has lower-case letters, digits and hyphens")
	}
	if bit < 0 {
		k.fail(v, "no purpose %q", v.Purpose)
	}
	var own line
	met := &own
	if v.Seldom {
		met = &k.asked
	}
	globs, keys := k.patterns(v, v.Patterns, i)
	met.globs = append(met.globs, globs...)
	met.paths = append(met.paths, k.anywhere(v)...)
	met.keys += keys + k.hostKeys(v, i)
	// As of a nameless vendor that needs no consent; without need where the script knows of nobody, or asks.
	globs, keys = k.patterns(&Vendor{ID: v.ID, Passes: v.Patterns}, slices.DeleteFunc(slices.Clone(v.Passes), func(p string) bool {
		host, _, _ := strings.Cut(p, "/")
		return !k.strict && !k.below(strings.TrimLeft(host, "*."))
	}), i)
	k.passes.globs, k.passes.keys = append(k.passes.globs, globs...), k.passes.keys+keys
	own.keys += k.stored(v, i, "c", v.Cookies) + k.stored(v, i, "s", v.Storage)
	k.append(fmt.Sprint(max(bit, 0), v.ID), own)
}

// hostKeys returns the hashes of a vendor's hosts and labels, but for those that are asked about.
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
		switch {
		case k.hosts[parent] == i+1 && slices.Contains(v.Hosts, parent):
		case v.Seldom && !k.below(h):
			k.ask([]string{h})
		default:
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

// below reports whether the script knows something of a host, or one above it, which it would take for all there is to know.
func (k *catalogue) below(host string) bool {
	for ok := true; ok; _, host, ok = strings.Cut(host, ".") {
		if k.carried[host] {
			return true
		}
	}
	return false
}

// patterns returns, of a vendor's URL patterns, those that need a regular expression, and the hashes of the others.
func (k *catalogue) patterns(v *Vendor, patterns []string, i int) (globs []string, group string) {
	list := slices.Clone(patterns)
	slices.SortFunc(list, func(a, b string) int { return len(a) - len(b) })
	var kept []string
	for _, p := range list {
		host, path, ok := strings.Cut(p, "/")
		name := strings.TrimLeft(host, "*.")
		if v.Seldom {
			p = literally(p)
		}
		switch {
		case !ok || !printable.MatchString(p) || host == "" || strings.ContainsAny(p, "; "):
			k.fail(v, "pattern %q: want host/path", p)
		case host == "*":
			continue
		case !v.contested(host, path) && slices.ContainsFunc(kept, func(q string) bool { return strings.HasPrefix(p, q) && wordEnd(q, p) }):
			continue
		case !v.contested(host, path) && v.covers(name) && k.hosts[name] == i+1:
			continue
		case strings.Contains(strings.TrimPrefix(host, "*."), "*") || strings.Contains(path, "*") && !v.Seldom:
			kept, globs = append(kept, p), append(globs, short.Replace(expression(p)))
		default:
			kept = append(kept, p)
			texts := []string{strings.TrimPrefix(p, "*")}
			if bare, ok := strings.CutPrefix(p, "."); ok { // the host itself, too
				texts = append(texts, bare)
			}
			if v.Seldom && !k.below(name) {
				k.ask(append(texts, "/"+name))
				continue
			}
			for _, text := range texts {
				group += k.key(v, text)
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

// literally returns what of a pattern is before the first * of its path, up to the end of a word.
func literally(pattern string) string {
	host, path, _ := strings.Cut(pattern, "/")
	path, _, open := strings.Cut(path, "*")
	for open && path != "" && alphanumeric(path[len(path)-1]) {
		path = path[:len(path)-1]
	}
	return host + "/" + path
}

// ask adds texts to the filter. A host of patterns has a slash before it.
func (k *catalogue) ask(texts []string) {
	for _, text := range texts {
		k.seldom = append(k.seldom, hash(text))
	}
}

// covers reports whether one of the vendor's hosts says all there is to say about a host.
func (v *Vendor) covers(host string) bool {
	return slices.ContainsFunc(v.Hosts, func(h string) bool { return host == h || strings.HasSuffix(host, "."+h) })
}

// short has what expressions are made of stand as characters that no URL has in them, and a dot as itself: late/catalogue.js
// reads it.
var short = strings.NewReplacer(`(?![a-z0-9])`, "`", `[^/]*`, "<", `[^?]*`, ">", `\.`, ".")

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
		e += `[^?]*\?([^]*&)?` + regexp.QuoteMeta(query)
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

// anywhere returns the expressions of a vendor's paths on any host.
func (k *catalogue) anywhere(v *Vendor) (list []string) {
	for _, p := range v.Paths {
		if !strings.HasPrefix(p, "/") || !printable.MatchString(p) || strings.ContainsAny(p, "; ") {
			k.fail(v, "path %q: want /path", p)
			continue
		}
		list = append(list, "/"+short.Replace(pathExpression(p[1:])))
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

// stored returns the hashes of a vendor's names of cookies or storage keys, without those that an earlier vendor has, and
// those that a shorter one of its own with a * says as well.
func (k *catalogue) stored(v *Vendor, i int, kind string, names []string) (group string) {
	for _, n := range names {
		text := stem(n)
		if len(strings.TrimSuffix(text, "*")) < 2 || !printable.MatchString(text) {
			k.fail(v, "name %q: want two characters or more before any *", n)
			continue
		}
		if k.names[kind+text] != i+1 {
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
			group += k.key(v, "="+kind+text)
		}
	}
	return group
}
