// Package header judges and edits the header fields of a response through a rewrite.Policy: those that make a browser
// contact somebody, store something or report somewhere, before or without a body. It also keeps validators, digests and
// the site's own Content-Security-Policy true after a body was rewritten.
package header

import (
	"net/http"
	"net/textproto"
	"strings"
	"time"

	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/cookie"
	"github.com/caddy-consent/caddy-consent/rewrite/internal/reference"
)

// Options are what Edit works with. One value serves one response, and one goroutine at a time.
type Options struct {
	// Policy judges; it must not be nil.
	Policy rewrite.Policy
	// Resolve writes to dst[:0] the absolute URL of a reference found in the response, without fragment, and tells where
	// its host is; ok is false for what contacts nobody. The method of that name in package url is one. It must not be nil.
	Resolve func(dst, ref []byte) (abs []byte, hostStart, hostEnd int, ok bool)
	// Destination is what the browser wants the response for, and so what a redirect would be fetched as.
	Destination rewrite.Destination
	// OptOut asks for the browser's own advertising interfaces to be off: Topics, Attribution Reporting, Protected Audience,
	// and client hints that only tell devices apart. Set it while marketing is not granted.
	OptOut bool
	// Featureless says that the browser has none of those interfaces as a feature of Permissions-Policy: its console would
	// warn of each.
	Featureless bool
	// Decoration, if not nil, is removed from redirects.
	Decoration *Decoration
	// MaxCookieAge limits how long a cookie set here may live from Now on; 0 does not.
	MaxCookieAge time.Duration
	Now          time.Time

	ref, abs []byte
	resource rewrite.Resource
	redirect rewrite.Verdict
	own      [1]string // the value of a field of ours
}

// Edit changes h in place as the Policy says. It suits final responses, errors and 1xx alike, and a second Edit changes
// nothing more. Values with CR, LF or NUL in a field that it looks at are removed. It returns the verdict on a Location that
// was gated and therefore removed: the response must not stay a redirect.
func Edit(h http.Header, o *Options) (redirect rewrite.Verdict) {
	e := (*editor)(o) // what is called through a variable would move a value of its own to the heap
	e.redirect = rewrite.Verdict{}
	for name, values := range h {
		if !mayMatter(name) {
			continue
		}
		field, edit := name, e.lookup(name)
		if edit == nil { // maybe for want of its canonical spelling
			if field = textproto.CanonicalMIMEHeaderKey(name); field != name {
				edit = e.lookup(field)
			}
		}
		if edit == nil {
			continue
		}
		if kept, changed := e.each(field, values, edit); !changed {
			continue
		} else if len(kept) == 0 {
			delete(h, name)
		} else {
			h[name] = kept
		}
	}
	if o.OptOut && !o.Featureless {
		e.optOut(h)
	}
	return e.redirect
}

// editor is Options at work.
type editor Options

// edit is what one kind of field needs: it returns the value to keep, "" for none.
type edit func(e *editor, field, value string) string

// lookup is written as a switch because that is several times faster than a map for the many fields that need nothing.
func (e *editor) lookup(field string) edit {
	switch field {
	case "Set-Cookie":
		return (*editor).setCookie
	case "Link":
		return (*editor).link
	case "Refresh":
		return (*editor).refresh
	case "Location":
		return (*editor).location
	case "Content-Security-Policy", "Content-Security-Policy-Report-Only", "X-Content-Security-Policy", "X-Webkit-Csp":
		return (*editor).csp
	case "Report-To", "Reporting-Endpoints", "Nel", "Expect-Ct", "Public-Key-Pins", "Public-Key-Pins-Report-Only":
		return (*editor).report
	case "X-Xss-Protection":
		return (*editor).xssProtection
	case "Speculation-Rules":
		return (*editor).speculation
	case "Alt-Svc":
		return (*editor).alternatives
	case "Sourcemap", "X-Sourcemap":
		return (*editor).sourceMap
	case "Accept-Ch", "Critical-Ch":
		if e.OptOut {
			return (*editor).clientHints
		}
	default:
		if e.OptOut && advertising(field) {
			return func(*editor, string, string) string { return "" }
		}
	}
	return nil
}

// mayMatter reports whether lookup may know a field, by its length and first letter: most fields of a response are none
// that it knows.
func mayMatter(name string) bool {
	return name != "" && len(name) < 64 && known[name[0]|0x20]>>len(name)&1 != 0
}

// known has a bit for the length of each field that begins with a letter.
var known = func() (t [256]uint64) {
	for _, name := range append(advertisingFields[:], "Set-Cookie", "Link", "Refresh", "Location", cspField, cspReportOnlyField,
		"X-Content-Security-Policy", "X-Webkit-Csp", "Report-To", "Reporting-Endpoints", "Nel", "Expect-Ct", "Public-Key-Pins",
		"Public-Key-Pins-Report-Only", "X-Xss-Protection", "Speculation-Rules", "Sourcemap", "X-Sourcemap", "Accept-Ch", "Critical-Ch", "Alt-Svc") {
		t[name[0]|0x20] |= 1 << len(name)
	}
	return t
}()

