package caddymodule

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-consent/caddy-consent/caddymodule/rulesource"
	"github.com/caddy-consent/caddy-consent/rules/filterlist/source"
)

func init() {
	httpcaddyfile.RegisterGlobalOption("consent", parseGlobal)
	httpcaddyfile.RegisterHandlerDirective("consent", parseDirective)
	httpcaddyfile.RegisterDirectiveOrder("consent", httpcaddyfile.After, "encode")
}

// parseGlobal reads the global block: consent { … }.
func parseGlobal(d *caddyfile.Dispenser, existing any) (any, error) {
	d.Next()
	if existing != nil {
		return nil, d.Err("the global option consent can stand only once: join the two blocks")
	}
	app := new(App)
	if d.NextArg() {
		return nil, d.Errf("the global option consent takes a block, not the argument %q", d.Val())
	}
	block, lines := *d, []line[App]{}
	err := parseBlock(d, app, "global consent", func(name string) option[App] {
		if parse, ok := appOptions[name]; ok {
			return noted(parse, &lines)
		}
		if parse, ok := siteOptions[name]; ok {
			return noted(func(d *caddyfile.Dispenser, app *App) error { return parse(d, &app.Options) }, &lines)
		}
		return nil
	}, slices.Values(slices.AppendSeq(slices.Collect(maps.Keys(appOptions)), maps.Keys(siteOptions))))
	vendors := app.vendorsAtHand()
	if err := errors.Join(err, located(block, app.problems(vendors), lines, func(one *App) []error { return one.problems(vendors) })); err != nil {
		return nil, err
	}
	return httpcaddyfile.App{Name: "consent", Value: caddyconfig.JSON(app, nil)}, nil
}

// parseDirective reads the site directive: consent [matcher] [report|strict|off] { … }.
func parseDirective(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	hd := new(Handler)
	h.Next()
	if h.NextArg() {
		hd.Mode = h.Val()
		if _, err := parseMode(hd.Mode); err != nil {
			return nil, h.Err(err.Error())
		}
	}
	if h.NextArg() {
		return nil, h.Errf("consent takes at most one argument, %q is one too many", h.Val())
	}
	block, lines := *h.Dispenser, []line[Options]{}
	err := parseBlock(h.Dispenser, &hd.Options, "consent", func(name string) option[Options] {
		if _, global := appOptions[name]; global {
			return func(d *caddyfile.Dispenser, _ *Options) error {
				return d.Errf("%s holds for all sites: move it into the global consent block", name)
			}
		}
		if of := meant(name, maps.Keys(appOptions)); siteOptions[name] == nil && of != "" {
			return func(d *caddyfile.Dispenser, _ *Options) error {
				return d.Errf("unknown consent option %q: %s It holds for all sites, and stands in the global consent block", name, of)
			}
		}
		return noted(siteOptions[name], &lines)
	}, maps.Keys(siteOptions))
	if len(lines) > 0 {
		g := globalOf(h)
		whole := g.options.merged(hd.Options).problems(g.vendors)
		err = errors.Join(err, located(block, whole, lines, func(one *Options) []error { return one.problems(g.vendors) }))
	}
	if err != nil {
		return nil, err
	}
	return hd, nil
}

// appOptions stand in the global block only.
var appOptions = map[string]option[App]{
	"store": parseStore,
	"rules": parseRules,
	"key": func(d *caddyfile.Dispenser, a *App) error {
		if len(a.Keys) == 0 {
			a.place(d, keyPlace)
		}
		return someStrings(d, &a.Keys)
	},
	"cname":     parseCNAME,
	"retention": func(d *caddyfile.Dispenser, a *App) error { return oneDuration(d, &a.Retention) },
}

