package caddymodule

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/caddy-consent/caddy-consent/caddymodule/anonymize"
	"github.com/caddy-consent/caddy-consent/caddymodule/metrics"
	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/ask"
	"github.com/caddy-consent/caddy-consent/consent/cmp"
	"github.com/caddy-consent/caddy-consent/rules/catalogue"
)

// customPlatform is the name of a platform that Path or Pattern describes.
const customPlatform = "cookie"

// Platform is a consent platform whose stored answers are read and enforced.
type Platform struct {
	// Name is the platform's: "onetrust", "cookiebot", …, or "cookie" for one that Path or Pattern describes.
	Name string `json:"name"`
	// Cookie is the cookie's name where the site chose it. Required for "cookie".
	Cookie string `json:"cookie,omitempty"`
	// Revision is the revision of the consent text that an answer must carry where the platform stores one.
	Revision string `json:"revision,omitempty"`
	// Path is, for "cookie", a gjson path into the cookie's JSON: to an object of answers, to a list of accepted names, or
	// to a single answer, which then goes by the name value.
	Path string `json:"path,omitempty"`
	// Base64 says that the JSON is in base64.
	Base64 bool `json:"base64,omitempty"`
	// Decided is a gjson path that must be there and neither false, zero, empty nor null: before that nobody answered.
	Decided string `json:"decided,omitempty"`
	// Pattern is, for a cookie that is not JSON, a regular expression: a group for a name and one for an answer, or, with
	// one group, each match an accepted name.
	Pattern string `json:"pattern,omitempty"`
	// Purposes maps the site's own names for categories or services to purposes. A name that is not in it and that the
	// platform does not define means what the vendor of that catalogue id does.
	Purposes map[string][]string `json:"purposes,omitempty"`
}

// Ask is the app, or another consent service, that is asked over HTTP what a visitor answered there.
type Ask struct {
	// URL is asked with GET.
	URL string `json:"url"`
	// Cookies are the names of the visitor's cookies that are passed on. Without one of them on a request nobody is asked.
	Cookies []string `json:"cookies"`
	// Header is sent along; placeholders such as {env.CONSENT_TOKEN} are replaced.
	Header map[string]string `json:"header,omitempty"`
	// Path is a gjson path into the answer, as in Platform. Default: "@this", the whole answer.
	Path string `json:"path,omitempty"`
	// Decided is a gjson path, as in Platform.
	Decided string `json:"decided,omitempty"`
	// Purposes maps the service's names to purposes. Default: the purposes' own names.
	Purposes map[string][]string `json:"purposes,omitempty"`
	// Timeout is how long a request waits. Default: 300 ms, at most 2 s.
	Timeout caddy.Duration `json:"timeout,omitempty"`
	// Cache is how long an answer counts, and so how late a withdrawal at the service may be noticed. Default: 10 s, at
	// most 5 minutes.
	Cache caddy.Duration `json:"cache,omitempty"`
}

// compilePlatforms returns the readers of what others stored. What is wrong is reported together.
func (o *Options) compilePlatforms(c *catalogue.Catalogue, log *zap.Logger) ([]consent.Platform, error) {
	var list []consent.Platform
	var errs []error
	add := func(p consent.Platform, err error) {
		if err != nil {
			errs = append(errs, err)
			return
		}
		list = append(list, p)
	}
	readable, _ := splitBridges(o.Platforms)
	for i := range readable {
		p, err := readable[i].compile(c)
		add(p, err)
	}
	for i := range o.Ask {
		s, err := o.Ask[i].compile(log)
		add(s, err)
	}
	return list, errors.Join(errs...)
}

// compile returns the platform's reader.
func (p *Platform) compile(c *catalogue.Catalogue) (*cmp.Reader, error) {
	purposes, err := purposesByName(p.Purposes)
	if err != nil {
		return nil, fmt.Errorf("platform %s: %w", p.Name, err)
	}
	if p.Name == customPlatform {
		if p.Revision != "" {
			return nil, errors.New("platform cookie: a revision is known of named platforms only")
		}
		return cmp.NewCustom(cmp.Custom{Cookie: p.Cookie, Path: p.Path, Base64: p.Base64, Decided: p.Decided, Pattern: p.Pattern, Purposes: purposes})
	}
	if p.Path != "" || p.Pattern != "" || p.Decided != "" || p.Base64 {
		return nil, fmt.Errorf("platform %s: path, pattern, decided and base64 describe a cookie of its own: write platform cookie NAME { … }", p.Name)
	}
	return cmp.New(p.Name, cmp.Config{Purposes: purposes, Cookie: p.Cookie, Revision: p.Revision, Fallback: func(name string) (consent.Purposes, bool) {
		v := c.Vendor(strings.ReplaceAll(name, "_", "-"))
		if v == nil {
			return 0, false
		}
		return consent.Purposes(v.Purpose), true
	}})
}

