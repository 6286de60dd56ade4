package caddymodule

import (
	"path/filepath"

	"go.uber.org/zap"

	"github.com/caddy-consent/caddy-consent/caddymodule/rulesource"
)

// listsDir is the folder of the lists' last good copies and compiled forms.
func listsDir() string { return filepath.Join(dataDir(), "lists") }

// provisionRules loads catalogue and lists.
func (a *App) provisionRules() (err error) {
	a.rules, a.compiled, err = rulesource.Open(rulesource.Config{
		Lists: a.Lists, VendorFiles: a.VendorFiles, CookieDatabase: a.CookieDatabase, Places: a.Places, Dir: listsDir(), Samples: a.samples, Log: a.log,
	})
	return err
}

// rulesChanged compiles every site anew after the lists or vendor files changed.
func (a *App) rulesChanged(c rulesource.Rules) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.compiled = c
	for h := range a.sites {
		s := h.site.Load()
		next, err := s.withRules(c)
		if err != nil {
			a.log.Error("the changed rules do not fit a site's options; its old rules stay", zap.String("site", s.options.Site), zap.Error(err))
			continue
		}
		h.site.Store(next)
	}
	a.publish()
}

// maxSampled bounds the sites, and the pages of each, that lists are tried on.
const maxSampled = 50

// samples gathers what lists are tried on: pages that were seen, and the hosts that were declared.
func (a *App) samples() rulesource.Samples {
	sites := map[string][]string{}
	allow := a.Options.Allow
	if a.store != nil {
		for name, pages := range a.store.inventory.Pages(maxSampled) {
			sites[name] = pages
		}
	}
	var declared []string
	a.mu.Lock()
	for h := range a.sites {
		if s := h.site.Load(); s != nil {
			allow = append(allow[:len(allow):len(allow)], s.options.Allow...)
			if s.options.Site != "" && len(sites) < maxSampled {
				sites[s.options.Site] = append(sites[s.options.Site], "/")
			}
		}
	}
	a.mu.Unlock()
	for _, one := range allow {
		declared = append(declared, one.Host)
	}
	return rulesource.NewSamples(sites, declared)
}
