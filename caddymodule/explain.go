package caddymodule

import (
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/caddy-consent/caddy-consent/caddymodule/command"
	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/rewrite"
	weburl "github.com/caddy-consent/caddy-consent/rewrite/url"
	"github.com/caddy-consent/caddy-consent/rules/catalogue"
	"github.com/caddy-consent/caddy-consent/rules/filterlist"
)

// explainOffline returns what judges URLs as the site of a configuration does.
func explainOffline(config string, q command.Question) (func(string) (command.Explanation, error), error) {
	s, err := offlineSite(config)
	if err != nil {
		return nil, err
	}
	return s.explain(q)
}

// explain returns what judges URLs as the site does.
func (s *site) explain(q command.Question) (func(string) (command.Explanation, error), error) {
	p, kinds, err := s.policyFor(q)
	if err != nil {
		return nil, err
	}
	return func(raw string) (command.Explanation, error) { return p.explain(raw, kinds) }, nil
}

// policyFor is the site's for a visitor who agreed to what the question says.
func (s *site) policyFor(q command.Question) (*policy, []rewrite.Destination, error) {
	kinds := explainedTypes
	if q.Type != "" {
		t, err := filterlist.ParseType(q.Type)
		if err != nil {
			return nil, nil, command.UsageError("--type: %v", err)
		}
		i := slices.Index(types[:], t)
		if i < 0 {
			return nil, nil, command.UsageError("--type %s is nothing that a page fetches", q.Type)
		}
		kinds = []rewrite.Destination{rewrite.Destination(i)}
	}
	granted, err := consent.ParsePurposes(q.Granted)
	if err != nil {
		return nil, nil, command.UsageError("--granted: %v", err)
	}
	page, err := weburl.Parse(q.Page)
	if err != nil {
		return nil, nil, command.UsageError("--page %q is no URL", q.Page)
	}
	signals := consent.Signals{}
	if granted != 0 {
		signals.TokenState = consent.TokenValid
		signals.Token = consent.Token{ID: consent.NewID(), Granted: granted, Denied: consent.OptionalPurposes &^ granted, Version: s.terms.Material, At: time.Now()}
	}
	d := consent.Decide(&s.terms, &signals, time.Now())
	p := &policy{site: s, decision: &d}
	path, query := pageOf(page)
	p.setPage(page.Host(), path, query)
	return p, kinds, nil
}

// pageOf returns path and query of a URL.
func pageOf(u *weburl.URL) (path, query string) {
	rest := u.String()[strings.Index(u.String(), "://")+3:]
	path, query, _ = strings.Cut(rest, "?")
	if i := strings.IndexByte(path, '/'); i >= 0 {
		return path[i:], query
	}
	return "/", query
}

// explainedTypes are tried in this order when no type is named.
var explainedTypes = []rewrite.Destination{
	rewrite.DestinationScript, rewrite.DestinationImage, rewrite.DestinationEmpty, rewrite.DestinationFrame,
	rewrite.DestinationStyle, rewrite.DestinationWebSocket, rewrite.DestinationMedia, rewrite.DestinationFont, rewrite.DestinationObject, rewrite.DestinationManifest,
}

// explain judges one URL; the first type under which it is gated counts.
func (p *policy) explain(raw string, kinds []rewrite.Destination) (command.Explanation, error) {
	u, err := weburl.Parse(raw)
	if err != nil {
		return command.Explanation{}, command.UsageError("%q is no URL that a page could contact", raw)
	}
	pass := command.Explanation{URL: raw, Verdict: "pass", DecidedBy: "no rule"}
	for _, kind := range kinds {
		r := resourceOf(u, kind)
		m, found := p.match(&r)
		if !found && (m.Rule == "" || pass.Rule != "") {
			continue
		}
		e := command.Explanation{URL: raw, Verdict: "gate", Vendor: m.Vendor, Purpose: m.Purpose.String(), Rule: m.Rule, List: m.List, Line: m.Line}
		v := p.site.catalogue.Vendor(m.Vendor)
		if v != nil {
			e.Name = v.Name
		}
		if !found {
			passed(&e, v, kind)
			if e.DecidedBy == "allow" {
				e.Reason = p.site.allowReason(m.Vendor, u.Host())
			}
			pass = e
			continue
		}
		e.DecidedBy = decidedBy(p.decision, m.Purpose, m.Number)
		if !p.decision.Permits(m.Purpose, m.Number) {
			e.Remedy = "the visitor agrees to " + e.Purpose + " (--granted " + e.Purpose + "), or the operator declares it: allow " + u.Host()
			return e, nil
		}
		e.Verdict = "pass"
		pass = e
	}
	return pass, nil
}

// passed says why a rule lets through what it recognised.
func passed(e *command.Explanation, v *catalogue.Vendor, kind rewrite.Destination) {
	e.Verdict = "pass"
	switch {
	case e.List == "allow" || v == nil:
		e.Purpose, e.DecidedBy = "", "allow"
	case e.Purpose == consent.Necessary.String() && slices.Contains(v.Payment, e.Rule):
		e.DecidedBy = "payment"
	case slices.Contains(v.Passes, e.Rule):
		e.DecidedBy = "exception"
	case navigation(kind):
		e.DecidedBy = "navigation"
	case !v.Pass: // the catalogue gates it: the operator does not
		e.DecidedBy = "allow"
	default:
		e.DecidedBy = "default"
		e.Closes = "the operator requires consent: require " + e.Purpose + " " + e.Vendor
	}
}

// allowReason is what the operator wrote beside the host or vendor that was declared.
func (s *site) allowReason(vendor, host string) string {
	for _, a := range s.options.Allow {
		if a.Host == vendor || a.Host == host || strings.HasSuffix(host, "."+a.Host) {
			return a.Reason
		}
	}
	return ""
}

// decidedBy names what decided about a purpose of a vendor: a source (package consent), or "undecided".
func decidedBy(d *consent.Decision, p consent.Purpose, vendor uint16) string {
	if d.Vendors.Granted(vendor) || d.Vendors.Refused(vendor) {
		return consent.SourceToken.String()
	}
	by := d.By[bits.TrailingZeros8(uint8(p))%len(d.By)]
	if by == consent.SourceNone {
		return "undecided"
	}
	return by.String()
}
