package caddymodule

import (
	"slices"
	"strings"
	"sync"

	"github.com/caddy-consent/caddy-consent/consent/ui"
)

// maxPreferences bounds the preference centres that are kept.
const maxPreferences = 64

// preferencesUI is the UI whose preference centre lists the vendors seen on the site and those that the operator
// declared. One is compiled for each different set.
func (x *exchange) preferencesUI() *ui.UI {
	s := x.site
	ids := s.app.inventory.Vendors(x.siteName)
	for _, r := range s.options.Require {
		ids = append(ids, r.Vendors...)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	key := strings.Join(ids, " ")
	return s.preferencesUIs.get(key, func() *ui.UI { return s.compilePreferences(ids) })
}

// compilePreferences compiles the UI whose preference centre lists the vendors.
func (s *site) compilePreferences(ids []string) *ui.UI {
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
	return u
}

// preferencesUIs are the compiled preference centres by the vendors that they list. A site's set grows as more of it is seen:
// the sets of before are forgotten when there are too many.
type preferencesUIs struct {
	mu        sync.Mutex
	byVendors map[string]*ui.UI // ids joined by spaces
}

// get returns the one for a set, and compiles it if it is not there, once for all who ask meanwhile.
func (p *preferencesUIs) get(key string, compile func() *ui.UI) *ui.UI {
	p.mu.Lock()
	defer p.mu.Unlock()
	if u := p.byVendors[key]; u != nil {
		return u
	}
	if p.byVendors == nil || len(p.byVendors) >= maxPreferences {
		p.byVendors = map[string]*ui.UI{}
	}
	u := compile()
	p.byVendors[key] = u
	return u
}