// siteOptions stand in the global block, for all sites, or in a site's directive.
var siteOptions = map[string]option[Options]{
	"site":            func(d *caddyfile.Dispenser, o *Options) error { return oneString(d, &o.Site) },
	"cookie_domain":   func(d *caddyfile.Dispenser, o *Options) error { return oneString(d, &o.CookieDomain) },
	"prefix":          func(d *caddyfile.Dispenser, o *Options) error { return oneString(d, &o.Prefix) },
	"endpoints":       func(d *caddyfile.Dispenser, o *Options) error { return oneString(d, &o.Prefix) }, // another word for prefix
	"policy_version":  parsePolicyVersion,
	"controller":      func(d *caddyfile.Dispenser, o *Options) error { return oneString(d, &o.Controller) },
	"policy_url":      func(d *caddyfile.Dispenser, o *Options) error { return oneString(d, &o.PolicyURL) },
	"signals":         func(d *caddyfile.Dispenser, o *Options) error { return someStrings(d, &o.Signals) },
	"default":         parseDefault,
	"region":          parseRegion,
	"child_directed":  func(d *caddyfile.Dispenser, o *Options) error { return switchOn(d, &o.ChildDirected) },
	"lifetime":        func(d *caddyfile.Dispenser, o *Options) error { return oneDuration(d, &o.Lifetime) },
	"require":         parseRequire,
	"allow":           parseAllow,
	"on_unrewritable": func(d *caddyfile.Dispenser, o *Options) error { return oneOf(d, &o.OnUnrewritable, "pass", "block") },
	"csp":             func(d *caddyfile.Dispenser, o *Options) error { return oneOf(d, &o.CSP, "auto", "strict", "off") },
	"payment":         func(d *caddyfile.Dispenser, o *Options) error { return someStrings(d, &o.Payment) },
	"platform":        parsePlatform,
	"ask":             parseAsk,
	"banner":          func(d *caddyfile.Dispenser, o *Options) error { return oneOf(d, &o.Banner, "on", "off") },
	"purpose":         parsePurposeText,
	"theme":           parseTheme,
	"text":            parseText,
	"imprint_url":     func(d *caddyfile.Dispenser, o *Options) error { return oneString(d, &o.ImprintURL) },
	"languages":       func(d *caddyfile.Dispenser, o *Options) error { return someStrings(d, &o.Languages) },
	"logo":            func(d *caddyfile.Dispenser, o *Options) error { return oneString(d, &o.Logo) },
	"json":            func(d *caddyfile.Dispenser, o *Options) error { return someStrings(d, &o.JSON) },
	"link_parameters": func(d *caddyfile.Dispenser, o *Options) error { return someStrings(d, &o.LinkParameters) },
	"first_party":     parseFirstParty,
	"debug":           func(d *caddyfile.Dispenser, o *Options) error { return someStrings(d, &o.Debug) },
}

func parseStore(d *caddyfile.Dispenser, a *App) error {
	if a.StoreRaw != nil {
		return d.Err("store is set twice: keep one")
	}
	var kind string
	if err := nextString(d, &kind); err != nil {
		return d.Err("store needs a kind: store bolt [PATH] or store postgres DSN")
	}
	a.place(d, storePlace)
	id := "consent.stores." + kind
	mod, err := caddy.GetModule(id)
	if err != nil {
		return d.Errf("unknown store %q: use bolt [PATH] or postgres DSN (a plugin may add %s)", kind, id)
	}
	inst := mod.New()
	u, ok := inst.(caddyfile.Unmarshaler)
	if !ok {
		return d.Errf("store %s cannot be set in a Caddyfile", kind)
	}
	if err := u.UnmarshalCaddyfile(d); err != nil {
		return err
	}
	a.StoreRaw = caddyconfig.JSONModuleObject(inst, "store", kind, nil)
	return nil
}

// parseRules reads: rules builtin | rules file GLOB | rules cookies FILE | rules list PATH|URL|NAME { purpose P; refresh D }.
func parseRules(d *caddyfile.Dispenser, a *App) error {
	args := d.RemainingArgs()
	switch {
	case len(args) == 1 && args[0] == "builtin":
		return nil
	case len(args) == 2 && args[0] == "file":
		a.VendorFiles = append(a.VendorFiles, absolute(d, args[1]))
		a.place(d, absolute(d, args[1]))
		return doneAnyhow(d, "watch", atLeastTheInterval, "the files are looked at every two seconds: leave watch out, or write watch 5s")
	case len(args) == 2 && args[0] == "cookies" && a.CookieDatabase == "":
		a.CookieDatabase = absolute(d, args[1])
		a.place(d, a.CookieDatabase)
		return nil
	case len(args) == 2 && args[0] == "cookies":
		return d.Err("rules cookies stands twice: put the lines of both files into one")
	case len(args) == 2 && args[0] == "list":
		l := rulesource.List{Source: args[1]}
		switch path := strings.ContainsAny(l.Source, `/\.{`); {
		case path && !strings.Contains(l.Source, "://"):
			l.Source = absolute(d, l.Source)
			a.place(d, l.Source)
		case !path && !slices.Contains(source.Names(), l.Source):
			return d.Errf("rules list %q is none of the names %s: use one of them, an address, or a path (./%s)", l.Source, strings.Join(source.Names(), ", "), l.Source)
		}
		err := parseOptions(d, &l, "rules list", listOptions)
		a.Lists = append(a.Lists, l)
		return err
	}
	return d.Errf("rules %s is not understood: use rules builtin, rules file GLOB, rules cookies FILE, or rules list PATH|URL|NAME", strings.Join(args, " "))
}

// atLeastTheInterval reports whether files that are looked at so often are looked at often enough.
func atLeastTheInterval(args []string) bool {
	if len(args) == 0 {
		return true
	}
	every, err := caddy.ParseDuration(args[0])
	return len(args) == 1 && err == nil && every >= rulesource.WatchEvery
}

