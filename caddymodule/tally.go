package caddymodule

import (
	"slices"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rules"
)

// tally counts what one response held, without a lock: it is added to the site's inventory when the response has ended.
type tally struct {
	entries    []tallyEntry
	hosts      []tallyHost
	hostNames  []byte // the names of hosts, one after the other
	gates      int    // things gated, or that would have been in report mode
	unreadable int    // bodies that could not be read
	oversize   int    // documents with something too large to be judged whole
	written    int    // bytes that came out of a rewriter
	document   bool   // the response is a page
	counts     bool   // its path counts: its visitor's network has not asked for too many
	claimed    bool   // a client says so, no page
}

// kind is what was gated or let pass, in metrics and reports.
type kind string

const (
	kindResource   kind = "resource"
	kindScript     kind = "script"
	kindCookie     kind = "cookie"
	kindFirstParty kind = "first-party" // tracking through the site's own path
)

type tallyEntry struct {
	kind          kind
	match         rules.Match
	gated, passed int
}

// tallyHost is a third-party host that the response would make the browser contact.
type tallyHost struct {
	start, end      int // of its name in hostNames
	vendor, purpose string
	types           uint32 // one bit for each rewrite.Destination
	gated, passed   int
	permitted       int // of those that passed, what a rule knows
}

// Bounds of what is counted for one response.
const (
	maxTally      = 128
	maxTallyHosts = 128
)

func (t *tally) add(what kind, m *rules.Match, gated bool) {
	i := slices.IndexFunc(t.entries, func(e tallyEntry) bool {
		return e.kind == what && e.match.Vendor == m.Vendor && e.match.Rule == m.Rule && e.match.Purpose == m.Purpose
	})
	if i < 0 {
		if len(t.entries) == maxTally {
			return
		}
		i = len(t.entries)
		t.entries = append(t.entries, tallyEntry{kind: what, match: *m})
	}
	if gated {
		t.entries[i].gated++
		t.gates++
	} else {
		t.entries[i].passed++
	}
}

// addHost counts a contact to a third party and returns its count, nil if there are too many; m is empty for one that no rule
// and no declaration knows.
func (t *tally) addHost(host []byte, d rewrite.Destination, m *rules.Match, gated bool) *tallyHost {
	i := slices.IndexFunc(t.hosts, func(h tallyHost) bool { return string(t.hostNames[h.start:h.end]) == string(host) })
	if i < 0 {
		if len(t.hosts) == maxTallyHosts {
			return nil
		}
		i = len(t.hosts)
		start := len(t.hostNames)
		t.hostNames = append(t.hostNames, host...)
		t.hosts = append(t.hosts, tallyHost{start: start, end: len(t.hostNames)})
	}
	h := &t.hosts[i]
	h.types |= 1 << d
	switch {
	case m.Purpose != 0:
		h.vendor, h.purpose = m.Vendor, m.Purpose.String()
	case m.List != "": // the operator's allow
		h.purpose = consent.Necessary.String()
	}
	if gated {
		h.gated++
	} else {
		h.passed++
		if m.Purpose != 0 {
			h.permitted++
		}
	}
	return h
}
