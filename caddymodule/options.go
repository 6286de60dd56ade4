package caddymodule

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-consent/caddy-consent/consent"
)

// Options are what a site promises and how it asks. The app's Options hold for every site; a handler's own override
// them one by one, and add to its lists.
type Options struct {
	// Site names the site in records, tokens and reports; sites of one name share their visitors' answers, as far as the
	// browser shares the cookie. Default: the request's host without "www." and port.
	Site string `json:"site,omitempty"`
	// CookieDomain shares a visitor's answer between all hosts of a domain, such as "shop.example". The cookie then has no
	// __Host- prefix: each of these hosts can replace it. It also is the default of Site. Default: each host has its own.
	CookieDomain string `json:"cookie_domain,omitempty"`
	// Prefix is the path under which the gateway's own pages live. Default: "/.consent".
	Prefix string `json:"prefix,omitempty"`
	// PolicyVersion names the privacy policy in force: any text of up to 64 bytes. Default: "1".
	PolicyVersion string `json:"policy_version,omitempty"`
	// Material names the last policy version that changed what was agreed to: grants given under an older one are
	// suspended until the visitor was asked again. Refusals stay. A new PolicyVersion alone asks nobody.
	Material string `json:"material,omitempty"`
	// Controller is who answers for the processing (GDPR Art. 4 (7)), as the records name it beside ImprintURL or PolicyURL: up
	// to 200 bytes. Default: the name of the site.
	Controller string `json:"controller,omitempty"`
	// PolicyURL is where the privacy policy stands: an absolute URL or a path of the site.
	PolicyURL string `json:"policy_url,omitempty"`
	// Signals are the browser signals that count as refusal: "gpc", "dnt", or "none" alone. Default: both.
	Signals []string `json:"signals,omitempty"`
	// Regime is what holds while a visitor has not answered: "opt-in" (gated, the default), "opt-out" or "notice"
	// (permitted until refused).
	Regime string `json:"regime,omitempty"`
	// Region chooses the regime per visitor; it can only be trusted behind a proxy that sets the header.
	Region *Region `json:"region,omitempty"`
	// ChildDirected sites never get marketing granted, whatever is clicked.
	ChildDirected bool `json:"child_directed,omitempty"`
	// Lifetime is how long an answer holds before the visitor is asked again. Default: 180 days, at most 13 months.
	Lifetime caddy.Duration `json:"lifetime,omitempty"`
	// Require puts vendors under another purpose than the catalogue does.
	Require []Require `json:"require,omitempty"`
	// Allow declares hosts or vendors that are needed and therefore never gated.
	Allow []Allow `json:"allow,omitempty"`
	// OnUnrewritable says what happens to a page that cannot be read (unknown coding): "pass" (default; the policy
	// header still guards it) or "block" (502).
	OnUnrewritable string `json:"on_unrewritable,omitempty"`
	// CSP is the mode of the consent-derived Content-Security-Policy: "auto" (default), "strict" or "off".
	CSP string `json:"csp,omitempty"`
	// Payment lists path patterns of pages that take payments, where payment vendors are necessary. "*" matches any run
	// of characters. They are added to what shops in many languages call such pages (/checkout, /kasse, /paiement, …).
	Payment []string `json:"payment,omitempty"`
	// Platforms are the consent platforms whose stored answers are read and enforced.
	Platforms []Platform `json:"platforms,omitempty"`
	// Ask are services that are asked over HTTP what a visitor answered there, such as the app itself.
	Ask []Ask `json:"ask,omitempty"`
	// Banner is "on" (default) or "off", for sites that keep their own banner.
	Banner string `json:"banner,omitempty"`
	// Purposes overrides the description of purposes in the banner and the preference centre.
	Purposes map[string]string `json:"purposes,omitempty"`
	// Theme sets custom properties of banner and preference centre, such as "button": "#0a5c36", which is short for
	// "--consent-button"; `caddy validate` names them all when one is unknown, and refuses colours without contrast.
	Theme map[string]string `json:"theme,omitempty"`
	// Texts overrides the banner's texts: language, then key.
	Texts map[string]map[string]string `json:"texts,omitempty"`
	// ImprintURL is where the site says who runs it: an absolute URL or a path of the site.
	ImprintURL string `json:"imprint_url,omitempty"`
	// Languages are the banner's languages; the first is used where none fits. Default: all there are, English first.
	Languages []string `json:"languages,omitempty"`
	// Logo is the path of an image on the site itself for the preference centre: one from elsewhere would be a contact.
	Logo string `json:"logo,omitempty"`
	// JSON lists paths under which the HTML inside JSON string values is rewritten, too.
	JSON []string `json:"json,omitempty"`
	// LinkParameters are the query parameters that carry a visitor's identity to other sites, removed from redirects and
	// from links while marketing is not permitted; a name that ends in "*" stands for all that begin so. They replace the
	// built-in ones (gclid, fbclid, _gl, …); "none" alone removes nothing.
	LinkParameters []string `json:"link_parameters,omitempty"`
	// FirstParty declares paths of the site itself that pass on data to a vendor.
	FirstParty []FirstPartyPath `json:"first_party,omitempty"`
	// DetectFirstParty gates requests to the site's own paths whose payload has the shape of a known vendor's. Off, they
	// are counted and reported only.
	DetectFirstParty bool `json:"detect_first_party,omitempty"`
	// Debug lists the addresses and ranges ("198.51.100.0/24", "private_ranges") from which a request with the field
	// Consent-Debug is told, in the answer's header, what was gated and why. Behind anonymize_ip only ranges that are no
	// finer than what it keeps match.
	Debug []string `json:"debug,omitempty"`
	// Places tell where a Caddyfile names files, as FILE:LINE by path, for errors that only reading the files shows.
	Places map[string]string `json:"places,omitempty"`
}

