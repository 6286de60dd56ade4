package caddymodule

import (
	"slices"
	"strings"

	"github.com/caddy-consent/caddy-consent/consent/ui"
)

// Bounds of the vendors that a preference centre lists: a visitor reads those of the site, not the whole catalogue.
const (
	maxListed      = 200
	maxPreferences = 64
)

// vendors returns the catalogue ids of the vendors seen on a site, sorted.
func (i *inventories) vendors(site string) []string {
	v := i.of(site)
	if v == nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	var ids []string
	for k := range v.Seen {
		if k.Vendor != "" && !slices.Contains(ids, k.Vendor) && len(ids) < maxListed {
			ids = append(ids, k.Vendor)
		}
	}
	slices.Sort(ids)
	return ids
}

// preferencesUI is the UI whose preference centre lists the vendors seen on the site and those that the operator
// declared. One is compiled for each different set.
func (x *exchange) preferencesUI() *ui.UI {
	s := x.site
	ids := s.app.inventory.vendors(x.siteName)
	for _, r := range s.options.Require {
		ids = append(ids, r.Vendors...)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	key := strings.Join(ids, " ")
	if u, ok := s.preferencesUIs.byVendors.Load(key); ok {
		return u.(*ui.UI)
	}
	config := s.uiConfig()
	for _, id := range ids {
		if v := s.vendors[id]; v != nil {
			config.Vendors = append(config.Vendors, *v)
		}
	}
	u, err := ui.New(config)
	if err != nil {
		return s.ui // without the list of vendors, which the same options have passed without
	}
	if s.preferencesUIs.count.Add(1) <= maxPreferences {
		s.preferencesUIs.byVendors.Store(key, u)
	}
	return u
}
