package rules

import (
	"bytes"
	"slices"
	"strings"

	"github.com/caddy-consent/caddy-consent/consent"
)

// GuardVendor is what a script in the page needs to judge what the page makes at run time.
type GuardVendor struct {
	// ID and Number name the vendor, Purpose is one bit of the set of purposes.
	ID      string
	Number  uint16
	Purpose consent.Purpose
	// Hosts match with their subdomains. Gate and Pass are patterns as package catalogue describes them; of all that
	// match, a pattern with a path beats one without, then the longer beats the shorter, and at equal length Pass wins.
	Hosts, Gate, Pass []string
	// Paths match on any host but the page's own.
	Paths []string
	// Labels are first labels, digits at their end left off, of hosts that no vendor has.
	Labels []string
	// Cookies and Storage are names with * as a wildcard.
	Cookies, Storage []string
}

// GuardVendors returns the vendors that the Set gates, sorted by ID. A pattern that is allowed by the operator, passes by
// default or, with Context.Payment, is necessary where a payment is made, is in Pass.
func (s *Set) GuardVendors(c Context) []GuardVendor {
	var list []GuardVendor
	for i := range s.vendors {
		v := &s.vendors[i]
		e := v.entry
		if v.pass {
			g := GuardVendor{ID: e.ID, Number: e.Number, Purpose: v.match.Purpose, Gate: e.Embeds, Pass: s.openings(v)}
			if v.allowed {
				g.Gate = nil
			}
			if g.Gate != nil || g.Pass != nil {
				list = append(list, g)
			}
			continue
		}
		g := GuardVendor{ID: e.ID, Number: e.Number, Purpose: v.match.Purpose, Hosts: e.Hosts, Gate: slices.Concat(e.Patterns, e.Embeds), Pass: e.Passes,
			Paths: e.Paths, Labels: e.Labels, Storage: e.Storage}
		if c.Payment {
			g.Pass = slices.Concat(g.Pass, e.Payment)
		} else {
			g.Gate = slices.Concat(g.Gate, missing(e.Payment, e.Patterns))
		}
		for _, k := range e.Cookies {
			g.Cookies = append(g.Cookies, k.Name)
		}
		list = append(list, g)
	}
	if allowed := s.allowed(); allowed != nil {
		list = append(list, GuardVendor{ID: "allow", Pass: allowed})
	}
	return list
}

// Gated calls f with each vendor that the Set gates and its hosts, sorted by ID. It does not allocate: GuardVendors is for
// what is compiled once, Gated for what every response needs.
func (s *Set) Gated(f func(number uint16, purpose consent.Purpose, hosts []string)) {
	for i := range s.vendors {
		if v := &s.vendors[i]; !v.pass {
			f(v.entry.Number, v.match.Purpose, v.entry.Hosts)
		}
	}
}

// openings returns the patterns of a vendor that passes which lie under a host that another vendor gates.
func (s *Set) openings(v *vendor) []string {
	var list []string
	all := slices.Concat(v.entry.Patterns, v.entry.Passes)
	for _, h := range v.entry.Hosts {
		all = append(all, "."+h+"/")
	}
	for _, p := range all {
		host, _, _ := strings.Cut(p, "/")
		if s.gatedHost([]byte(strings.TrimPrefix(host[strings.LastIndexByte(host, '*')+1:], "."))) {
			list = append(list, p)
		}
	}
	return list
}

// gatedHost reports whether any rule of a gated vendor stands at the host or above it.
func (s *Set) gatedHost(host []byte) bool {
	for {
		for _, r := range s.index.find(hashName(string(host)), host) {
			if r.vendor >= 0 && (r.kind == kindGate && !s.vendors[r.vendor].pass || r.kind == kindEmbed && !s.vendors[r.vendor].allowed) {
				return true
			}
		}
		i := bytes.IndexByte(host, '.')
		if i < 0 {
			return false
		}
		host = host[i+1:]
	}
}

func (s *Set) allowed() []string {
	var list []string
	for _, a := range s.allow {
		list = append(list, allowPattern(a))
	}
	return list
}

// missing returns what of a is not in b.
func missing(a, b []string) []string {
	var list []string
	for _, s := range a {
		if !slices.Contains(b, s) {
			list = append(list, s)
		}
	}
	return list
}
