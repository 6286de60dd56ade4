package caddymodule

import (
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-consent/caddy-consent/consent"
)

func init() {
	caddy.RegisterModule(new(Matcher))
}

// Matcher matches requests whose visitor permits all the purposes named. It reads the request itself, so it works before
// the consent handler has run. The site whose signed answer the request carries decides, under its terms; where several
// handlers take the answer for theirs, as those without the option site do on any host, or none, all of them must permit the
// purposes.
type Matcher struct {
	// Purposes are names of purposes: necessary, functional, analytics, marketing, social.
	Purposes []string `json:"purposes"`

	want     consent.Purposes
	app      *App
	fallback *site // of a configuration without a consent handler
}

// CaddyModule returns the matcher's ID.
func (*Matcher) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.matchers.consent", New: func() caddy.Module { return new(Matcher) }}
}

// Provision parses the purposes.
func (m *Matcher) Provision(ctx caddy.Context) (err error) {
	if m.want, err = consent.ParsePurposes(strings.Join(m.Purposes, ",")); err != nil {
		return err
	}
	app, err := ctx.App("consent")
	if err != nil {
		return err
	}
	m.app = app.(*App)
	m.fallback, err = newSite(m.app, m.app.Options, modeEnforce)
	return err
}

// MatchWithError reports whether the visitor permits the purposes. It never fails: what cannot be told is not permitted.
func (m *Matcher) MatchWithError(r *http.Request) (bool, error) {
	_ = m.app.open() // Start tells what is wrong
	sites := m.app.currentSites()
	if len(sites) == 0 {
		sites = []*site{m.fallback}
	}
	own, all, answered := true, true, false
	for _, s := range sites {
		x := s.exchange(r)
		permits := x.decision.Permitted&m.want == m.want
		all = all && permits
		if x.signals.TokenState == consent.TokenValid {
			own, answered = own && permits, true
		}
	}
	if answered {
		return own, nil
	}
	return all, nil
}

// UnmarshalCaddyfile reads: consent PURPOSE….
func (m *Matcher) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	for d.Next() {
		m.Purposes = append(m.Purposes, d.RemainingArgs()...)
		for _, p := range m.Purposes {
			if _, err := consent.ParsePurpose(p); err != nil {
				return d.Err(err.Error())
			}
		}
		if d.NextBlock(0) {
			return d.Err("the consent matcher takes purposes, no block")
		}
	}
	if len(m.Purposes) == 0 {
		return d.Err("the consent matcher takes at least one purpose: @m consent analytics")
	}
	return nil
}

var (
	_ caddyhttp.RequestMatcherWithError = (*Matcher)(nil)
	_ caddy.Provisioner                 = (*Matcher)(nil)
	_ caddyfile.Unmarshaler             = (*Matcher)(nil)
)
