package caddymodule

import (
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Bounds of what is learned of one site.
const (
	maxLearned = 200
	// maxLearnedPaths bounds the paths that are remembered.
	maxLearnedPaths = 256
	// maxClaimed bounds the hosts that only clients speak of: browsers' reports, the guard's questions, and whoever sends
	// what looks like one.
	maxClaimed = 50
	// claimsPerRequest bounds the hosts that one client's request adds.
	claimsPerRequest = 16
	// maxLearnedHost bounds a host's name: one that fills the policy would push the others out.
	maxLearnedHost = 100
)

// learned are the third-party hosts of a site that no rule calls tracking, for the policy header. What the site's own
// pages name stays; of what clients claim the rarest makes room for the newest.
type learned struct {
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

// learnedSites are what was learned of all sites, by host. They live with the store, so that a reload forgets nothing.
type learnedSites struct {
	sites    sync.Map // host to *learned
	count    atomic.Int32
	overflow learned
}

// of returns what was learned of the site at a host. Hosts beyond the bound, which only a client that invents host
// names reaches, share one that never has enough.
func (s *learnedSites) of(host string) *learned {
	host = strings.TrimPrefix(host, "www.")
	if l, ok := s.sites.Load(host); ok {
		return l.(*learned)
	}
	if s.count.Load() >= maxSites || s.count.Add(1) > maxSites {
		return &s.overflow
	}
	l, _ := s.sites.LoadOrStore(strings.Clone(host), new(learned))
	return l.(*learned)
}

// page counts a page of a path from which hosts were learned.
func (l *learned) page(path string) {
	l.pages.Add(1)
	key := maphash.String(pathSeed, path)
	if _, known := l.paths.Load(key); known || l.distinct.Load() >= maxLearnedPaths {
		return
	}
	if _, known := l.paths.LoadOrStore(key, struct{}{}); !known {
		l.distinct.Add(1)
	}
}

// enough reports whether so much was seen that what was learned can be enforced on a path: the site was visited often, and
// this path was seen before, or so many others that it will hold no host that none of them had.
func (l *learned) enough(path string) bool {
	if l.shared || l.pages.Load() < learnedPages {
		return false
	}
	if l.distinct.Load() >= learnedPages {
		return true
	}
	_, known := l.paths.Load(maphash.String(pathSeed, path))
	return known
}

var pathSeed = maphash.MakeSeed()

// add notes a host that the site's own pages load from. Known ones, nearly all, take a read lock only.
func (l *learned) add(host []byte) {
	l.mu.RLock()
	_, known := l.hosts[string(host)]
	full := len(l.hosts) >= maxLearned
	l.mu.RUnlock()
	if known || full || !sourceHost(host) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hosts == nil {
		l.hosts = map[string]struct{}{}
	}
	if len(l.hosts) < maxLearned {
		l.hosts[string(host)] = struct{}{}
		l.version.Add(1)
	}
}

// claim notes a host that a client says the site's pages load from.
func (l *learned) claim(host []byte) {
	if !sourceHost(host) {
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
	if _, known := l.claimed[string(host)]; !known && len(l.claimed) >= maxClaimed {
		rarest, least := "", 0
		for h, n := range l.claimed {
			if rarest == "" || n < least || n == least && h < rarest {
				rarest, least = h, n
			}
		}
		delete(l.claimed, rarest)
	}
	l.claimed[string(host)]++
	l.version.Add(1)
}

// list returns the hosts, sorted: those of the site's pages, then as many of those claimed as fit into the given bytes.
func (l *learned) list(room int) []string {
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

// sourceHost reports whether a host can stand in a policy as the name of that host and nothing else (CSP 3, 2.3.1,
// host-part). The URL standard also allows "*", ";" and "'" in hosts, which would be a wildcard and another directive.
func sourceHost(host []byte) bool {
	dot := false
	for _, c := range host {
		switch {
		case c == '.':
			dot = true
		case c == '-', c == '_', '0' <= c && c <= '9', 'a' <= c && c <= 'z':
		default:
			return false
		}
	}
	return dot && len(host) <= maxLearnedHost && host[0] != '.'
}