// Require puts vendors under a purpose.
type Require struct {
	// Purpose is one of necessary, functional, analytics, marketing, social.
	Purpose string `json:"purpose"`
	// Vendors are catalogue ids, such as "zendesk".
	Vendors []string `json:"vendors"`
}

// Allow declares one host or vendor as needed.
type Allow struct {
	// Host is a host name, which stands for its subdomains too, or a catalogue id.
	Host string `json:"host"`
	// Reason is told by `caddy consent explain`.
	Reason string `json:"reason,omitempty"`
}

// FirstPartyPath is a path of the site that passes data on to a vendor.
type FirstPartyPath struct {
	// Path is a path pattern; "*" matches any run of characters.
	Path string `json:"path"`
	// Vendor is a catalogue id.
	Vendor string `json:"vendor"`
}

// Region says where the visitor's region is read.
type Region struct {
	// Header names a request header with an ISO 3166-1 country code, such as CF-IPCountry, that only a trusted proxy can
	// set.
	Header string `json:"header,omitempty"`
	// Subdivision names a header with the ISO 3166-2 code of a state or province. Optional.
	Subdivision string `json:"subdivision,omitempty"`
	// Database is the path of a MaxMind country or city database, in which the visitor's address is looked up instead.
	Database string `json:"database,omitempty"`
}

// merged returns o with everything that over sets put in its place, and over's lists added.
func (o Options) merged(over Options) Options {
	if over.Region != nil || over.Regime != "" { // the two exclude each other
		o.Region, o.Regime = over.Region, over.Regime
	}
	for _, f := range []struct{ to, from *string }{
		{&o.Site, &over.Site}, {&o.CookieDomain, &over.CookieDomain}, {&o.Prefix, &over.Prefix}, {&o.PolicyVersion, &over.PolicyVersion}, {&o.Controller, &over.Controller}, {&o.PolicyURL, &over.PolicyURL}, {&o.Material, &over.Material},
		{&o.OnUnrewritable, &over.OnUnrewritable}, {&o.CSP, &over.CSP}, {&o.Banner, &over.Banner}, {&o.Logo, &over.Logo}, {&o.ImprintURL, &over.ImprintURL},
	} {
		if *f.from != "" {
			*f.to = *f.from
		}
	}
	o.ChildDirected = o.ChildDirected || over.ChildDirected
	o.DetectFirstParty = o.DetectFirstParty || over.DetectFirstParty
	if over.Lifetime != 0 {
		o.Lifetime = over.Lifetime
	}
	if over.Languages != nil {
		o.Languages = over.Languages
	}
	if over.LinkParameters != nil {
		o.LinkParameters = over.LinkParameters
	}
	if over.Signals != nil {
		o.Signals = over.Signals
	}
	o.Require = slices.Concat(o.Require, over.Require)
	o.Allow = slices.Concat(o.Allow, over.Allow)
	o.Payment = slices.Concat(o.Payment, over.Payment)
	o.Platforms = slices.Concat(o.Platforms, over.Platforms)
	o.Ask = slices.Concat(o.Ask, over.Ask)
	o.JSON = slices.Concat(o.JSON, over.JSON)
	o.FirstParty = slices.Concat(o.FirstParty, over.FirstParty)
	o.Debug = slices.Concat(o.Debug, over.Debug)
	o.Purposes = union(o.Purposes, over.Purposes)
	o.Theme = union(o.Theme, over.Theme)
	o.Texts = union(o.Texts, over.Texts)
	o.Places = union(o.Places, over.Places)
	return o
}

