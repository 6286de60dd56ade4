package caddymodule

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/rewrite"
	weburl "github.com/caddy-consent/caddy-consent/rewrite/url"
	"github.com/caddy-consent/caddy-consent/rules/catalogue"
	"github.com/caddy-consent/caddy-consent/rules/filterlist"
)

// explanation is why a URL is gated or not.
type explanation struct {
	URL       string `json:"url"`
	Verdict   string `json:"verdict"` // gate or pass
	Vendor    string `json:"vendor"`
	Purpose   string `json:"purpose"`
	Rule      string `json:"rule"`
	List      string `json:"list"`
	Line      int    `json:"line"`
	DecidedBy string `json:"decided_by"`
	name      string
	reason    string // why the operator declared it
	remedy    string // what would let it pass
	closes    string // what would gate it
}

// defaultPage stands for a page of a site that nobody knows.
const defaultPage = "https://site.example/"

// explainFlags are the flags of `caddy consent explain`.
type explainFlags struct {
	page, kind, granted, config string
	json                        bool
}

func explainCommand() *cobra.Command {
	var f explainFlags
	cmd := command("explain URL…", "Tell why a URL is gated or passes",
		`Judges each URL as the gateway would on a page, and names vendor, purpose, rule, list and line, and what would change
the verdict. "-" reads URLs from standard input, one a line. Without --type a URL is tried as every type of resource.`,
		func(cmd *cobra.Command, args []string) error { return f.run(cmd.InOrStdin(), cmd.OutOrStdout(), args) })
	flags := cmd.Flags()
	flags.StringVar(&f.page, "page", defaultPage, "the page that would contact the URL")
	flags.StringVar(&f.kind, "type", "", "script, image, stylesheet, subdocument, xmlhttprequest, ping, websocket, media, font, object or other")
	flags.StringVar(&f.granted, "granted", "", "purposes that the visitor agreed to, joined by commas")
	flags.StringVar(&f.config, "config", "", "a Caddyfile or JSON configuration whose rules and options count")
	flags.BoolVar(&f.json, "json", false, "print one JSON object a line")
	return cmd
}

func (f *explainFlags) run(in io.Reader, out io.Writer, args []string) error {
	if len(args) == 0 {
		return usageError("explain takes at least one URL, or - for standard input")
	}
	p, kinds, err := f.policy()
	if err != nil {
		return err
	}
	explain := func(raw string) error {
		e, err := p.explain(raw, kinds)
		if err != nil {
			return err
		}
		return e.write(out, f.json)
	}
	for _, arg := range args {
		if arg != "-" {
			if err := explain(arg); err != nil {
				return err
			}
			continue
		}
		lines := bufio.NewScanner(in)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if line := strings.TrimSpace(lines.Text()); line != "" {
				if err := explain(line); err != nil {
					return err
				}
			}
		}
		if err := lines.Err(); err != nil {
			return err
		}
	}
	return nil
}

// policy is that of the configured site for a visitor who agreed to what the flags say.
func (f *explainFlags) policy() (*policy, []rewrite.Destination, error) {
	s, err := offlineSite(f.config)
	if err != nil {
		return nil, nil, err
	}
	return f.policyOf(s)
}

// policyOf is that of a site.
func (f *explainFlags) policyOf(s *site) (*policy, []rewrite.Destination, error) {
	kinds := explainedTypes
	if f.kind != "" {
		t, err := filterlist.ParseType(f.kind)
		if err != nil {
			return nil, nil, usageError("--type: %v", err)
		}
		i := slices.Index(types[:], t)
		if i < 0 {
			return nil, nil, usageError("--type %s is nothing that a page fetches", f.kind)
		}
		kinds = []rewrite.Destination{rewrite.Destination(i)}
	}
	granted, err := consent.ParsePurposes(f.granted)
	if err != nil {
		return nil, nil, usageError("--granted: %v", err)
	}
	page, err := weburl.Parse(f.page)
	if err != nil {
		return nil, nil, usageError("--page %q is no URL", f.page)
	}
	signals := consent.Signals{}
	if granted != 0 {
		signals.TokenState = consent.TokenValid
		signals.Token = consent.Token{ID: consent.NewID(), Granted: granted, Denied: consent.OptionalPurposes &^ granted, Version: s.terms.Material, At: time.Now()}
	}
	d := consent.Decide(&s.terms, &signals, time.Now())
	p := &policy{site: s, decision: &d}
	p.setPage(page.Host(), pathOf(page))
	return p, kinds, nil
}

// pathOf returns the path of a URL.
func pathOf(u *weburl.URL) string {
	rest := u.String()[strings.Index(u.String(), "://")+3:]
	path, _, _ := strings.Cut(rest, "?")
	if i := strings.IndexByte(path, '/'); i >= 0 {
		return path[i:]
	}
	return "/"
}

// explainedTypes are tried in this order when no type is named.
var explainedTypes = []rewrite.Destination{
	rewrite.DestinationScript, rewrite.DestinationImage, rewrite.DestinationEmpty, rewrite.DestinationFrame,
	rewrite.DestinationStyle, rewrite.DestinationWebSocket, rewrite.DestinationMedia, rewrite.DestinationFont, rewrite.DestinationObject, rewrite.DestinationManifest,
}

