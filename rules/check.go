package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/caddy-consent/caddy-consent/rules/catalogue"
	"github.com/caddy-consent/caddy-consent/rules/filterlist"
)

// Check returns everything that is wrong with a vendor's file: what catalogue.Parse finds, and examples that do not match
// or benign ones that do. The examples are tried in company of the catalogue's other vendors, so that a new vendor that
// takes URLs away from an old one, or the other way round, is found too. Each error names file, line and value.
func Check(c *catalogue.Catalogue, data []byte, name string) []error {
	v, errs := catalogue.Parse(data, name)
	if v == nil {
		return errs
	}
	merged := &catalogue.Catalogue{Vendors: []*catalogue.Vendor{v}}
	for _, other := range c.Vendors {
		if other.ID != v.ID {
			merged.Vendors = append(merged.Vendors, other)
			if other.Number == v.Number {
				errs = append(errs, fmt.Errorf("%s: number %d belongs to %s", name, v.Number, other.ID))
			}
		}
	}
	slices.SortFunc(merged.Vendors, func(a, b *catalogue.Vendor) int { return strings.Compare(a.ID, b.ID) })
	s, err := New(merged, nil, Options{Require: []string{v.ID}})
	if err != nil {
		return append(errs, err)
	}
	return append(errs, examine(s, v, data, name)...)
}

// examine tries the examples of a vendor that the Set holds.
func examine(s *Set, v *catalogue.Vendor, data []byte, name string) []error {
	x := examiner{set: s, vendor: v, name: path.Base(name), data: data}
	x.urls()
	x.scripts()
	x.cookies()
	return x.errs
}

// examiner tries a vendor's examples.
type examiner struct {
	set    *Set
	vendor *catalogue.Vendor
	name   string
	data   []byte
	errs   []error
}

func (x *examiner) fail(value, problem string) {
	quoted, _ := json.Marshal(value)
	at := bytes.LastIndex(x.data, quoted)
	if at < 0 { // an object's key, or escaped in another way
		at = bytes.Index(x.data, []byte(value))
	}
	line := 1 + bytes.Count(x.data[:max(0, at)], []byte{'\n'})
	if len(value) > 100 {
		value = value[:100] + "…"
	}
	x.errs = append(x.errs, fmt.Errorf("%s:%d: %q: %s", x.name, line, value, problem))
}

// report fails unless the example matched this vendor as it was to.
func (x *examiner) report(value string, m Match, ok, want bool) {
	switch mine := ok && m.Vendor == x.vendor.ID; {
	case want && !ok:
		x.fail(value, "this example matches nothing")
	case want && !mine:
		x.fail(value, fmt.Sprintf("this example matches %s by %q: make the pattern longer, or move the example", m.Vendor, m.Rule))
	case !want && mine:
		x.fail(value, fmt.Sprintf("this look-alike matches by %q: make the rule narrower", m.Rule))
	}
}

func (x *examiner) urls() {
	try := func(s *Set, list []string, want bool) {
		for _, u := range list {
			r, err := filterlist.NewRequest(u, "", filterlist.Other)
			if err != nil {
				x.fail(u, err.Error())
				continue
			}
			m, ok := s.Match(&r, Context{})
			x.report(u, m, ok, want)
		}
	}
	if len(x.vendor.Examples.URLs) == 0 {
		x.fail(`"number"`, "no example of a URL: give one that matches")
	}
	try(x.set, x.vendor.Examples.URLs, true)
	benign := x.set
	if len(x.vendor.Embeds) > 0 { // what lies beside its embeds passes unless the operator requires the vendor
		benign = x.unrequired()
	}
	try(benign, x.vendor.Benign.URLs, false)
}

// unrequired returns a Set of the vendor alone, as it is by default.
func (x *examiner) unrequired() *Set {
	s, err := New(&catalogue.Catalogue{Vendors: []*catalogue.Vendor{x.vendor}}, nil, Options{})
	if err != nil {
		return x.set // without options there is nothing to be wrong
	}
	return s
}

func (x *examiner) scripts() {
	for _, s := range x.vendor.Examples.Scripts {
		m, ok := x.set.Script([]byte(s), Context{})
		x.report(s, m, ok, true)
		if ok && m.Mixed {
			x.fail(s, "this snippet is taken for a script of the site that mentions the vendor")
		}
	}
	for _, s := range x.vendor.Benign.Scripts {
		m, ok := x.set.Script([]byte(s), Context{})
		x.report(s, m, ok, false)
	}
}

func (x *examiner) cookies() {
	for _, c := range x.vendor.Examples.Cookies {
		m, ok := x.set.Cookie([]byte(c))
		x.report(c, m, ok, true)
	}
	for _, c := range x.vendor.Benign.Cookies {
		m, ok := x.set.Cookie([]byte(c))
		x.report(c, m, ok, false)
	}
}
