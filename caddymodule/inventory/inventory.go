package inventory

import (
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
	maxPages     = 20  // example pages for one thing seen
	maxSeenHosts = 500 // third-party hosts of one site
	maxPaths     = 300 // pages of one site
	maxPath      = 200 // bytes of a page's path
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
	vendors    atomic.Uint32 // another number when there may be another vendor among these
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
	return &siteSeen{Site: site, Since: time.Now().UTC(), Paths: map[string]*views{}, Hosts: map[string]*hostCount{}, Seen: map[seenKey]*seenCount{}}
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

// forgetOne makes room by leaving out a site of which no more than one page was delivered: whoever asks a handler that
// serves any host for names that do not exist must not keep out those that do.
func (i *Inventory) forgetOne() {
	for name, v := range i.sites {
		v.mu.Lock()
		once := v.Documents <= 1
		v.mu.Unlock()
		if once {
			delete(i.sites, name)
			return
		}
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
		v.view(path)
	}
	_, known := v.Paths[path]
	known = known || !t.Document && !t.claimed // whoever asks for pages that are not there must not have them named
	for n := range t.entries {
		e := &t.entries[n]
		if e.gated > 0 {
			metrics.CountGated(label, string(e.kind), e.match.Purpose, e.match.Vendor, e.gated)
		}
		k := seenKey{e.kind, e.match.Vendor, e.match.Purpose.String(), e.match.Rule}
		c := v.Seen[k]
		if c == nil {
			if len(v.Seen) == maxSeen {
				continue
			}
			c = new(seenCount)
			v.Seen[k] = c
			if k.Vendor != "" {
				v.vendors.Add(1)
			}
		}
		c.note(e.gated, e.passed, path, known)
	}
	for n := range t.thirdParties {
		v.addHost(t, &t.thirdParties[n], path, known)
	}
}

func (v *siteSeen) addHost(t *Tally, h *tallyHost, path string, known bool) {
	name := t.hostNames[h.start:h.end]
	c := v.Hosts[string(name)]
	if c == nil {
		if len(v.Hosts) >= maxSeenHosts || t.claimed && len(v.Hosts) >= maxSeenHosts/2 {
			return
		}
		c = new(hostCount)
		v.Hosts[string(name)] = c
	}
	if h.vendor != "" || c.Purpose == "" {
		if c.Vendor != h.vendor {
			v.vendors.Add(1)
		}
		c.Vendor, c.Purpose = h.vendor, h.purpose
	}
	c.Types |= h.types
	c.permitted += uint64(h.permitted)
	c.note(h.gated, h.passed, path, known)
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

// Vendors returns the catalogue ids of all vendors seen on a site, sorted: visitors are asked about each of them.
func (i *Inventory) Vendors(site string) []string {
	v := i.of(site)
	if v == nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	var ids []string
	for k := range v.Seen {
		if k.Vendor != "" {
			ids = append(ids, k.Vendor)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Known returns the catalogue ids of all vendors seen on a site: those in its pages, then those of hosts that, at least, a client
// spoke of, each sorted.
func (i *Inventory) Known(site string) []string {
	ids := i.Vendors(site)
	v := i.of(site)
	if v == nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	inPages := len(ids)
	for _, c := range v.Hosts {
		if c.Vendor != "" && !slices.Contains(ids, c.Vendor) {
			ids = append(ids, c.Vendor)
		}
	}
	slices.Sort(ids[inPages:])
	return ids
}

// Version returns a number that is another one when Known may return others.
func (i *Inventory) Version(site string) uint32 {
	if v := i.of(site); v != nil {
		return v.vendors.Load()
	}
	return 0
}