// compile returns what asks the service. It says in the log when the service goes down and when it is back.
func (a *Ask) compile(log *zap.Logger) (*ask.Service, error) {
	purposes, err := purposesByName(a.Purposes)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", a.URL, err)
	}
	repl := caddy.NewReplacer()
	c := ask.Config{
		URL: repl.ReplaceAll(a.URL, ""), Cookies: a.Cookies, Header: http.Header{}, Path: a.Path, Decided: a.Decided, Purposes: purposes,
		Timeout: time.Duration(a.Timeout), Keep: time.Duration(a.Cache),
		Changed: func(err error) {
			if err == nil {
				log.Info("the consent service answers again", anonymize.Own("url", a.URL))
				return
			}
			metrics.CountError(metrics.ErrorAsk)
			log.Warn("the consent service does not answer: nothing is granted to visitors that it knows", anonymize.Own("url", a.URL), zap.Error(err))
		},
	}
	if c.Path == "" {
		c.Path = "@this"
	}
	for name, value := range a.Header {
		c.Header.Set(name, repl.ReplaceAll(value, ""))
	}
	return ask.New(c)
}

func purposesByName(names map[string][]string) (map[string]consent.Purposes, error) {
	if len(names) == 0 {
		return nil, nil
	}
	m := map[string]consent.Purposes{}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(names)) {
		for _, purpose := range names[name] {
			p, err := consent.ParsePurpose(purpose)
			if err != nil {
				errs = append(errs, fmt.Errorf("map %s: %w", name, err))
			}
			m[name] = m[name].With(p)
		}
	}
	return m, errors.Join(errs...)
}

// parsePlatform reads: platform NAME… | platform NAME { … } | platform cookie COOKIE { … }.
func parsePlatform(d *caddyfile.Dispenser, o *Options) error {
	args := d.RemainingArgs()
	if len(args) == 0 {
		return d.Err("platform takes names (platform onetrust), or describes a cookie (platform cookie my_consent { … })")
	}
	var list []Platform
	if args[0] == customPlatform {
		if len(args) != 2 {
			return d.Err("platform cookie takes the cookie's name, and a block with path or pattern, and map: platform cookie my_consent { … }")
		}
		list = []Platform{{Name: customPlatform, Cookie: args[1]}}
	} else {
		for _, name := range args {
			list = append(list, Platform{Name: name})
		}
	}
	var described Platform
	if err := parseOptions(d, &described, "platform", platformOptions); err != nil {
		return err
	}
	if described.changed() {
		if len(list) > 1 {
			return d.Err("a block describes one platform: write one line for each")
		}
		described.Name = list[0].Name
		if described.Cookie == "" {
			described.Cookie = list[0].Cookie
		}
		list[0] = described
	}
	o.Platforms = append(o.Platforms, list...)
	return nil
}

// changed reports whether anything was said about the platform.
func (p *Platform) changed() bool {
	return p.Cookie != "" || p.Revision != "" || p.Path != "" || p.Base64 || p.Decided != "" || p.Pattern != "" || p.Purposes != nil
}

var platformOptions = map[string]option[Platform]{
	"cookie":   func(d *caddyfile.Dispenser, p *Platform) error { return oneString(d, &p.Cookie) },
	"revision": func(d *caddyfile.Dispenser, p *Platform) error { return oneString(d, &p.Revision) },
	"path":     func(d *caddyfile.Dispenser, p *Platform) error { return oneString(d, &p.Path) },
	"base64":   func(d *caddyfile.Dispenser, p *Platform) error { return switchOn(d, &p.Base64) },
	"decided":  func(d *caddyfile.Dispenser, p *Platform) error { return oneString(d, &p.Decided) },
	"pattern":  func(d *caddyfile.Dispenser, p *Platform) error { return oneString(d, &p.Pattern) },
	"map":      func(d *caddyfile.Dispenser, p *Platform) error { return parseMap(d, &p.Purposes) },
}

// parseAsk reads: ask URL { cookie NAME…; path P; … }.
func parseAsk(d *caddyfile.Dispenser, o *Options) error {
	var a Ask
	if err := oneString(d, &a.URL); err != nil {
		return d.Err("ask takes an address and a block that names the visitor's cookies: ask http://app:3000/consent { cookie session }")
	}
	err := parseOptions(d, &a, "ask", askOptions)
	o.Ask = append(o.Ask, a)
	return err
}

var askOptions = map[string]option[Ask]{
	"cookie":  func(d *caddyfile.Dispenser, a *Ask) error { return someStrings(d, &a.Cookies) },
	"path":    func(d *caddyfile.Dispenser, a *Ask) error { return oneString(d, &a.Path) },
	"decided": func(d *caddyfile.Dispenser, a *Ask) error { return oneString(d, &a.Decided) },
	"map":     func(d *caddyfile.Dispenser, a *Ask) error { return parseMap(d, &a.Purposes) },
	"timeout": func(d *caddyfile.Dispenser, a *Ask) error { return oneDuration(d, &a.Timeout) },
	"cache":   func(d *caddyfile.Dispenser, a *Ask) error { return oneDuration(d, &a.Cache) },
	"header": func(d *caddyfile.Dispenser, a *Ask) error {
		args := d.RemainingArgs()
		if len(args) != 2 {
			return d.Err(`header takes a field and its value: header Authorization "Bearer {env.CONSENT_TOKEN}"`)
		}
		a.Header = union(a.Header, map[string]string{args[0]: args[1]})
		return nil
	},
}

// parseMap reads: map NAME PURPOSE….
func parseMap(d *caddyfile.Dispenser, to *map[string][]string) error {
	args := d.RemainingArgs()
	if len(args) < 2 {
		return d.Err("map takes a name and purposes: map matomo analytics")
	}
	*to = union(*to, map[string][]string{args[0]: args[1:]})
	return nil
}
