package inventory

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-consent/caddy-consent/caddymodule/metrics"
)

// Bounds of what is remembered of a site.
const (
	maxSeen      = 2000 // different vendors and rules of one site
	maxSites     = 1000
	maxPages     = 20   // example pages for one thing seen
	maxSeenHosts = 500  // third-party hosts of one site
	maxVendors   = 5000 // of one site, more than any catalogue has
	maxPaths     = 300  // pages of one site
	maxPath      = 200  // bytes of a page's path
	enoughPages  = 50   // of a site that makes room for no other
	maxEvicted   = 4    // by one page, each after a look at all: a forum's pictures are from as many hosts as it has members
)

// seenKey is one kind of thing that was seen.
type seenKey struct {
	Kind            Kind
	Vendor, Purpose string
	Rule            string
}

// seenCount counts one kind of thing.
type seenCount struct {
	Gated, Passed uint64
	Pages         []string
	told          told // what the disclosure ledger knows
	claimed       bool // only clients speak of it, no page and no response
}

// note adds to the counts, and the page to the examples: one that the site is not known for only if there is none.
func (c *seenCount) note(gated, passed int, path string, known bool) {
	c.Gated += uint64(gated)
	c.Passed += uint64(passed)
	if (known || len(c.Pages) == 0) && len(c.Pages) < maxPages && !slices.Contains(c.Pages, path) {
		c.Pages = append(c.Pages, path)
	}
}

// siteSeen is what was seen of one site: counts and example pages, nothing of visitors.
type siteSeen struct {
	mu         sync.Mutex
	Site       string
	Since      time.Time
	Documents  uint64 // pages delivered
	Unreadable uint64 // bodies that could not be read
	Oversize   uint64 // documents with something too large to be judged whole
	Paths      map[string]*views
	Hosts      map[string]*hostCount // third parties
	Seen       map[seenKey]*seenCount
	vendors    map[string]bool // among these: true of those in pages and responses
	version    atomic.Uint32   // of vendors
	visited    atomic.Uint64   // pages of networks that did not ask for too many
}

// know notes a vendor.
func (v *siteSeen) know(vendor string, claimed bool) {
	sure, known := v.vendors[vendor]
	if vendor == "" || sure || known && claimed || !known && len(v.vendors) >= maxVendors {
		return
	}
	v.vendors[vendor] = !claimed
	v.version.Add(1)
}

// hostCount counts what a site's pages would contact on one host.
type hostCount struct {
	seenCount
	Vendor, Purpose string // of the rule that knows it; "" for nobody's
	Types           uint32 // one bit for each rewrite.Destination
	permitted       uint64 // of those that passed, what a rule knows; since this process began
}

// Inventory is what was seen of all sites; its zero value has seen nothing. It may be used by many goroutines.
type Inventory struct {
	mu    sync.Mutex
	sites map[string]*siteSeen
	dirty bool // something was added that no file holds yet
}

func newSiteSeen(site string) *siteSeen {
	return &siteSeen{Site: site, Since: time.Now().UTC(), Paths: map[string]*views{}, Hosts: map[string]*hostCount{}, Seen: map[seenKey]*seenCount{}, vendors: map[string]bool{}}
}

func (i *Inventory) of(site string) *siteSeen {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.sites == nil {
		i.sites = map[string]*siteSeen{}
	}
	v := i.sites[site]
	if v == nil && len(i.sites) >= maxSites {
		i.forgetOne()
	}
	if v == nil && len(i.sites) < maxSites {
		v = newSiteSeen(strings.Clone(site))
		i.sites[v.Site] = v
	}
	return v
}

// forgetOne makes room by leaving out the site that was visited least, if that was not often: whoever asks a handler that serves
// any host for names that do not exist must not keep out those that do.
func (i *Inventory) forgetOne() {
	rarest, least := "", uint64(enoughPages)
	for name, v := range i.sites {
		if n := v.visited.Load(); n < least {
			rarest, least = name, n
		}
	}
	if least < enoughPages {
		delete(i.sites, rarest)
	}
}

// touch notes that something is added, and returns the site's name in metrics.
func (i *Inventory) touch(site string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.dirty = true
	if len(i.sites) > metrics.MaxSites {
		return "other"
	}
	return site
}

// views counts how often a page was delivered.
type views struct {
	n      uint64
	before uint64 // of n: it is not more since the page took another's place
}

func (v *views) count() uint64 { return v.n - v.before }

// view counts a page. Where there are too many, a new one takes the place of the one that was asked for least, and begins where
// that ended, so that it has its time to be asked for again (Metwally, Agrawal, El Abbadi: Space-Saving, 2005).
func (v *siteSeen) view(path string) {
	if one := v.Paths[path]; one != nil {
		one.n++
		return
	}
	one := &views{n: 1}
	if len(v.Paths) >= maxPaths {
		least := ""
		for p, o := range v.Paths {
			if least == "" || o.n < v.Paths[least].n {
				least = p
			}
		}
		one.before = v.Paths[least].n
		one.n += one.before
		v.forget(least)
	}
	v.Paths[path] = one
}

// forget leaves a page out, also as an example.
func (v *siteSeen) forget(path string) {
	delete(v.Paths, path)
	is := func(p string) bool { return p == path }
	for _, c := range v.Hosts {
		c.Pages = slices.DeleteFunc(c.Pages, is)
	}
	for _, c := range v.Seen {
		c.Pages = slices.DeleteFunc(c.Pages, is)
	}
}

