package inventory

import (
	"slices"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rules"
)

// Tally counts what one response held, without a lock: it is added to the site's inventory when the response has ended.
type Tally struct {
	entries      []tallyEntry
	thirdParties []tallyHost
	hostNames    []byte // the names of hosts, one after the other
	Gates        int    // things gated, or that would have been in report mode
	Passes       int    // things that need consent and have it
	Unreadable   int    // bodies that could not be read
	Oversize     int    // documents with something too large to be judged whole
	Written      int    // bytes that came out of a rewriter
	Document     bool   // the response is a page
	Counts       bool   // its path counts: its visitor's network has not asked for too many
	Asking       bool   // what is added now is in the request
	claimed      bool   // a client says so, no page
}

// Kind is what was gated or let pass, in metrics and reports.
type Kind string

// The kinds.
const (
	KindResource   Kind = "resource"
	KindScript     Kind = "script"
	KindCookie     Kind = "cookie"
	KindFirstParty Kind = "first-party" // tracking through the site's own path
)

type tallyEntry struct {
	kind          Kind
	match         rules.Match
	gated, passed int
	claimed       bool // only the request holds it
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

// Add counts a thing of a kind that a rule matched.
func (t *Tally) Add(what Kind, m *rules.Match, gated bool) {
	if !gated && m.Purpose != consent.Necessary {
		t.Passes++
	}
	i := slices.IndexFunc(t.entries, func(e tallyEntry) bool {
		return e.kind == what && e.match.Vendor == m.Vendor && e.match.Rule == m.Rule && e.match.Purpose == m.Purpose
	})
	if i < 0 {
		if len(t.entries) == maxTally {
			return
		}
		i = len(t.entries)
		t.entries = append(t.entries, tallyEntry{kind: what, match: *m, claimed: true})
	}
	t.entries[i].claimed = t.entries[i].claimed && t.Asking
	if gated {
		t.entries[i].gated++
		t.Gates++
	} else {
		t.entries[i].passed++
	}
}

// AddClaim counts a contact to a third party that a client says a page makes: it counts as no page's, and discloses nothing.
func (t *Tally) AddClaim(host []byte, d rewrite.Destination, m *rules.Match, gated bool) {
	t.claimed = true
	if h := t.addHost(host, d, m, gated); h != nil {
		h.permitted = 0
	}
}

// Hosts returns how many hosts were counted.
func (t *Tally) Hosts() int { return len(t.thirdParties) }

// AddHost counts a contact to a third party; m is empty for one that no rule and no declaration knows.
func (t *Tally) AddHost(host []byte, d rewrite.Destination, m *rules.Match, gated bool) {
	t.addHost(host, d, m, gated)
}

// addHost returns the host's count, nil if there are too many.
func (t *Tally) addHost(host []byte, d rewrite.Destination, m *rules.Match, gated bool) *tallyHost {
	i := slices.IndexFunc(t.thirdParties, func(h tallyHost) bool { return string(t.hostNames[h.start:h.end]) == string(host) })
	if i < 0 {
		if len(t.thirdParties) == maxTallyHosts {
			return nil
		}
		i = len(t.thirdParties)
		start := len(t.hostNames)
		t.hostNames = append(t.hostNames, host...)
		t.thirdParties = append(t.thirdParties, tallyHost{start: start, end: len(t.hostNames)})
	}
	h := &t.thirdParties[i]
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
