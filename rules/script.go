package rules

import (
	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/rules/javascript"
)

// Script judges the text of an inline script or an event-handler attribute: does it load or configure a vendor's script?
// How it is recognised, package javascript tells. Of several vendors, the one with the most intrusive purpose is named.
//
// Answers about the scripts of late are remembered.
func (s *Set) Script(text []byte, c Context) (Match, bool) {
	seen := s.seen.Load()
	if seen == nil { // half a MiB is for Sets that are used
		s.seen.CompareAndSwap(nil, newSeenScripts())
		seen = s.seen.Load()
	}
	return seen.judge(text, c, s.judgeScript)
}

// judgeScript is Script without memory.
func (s *Set) judgeScript(text []byte, c Context) (Match, bool) {
	a := (*addresses)(s)
	f, ok := s.scripts.Find(text, a.in(c))
	if !ok {
		return Match{}, false
	}
	m := s.match(int32(f.Vendor), f.Rule)
	m.Mixed = f.Mixed
	return m, true
}

// newRecogniser makes what reads scripts, of a Set whose rules are complete.
func newRecogniser(s *Set) *javascript.Recogniser {
	vendors := make([]javascript.Vendor, len(s.vendors))
	for i := range s.vendors {
		v := &s.vendors[i]
		vendors[i] = javascript.Vendor{Weight: intrusiveness(v.match.Purpose), Whole: v.entry.Category == "rum" || v.entry.Category == "ab-test"}
		if !v.pass {
			vendors[i].Marks = v.entry.Inline
		}
	}
	var hosts []string
	for i, name := range s.index.names {
		if s.gatesAny(s.index.rules[i]) {
			hosts = append(hosts, name)
		}
	}
	for _, c := range s.index.countries {
		if s.gatesAny(c.rules) {
			hosts = append(hosts, c.label+".")
		}
	}
	return javascript.New(vendors, hosts)
}

// addresses is a Set that tells of addresses in scripts whose they are, paying where a payment is made.
type (
	addresses Set
	paying    Set
)

func (a *addresses) in(c Context) javascript.Addresses {
	if c.Payment {
		return (*paying)(a)
	}
	return a
}

// Host implements javascript.Addresses.
func (a *addresses) Host(host []byte) bool { return (*Set)(a).gatesHost(host) }

// Host implements javascript.Addresses.
func (a *paying) Host(host []byte) bool { return (*Set)(a).gatesHost(host) }

// URL implements javascript.Addresses.
func (a *addresses) URL(host, path, query []byte) (int, string) {
	return (*Set)(a).scriptURL(host, path, query, Context{})
}

// URL implements javascript.Addresses.
func (a *paying) URL(host, path, query []byte) (int, string) {
	return (*Set)(a).scriptURL(host, path, query, Context{Payment: true})
}

// gatesHost reports whether a rule that makes a URL in a script count may match the host.
func (s *Set) gatesHost(host []byte) bool {
	x := &s.index
	h, end := uint64(0), len(host)
	for i := len(host) - 1; i >= 0; i-- {
		if host[i] == '.' {
			if s.gatesAny(x.find(h, host[i+1:])) || s.gatesAny(x.country(host, i+1, end)) {
				return true
			}
			end = i
		}
		h = hashByte(h, host[i])
	}
	return s.gatesAny(x.find(h, host)) || s.gatesAny(x.country(host, 0, end))
}

func (s *Set) scriptURL(host, path, query []byte, c Context) (vendor int, rule string) {
	best := s.lookup(&address{host: host, path: path, query: query})
	switch {
	case best == nil || best.vendor >= 0 && s.vendors[best.vendor].pass:
		return javascript.Foreign, ""
	case s.gates(best, c):
		return int(best.vendor), best.text
	}
	return javascript.Neutral, ""
}

// gates reports whether a rule makes a URL in a script count.
func (s *Set) gates(r *rule, c Context) bool {
	return r.vendor >= 0 && r.kind != kindPass && (r.kind != kindPayment || !c.Payment) && !s.vendors[r.vendor].pass
}

func (s *Set) gatesAny(list []rule) bool {
	for i := range list {
		if s.gates(&list[i], Context{}) {
			return true
		}
	}
	return false
}

// intrusiveness orders purposes.
func intrusiveness(p consent.Purpose) int {
	switch p {
	case consent.Marketing:
		return 4
	case consent.Social:
		return 3
	case consent.Analytics:
		return 2
	case consent.Functional:
		return 1
	}
	return 0
}