// Add takes over what a response held. Responses that held nothing, and are no page, cost nothing.
func (i *Inventory) Add(site, path string, t *Tally) {
	metrics.CountRewritten(t.Written)
	for range t.Unreadable {
		metrics.CountError(metrics.ErrorUnrewritable)
	}
	for range t.Oversize {
		metrics.CountError(metrics.ErrorOversize)
	}
	if len(t.entries) == 0 && len(t.thirdParties) == 0 && t.Unreadable == 0 && t.Oversize == 0 && !t.Document {
		return
	}
	v := i.of(site)
	if v == nil {
		return
	}
	label, path := i.touch(site), PathPattern(path)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.Unreadable += uint64(t.Unreadable)
	v.Oversize += uint64(t.Oversize)
	if t.Document {
		v.Documents++
	}
	if t.Document && t.Counts {
		v.visited.Add(1)
		v.view(path)
	}
	_, known := v.Paths[path]
	known = known || !t.Document && !t.claimed // whoever asks for pages that are not there must not have them named
	evict := maxEvicted
	for n := range t.entries {
		e := &t.entries[n]
		if e.gated > 0 {
			metrics.CountGated(label, string(e.kind), e.match.Purpose, e.match.Vendor, e.gated)
		}
		k := seenKey{e.kind, e.match.Vendor, e.match.Purpose.String(), e.match.Rule}
		c := v.Seen[k]
		if c == nil {
			if !room(v.Seen, maxSeen, e.claimed, &evict, func(c *seenCount) *seenCount { return c }) {
				continue
			}
			c = &seenCount{claimed: true}
			v.Seen[k] = c
		}
		c.claimed = c.claimed && e.claimed
		v.know(k.Vendor, e.claimed)
		c.note(e.gated, e.passed, path, known)
	}
	for n := range t.thirdParties {
		v.addHost(t, &t.thirdParties[n], path, known, &evict)
	}
}

func (v *siteSeen) addHost(t *Tally, h *tallyHost, path string, known bool, evict *int) {
	name := t.hostNames[h.start:h.end]
	c := v.Hosts[string(name)]
	if c == nil {
		if !room(v.Hosts, maxSeenHosts, t.claimed, evict, func(c *hostCount) *seenCount { return &c.seenCount }) {
			return
		}
		c = &hostCount{seenCount: seenCount{claimed: true}}
		v.Hosts[string(name)] = c
	}
	c.claimed = c.claimed && t.claimed
	if h.vendor != "" || c.Purpose == "" {
		c.Vendor, c.Purpose = h.vendor, h.purpose
	}
	v.know(h.vendor, true) // where a page holds it, that says so
	c.Types |= h.types
	c.permitted += uint64(h.permitted)
	c.note(h.gated, h.passed, path, known)
}

// room reports whether one more finds room among what was seen of a site. For what is in pages and responses room is made: what only
// clients speak of goes first, then what was met least; evict is how often that may be.
func room[K comparable, V any](all map[K]V, bound int, claimed bool, evict *int, count func(V) *seenCount) bool {
	if claimed || len(all) < bound || *evict == 0 {
		return len(all) < bound
	}
	*evict--
	var rarest K
	var least *seenCount
	for k, one := range all {
		c := count(one)
		if least == nil || c.claimed && !least.claimed || c.claimed == least.claimed && c.Gated+c.Passed < least.Gated+least.Passed {
			rarest, least = k, c
		}
	}
	delete(all, rarest)
	return true
}

// PathPattern is a page's path as it is kept: what may name a person or an order is left out.
func PathPattern(path string) string {
	parts := strings.Split(path[:min(len(path), maxPath)], "/")
	for i, p := range parts {
		if personal(p) {
			parts[i] = "*"
		}
	}
	return strings.Join(parts, "/") // a copy: the request's memory is not held on to
}

// personal reports whether a part of a path may name a person: an address, a number of six digits or more, a long token.
func personal(part string) bool {
	digits, run := 0, 0
	for i := range len(part) {
		switch c := part[i]; {
		case c == '@' || c == '=' || c == ';':
			return true
		case c >= '0' && c <= '9':
			digits++
			run++
		default:
			run = 0
		}
		if run >= 6 {
			return true
		}
	}
	return len(part) >= 20 && digits >= 4 && !strings.Contains(part, "-")
}

// Vendors returns the catalogue ids of all vendors that were seen in a site's pages and responses, sorted: visitors are asked about
// each of them.
func (i *Inventory) Vendors(site string) []string {
	ids, inPages := i.known(site)
	return ids[:inPages]
}

// Known returns the catalogue ids of all vendors seen on a site: those of Vendors, then those that, at least, a client spoke of,
// each sorted.
func (i *Inventory) Known(site string) []string {
	ids, _ := i.known(site)
	return ids
}

func (i *Inventory) known(site string) (ids []string, inPages int) {
	v := i.of(site)
	if v == nil {
		return nil, 0
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	ids = slices.Collect(maps.Keys(v.vendors))
	slices.SortFunc(ids, func(a, b string) int {
		if v.vendors[a] != v.vendors[b] {
			return map[bool]int{true: -1, false: 1}[v.vendors[a]]
		}
		return strings.Compare(a, b)
	})
	for inPages < len(ids) && v.vendors[ids[inPages]] {
		inPages++
	}
	return ids, inPages
}

// Version returns a number that is another one when Known returns others.
func (i *Inventory) Version(site string) uint32 {
	if v := i.of(site); v != nil {
		return v.version.Load()
	}
	return 0
}
