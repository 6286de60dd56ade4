package caddymodule

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-consent/caddy-consent/caddymodule/problem"
	"github.com/caddy-consent/caddy-consent/caddymodule/rulesource"
	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/ui"
	"github.com/caddy-consent/caddy-consent/rewrite/guard"
	"github.com/caddy-consent/caddy-consent/rewrite/header"
	"github.com/caddy-consent/caddy-consent/rules"
	"github.com/caddy-consent/caddy-consent/rules/catalogue"
)

// site is one handler's compiled configuration. Its fields never change; a change of rules makes a new one.
type site struct {
	*parties
	app            *App
	mode           mode
	options        Options
	terms          consent.Terms
	catalogue      *catalogue.Catalogue
	rules          *rules.Set
	common         *rules.Set // what other sites share of rules, as long as one holds it
	ui             *ui.UI
	guards         [2]*script // for ordinary pages, and for those where a payment is made
	preferencesUIs *preferencesUIs
	decorations    *header.Decoration
	since          time.Time
	readers        *readers
	bridge         *bridge // nil unless a platform needs one
	policies       *memo[policyKey]
	debug          []netip.Prefix // clients that may ask why things are gated
	sum            uint64         // of options and rules: see state
}

// newSite compiles a handler's configuration with the present rules.
func newSite(app *App, o Options, m mode) (*site, error) {
	s := &site{app: app, mode: m, options: o, since: time.Now(), readers: new(readers)}
	var err, regionErr, platformErr, bridgeErr, debugErr error
	s.terms, err = s.options.compile()
	s.readers.region, regionErr = app.regionFunc(&s.options)
	s.readers.platforms, platformErr = s.options.compilePlatforms(app.compiled.Catalogue, app.log)
	s.bridge, bridgeErr = newBridge(s.options.Platforms, s.options.Prefix)
	s.debug, debugErr = parseRanges(s.options.Debug)
	if s.decorations = linkDecoration; s.options.LinkParameters != nil {
		names := s.options.LinkParameters
		if slices.Equal(names, []string{"none"}) {
			names = nil
		}
		s.decorations = header.NewDecoration(names...)
	}
	n := s
	if err = errors.Join(err, regionErr, platformErr, bridgeErr, debugErr); err == nil {
		n, err = s.withRules(app.compiled)
	}
	if err != nil {
		return nil, problem.Join(err, o.problems(app.compiled.Catalogue))
	}
	return n, nil
}

// withRules returns the site with other rules. What is wrong with options that name vendors shows here.
func (s *site) withRules(c rulesource.Rules) (*site, error) {
	n := *s
	ruleOptions, err := n.options.ruleOptions()
	if err != nil {
		return nil, err
	}
	if err := n.options.knownVendors(c.Catalogue); err != nil {
		return nil, err
	}
	ruleOptions.ListPurposes, ruleOptions.Cookies = c.Purposes, c.Cookies
	common, opened := ruleOptions, n.options.opened(c.Catalogue)
	common.Allow = slices.DeleteFunc(slices.Clone(common.Allow), func(a string) bool { return slices.Contains(opened, a) })
	n.common, err = sharedRules.get(c, common, func() (*rules.Set, error) { return rules.New(c.Catalogue, c.Engine, common) })
	if err != nil {
		return nil, err
	}
	if n.rules, err = n.common.Open(opened...); err != nil {
		return nil, err
	}
	if n.catalogue != nil && n.catalogue != c.Catalogue { // names that platforms do not define are those of vendors
		n.readers = &readers{region: s.readers.region}
		if n.readers.platforms, err = n.options.compilePlatforms(c.Catalogue, n.app.log); err != nil {
			return nil, err
		}
	}
	n.catalogue = c.Catalogue
	if n.sum, err = sumWith(&c, build(), n.mode, &n.options); err != nil {
		return nil, err
	}
	texts := n.uiConfig()
	if n.ui, err = sharedUIs.get(rulesource.Rules{}, texts, func() (*ui.UI, error) { return ui.New(texts) }); err != nil {
		return nil, err
	}
	purposes := ruleOptions.Purposes
	if n.parties, err = sharedParties.get(rulesource.Rules{Catalogue: c.Catalogue}, purposes, func() (*parties, error) { return newParties(c.Catalogue, purposes), nil }); err != nil {
		return nil, err
	}
	n.preferencesUIs, n.policies = new(preferencesUIs), new(memo[policyKey])
	for i, payment := range []bool{false, true} {
		if n.guards[i], err = scripts.compile(n.guardConfig(rules.Context{Payment: payment}, c.Engine != nil)); err != nil {
			return nil, err
		}
	}
	return &n, nil
}

