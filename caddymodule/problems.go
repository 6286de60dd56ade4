package caddymodule

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"go.uber.org/zap"

	"github.com/caddy-consent/caddy-consent/caddymodule/cname"
	"github.com/caddy-consent/caddy-consent/caddymodule/problem"
	"github.com/caddy-consent/caddy-consent/caddymodule/rulesource"
	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/ui"
	"github.com/caddy-consent/caddy-consent/rules"
	"github.com/caddy-consent/caddy-consent/rules/catalogue"
)

// problems returns all that is wrong with the options, as far as it shows without files, network and environment. Without a
// catalogue the names of vendors are not checked.
func (o Options) problems(c *catalogue.Catalogue) []error {
	terms, err := o.compile()
	errs := problem.Each(err)
	_, err = parseRanges(o.Debug)
	errs = append(errs, problem.Each(err)...)
	ruleOptions, err := o.ruleOptions()
	errs = append(errs, problem.Each(err)...)
	if c != nil {
		errs = append(errs, problem.Each(o.knownVendors(c))...)
		hosts := slices.DeleteFunc(ruleOptions.Allow, func(a string) bool {
			return c.Vendor(a) != nil || slices.ContainsFunc(o.Require, func(r Require) bool { return slices.Contains(r.Vendors, a) })
		})
		_, err = rules.New(new(catalogue.Catalogue), nil, rules.Options{Allow: hosts})
		errs = append(errs, problem.Each(err)...)
		fixed := o
		fixed.Ask = slices.DeleteFunc(slices.Clone(o.Ask), func(a Ask) bool { return strings.Contains(a.URL, "{") })
		_, err = fixed.compilePlatforms(c, zap.NewNop())
		errs = append(errs, problem.Each(err)...)
	}
	if o.asks() {
		o.Prefix = defaultPrefix // compile has looked at it
		_, err = ui.New((&site{options: o, terms: terms}).uiConfig())
		errs = append(errs, problem.Each(err)...)
	}
	return errs
}

// asks reports whether any option changes how visitors are asked.
func (o *Options) asks() bool {
	return len(o.PolicyURL)+len(o.ImprintURL)+len(o.Logo)+len(o.Languages)+len(o.Texts)+len(o.Theme)+len(o.Purposes) > 0
}

// problems returns all that is wrong with the app's options, as Options.problems does.
func (a *App) problems(c *catalogue.Catalogue) []error {
	var errs []error
	for _, text := range a.Keys {
		if _, err := consent.ParseKey(text); !strings.Contains(text, "{") {
			errs = append(errs, problem.Each(err)...)
		}
	}
	for _, l := range a.Lists {
		errs = append(errs, problem.Each(rulesource.Check(l))...)
	}
	if a.CNAME != nil {
		_, err := cname.New(a.CNAME.Resolver)
		errs = append(errs, problem.Each(err)...)
	}
	return append(errs, a.Options.problems(c)...)
}

// vendorsAtHand is the catalogue with the operator's own vendor files, nil where one of them cannot be read (yet).
func (a *App) vendorsAtHand() *catalogue.Catalogue {
	c, err := rulesource.Vendors(nil, a.VendorFiles)
	if err != nil {
		return nil
	}
	return c
}

// line is one option of a block in a Caddyfile: where it stands, and a value in which nothing else is set.
type line[T any] struct {
	at    caddyfile.Dispenser
	alone T
}

// noted makes an option note its lines. Each is read twice, joined to those before it and alone: what one line has wrong by itself
// is said of that line, and what only several together have is said of the block.
func noted[T any](parse option[T], lines *[]line[T]) option[T] {
	if parse == nil {
		return nil
	}
	return func(d *caddyfile.Dispenser, to *T) error {
		l, again := line[T]{at: *d}, *d
		if err := parse(d, to); err != nil {
			return err
		}
		*lines = append(*lines, l)
		return parse(&again, &(*lines)[len(*lines)-1].alone)
	}
}

// located names file and line of each problem that a block has as a whole: those of the line that has it alone, or of the
// block's first line where only several together have it.
func located[T any](block caddyfile.Dispenser, whole []error, lines []line[T], alone func(*T) []error) error {
	if len(whole) == 0 {
		return nil
	}
	places := map[string][]caddyfile.Dispenser{} // by what is said there
	for i := range lines {
		for _, err := range alone(&lines[i].alone) {
			places[err.Error()] = append(places[err.Error()], lines[i].at)
		}
	}
	var problems []line[error]
	for _, err := range whole {
		at := block
		if list := places[err.Error()]; len(list) > 0 {
			at, places[err.Error()] = list[0], list[1:]
		}
		problems = append(problems, line[error]{at, err})
	}
	slices.SortStableFunc(problems, func(a, b line[error]) int { return a.at.Line() - b.at.Line() })
	var errs []error
	for _, p := range problems {
		errs = append(errs, p.at.WrapErr(p.alone))
	}
	return errors.Join(errs...)
}

// global is what a site's directive needs of the global block.
type global struct {
	options Options
	vendors *catalogue.Catalogue // nil where the operator's own files cannot be read yet
}

// globalOf reads the global block once for all directives of a Caddyfile.
func globalOf(h httpcaddyfile.Helper) global {
	const key = "consent.global"
	if g, ok := h.State[key].(global); ok {
		return g
	}
	app := new(App)
	if block, ok := h.Option("consent").(httpcaddyfile.App); ok {
		_ = json.Unmarshal(block.Value, app) // parseGlobal wrote it
	}
	g := global{app.Options, app.vendorsAtHand()}
	if h.State != nil {
		h.State[key] = g
	}
	return g
}
