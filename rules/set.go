package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/rules/catalogue"
	"github.com/caddy-consent/caddy-consent/rules/filterlist"
	"github.com/caddy-consent/caddy-consent/rules/javascript"
)

// Request is what a page would fetch.
type Request = filterlist.Request

// Context is what a judgement depends on besides the request.
type Context struct {
	// Payment is true on a page where a payment is made (see PaymentPage): payment providers are necessary there.
	Payment bool
}

// Match says who was recognised, by which rule and for which purpose.
type Match struct {
	// Vendor is the catalogue's ID, "" if only a filter list knows it; Number the vendor's number, 0 likewise.
	Vendor string
	Number uint16
	// Purpose is why the vendor processes data.
	Purpose consent.Purpose
	// Rule is the text of the rule, List where it stands ("catalogue" or a list's name), Line its line there (0 in the
	// catalogue).
	Rule, List string
	Line       int
	// StandIn is the vendor whose stub a list wants in the place of a script that only the list knows ($redirect); "" for
	// none.
	StandIn string
	// Mixed is true for an inline script most of which is not the vendor's: to gate it whole would take away code of
	// the site itself.
	Mixed bool
}

// Options change what a Set answers.
type Options struct {
	// Allow holds vendor IDs, and patterns or hosts as the catalogue writes them, that are never gated.
	Allow []string
	// Require holds vendor IDs or categories ("fonts", "video") that are gated although their default is to pass.
	Require []string
	// Purposes overrides the purpose of vendors, by ID.
	Purposes map[string]consent.Purpose
	// ListPurposes holds the purpose of each filter list, in the order in which they were compiled. It counts where the
	// catalogue does not know the vendor; a list without one is for marketing.
	ListPurposes []consent.Purpose
	// Cookies knows more cookies than the catalogue does; nil for none.
	Cookies *CookieDatabase
}

// Set judges. The zero value is of no use: see New.
type Set struct {
	*compiled
	opened *hostIndex // what Open added, nil for nothing
	allow  []string   // the same as it was written
	seen   atomic.Pointer[seenScripts]
}

// compiled is what Sets have in common of which one was opened from another.
type compiled struct {
	vendors []vendor
	index   hostIndex
	paths   pathIndex
	shapes  shapeIndex
	cookies nameIndex
	lists   *filterlist.Engine
	options Options
	sites   siteCache
	scripts *javascript.Recogniser
	// declared is true if the operator declared vendors with hosts.
	declared bool
}

// vendor is what the Set needs of a catalogue entry on the request path.
type vendor struct {
	match   Match
	pass    bool
	allowed bool // by the operator: not even a list gates it
	entry   *catalogue.Vendor
}

// New joins a catalogue with compiled filter lists, which may be nil, into a Set. The error joins everything that is wrong
// with the options.
func New(c *catalogue.Catalogue, lists *filterlist.Engine, o Options) (*Set, error) {
	s := &Set{compiled: &compiled{lists: lists, options: o}}
	for _, v := range c.Vendors {
		s.vendors = append(s.vendors, vendor{entry: v, pass: v.Pass,
			match: Match{Vendor: v.ID, Number: v.Number, Purpose: v.Purpose, List: "catalogue"}})
		s.declared = s.declared || v.Declared && len(v.Hosts)+len(v.Patterns) > 0
	}
	hosts := slices.DeleteFunc(slices.Clone(o.Allow), func(a string) bool { return s.vendor(a) != nil })
	opened, err := s.Open(hosts...)
	if err := errors.Join(s.apply(o), err); err != nil {
		return nil, err
	}
	for i := range s.vendors {
		s.compile(int32(i))
	}
	s.index.seal()
	s.cookies.seal()
	s.scripts = newRecogniser(s)
	return opened, nil
}

// Open returns a Set that also lets patterns and hosts through, whatever matches beside them, as those of Options.Allow. It
// shares all else with s, and costs no more than they do. Vendor IDs are for New. The error joins all that is no pattern.
func (s *Set) Open(allow ...string) (*Set, error) {
	if len(allow) == 0 {
		return s, nil
	}
	o := &Set{compiled: s.compiled, opened: new(hostIndex), allow: slices.Concat(s.allow, allow)}
	var errs []error
	for _, a := range o.allow {
		if problem := catalogue.CheckPattern(allowPattern(a)); problem != "" {
			errs = append(errs, fmt.Errorf("allowed %q is no vendor of the catalogue, and no host or pattern: %s", a, problem))
			continue
		}
		name, r, country := newRule(allowPattern(a), -1, kindPass)
		if country {
			o.opened.addCountry(name, r)
		} else {
			o.opened.add(name, r)
		}
	}
	o.opened.seal()
	return o, errors.Join(errs...)
}

// lookup returns the rule for an address that counts: the most specific one, but of what was opened before all others.
func (s *Set) lookup(a *address) *rule {
	best := s.index.lookup(a)
	if s.opened != nil {
		if open := s.opened.lookup(a); open != nil {
			return open
		}
	}
	return best
}