// explain judges one URL; the first type under which it is gated counts.
func (p *policy) explain(raw string, kinds []rewrite.Destination) (explanation, error) {
	u, err := weburl.Parse(raw)
	if err != nil {
		return explanation{}, usageError("%q is no URL that a page could contact", raw)
	}
	pass := explanation{URL: raw, Verdict: "pass", DecidedBy: "no rule"}
	for _, kind := range kinds {
		r := resourceOf(u, kind)
		m, found := p.match(&r)
		if !found && (m.Rule == "" || pass.Rule != "") {
			continue
		}
		e := explanation{URL: raw, Verdict: "gate", Vendor: m.Vendor, Purpose: m.Purpose.String(), Rule: m.Rule, List: m.List, Line: m.Line}
		v := p.site.catalogue.Vendor(m.Vendor)
		if v != nil {
			e.name = v.Name
		}
		if !found {
			e.passed(v, kind)
			if e.DecidedBy == "allow" {
				e.reason = p.site.allowReason(m.Vendor, u.Host())
			}
			pass = e
			continue
		}
		e.DecidedBy = decidedBy(p.decision, m.Purpose, m.Number)
		if !p.decision.Permits(m.Purpose, m.Number) {
			e.remedy = "the visitor agrees to " + e.Purpose + " (--granted " + e.Purpose + "), or the operator declares it: allow " + u.Host()
			return e, nil
		}
		e.Verdict = "pass"
		pass = e
	}
	return pass, nil
}

// passed says why a rule lets through what it recognised.
func (e *explanation) passed(v *catalogue.Vendor, kind rewrite.Destination) {
	e.Verdict = "pass"
	switch {
	case e.List == "allow" || v == nil:
		e.Purpose, e.DecidedBy = "", "allow"
	case e.Purpose == consent.Necessary.String() && slices.Contains(v.Payment, e.Rule):
		e.DecidedBy = "payment"
	case slices.Contains(v.Passes, e.Rule):
		e.DecidedBy = "exception"
	case navigation(kind):
		e.DecidedBy = "navigation"
	case !v.Pass: // the catalogue gates it: the operator does not
		e.DecidedBy = "allow"
	default:
		e.DecidedBy = "default"
		e.closes = "the operator requires consent: require " + e.Purpose + " " + e.Vendor
	}
}

// allowReason is what the operator wrote beside the host or vendor that was declared.
func (s *site) allowReason(vendor, host string) string {
	for _, a := range s.options.Allow {
		if a.Host == vendor || a.Host == host || strings.HasSuffix(host, "."+a.Host) {
			return a.Reason
		}
	}
	return ""
}

// decidedBy names what decided about a purpose of a vendor: a source (package consent), or "undecided".
func decidedBy(d *consent.Decision, p consent.Purpose, vendor uint16) string {
	if d.Vendors.Granted(vendor) || d.Vendors.Refused(vendor) {
		return consent.SourceToken.String()
	}
	by := d.By[bits.TrailingZeros8(uint8(p))%len(d.By)]
	if by == consent.SourceNone {
		return "undecided"
	}
	return by.String()
}

func resourceOf(u *weburl.URL, d rewrite.Destination) rewrite.Resource {
	start, end := u.HostRange()
	return rewrite.Resource{URL: []byte(u.String()), HostStart: start, HostEnd: end, Destination: d, Element: "script"}
}

func (e *explanation) write(out io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(e)
	}
	fmt.Fprintf(out, "%s  %s\n", e.Verdict, e.URL)
	if e.Rule == "" {
		_, err := fmt.Fprintf(out, "      no rule knows it\n")
		return err
	}
	who := e.name + ", for " + e.Purpose
	switch {
	case e.Purpose == "":
		who = "declared by the operator"
	case e.name == "":
		who = "a vendor that only the list knows, for " + e.Purpose
	}
	where := e.List
	if e.Line > 0 {
		where = fmt.Sprintf("%s:%d", e.List, e.Line)
	}
	by := e.DecidedBy
	if e.reason != "" {
		by += ": " + e.reason
	}
	fmt.Fprintf(out, "      who   %s\n      rule  %s  (%s)\n      by    %s\n", who, e.Rule, where, by)
	if e.remedy != "" {
		fmt.Fprintf(out, "      passes when %s\n", e.remedy)
	}
	if e.closes != "" {
		fmt.Fprintf(out, "      gated when  %s\n", e.closes)
	}
	_, err := fmt.Fprintln(out)
	return err
}

// offlineSite is the first site of a configuration, or one with all defaults, without a store: it can judge, not record.
func offlineSite(path string) (*site, error) {
	app, h := &App{}, &Handler{}
	if path != "" {
		if err := readConfig(path, app, h); err != nil {
			return nil, err
		}
	}
	app.log = zap.NewNop()
	if err := app.provisionRules(); err != nil {
		return nil, err
	}
	for _, l := range app.rules.Status() {
		if l.Error != "" {
			return nil, errors.New(l.Error)
		}
	}
	m, err := parseMode(h.Mode)
	if err != nil {
		return nil, err
	}
	return newSite(app, app.Options.merged(h.Options), m)
}
