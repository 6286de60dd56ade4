package caddymodule

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/caddy-consent/caddy-consent/rewrite"
	weburl "github.com/caddy-consent/caddy-consent/rewrite/url"
	"github.com/caddy-consent/caddy-consent/rules"
	"github.com/caddy-consent/caddy-consent/rules/filterlist"
)

// samples are requests by which lists are tried before they come into force.
type samples struct {
	necessary []sample // the operator declared their hosts
	own       []sample // the sites' own
}

type sample struct {
	host    string
	request filterlist.Request
}

// ordinary are paths as most sites have them.
var ordinary = map[string]rewrite.Destination{
	"/": rewrite.DestinationDocument, "/index.html": rewrite.DestinationDocument, "/contact": rewrite.DestinationDocument,
	"/style.css": rewrite.DestinationStyle, "/css/main.css": rewrite.DestinationStyle, "/app.js": rewrite.DestinationScript,
	"/js/main.js": rewrite.DestinationScript, "/images/logo.png": rewrite.DestinationImage, "/favicon.ico": rewrite.DestinationImage,
	"/fonts/text.woff2": rewrite.DestinationFont, "/api/products": rewrite.DestinationEmpty, "/search?q=a&page=2&id=3": rewrite.DestinationDocument,
}

// maxSampled bounds the sites, and the pages of each, that lists are tried on.
const maxSampled = 50

// samples gathers what the sites cannot do without: ordinary paths and pages that were seen, and the hosts that were
// declared. At a first start nothing was seen yet: then any site's stands for all.
func (a *App) samples() samples {
	sites := map[string][]string{"www.site.example": nil}
	allow := slices.Clone(a.Options.Allow)
	if a.store != nil {
		for name, pages := range a.store.inventory.pages(maxSampled) {
			sites[name] = pages
		}
	}
	a.mu.Lock()
	for h := range a.sites {
		if s := h.site.Load(); s != nil {
			allow = append(allow, s.options.Allow...)
			if s.options.Site != "" && len(sites) < maxSampled {
				sites[s.options.Site] = append(sites[s.options.Site], "/")
			}
		}
	}
	a.mu.Unlock()
	var s samples
	for _, name := range slices.Sorted(maps.Keys(sites)) {
		for _, path := range slices.Sorted(maps.Keys(ordinary)) { // in one order: what a refusal says is compared with the one before
			s.own = appendSample(s.own, name, name, path, ordinary[path])
		}
		for _, path := range sites[name] {
			s.own = appendSample(s.own, name, name, path, rewrite.DestinationDocument)
		}
	}
	for _, one := range allow {
		if strings.Contains(one.Host, ".") && !strings.ContainsAny(one.Host, "/*|") {
			s.necessary = appendSample(s.necessary, one.Host, "www.site.example", "/", rewrite.DestinationScript)
			s.necessary = appendSample(s.necessary, one.Host, "www.site.example", "/", rewrite.DestinationImage)
		}
	}
	return s
}

func appendSample(list []sample, host, page, path string, d rewrite.Destination) []sample {
	u, err := weburl.Parse("https://" + host + path)
	if err != nil {
		return list
	}
	r := resourceOf(u, d)
	t := types[d]
	if d == rewrite.DestinationDocument {
		t = filterlist.Subdocument // what an ordinary rule, without $document, covers of a page
	}
	return append(list, sample{host, filterlist.Request{
		URL: r.URL, HostStart: r.HostStart, HostEnd: r.HostEnd, Type: t, PageHost: page, ThirdParty: host != page, Method: "GET",
	}})
}

// refuse returns an error, which wraps a *filterlist.Refusal, if the lists would do damage. A rule that names a declared
// host itself does none: the declaration beats it, and is often there because of it. One that hits the host without
// naming it hits everybody.
func (s samples) refuse(e *filterlist.Engine) error {
	for _, one := range s.necessary {
		err := e.Refuse(filterlist.Samples{Necessary: []filterlist.Request{one.request}})
		refusal := (*filterlist.Refusal)(nil)
		if errors.As(err, &refusal) && !strings.Contains(strings.ToLower(refusal.Rule), rules.RegistrableDomain(one.host)) {
			return err
		}
	}
	own := make([]filterlist.Request, len(s.own))
	for i, one := range s.own {
		own[i] = one.request
	}
	return e.Refuse(filterlist.Samples{FirstParty: own})
}
