package caddymodule

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rules"
)

// Bounds of what is remembered of a site.
const (
	maxSeen    = 2000 // different vendors and rules of one site
	maxSites   = 1000
	maxPages   = 20 // example pages for one thing seen
	maxLearned = 200
)

// seenKey is one kind of thing that was seen.
type seenKey struct {
	Kind            rewrite.Kind
	Vendor, Purpose string
	Rule            string
}

// seenCount counts one kind of thing.
type seenCount struct {
	Gated, Passed uint64
	Pages         []string
}

// tally counts what one response held, without a lock: it is added to the site's inventory when the response has ended.
type tally struct {
	entries    []tallyEntry
	gates      int // things gated, or that would have been in report mode
	unreadable int // bodies that could not be read
}

type tallyEntry struct {
	kind          rewrite.Kind
	match         rules.Match
	gated, passed int
}

// maxTally bounds the kinds of things counted for one response.
const maxTally = 128

func (t *tally) add(kind rewrite.Kind, m *rules.Match, gated bool) {
	i := slices.IndexFunc(t.entries, func(e tallyEntry) bool {
		return e.kind == kind && e.match.Vendor == m.Vendor && e.match.Rule == m.Rule && e.match.Purpose == m.Purpose
	})
	if i < 0 {
		if len(t.entries) == maxTally {
			return
		}
		i = len(t.entries)
		t.entries = append(t.entries, tallyEntry{kind: kind, match: *m})
	}
	if gated {
		t.entries[i].gated++
		t.gates++
	} else {
		t.entries[i].passed++
	}
}

// inventory is what was seen of one site: counts and example pages, nothing of visitors.
type inventory struct {
	mu   sync.Mutex
	Site string
	Seen map[seenKey]*seenCount
}

// inventories are those of all sites.
type inventories struct {
	mu    sync.Mutex
	sites map[string]*inventory
}

func (i *inventories) of(site string) *inventory {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.sites == nil {
		i.sites = map[string]*inventory{}
	}
	v := i.sites[site]
	if v == nil && len(i.sites) < maxSites {
		v = &inventory{Site: site, Seen: map[seenKey]*seenCount{}}
		i.sites[site] = v
	}
	return v
}

// add takes over what a response held. Responses that held nothing cost nothing.
func (i *inventories) add(site, path string, t *tally) {
	if len(t.entries) == 0 {
		return
	}
	v := i.of(site)
	if v == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for n := range t.entries {
		e := &t.entries[n]
		k := seenKey{e.kind, e.match.Vendor, e.match.Purpose.String(), e.match.Rule}
		c := v.Seen[k]
		if c == nil {
			if len(v.Seen) == maxSeen {
				continue
			}
			c = new(seenCount)
			v.Seen[k] = c
		}
		c.Gated += uint64(e.gated)
		c.Passed += uint64(e.passed)
		if len(c.Pages) < maxPages && !slices.Contains(c.Pages, path) {
			c.Pages = append(c.Pages, strings.Clone(path))
		}
	}
}

// learned are the third-party hosts of a site that no rule calls tracking, for the policy header.
type learned struct {
	mu    sync.RWMutex
	hosts map[string]struct{}
	pages atomic.Int64
}

// page counts a page from which hosts were learned.
func (l *learned) page() { l.pages.Add(1) }

// enough reports whether so much was seen that what was learned can be enforced.
func (l *learned) enough() bool { return l.pages.Load() >= learnedPages }

// add notes a host. Known ones, nearly all, take a read lock only.
func (l *learned) add(host []byte) {
	l.mu.RLock()
	_, known := l.hosts[string(host)]
	full := len(l.hosts) >= maxLearned
	l.mu.RUnlock()
	if known || full {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hosts == nil {
		l.hosts = map[string]struct{}{}
	}
	l.hosts[string(host)] = struct{}{}
}

// list returns the hosts, sorted.
func (l *learned) list() []string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	var hosts []string
	for h := range l.hosts {
		hosts = append(hosts, h)
	}
	slices.Sort(hosts)
	return hosts
}