// ruleOptions are the options that change what the rules answer.
func (o *Options) ruleOptions() (rules.Options, error) {
	r := rules.Options{Purposes: map[string]consent.Purpose{}}
	var errs []error
	for _, q := range o.Require {
		p, err := consent.ParsePurpose(q.Purpose)
		if err != nil {
			errs = append(errs, fmt.Errorf("require: %w", err))
			continue
		}
		for _, id := range q.Vendors {
			r.Purposes[id] = p
			if p == consent.Necessary {
				r.Allow = append(r.Allow, id)
			} else {
				r.Require = append(r.Require, id)
			}
		}
	}
	for _, a := range o.Allow {
		r.Allow = append(r.Allow, a.Host)
	}
	return r, errors.Join(errs...)
}

// opened are the hosts and patterns that the site allows and that are no vendors: what nearly every site has its own of.
func (o *Options) opened(c *catalogue.Catalogue) (hosts []string) {
	for _, a := range o.Allow {
		if c.Vendor(a.Host) == nil {
			hosts = append(hosts, a.Host)
		}
	}
	return hosts
}

func (s *site) uiConfig() ui.Config {
	theme := map[string]string{}
	for name, value := range s.options.Theme {
		if !strings.HasPrefix(name, "--") {
			name = "--consent-" + name
		}
		theme[name] = value
	}
	c := ui.Config{
		Prefix: s.options.Prefix, SiteName: s.options.Site, PolicyURL: s.options.PolicyURL, ImprintURL: s.options.ImprintURL, Logo: s.options.Logo,
		Languages: s.options.Languages, Texts: s.options.Texts, Theme: theme, Purposes: s.terms.Asked,
	}
	if len(s.options.Purposes) == 0 {
		return c
	}
	// The operator wrote one text: it is shown in every language.
	if offered, err := ui.New(ui.Config{Languages: s.options.Languages, Texts: s.options.Texts}); err == nil { // else New says so of c
		for _, lang := range offered.Languages() {
			for name, text := range s.options.Purposes {
				if _, err := consent.ParsePurpose(name); err != nil {
					continue // compile says so
				}
				c.Texts = union(c.Texts, map[string]map[string]string{lang: union(c.Texts[lang], map[string]string{"purpose_" + name + "_text": text})})
			}
		}
	}
	return c
}

// parties are what pages and visitors are told about the catalogue's vendors, by id.
type parties struct {
	vendors map[string]*ui.Vendor
	globals map[string]string // as marks carry them
}

func newParties(c *catalogue.Catalogue, purposes map[string]consent.Purpose) *parties {
	p := &parties{make(map[string]*ui.Vendor, len(c.Vendors)), make(map[string]string, len(c.Vendors))}
	for _, v := range c.Vendors {
		purpose := v.Purpose
		if own, ok := purposes[v.ID]; ok {
			purpose = own
		}
		p.vendors[v.ID] = &ui.Vendor{
			ID: v.ID, Number: v.Number, Name: v.Name, Org: v.Org, Purpose: purpose.String(), PolicyURL: v.Policy, OptOutURL: v.OptOut, Retention: v.Retention(),
		}
		p.globals[v.ID] = globalsOf(v.Globals, v.Stubs)
	}
	return p
}

// lastFrequent is the number of the last of the vendors that many sites have; the catalogue begins with them.
const lastFrequent = 164

