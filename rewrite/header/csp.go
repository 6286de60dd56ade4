package header

import (
	"net/http"
	"slices"
	"strings"

	"github.com/caddy-consent/caddy-consent/rewrite"
)

// The fields that carry a policy (CSP 3, 3.1 and 3.2).
const (
	cspField           = "Content-Security-Policy"
	cspReportOnlyField = "Content-Security-Policy-Report-Only"
)

// CSP is one serialised Content Security Policy, as CSP 3, 2.2.1 parses it: names in lower case, of repeated directives
// the first.
type CSP []Directive

// Directive is a member of a CSP: a name and the whitespace-separated rest.
type Directive struct {
	Name    string
	Sources []string
}

// ParseCSP reads the values of a policy field: each may hold several policies separated by commas, all of which apply.
func ParseCSP(values []string) []CSP {
	var list []CSP
	for _, v := range values {
		for policy := range strings.SplitSeq(v, ",") {
			var c CSP
			for text := range strings.SplitSeq(policy, ";") {
				words := strings.FieldsFunc(text, asciiSpace)
				if len(words) == 0 {
					continue
				}
				name := strings.ToLower(words[0])
				if c.find(name) < 0 {
					c = append(c, Directive{Name: name, Sources: words[1:]})
				}
			}
			if c != nil {
				list = append(list, c)
			}
		}
	}
	return list
}

func asciiSpace(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '\f' || r == '\r' }

// String serialises the policy.
func (c CSP) String() string {
	var b strings.Builder
	for i, d := range c {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(d.Name)
		for _, s := range d.Sources {
			b.WriteByte(' ')
			b.WriteString(s)
		}
	}
	return b.String()
}

// Sources returns the source list that governs a directive, following the fallbacks of CSP 3, 6.8.3; ok is false when
// nothing restricts it.
func (c CSP) Sources(directive string) (sources []string, ok bool) {
	if i := c.governing(directive); i >= 0 {
		return c[i].Sources, true
	}
	return nil, false
}

func (c CSP) find(name string) int {
	return slices.IndexFunc(c, func(d Directive) bool { return d.Name == name })
}

// governing returns the index of the directive that decides about name.
func (c CSP) governing(name string) int {
	for name != "" {
		if i := c.find(name); i >= 0 {
			return i
		}
		name = fallback(name)
	}
	return -1
}

func fallback(name string) string {
	switch name {
	case "script-src-elem", "script-src-attr":
		return "script-src"
	case "style-src-elem", "style-src-attr":
		return "style-src"
	case "frame-src":
		return "child-src"
	case "worker-src":
		return "child-src" // then script-src, but what is added to frames must not be added to scripts
	case "child-src", "connect-src", "font-src", "img-src", "manifest-src", "media-src", "object-src", "prefetch-src", "script-src", "style-src":
		return "default-src"
	}
	return ""
}

// Nonce returns a nonce that every policy which restricts inline scripts accepts, so that a script put into the page
// can carry the site's own. It reports false when there is none; then see AllowInline.
func Nonce(policies []CSP) (nonce string, ok bool) {
	for _, c := range policies {
		sources, restricted := c.Sources("script-src-elem")
		if !restricted || allowsInline(sources) {
			continue
		}
		n := nonceOf(sources)
		if n == "" || nonce != "" && n != nonce {
			return "", false
		}
		nonce = n
	}
	return nonce, nonce != ""
}

// Dynamic reports whether a policy trusts what trusted scripts insert ('strict-dynamic', CSP 3, 8.2).
func Dynamic(policies []CSP) bool {
	return slices.ContainsFunc(policies, func(c CSP) bool {
		sources, _ := c.Sources("script-src-elem")
		return slices.ContainsFunc(sources, func(s string) bool { return strings.EqualFold(s, "'strict-dynamic'") })
	})
}

func nonceOf(sources []string) string {
	for _, s := range sources {
		if len(s) > 8 && strings.EqualFold(s[:7], "'nonce-") && s[len(s)-1] == '\'' {
			return s[7 : len(s)-1]
		}
	}
	return ""
}

// allowsInline follows CSP 3, 6.7.3.2: 'unsafe-inline' counts only without nonces, hashes and 'strict-dynamic'.
func allowsInline(sources []string) bool {
	inline := false
	for _, s := range sources {
		s = strings.ToLower(s)
		switch {
		case s == "'unsafe-inline'":
			inline = true
		case s == "'strict-dynamic'", strings.HasPrefix(s, "'nonce-"), strings.HasPrefix(s, "'sha"):
			return false
		}
	}
	return inline
}

// AllowInline makes every policy in h accept an inline script (directive "script-src-elem") or style ("style-src-elem")
// of ours, by its hash or nonce source expression such as 'sha256-…', and nothing else more than before: where inline content
// is allowed already, or not restricted, nothing is added.
func AllowInline(h http.Header, directive, source string) {
	widen(h, directive, source, allowsInline)
}

