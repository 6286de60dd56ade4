package caddymodule

import (
	"cmp"
	"slices"
	"strings"

	"github.com/caddy-consent/caddy-consent/caddymodule/inventory"
	"github.com/caddy-consent/caddy-consent/caddymodule/learned"
	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/rewrite"
	weburl "github.com/caddy-consent/caddy-consent/rewrite/url"
	"github.com/caddy-consent/caddy-consent/rules"
	"github.com/caddy-consent/caddy-consent/rules/filterlist"
	"github.com/caddy-consent/caddy-consent/rules/javascript"
)

// policy joins what the rules say about a resource with what the visitor decided: the single place where rules, consent
// and rewrite meet. It serves one response.
type policy struct {
	site     *site
	decision *consent.Decision
	pageHost string
	context  rules.Context
	page     *exchange      // nil where no page is written
	back     string         // where placeholders lead back to; "" is the page
	learned  *learned.Hosts // nil where nothing is to be learned
	claimed  bool           // a client says what is judged, no page
	claims   int            // hosts learned from what a client says
	tally    inventory.Tally
	reasons  *reasons      // nil unless the client may ask why, and does
	request  rules.Request // scratch, so that judging allocates nothing
}

// setPage says which page the resources belong to.
func (p *policy) setPage(host, path, query string) {
	p.pageHost = host
	p.context = rules.Context{Payment: rules.PaymentPage(path, query) || slices.ContainsFunc(p.site.options.Payment, func(g string) bool { return weburl.MatchPath(g, path) })}
}

// types maps Fetch destinations to the resource types of filter lists.
var types = [...]filterlist.Type{
	rewrite.DestinationEmpty:     filterlist.XHR,
	rewrite.DestinationScript:    filterlist.Script,
	rewrite.DestinationStyle:     filterlist.Stylesheet,
	rewrite.DestinationImage:     filterlist.Image,
	rewrite.DestinationFont:      filterlist.Font,
	rewrite.DestinationMedia:     filterlist.Media,
	rewrite.DestinationFrame:     filterlist.Subdocument,
	rewrite.DestinationObject:    filterlist.Object,
	rewrite.DestinationManifest:  filterlist.Other,
	rewrite.DestinationWorker:    filterlist.Script,
	rewrite.DestinationPing:      filterlist.Ping,
	rewrite.DestinationReport:    filterlist.CSPReport,
	rewrite.DestinationConnect:   filterlist.Other,
	rewrite.DestinationPrefetch:  filterlist.Other,
	rewrite.DestinationDocument:  filterlist.Document,
	rewrite.DestinationWebSocket: filterlist.WebSocket,
}

// Resource gates what a rule calls tracking and the visitor has not agreed to, every third-party pixel by its shape, and,
// in strict mode, every third party that was not declared.
func (p *policy) Resource(r *rewrite.Resource) rewrite.Verdict {
	m, found := p.match(r)
	if !found {
		if p.request.ThirdParty {
			p.tally.AddHost(r.Host(), r.Destination, &m, false)
		}
		if p.request.ThirdParty && p.learned != nil && (r.Destination == rewrite.DestinationScript || r.Destination == rewrite.DestinationWorker) {
			p.learned.Add(r.Host())
		}
		return rewrite.Verdict{}
	}
	v := p.verdict(inventory.KindResource, r.URL, m)
	if p.request.ThirdParty {
		p.tally.AddHost(r.Host(), r.Destination, &m, !p.decision.Permits(m.Purpose, m.Number))
	}
	if v.Gate && r.Destination == rewrite.DestinationFrame && !r.Beacon && p.page != nil {
		v.Placeholder = p.site.placeholder(m.Vendor, p.page.lang(), p.page.origin(), cmp.Or(p.back, p.page.url.RequestURI()), r.URL)
		if p.page.ascii {
			v.Placeholder = asciiMarkup(v.Placeholder)
		}
	}
	return v
}