// guardConfig is the run-time script's part of the rules.
func (s *site) guardConfig(c rules.Context, lists bool) guard.Config {
	g := guard.Config{Prefix: s.options.Prefix, Judge: lists || s.rules.GatesSubdomains() || s.app.aliases != nil, Strict: s.mode == modeStrict}
	vendors := s.rules.GuardVendors(c)
	slices.SortStableFunc(vendors, func(a, b rules.GuardVendor) int { return int(a.Number) - int(b.Number) })
	for _, v := range vendors {
		if v.ID == "allow" {
			g.Allow = append(g.Allow, guardHosts(v.Pass)...)
			continue
		}
		one := guard.Vendor{
			ID: v.ID, Purpose: v.Purpose.String(), Hosts: v.Hosts, Patterns: v.Gate, Passes: v.Pass, Paths: v.Paths, Labels: v.Labels, Cookies: v.Cookies, Storage: v.Storage,
			Seldom: v.Number > lastFrequent && !s.catalogue.Vendor(v.ID).Declared,
		}
		g.Vendors = append(g.Vendors, one)
	}
	return g
}

// guardHosts returns the hosts of patterns that are nothing but a host (".host/").
func guardHosts(patterns []string) []string {
	var hosts []string
	for _, p := range patterns {
		if host, path, _ := strings.Cut(strings.TrimPrefix(p, "."), "/"); path == "" && !strings.Contains(host, "*") {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// globalsOf writes a vendor's globals as marks and guard take them: arrays end in "[]", objects in "{}".
func globalsOf(names []string, stubs []catalogue.Stub) string {
	shapes := map[string]string{"array": "[]", "object": "{}"}
	list := slices.Clone(names)
	for _, s := range stubs {
		i := slices.Index(list, s.Global)
		if i < 0 {
			i, list = len(list), append(list, s.Global)
		}
		list[i] += shapes[s.Kind]
	}
	return strings.Join(list, " ")
}

// guardFor is the script for a page: payment providers pass where a payment is made.
func (s *site) guardFor(c rules.Context) *script {
	if c.Payment {
		return s.guards[1]
	}
	return s.guards[0]
}

// readers are the readers of signals by site name. A handler that serves any host has a site for each.
type readers struct {
	platforms []consent.Platform
	region    func(http.Header, netip.Addr) consent.Region
	byName    sync.Map // readerKey to *consent.Reader
	count     atomic.Int32
}

type readerKey struct{ name, cookie string }

// maxReaders bounds the readers that are kept: a client can invent host names.
const maxReaders = 4096

// reader returns the reader of the request's site.
func (s *site) reader(x *exchange) *consent.Reader {
	cookie := x.cookie()
	k := readerKey{x.siteName, cookie.Name()}
	if r, ok := s.readers.byName.Load(k); ok {
		return r.(*consent.Reader)
	}
	name := k.name
	if name == "" {
		name = "-" // a request without a host: its answers are bound to no site
	}
	r, err := consent.NewReader(consent.ReaderConfig{
		Site: name, Keys: s.app.keys, Cookie: cookie, Platforms: s.readers.platforms, Region: s.readers.region,
	})
	if err != nil {
		r, _ = consent.NewReader(consent.ReaderConfig{Site: "-", Keys: s.app.keys, Cookie: cookie})
	}
	if s.readers.count.Add(1) <= maxReaders {
		k.name = strings.Clone(k.name)
		s.readers.byName.Store(k, r)
	}
	return r
}

// declared reports whether the operator allowed the host.
func (s *site) declared(host []byte) bool {
	for _, a := range s.options.Allow {
		if rest, ok := strings.CutSuffix(string(host), a.Host); ok && (rest == "" || strings.HasSuffix(rest, ".")) {
			return true
		}
	}
	return false
}

func (s *site) honoursGPC() bool { return !s.terms.DisregardGPC && s.mode != modeReport }

// nameFor is the name that tokens and records are bound to: the configured one, or the host without www.
func (s *site) nameFor(host string) string {
	if s.options.Site != "" {
		return s.options.Site
	}
	return strings.TrimPrefix(host, "www.")
}

func (s *site) vendor(number uint16) *catalogue.Vendor { return s.catalogue.ByNumber(number) }

func (s *site) vendorNumber(id string) (uint16, bool) {
	if v := s.catalogue.Vendor(id); v != nil {
		return v.Number, true
	}
	return 0, false
}

// decoration is the set of parameters to remove from redirects and links while marketing is not permitted.
func (s *site) decoration(d *consent.Decision) *header.Decoration {
	if d.Permits(consent.Marketing, 0) {
		return nil
	}
	return s.decorations
}

var linkDecoration = header.DefaultDecoration()
