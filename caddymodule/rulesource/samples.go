package rulesource

import (
	"errors"
	"maps"
	"slices"
	"strings"

	weburl "github.com/caddy-consent/caddy-consent/rewrite/url"
	"github.com/caddy-consent/caddy-consent/rules"
	"github.com/caddy-consent/caddy-consent/rules/filterlist"
)

// Samples are requests by which lists are tried before they come into force.
type Samples struct {
	necessary []sample // the operator declared their hosts
	own       []sample // the sites' own
}

type sample struct {
	host    string
	request filterlist.Request
}

// pageType is what an ordinary rule, without $document, covers of a page.
const pageType = filterlist.Subdocument

// ordinary are paths as most sites have them.
var ordinary = map[string]filterlist.Type{
	"/": pageType, "/index.html": pageType, "/contact": pageType, "/search?q=a&page=2&id=3": pageType,
	"/style.css": filterlist.Stylesheet, "/css/main.css": filterlist.Stylesheet, "/app.js": filterlist.Script, "/js/main.js": filterlist.Script,
	"/images/logo.png": filterlist.Image, "/favicon.ico": filterlist.Image, "/fonts/text.woff2": filterlist.Font, "/api/products": filterlist.XHR,
}

// NewSamples returns what sites cannot do without: ordinary paths of any site, those and the given pages of each that is named,
// and the hosts that were declared.
func NewSamples(sites map[string][]string, declared []string) Samples {
	var s Samples
	for _, name := range append([]string{anySite}, slices.Sorted(maps.Keys(sites))...) {
		for _, path := range slices.Sorted(maps.Keys(ordinary)) { // in one order: what a refusal says is compared with the one before
			s.own = appendSample(s.own, name, name, path, ordinary[path])
		}
		for _, path := range sites[name] {
			s.own = appendSample(s.own, name, name, path, pageType)
		}
	}
	for _, host := range declared {
		if strings.Contains(host, ".") && !strings.ContainsAny(host, "/*|") {
			s.necessary = appendSample(s.necessary, host, anySite, "/", filterlist.Script)
			s.necessary = appendSample(s.necessary, host, anySite, "/", filterlist.Image)
		}
	}
	return s
}

// anySite stands for a site of which nothing is known.
const anySite = "www.site.example"

func appendSample(list []sample, host, page, path string, t filterlist.Type) []sample {
	u, err := weburl.Parse("https://" + host + path)
	if err != nil {
		return list
	}
	start, end := u.HostRange()
	return append(list, sample{host, filterlist.Request{
		URL: []byte(u.String()), HostStart: start, HostEnd: end, Type: t, PageHost: page, ThirdParty: host != page, Method: "GET",
	}})
}

// Refuse returns an error, which wraps a *filterlist.Refusal, if the lists would do damage. A rule that names a declared
// host itself does none: the declaration beats it, and is often there because of it. One that hits the host without
// naming it hits everybody.
func (s Samples) Refuse(e *filterlist.Engine) error {
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
