package caddymodule

import (
	"slices"

	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rules"
)

// CNAME makes the gateway look up what the site's own sub-domains stand for in the DNS, so that a tracker under a name
// of the site (metrics.shop.example, an alias of shop.tracker.example) is judged as what it is.
type CNAME struct {
	// Resolver is the address of a DNS server, such as "127.0.0.1:53". Default: the system's.
	Resolver string `json:"resolver,omitempty"`
}

// matchAlias judges a resource of the site's own sub-domain as what the sub-domain stands for. Where a visitor goes is
// left alone: a page under the site's name is the site's.
func (p *policy) matchAlias(r *rewrite.Resource) (rules.Match, bool) {
	if string(r.Host()) == p.pageHost || navigation(r.Destination) {
		return rules.Match{}, false
	}
	for _, target := range p.site.app.aliases.Of(r.Host(), p.claimed) {
		q := p.request
		q.URL = slices.Concat(r.URL[:r.HostStart], []byte(target), r.URL[r.HostEnd:])
		q.HostEnd, q.ThirdParty = r.HostStart+len(target), true
		if m, found := p.site.rules.Match(&q, p.context); found {
			m.Rule += " (an alias of " + target + ")"
			return m, true
		}
	}
	return rules.Match{}, false
}
