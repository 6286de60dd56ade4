package caddymodule

import (
	"errors"
	"fmt"
	"strings"

	"github.com/caddy-consent/caddy-consent/rules/catalogue"
)

// checkPatterns refuses patterns that no path can match: they would be without effect, and nobody would notice.
func (o *Options) checkPatterns(complain func(format string, args ...any)) {
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
}

// knownVendors refuses vendors of first_party that the catalogue does not have: their paths would never be gated.
func (o *Options) knownVendors(c *catalogue.Catalogue) error {
	var errs []error
	for _, f := range o.FirstParty {
		if c.Vendor(f.Vendor) == nil {
			errs = append(errs, fmt.Errorf("first_party %s: there is no vendor %q: `caddy consent explain URL` tells what a vendor is called", f.Path, f.Vendor))
		}
	}
	return errors.Join(errs...)
}