var listOptions = map[string]option[rulesource.List]{
	"purpose": func(d *caddyfile.Dispenser, l *rulesource.List) error { return oneString(d, &l.Purpose) },
	"refresh": func(d *caddyfile.Dispenser, l *rulesource.List) error { return oneDuration(d, &l.Refresh) },
}

// parseCNAME reads: cname [RESOLVER].
func parseCNAME(d *caddyfile.Dispenser, a *App) error {
	args := d.RemainingArgs()
	if len(args) > 1 {
		return d.Err("cname takes nothing, or the address of a DNS server: cname 127.0.0.1:53")
	}
	a.CNAME = new(CNAME)
	if len(args) == 1 {
		a.CNAME.Resolver = args[0]
	}
	return nil
}

// parsePolicyVersion reads: policy_version VERSION [material [VERSION]].
func parsePolicyVersion(d *caddyfile.Dispenser, o *Options) error {
	args := d.RemainingArgs()
	if len(args) == 0 || len(args) > 3 || len(args) > 1 && args[1] != "material" {
		return d.Err("policy_version takes a version and, if what was agreed to changed with it (or with an older one), the word material (and that version): policy_version 2026-11-01 material")
	}
	o.PolicyVersion = args[0]
	if len(args) > 1 {
		o.Material = args[len(args)-1]
		if len(args) == 2 {
			o.Material = args[0]
		}
	}
	return nil
}

func parseDefault(d *caddyfile.Dispenser, o *Options) error {
	var v string
	if err := oneOf(d, &v, "deny", "opt-in", "opt-out", "notice"); err != nil {
		return err
	}
	o.Regime = strings.Replace(v, "deny", "opt-in", 1)
	return nil
}

// parseRegion reads: region header COUNTRY [SUBDIVISION] | region maxmind FILE.
func parseRegion(d *caddyfile.Dispenser, o *Options) error {
	args := d.RemainingArgs()
	switch {
	case len(args) == 2 && args[0] == "maxmind":
		o.Region = &Region{Database: absolute(d, args[1])}
		o.place(d, o.Region.Database)
	case len(args) == 2 && args[0] == "header":
		o.Region = &Region{Header: args[1]}
	case len(args) == 3 && args[0] == "header":
		o.Region = &Region{Header: args[1], Subdivision: args[2]}
	default:
		return d.Err("region takes: region header COUNTRY [SUBDIVISION], fields that a trusted proxy sets, or region maxmind FILE")
	}
	return nil
}

func parseRequire(d *caddyfile.Dispenser, o *Options) error {
	args := d.RemainingArgs()
	if len(args) < 2 {
		return d.Err("require takes a purpose and vendors: require functional zendesk")
	}
	o.Require = append(o.Require, Require{Purpose: args[0], Vendors: args[1:]})
	return doneAnyhow(d, "placeholder", func(args []string) bool { return slices.Equal(args, []string{"click"}) }, "a gated embed has a placeholder to click: leave it out, or write placeholder click")
}

func parseAllow(d *caddyfile.Dispenser, o *Options) error {
	args := d.RemainingArgs()
	if len(args) == 0 || len(args) > 2 {
		return d.Err("allow takes a host or vendor and a reason: allow cdn.example essential")
	}
	a := Allow{Host: args[0]}
	if len(args) == 2 {
		a.Reason = args[1]
	}
	o.Allow = append(o.Allow, a)
	return nil
}

func parsePurposeText(d *caddyfile.Dispenser, o *Options) error {
	args := d.RemainingArgs()
	if len(args) != 2 {
		return d.Err(`purpose takes a name and its description: purpose analytics "Visits and usage statistics"`)
	}
	o.Purposes = union(o.Purposes, map[string]string{args[0]: args[1]})
	return nil
}

func parseTheme(d *caddyfile.Dispenser, o *Options) error {
	args := d.RemainingArgs()
	if len(args) != 2 {
		return d.Err(`theme takes a property and a value, in quotes because "#" begins a comment: theme button "#0a5c36"`)
	}
	o.Theme = union(o.Theme, map[string]string{args[0]: args[1]})
	return nil
}

func parseText(d *caddyfile.Dispenser, o *Options) error {
	args := d.RemainingArgs()
	if len(args) != 3 {
		return d.Err(`text takes a language, a key and the text: text en title "Your choice"`)
	}
	o.Texts = union(o.Texts, map[string]map[string]string{args[0]: union(o.Texts[args[0]], map[string]string{args[1]: args[2]})})
	return nil
}

func parseFirstParty(d *caddyfile.Dispenser, o *Options) error {
	args := d.RemainingArgs()
	switch {
	case len(args) == 1 && args[0] == "detect":
		o.DetectFirstParty = true
	case len(args) == 2:
		o.FirstParty = append(o.FirstParty, FirstPartyPath{Path: args[0], Vendor: args[1]})
	default:
		return d.Err("first_party takes a path and a vendor (first_party /stats/* plausible) or the word detect")
	}
	return nil
}