// resourceOf is what a page would fetch from a URL for a destination, by a script.
func resourceOf(u *weburl.URL, d rewrite.Destination) rewrite.Resource {
	start, end := u.HostRange()
	return rewrite.Resource{URL: []byte(u.String()), HostStart: start, HostEnd: end, Destination: d, Element: "script"}
}

// match says who a resource belongs to, whatever the visitor decided.
func (p *policy) match(r *rewrite.Resource) (rules.Match, bool) {
	p.request = rules.Request{
		URL: r.URL, HostStart: r.HostStart, HostEnd: r.HostEnd, Type: types[r.Destination], PageHost: p.pageHost,
		ThirdParty: p.site.rules.ThirdParty(p.pageHost, r.Host()), Method: "GET",
	}
	m, found := p.site.rules.Match(&p.request, p.context)
	if !found && !p.request.ThirdParty && p.site.app.aliases != nil && !p.site.declared(r.Host()) {
		if alias, known := p.matchAlias(r); known {
			p.request.ThirdParty = true
			return alias, true
		}
	}
	switch {
	case found:
		return m, !navigation(r.Destination) || m.Purpose == consent.Analytics || m.Purpose == consent.Marketing
	case !p.request.ThirdParty || p.site.declared(r.Host()):
	case r.Beacon && r.Destination == rewrite.DestinationImage && !rules.Picture(r.URL):
		return rules.Match{Purpose: consent.Marketing, Rule: "third-party pixel"}, true
	case r.Destination == rewrite.DestinationReport:
		return rules.Match{Purpose: consent.Analytics, Rule: "third-party report"}, true
	case p.site.mode == modeStrict && !navigation(r.Destination):
		return rules.Match{Purpose: consent.Functional, Rule: "undeclared third party"}, true
	}
	return m, false
}

// navigation reports whether the visitor would leave the page. To a service that is used, such as a sign-in with a social
// network, that is the visitor's own way; past an advertiser's counter it is not.
func navigation(d rewrite.Destination) bool { return d == rewrite.DestinationDocument }

// Script gates an inline script that loads or configures a vendor. A large script of the site in which one line tracks
// is left to the guard, so that the rest of it works.
func (p *policy) Script(text []byte) rewrite.Verdict {
	m, found := p.site.rules.Script(text, p.context)
	if !found || m.Mixed {
		return rewrite.Verdict{}
	}
	v := p.verdict(inventory.KindScript, text, m)
	if v.Gate {
		v.Globals = strings.TrimSpace(v.Globals + " " + javascript.Declared(text))
	}
	return v
}

// Cookie gates the cookies of vendors that the visitor has not agreed to.
func (p *policy) Cookie(name []byte) rewrite.Verdict {
	m, found := p.site.rules.Cookie(name)
	if !found {
		return rewrite.Verdict{}
	}
	return p.verdict(inventory.KindCookie, name, m)
}

// verdict is the answer for a match of what, a thing of that kind; in report mode it is counted and let pass.
func (p *policy) verdict(of inventory.Kind, what []byte, m rules.Match) rewrite.Verdict {
	if p.decision.Permits(m.Purpose, m.Number) {
		p.tally.Add(of, &m, false)
		return rewrite.Verdict{}
	}
	p.tally.Add(of, &m, true)
	if p.reasons != nil {
		p.reasons.add(of, what, &m)
	}
	return p.named(&m)
}

// named is the verdict that gates what a rule matched, but for report mode, which gates nothing.
func (p *policy) named(m *rules.Match) rewrite.Verdict {
	return rewrite.Verdict{Gate: p.site.mode != modeReport, Vendor: cmp.Or(m.Vendor, "-"), Purpose: m.Purpose.String(), Globals: p.site.globals[cmp.Or(m.Vendor, m.StandIn)]}
}

// cookieKept reports, for the Cookie header on its way to the app, whether a cookie stays.
func (p *policy) cookieKept(name []byte) bool { return !p.Cookie(name).Gate }

var _ rewrite.Policy = (*policy)(nil)
