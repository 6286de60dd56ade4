package caddymodule

import (
	"slices"
	"sync"
	"sync/atomic"
)

// maxLearned bounds the hosts learned of one site.
const maxLearned = 200

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