func union[V any](a, b map[string]V) map[string]V {
	if len(b) == 0 {
		return a
	}
	m := maps.Clone(a)
	if m == nil {
		m = map[string]V{}
	}
	maps.Copy(m, b)
	return m
}

// Defaults of the options.
const (
	defaultPrefix   = "/.consent"
	defaultVersion  = "1"
	day             = 24 * time.Hour
	maxLifetime     = 396 * day // 13 months
	maxPolicyLength = 64

	maxControllerLength = 200
)

// compile checks the options, fills in defaults and returns the terms. All that is wrong is reported together.
func (o *Options) compile() (consent.Terms, error) {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if o.Prefix == "" {
		o.Prefix = defaultPrefix
	}
	o.Prefix = strings.TrimSuffix(o.Prefix, "/")
	if path.Clean(o.Prefix) != o.Prefix || !strings.HasPrefix(o.Prefix, "/") || strings.ContainsAny(o.Prefix, "?#\\*\"<> ") {
		complain("prefix %q: use a path such as %s", o.Prefix, defaultPrefix)
	}
	if o.PolicyVersion == "" {
		o.PolicyVersion = defaultVersion
	}
	if len(o.PolicyVersion) > maxPolicyLength || len(o.Material) > maxPolicyLength {
		complain("policy_version %q: use at most %d bytes", o.PolicyVersion, maxPolicyLength)
	}
	if len(o.Controller) > maxControllerLength {
		complain("controller %.40q…: use at most %d bytes", o.Controller, maxControllerLength)
	}
	if time.Duration(o.Lifetime) > maxLifetime {
		complain("lifetime of %d days: an answer holds at most 13 months (%d days)", time.Duration(o.Lifetime)/day, maxLifetime/day)
	}
	t := consent.Terms{
		Asked: consent.OptionalPurposes, PolicyVersion: o.PolicyVersion, Material: consent.VersionOf(o.Material),
		ChildDirected: o.ChildDirected, Lifetime: time.Duration(o.Lifetime),
	}
	for _, err := range []error{o.compileSignals(&t), o.compileRegime(&t), o.compileDomain()} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	o.checkNames(complain)
	for _, c := range []struct {
		option, value string
		values        []string
	}{{"on_unrewritable", o.OnUnrewritable, []string{"", "pass", "block"}}, {"csp", o.CSP, []string{"", "auto", "strict", "off"}}, {"banner", o.Banner, []string{"", "on", "off"}}} {
		if !slices.Contains(c.values, c.value) {
			complain("%s %q: use one of %s", c.option, c.value, strings.Join(c.values[1:], ", "))
		}
	}
	return t, errors.Join(errs...)
}

func (o *Options) compileSignals(t *consent.Terms) error {
	if o.Signals == nil {
		return nil
	}
	t.DisregardDNT, t.DisregardGPC = true, true
	for _, s := range o.Signals {
		switch s {
		case "dnt":
			t.DisregardDNT = false
		case "gpc":
			t.DisregardGPC = false
		case "none":
			if len(o.Signals) > 1 {
				return errors.New("signals none stands alone")
			}
		default:
			return fmt.Errorf("signals %q: use gpc, dnt or none", s)
		}
	}
	return nil
}

func (o *Options) compileRegime(t *consent.Terms) (err error) {
	if o.Region != nil {
		t.Regime = consent.ByRegion
		if o.Regime != "" {
			return fmt.Errorf("default %s and region exclude each other: the region decides", o.Regime)
		}
		return nil
	}
	if o.Regime != "" {
		t.Regime, err = consent.ParseRegime(o.Regime)
	}
	return err
}
