package ui

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/caddy-consent/caddy-consent/consent"
)

// Config is what an operator may change. The zero value is complete. What it cannot express is as much a part of the
// contract: there is no way to tick a box beforehand, to hide or restyle one button only, or to add style rules.
type Config struct {
	// Prefix is the path under which the endpoints answer; "" means "/.consent".
	Prefix string
	// SiteName is the name of the site on the preference page; optional.
	SiteName string
	// PolicyURL and ImprintURL are linked from banner and preference page: a path of this site, or an http or https URL; optional.
	PolicyURL, ImprintURL string
	// Logo is an image of this site, by path ("/logo.svg"); another site's image would be a contact of its own. Optional.
	Logo string
	// Languages are the languages offered, the first one for those that none fits; empty means all there are, and "en" first.
	Languages []string
	// Texts replaces single texts: language, then key as in lang/en.json. Texts are plain text. A language that is not
	// built in can be added when all its keys are given.
	Texts map[string]map[string]string
	// Theme sets custom properties, such as "--consent-background": "#fff"; see ThemeProperties. Colours are checked
	// for contrast.
	Theme map[string]string
	// Purposes are those that visitors are asked about; the empty set means all optional ones.
	Purposes consent.Purposes
	// Vendors are listed on the preference page, each under its purpose.
	Vendors []Vendor
}

// Vendor is what visitors are told about a party. Purpose is a purpose's name. PolicyURL and OptOutURL are paths of this
// site, http or https URLs, or empty; Retention is an ISO 8601 duration of one unit, such as P13M or PT30M, or empty.
type Vendor struct {
	ID, Name, Org, Purpose, PolicyURL, OptOutURL, Retention string
	// Number is the permanent number under which a decision for this vendor alone is kept; with 0, or one above
	// consent.MaxVendor, none is offered.
	Number uint16
}

// ConfigError says which option cannot be used, with which value, and why.
type ConfigError struct {
	Option, Value, Reason string
}

// Error returns one line: option, quoted value, reason.
func (e *ConfigError) Error() string {
	return fmt.Sprintf("%s %s: %s", e.Option, strconv.Quote(shorten(e.Value)), e.Reason)
}

// problems collects every mistake of a configuration, so that it can be mended in one go.
type problems []error

func (p *problems) add(option, value, reason string) {
	*p = append(*p, &ConfigError{option, value, reason})
}

func (p problems) join() error { return errors.Join(p...) }

func shorten(s string) string {
	if len(s) <= 80 {
		return s
	}
	cut := 80
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

var (
	prefixPattern = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)+$`)
	idPattern     = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)
)

// normalize fills defaults in and reports what cannot be used.
func (c *Config) normalize(p *problems) {
	if c.Prefix == "" {
		c.Prefix = "/.consent"
	}
	if !prefixPattern.MatchString(c.Prefix) || strings.Contains(c.Prefix+"/", "/../") || strings.Contains(c.Prefix+"/", "/./") {
		p.add("prefix", c.Prefix, `must be a path such as "/.consent", without a slash at the end`)
	}
	if c.SiteName != "" {
		checkPlain(p, "site name", c.SiteName, 80)
	}
	checkLink(p, "policy URL", c.PolicyURL)
	checkLink(p, "imprint URL", c.ImprintURL)
	if c.Logo != "" && !isPath(c.Logo) {
		p.add("logo", c.Logo, `must be a path of this site such as "/logo.svg": an image from elsewhere would contact its host before consent`)
	}
	if c.Purposes == 0 {
		c.Purposes = consent.OptionalPurposes
	}
	if c.Purposes&^consent.AllPurposes != 0 {
		p.add("purposes", strconv.Itoa(int(c.Purposes)), "holds bits that are no purpose")
	}
	c.Purposes &= consent.OptionalPurposes
	seen := make(map[string]bool, len(c.Vendors))
	for i := range c.Vendors {
		checkVendor(p, &c.Vendors[i], seen)
	}
}

func checkVendor(p *problems, v *Vendor, seen map[string]bool) {
	switch {
	case !idPattern.MatchString(v.ID):
		p.add("vendor id", v.ID, "must be of a-z, 0-9 and -, at most 64")
	case seen[v.ID]:
		p.add("vendor id", v.ID, "is used twice")
	}
	seen[v.ID] = true
	if _, err := consent.ParsePurpose(v.Purpose); err != nil {
		p.add("vendor "+v.ID+" purpose", v.Purpose, err.Error())
	}
	checkPlain(p, "vendor "+v.ID+" name", v.Name, 120)
	if v.Org != "" {
		checkPlain(p, "vendor "+v.ID+" organisation", v.Org, 200)
	}
	if _, _, ok := parseDuration(v.Retention); v.Retention != "" && !ok {
		p.add("vendor "+v.ID+" retention", v.Retention, `must be an ISO 8601 duration of one unit, such as "P13M" or "PT30M"`)
	}
	checkLink(p, "vendor "+v.ID+" policy URL", v.PolicyURL)
	checkLink(p, "vendor "+v.ID+" opt-out URL", v.OptOutURL)
}

func checkLink(p *problems, option, link string) {
	if link != "" && !isPath(link) && !isWeb(link) {
		p.add(option, link, `must be a path such as "/privacy" or a URL such as "https://site.example/privacy"`)
	}
}

// isPath tells whether s is a path of the same origin. "//host" and "/\host" name another one (WHATWG URL, 4.4 "relative
// state"), and tab, line feed and carriage return are removed by browsers before parsing, so controls are refused.
func isPath(s string) bool {
	if s == "" || s[0] != '/' || len(s) > 1 && (s[1] == '/' || s[1] == '\\') {
		return false
	}
	return plainBytes(s)
}

// isWeb tells whether s is an absolute http or https URL with a host and without user information.
func isWeb(s string) bool {
	if !plainBytes(s) {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}

func plainBytes(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] == 0x7f {
			return false
		}
	}
	return utf8.ValidString(s)
}
