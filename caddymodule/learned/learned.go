// Package learned remembers which third-party hosts that no rule calls tracking a site was seen to load scripts from, for
// the consent-derived Content-Security-Policy.
//
// What a site's own pages name stays; what only clients say is bounded on its own, and cannot push that out. All of it lives
// in memory of a fixed bound and may be used by many goroutines.
package learned

import (
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/caddy-consent/caddy-consent/rewrite/header"
)

// Bounds of what is learned of one site.
const (
	maxHosts = 200
	// maxPaths bounds the paths that are remembered.
	maxPaths = 256
	// maxClaimed bounds the hosts that only clients speak of: browsers' reports, the guard's questions, and whoever sends
	// what looks like one.
	maxClaimed = 50
	// MaxClaims bounds the hosts that one client's request adds.
	MaxClaims = 16
	// enoughPages is how many pages of a site are seen before what was learned is enforced.
	enoughPages = 50
	// maxSites bounds the sites.
	maxSites = 1000
)

// Hosts are the third-party hosts of a site that no rule calls tracking, for the policy header. What the site's own
// pages name stays; of what clients claim the rarest makes room for the newest.
type Hosts struct {
	mu       sync.RWMutex
	hosts    map[string]struct{}
	claimed  map[string]int // how often
	pages    atomic.Int64
	paths    sync.Map // hashes of the paths seen
	distinct atomic.Int32
	escaped  atomic.Bool   // a browser reported something gated that neither bytes nor guard had held
	version  atomic.Uint32 // of hosts and claimed
	shared   bool          // by sites that are too many to be told apart: never enough
}

// Sites are what was learned of all sites, by host. They live with the store, so that a reload forgets nothing.
type Sites struct {
	sites    sync.Map   // host to *Hosts
	mu       sync.Mutex // held where one comes or goes
	count    int
	overflow Hosts
}

// NewSites returns those of a gateway that has seen nothing.
func NewSites() *Sites { return &Sites{overflow: Hosts{shared: true}} }

// Shared returns what is learned where sites cannot be told apart, or nothing is kept: there is never enough of it.
func Shared() *Hosts { return &Hosts{shared: true} }

// Of returns what was learned of the site at a host. Beyond the bound, which only a client that invents host names reaches, the
// site that was visited least makes room, unless of each there is enough: then those to come share one that never has.
func (s *Sites) Of(host string) *Hosts {
	host = strings.TrimPrefix(host, "www.")
	if l, ok := s.sites.Load(host); ok {
		return l.(*Hosts)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if l, ok := s.sites.Load(host); ok {
		return l.(*Hosts)
	}
	if s.count >= maxSites && !s.forgetOne() {
		return &s.overflow
	}
	s.count++
	l := new(Hosts)
	s.sites.Store(strings.Clone(host), l)
	return l
}

// forgetOne forgets the site that was visited least, if that was not often enough.
func (s *Sites) forgetOne() bool {
	var rarest any
	least := int64(enoughPages)
	s.sites.Range(func(host, l any) bool {
		if n := l.(*Hosts).pages.Load(); n < least {
			rarest, least = host, n
		}
		return least > 1 // mostly one of an invented host
	})
	if rarest == nil {
		return false
	}
	s.sites.Delete(rarest)
	s.count--
	return true
}

// Page counts a page of a path from which hosts were learned.
func (l *Hosts) Page(path string) {
	l.pages.Add(1)
	key := maphash.String(pathSeed, path)
	if _, known := l.paths.Load(key); known || l.distinct.Load() >= maxPaths {
		return
	}
	if _, known := l.paths.LoadOrStore(key, struct{}{}); !known {
		l.distinct.Add(1)
	}
}

// Enough reports whether so much was seen that what was learned can be enforced on a path: the site was visited often, and
// this path was seen before, or so many others that it will hold no host that none of them had.
func (l *Hosts) Enough(path string) bool {
	if l.shared || l.pages.Load() < enoughPages {
		return false
	}
	if l.distinct.Load() >= enoughPages {
		return true
	}
	_, known := l.paths.Load(maphash.String(pathSeed, path))
	return known
}

// Version returns a number that is another one when the hosts have changed.
func (l *Hosts) Version() uint32 { return l.version.Load() }

// Escape notes that a browser reported something gated that neither bytes nor guard had held.
func (l *Hosts) Escape() { l.escaped.Store(true) }

// Escaped reports whether escape was ever called.
func (l *Hosts) Escaped() bool { return l.escaped.Load() }

var pathSeed = maphash.MakeSeed()

// Add notes a host that the site's own pages load from. Known ones, nearly all, take a read lock only.
func (l *Hosts) Add(host []byte) {
	l.mu.RLock()
	_, known := l.hosts[string(host)]
	full := len(l.hosts) >= maxHosts
	l.mu.RUnlock()
	if known || full || !header.IsHostSource(host) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hosts == nil {
		l.hosts = map[string]struct{}{}
	}
	if len(l.hosts) < maxHosts {
		l.hosts[string(host)] = struct{}{}
		l.version.Add(1)
	}
}

// Claim notes a host that a client says the site's pages load from.
func (l *Hosts) Claim(host []byte) {
	if !header.IsHostSource(host) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.hosts[string(host)]; known {
		return
	}
	if l.claimed == nil {
		l.claimed = map[string]int{}
	}
	_, known := l.claimed[string(host)]
	if !known && len(l.claimed) >= maxClaimed {
		rarest, least := "", 0
		for h, n := range l.claimed {
			if rarest == "" || n < least || n == least && h < rarest {
				rarest, least = h, n
			}
		}
		delete(l.claimed, rarest)
	}
	l.claimed[string(host)]++
	if !known {
		l.version.Add(1)
	}
}

// List returns the hosts, sorted: those of the site's pages, then as many of those claimed as fit into the given bytes.
func (l *Hosts) List(room int) []string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	hosts := make([]string, 0, len(l.hosts)+len(l.claimed))
	for h := range l.hosts {
		hosts = append(hosts, h)
		room -= len(h) + 1
	}
	slices.Sort(hosts)
	own := len(hosts)
	for h := range l.claimed {
		if _, known := l.hosts[h]; !known {
			hosts = append(hosts, h)
		}
	}
	slices.SortFunc(hosts[own:], func(a, b string) int {
		if n := l.claimed[b] - l.claimed[a]; n != 0 {
			return n
		}
		return strings.Compare(a, b)
	})
	end := own
	for end < len(hosts) && room > len(hosts[end]) {
		room -= len(hosts[end]) + 1
		end++
	}
	slices.Sort(hosts[own:end])
	return hosts[:end]
}