// apply carries out the options that name vendors.
func (s *Set) apply(o Options) error {
	var errs []error
	for id, p := range o.Purposes {
		if v := s.vendor(id); v == nil {
			errs = append(errs, fmt.Errorf("purpose for vendor %q, which is not in the catalogue", id))
		} else {
			v.match.Purpose = p
		}
	}
	for _, id := range o.Require {
		if !s.require(id) {
			errs = append(errs, fmt.Errorf("required vendor or category %q is not in the catalogue", id))
		}
	}
	for _, a := range o.Allow {
		if v := s.vendor(a); v != nil {
			v.pass, v.allowed = true, true
		}
	}
	return errors.Join(errs...)
}

// require gates a vendor, or all of a category.
func (s *Set) require(id string) (found bool) {
	for i := range s.vendors {
		if v := &s.vendors[i]; v.entry.ID == id || v.entry.Category == id {
			v.pass, found = false, true
		}
	}
	return found
}

func (s *Set) vendor(id string) *vendor {
	i, ok := slices.BinarySearchFunc(s.vendors, id, func(v vendor, id string) int {
		return strings.Compare(v.entry.ID, id)
	})
	if !ok {
		return nil
	}
	return &s.vendors[i]
}

func (s *Set) compile(i int32) {
	v := s.vendors[i].entry
	for _, h := range v.Hosts {
		s.pattern("."+h+"/", i, kindGate)
	}
	for _, p := range v.Patterns {
		s.pattern(p, i, kindGate)
	}
	for _, p := range v.Embeds {
		s.pattern(p, i, kindEmbed)
	}
	for _, p := range v.Passes {
		s.pattern(p, i, kindPass)
	}
	for _, p := range v.Payment {
		s.pattern(p, i, kindPayment)
	}
	for _, p := range v.Paths {
		s.paths.add(p, i)
	}
	if !s.vendors[i].pass {
		for _, l := range v.Labels {
			s.shapes.add(l, i)
		}
		if len(v.Labels) > 0 && v.Purpose == consent.Marketing {
			s.shapes.beacon = &shape{i, "image with parameters of a beacon"}
		}
	}
	for _, c := range v.Cookies {
		s.cookies.add(c.Name, i)
	}
}

func (s *Set) pattern(p string, vendor int32, k kind) {
	name, r, country := newRule(p, vendor, k)
	if country {
		s.index.addCountry(name, r)
		return
	}
	s.index.add(name, r)
}

// allowPattern takes a bare host for itself and its subdomains.
func allowPattern(a string) string {
	if strings.Contains(a, "/") {
		return a
	}
	return "." + strings.TrimPrefix(a, ".") + "/"
}

func sortRules(list []rule) {
	slices.SortStableFunc(list, func(a, b rule) int { return int(b.score - a.score) })
}

// Match judges a request. It is true if the request must be gated unless its purpose is permitted; if it is false, the
// Match may still name a vendor: one that passes by default, or where a payment is made. Match does not allocate.
//
// The catalogue's answer comes before the lists': its purposes are finer. A list's exception does not open what the
// catalogue gates: Options.Allow does.
func (s *Set) Match(r *Request, c Context) (Match, bool) {
	a := newAddress(r.URL, r.HostStart, r.HostEnd)
	var best *rule
	if r.ThirdParty || s.declared {
		best = s.lookup(&a)
		if !r.ThirdParty && !s.ofSubdomain(best, r) {
			best = nil
		}
		switch {
		case best == nil:
		case best.vendor < 0:
			return Match{Rule: best.text, List: "allow"}, false
		case best.kind == kindPayment && c.Payment:
			m := s.match(best.vendor, best.text)
			m.Purpose = consent.Necessary
			return m, false
		case s.gatesURL(best, c):
			return s.match(best.vendor, best.text), true
		case s.vendors[best.vendor].allowed:
			return s.match(best.vendor, best.text), false
		}
	}
	if r.ThirdParty {
		if v, text := s.paths.lookup(&a); v >= 0 && !s.vendors[v].pass {
			return s.match(v, text), true
		}
		if a.unusual() {
			if m, ok := s.matchPlain(a, c); ok {
				return m, true
			}
		}
	}
	var m Match
	if best != nil {
		m = s.match(best.vendor, best.text)
	}
	if s.lists != nil {
		if m, ok := s.listed(r, m); ok {
			return m, true
		}
	}
	if r.ThirdParty && best == nil {
		if x := s.shapes.lookup(r, &a); x != nil {
			return s.match(x.vendor, x.text), true
		}
	}
	return m, false
}

// gatesURL reports whether a rule gates the requests that it matches.
func (s *Set) gatesURL(r *rule, c Context) bool {
	return s.gates(r, c) || r.kind == kindEmbed && !s.vendors[r.vendor].allowed
}

// GatesSubdomains reports whether subdomains of a site may be gated as a declared vendor's.
func (s *Set) GatesSubdomains() bool { return s.declared }

// ofSubdomain reports whether a rule is of a vendor that the operator declared on a subdomain of the site, which the page
// is not on itself.
func (s *Set) ofSubdomain(best *rule, r *Request) bool {
	if best == nil || best.vendor < 0 || !s.vendors[best.vendor].entry.Declared {
		return false
	}
	host, _, _ := strings.Cut(strings.TrimPrefix(best.text, "."), "/")
	return !strings.HasSuffix("."+r.PageHost, "."+host)
}

func (s *Set) match(vendor int32, rule string) Match {
	m := s.vendors[vendor].match
	m.Rule = rule
	return m
}