// AllowSource makes every policy in h accept one more source for a fetch directive, form-action or trusted-types. It is one
// of the page's own origin, or else no URL: where 'self' is accepted, nothing is added.
func AllowSource(h http.Header, directive, source string) {
	widen(h, directive, source, func(sources []string) bool {
		return slices.ContainsFunc(sources, func(s string) bool { return strings.EqualFold(s, "'self'") })
	})
}

func widen(h http.Header, directive, source string, enough func([]string) bool) {
	if !sourceExpression(source) {
		return
	}
	for _, field := range [...]string{cspField, cspReportOnlyField} {
		values := h[field]
		if len(values) == 0 {
			continue
		}
		out, changed := make([]string, 0, len(values)), false
		for _, v := range values {
			for policy := range strings.SplitSeq(v, ",") {
				after, c := widenPolicy(policy, directive, source, enough)
				changed = changed || c
				out = append(out, strings.Trim(after, " \t"))
			}
		}
		if changed {
			h[field] = out
		}
	}
}

func widenPolicy(text, directive, source string, enough func([]string) bool) (string, bool) {
	parsed := ParseCSP([]string{text})
	if len(parsed) == 0 {
		return text, false
	}
	c := parsed[0]
	i := c.governing(directive)
	if i < 0 || enough(c[i].Sources) || slices.Contains(c[i].Sources, source) {
		return text, false
	}
	sources := make([]string, 0, len(c[i].Sources)+1)
	for _, s := range c[i].Sources {
		if !strings.EqualFold(s, "'none'") {
			sources = append(sources, s)
		}
	}
	sources = append(sources, source)
	if c[i].Name == "default-src" {
		// A directive of its own leaves the other kinds of content as they were.
		name := directive
		for up := fallback(name); up != "" && up != "default-src"; up = fallback(up) {
			name = up
		}
		c = append(c, Directive{Name: name, Sources: sources})
	} else {
		c[i].Sources = sources
	}
	return c.String(), true
}

// sourceExpression refuses what would end the expression it is to be.
func sourceExpression(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == ';' || c == ',' {
			return false
		}
	}
	return s != ""
}

// AppendCSP adds a policy to those of the response. A browser enforces all of them, so that can only tighten. A policy that
// could not stand in one field value is refused.
func AppendCSP(h http.Header, policy string) bool {
	if policy == "" || !writable(policy) || strings.IndexByte(policy, ',') >= 0 {
		return false
	}
	values := h[cspField]
	h[cspField] = append(values[:len(values):len(values)], policy)
	return true
}

// csp removes gated addresses from report-uri. The other directives keep their bytes.
func (e *editor) csp(field, value string) string {
	if !mentionsReportURI(value) {
		return value
	}
	var out strings.Builder
	changed := false
	for policy := range strings.SplitSeq(value, ",") {
		out.WriteByte(',')
		first := true
		for text := range strings.SplitSeq(policy, ";") {
			after, c := e.reportURI(field, text)
			changed = changed || c
			if c && after == "" {
				continue
			}
			if !first {
				out.WriteByte(';')
			}
			first = false
			out.WriteString(after)
		}
	}
	if !changed {
		return value
	}
	return strings.Trim(out.String(), " \t,")
}

// mentionsReportURI looks for the directive's name without regard to case and without making a lower-case copy.
func mentionsReportURI(s string) bool {
	const name = "report-uri"
	for i := 0; ; i++ {
		n := strings.IndexByte(s[i:], '-')
		if n < 0 {
			return false
		}
		i += n
		if begin := i - len("report"); begin >= 0 && begin+len(name) <= len(s) && strings.EqualFold(s[begin:begin+len(name)], name) {
			return true
		}
	}
}

// reportURI returns a directive without the gated addresses, "" when it is a report-uri that has none left.
func (e *editor) reportURI(field, text string) (string, bool) {
	words := strings.FieldsFunc(text, asciiSpace)
	if len(words) < 2 || !strings.EqualFold(words[0], "report-uri") {
		return text, false
	}
	kept := words[:1]
	changed := false
	for _, address := range words[1:] {
		if e.judge(address, field, rewrite.DestinationReport).Gate {
			changed = true
			continue
		}
		kept = append(kept, address)
	}
	switch {
	case !changed:
		return text, false
	case len(kept) == 1:
		return "", true
	}
	return " " + strings.Join(kept, " "), true
}

// maxHostSource bounds the name of a host in a policy: one that fills it would push the others out.
const maxHostSource = 100

// IsHostSource reports whether a host can stand in a policy as the name of that host and nothing else (CSP 3, 2.3.1,
// host-part). The URL standard also allows "*", ";" and "'" in hosts, which would be a wildcard and another directive.
func IsHostSource(host []byte) bool {
	dot := false
	for _, c := range host {
		switch {
		case c == '.':
			dot = true
		case c == '-', c == '_', '0' <= c && c <= '9', 'a' <= c && c <= 'z':
		default:
			return false
		}
	}
	return dot && len(host) <= maxHostSource && host[0] != '.'
}
