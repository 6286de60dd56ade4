package audit

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/rules/catalogue"
)

// options notes what the options of the app or of one handler let pass that the catalogue would gate. It is the operator's
// to decide, and somebody else's to ask about.
func (a *auditor) options(path, site string, o gjson.Result) {
	note := func(rule, what, why, remedy string) {
		a.add(Finding{Site: site, Path: path, Note: true, Rule: rule, What: what, Why: why, Remedy: remedy})
	}
	if o.Get("mode").String() == "report" {
		note("report-only", "consent report changes nothing", "trackers are loaded and cookies set before anybody agreed", "write consent once the report says what you expect")
	}
	c := a.vendors
	if c == nil {
		return
	}
	needed := func(v *catalogue.Vendor) {
		note("tracker-needed", v.ID+" is declared needed and never gated", "the catalogue has "+v.Name+" for "+v.Purpose.String()+", which takes consent",
			"none is needed where your policy says why this site cannot do without it")
	}
	for _, allowed := range o.Get("allow.#.host").Array() {
		if v := trackerOf(c, allowed.String()); v != nil {
			needed(v)
		}
	}
	for _, r := range o.Get("require").Array() {
		if r.Get("purpose").String() != consent.Necessary.String() {
			continue
		}
		for _, id := range r.Get("vendors").Array() {
			if v := trackerOf(c, id.String()); v != nil {
				needed(v)
			}
		}
	}
}

// trackerOf returns the vendor of that id or host, nil if there is none that the catalogue gates.
func trackerOf(c *catalogue.Catalogue, name string) *catalogue.Vendor {
	v := c.Vendor(name)
	for i := 0; v == nil && i < len(c.Vendors); i++ {
		at := func(pattern string) bool {
			host, _, _ := strings.Cut(strings.TrimLeft(pattern, "*."), "/")
			return host == name
		}
		if one := c.Vendors[i]; slices.Contains(one.Hosts, name) || slices.ContainsFunc(one.Patterns, at) {
			v = one
		}
	}
	if v == nil || v.Pass || v.Purpose == consent.Necessary {
		return nil
	}
	return v
}