// each edits the values of one field. It copies the slice only when something changes, because other code may hold it.
func (e *editor) each(field string, values []string, f edit) (kept []string, changed bool) {
	for i, v := range values {
		after := ""
		if writable(v) {
			after = f(e, field, v)
		}
		if after == v && !changed {
			continue
		}
		if !changed {
			kept, changed = append(make([]string, 0, len(values)), values[:i]...), true
		}
		if after != "" {
			kept = append(kept, after)
		}
	}
	return kept, changed
}

// judge asks about a reference that stands in field.
func (e *editor) judge(ref string, field string, d rewrite.Destination) rewrite.Verdict {
	e.ref = append(e.ref[:0], ref...)
	abs, start, end, ok := e.Resolve(e.abs[:0], e.ref)
	e.abs = abs
	if !ok {
		return rewrite.Verdict{}
	}
	e.resource = rewrite.Resource{URL: abs, HostStart: start, HostEnd: end, Destination: d, Attribute: attributeName(field)}
	return e.Policy.Resource(&e.resource)
}

// attributeName is the field's name in lower case, without allocating for those that are judged.
func attributeName(field string) string {
	switch field {
	case "Link":
		return "link"
	case "Location":
		return "location"
	case "Refresh":
		return "refresh"
	case "Report-To":
		return "report-to"
	}
	return strings.ToLower(field) // rare enough
}

// setCookie withholds what the Policy gates and what no browser would store, and shortens the rest.
func (e *editor) setCookie(_, value string) string {
	c, ok := cookie.Parse(value)
	if !ok {
		return ""
	}
	e.ref = append(e.ref[:0], c.WireName()...)
	if v := e.Policy.Cookie(e.ref); v.Gate {
		return ""
	}
	if e.MaxCookieAge <= 0 {
		return value
	}
	after, _ := cookie.Clamp(value, e.Now, e.MaxCookieAge)
	return after
}

// location judges a redirect; an allowed one loses its decoration.
func (e *editor) location(field, value string) string {
	if v := e.judge(value, field, e.Destination); v.Gate {
		e.redirect = v
		return ""
	}
	if e.Decoration == nil {
		return value
	}
	e.ref = append(e.ref[:0], value...)
	after, changed := e.Decoration.Strip(e.abs[:0], e.ref)
	if !changed {
		return value
	}
	return string(after)
}

// refresh follows the shared declarative refresh steps of the HTML standard, which browsers use for the field too.
func (e *editor) refresh(field, value string) string {
	if ref, ok := reference.Refresh([]byte(value)); ok && e.judge(string(ref), field, rewrite.DestinationDocument).Gate {
		return ""
	}
	return value
}

// report removes a field that names a gated collector in any of its quoted strings: JSON (Report-To, NEL) and structured
// fields (Reporting-Endpoints) quote alike.
func (e *editor) report(field, value string) string {
	return e.judgeStrings(field, value, rewrite.DestinationReport)
}

// speculation judges the rule sets that a Speculation-Rules field names.
func (e *editor) speculation(field, value string) string {
	return e.judgeStrings(field, value, rewrite.DestinationPrefetch)
}

func (e *editor) judgeStrings(field, value string, d rewrite.Destination) string {
	gated := false
	eachQuoted(value, func(s string) {
		gated = gated || strings.IndexByte(s, '/') >= 0 && e.judge(s, field, d).Gate
	})
	if gated {
		return ""
	}
	return value
}

// alternatives judges the hosts that browsers are told to take instead of the site's own (RFC 7838, 3).
func (e *editor) alternatives(field, value string) string {
	gated := false
	eachQuoted(value, func(s string) {
		gated = gated || s != "" && s[0] != ':' && e.judge("//"+s, field, rewrite.DestinationConnect).Gate
	})
	if gated {
		return ""
	}
	return value
}

func (e *editor) sourceMap(field, value string) string {
	if e.judge(value, field, rewrite.DestinationEmpty).Gate {
		return ""
	}
	return value
}

// xssProtection judges the report address that the obsolete X-XSS-Protection could carry.
func (e *editor) xssProtection(field, value string) string {
	i := indexFold(value, "report")
	if i < 0 {
		return value
	}
	ref := strings.TrimLeft(value[i+len("report"):], " \t=")
	ref, _, _ = strings.Cut(ref, ";")
	if e.judge(strings.Trim(ref, " \t"), field, rewrite.DestinationReport).Gate {
		return strings.TrimRight(value[:i], "; \t")
	}
	return value
}

// indexFold is strings.Index without regard to case. An index in a lower-case copy would not do: what is no UTF-8 is longer
// there.
func indexFold(s, name string) int {
	for i := range len(s) - len(name) + 1 {
		if strings.EqualFold(s[i:i+len(name)], name) {
			return i
		}
	}
	return -1
}

// writable reports whether a field value can go on the wire: no control characters but tabs.
func writable(v string) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for ; len(v) >= 8; v = v[8:] {
		w := uint64(v[0]) | uint64(v[1])<<8 | uint64(v[2])<<16 | uint64(v[3])<<24 | uint64(v[4])<<32 | uint64(v[5])<<40 | uint64(v[6])<<48 | uint64(v[7])<<56
		del := w ^ 0x7f*ones
		if ((w-' '*ones)&^w|(del-ones)&^del)&highs != 0 && !printable(v[:8]) {
			return false
		}
	}
	return printable(v)
}

func printable(v string) bool {
	for i := 0; i < len(v); i++ {
		if c := v[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
