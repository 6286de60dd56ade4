package caddymodule

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/rules/catalogue"
)

// checkNames refuses names that mean nothing and patterns that no path can match: they would be without effect, and nobody
// would notice.
func (o *Options) checkNames(complain func(format string, args ...any)) {
	check := func(option, pattern string) {
		if !strings.HasPrefix(pattern, "/") && !strings.HasPrefix(pattern, "*") {
			complain("%s %q: a path begins with /, as in /%s", option, pattern, strings.TrimLeft(pattern, "/"))
		}
	}
	for _, p := range o.Payment {
		check("payment", p)
	}
	for _, p := range o.JSON {
		check("json", p)
	}
	for _, f := range o.FirstParty {
		check("first_party", f.Path)
	}
	if len(o.LinkParameters) > 1 && slices.Contains(o.LinkParameters, "none") {
		complain("link_parameters none stands alone")
	}
	for _, name := range slices.Sorted(maps.Keys(o.Purposes)) {
		if _, err := consent.ParsePurpose(name); err != nil {
			complain("purpose: %w", err)
		}
	}
}

// knownVendors refuses vendors that the catalogue does not have: what names them would be without effect.
func (o *Options) knownVendors(c *catalogue.Catalogue) error {
	var errs []error
	check := func(option, id string) {
		if c.Vendor(id) == nil {
			errs = append(errs, fmt.Errorf("%s: there is no vendor %q%s: `caddy consent explain URL` tells what a vendor is called", option, id, similarVendors(c, id)))
		}
	}
	for _, r := range o.Require {
		for _, id := range r.Vendors {
			check("require "+r.Purpose, id)
		}
	}
	for _, f := range o.FirstParty {
		check("first_party "+f.Path, f.Vendor)
	}
	return errors.Join(errs...)
}

// similarVendors names a few vendors that may be meant.
func similarVendors(c *catalogue.Catalogue, id string) string {
	const most = 5
	var ids []string
	for _, v := range c.Vendors {
		id := strings.ToLower(id)
		if id != "" && len(ids) < most && (strings.Contains(v.ID, id) || strings.Contains(id, v.ID) || typo(v.ID, id)) {
			ids = append(ids, v.ID)
		}
	}
	if len(ids) == 0 {
		return ""
	}
	return " (there is " + strings.Join(ids, ", ") + ")"
}

// typo reports whether a and b are the same but for up to two bytes in one place.
func typo(a, b string) bool {
	shared := 0
	for shared < min(len(a), len(b)) && a[shared] == b[shared] {
		shared++
	}
	a, b = a[shared:], b[shared:]
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b, shared = a[:len(a)-1], b[:len(b)-1], shared+1
	}
	return len(a) <= 2 && len(b) <= 2 && shared > 2
}
