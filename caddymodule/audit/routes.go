package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// chain is what a request has passed on its way through a site's handlers.
type chain struct {
	site        string
	gateway     bool // the site has a consent handler somewhere
	consent     bool // it was passed
	anonymizes  bool // the site has an anonymize_ip handler somewhere
	anonymized  bool // it was passed
	conditional bool // only some requests come here
}

// server looks at each site of a server: its routes, and those for its error pages.
func (a *auditor) server(path string, server gjson.Result) {
	if server.Get("logs.should_log_credentials").Bool() {
		a.add(Finding{
			Site: listens(server), Path: path + ".logs", Rule: "log-credentials", What: "log_credentials writes Cookie, Set-Cookie and Authorization into the access log",
			Why: "cookies tell visitors apart, those of consent too", Remedy: "remove log_credentials",
		})
	}
	routes, nameless := server.Get("routes"), chain{site: listens(server)}
	for _, r := range routes.Array() {
		if len(hosts(r)) == 0 {
			nameless.gateway = nameless.gateway || contains(r, "consent")
			nameless.anonymizes = nameless.anonymizes || contains(r, "anonymize_ip")
		}
	}
	var guarded [][]string
	for i, r := range routes.Array() {
		at := fmt.Sprintf("%s.routes.%d", path, i)
		names := hosts(r)
		if len(names) == 0 {
			a.route(at, r, &nameless)
			if nameless.gateway {
				guarded = append(guarded, nil)
			}
			continue
		}
		c := chain{site: strings.Join(names, ", "), gateway: contains(r, "consent"), anonymizes: contains(r, "anonymize_ip")}
		a.handlers(at, r, &c)
		if c.gateway {
			guarded = append(guarded, names)
		}
	}
	for i, r := range server.Get("errors.routes").Array() {
		a.errorRoute(fmt.Sprintf("%s.errors.routes.%d", path, i), r, guarded, listens(server))
	}
}

// errorRoute looks whether error pages of a site with the gateway pass it, too.
func (a *auditor) errorRoute(path string, r gjson.Result, guarded [][]string, listen string) {
	names := hosts(r)
	of := func(site []string) bool {
		return len(names) == 0 || len(site) == 0 || slices.ContainsFunc(site, func(h string) bool { return slices.Contains(names, h) })
	}
	if contains(r, "consent") || !contains(r, "") || !slices.ContainsFunc(guarded, of) {
		return
	}
	site := strings.Join(names, ", ")
	if site == "" {
		site = listen
	}
	a.add(Finding{
		Site: site, Path: path, Rule: "errors-unguarded", What: "handle_errors has no consent",
		Why:    "error pages do not pass the site's own consent: their trackers are loaded and their cookies set before anybody agreed",
		Remedy: "write consent as the first line of handle_errors",
	})
}

// route looks at one route; what a route for some requests only has passed does not count for those that follow.
func (a *auditor) route(path string, r gjson.Result, c *chain) {
	if r.Get("match").Exists() || r.Get("group").Exists() {
		branch := *c
		branch.conditional = true
		c = &branch
	}
	a.handlers(path, r, c)
}

func (a *auditor) handlers(path string, r gjson.Result, c *chain) {
	for i, h := range r.Get("handle").Array() {
		at := fmt.Sprintf("%s.handle.%d", path, i)
		a.handler(at, h, c)
		for j, sub := range h.Get("routes").Array() {
			a.route(fmt.Sprintf("%s.routes.%d", at, j), sub, c)
		}
	}
}

// handler looks at one handler and notes what it changes for those behind it.
func (a *auditor) handler(path string, h gjson.Result, c *chain) {
	add := func(note bool, rule, what, why, remedy string) {
		a.add(Finding{Site: c.site, Path: path, Note: note, Rule: rule, What: what, Why: why, Remedy: remedy})
	}
	switch kind := h.Get("handler").String(); kind {
	case "consent":
		on := h.Get("mode").String() != "off"
		if on && c.consent {
			add(true, "consent-twice", "consent stands behind another consent", "the first one asks: what this one says of look, words and policy version no visitor sees",
				"join the two blocks; {block} in a snippet takes a site's own lines: import NAME { … }")
		}
		c.consent = c.consent || on
		a.options(path, c.site, h)
	case "anonymize_ip":
		c.anonymized = true
	case "tracing":
		if !c.anonymized {
			add(false, "tracing-raw", "tracing without anonymize_ip before it", "spans hold the visitor's address (client.address, network.peer.address), and no log format masks them",
				"write anonymize_ip into the site; it is ordered before tracing by itself")
		}
	case "encode":
		if c.consent {
			add(false, "encode-inside", "encode runs inside consent", "consent has to read what encode compressed, and sends it on uncompressed",
				"put encode before consent, outside of route and handle; the directives' own order does that")
		}
	case "headers":
		a.headers(h, c, add)
	case "cache":
		if c.gateway && !c.consent {
			add(false, "cache-outside", "cache stores pages outside consent", "a page made for a visitor who agreed is given to one who did not", "order it behind consent: order cache after consent")
		}
	case "authentication", "reverse_proxy", "static_response", "file_server":
		if kind == "reverse_proxy" {
			a.forwarded(h, c, add)
		}
		if c.gateway && !c.consent {
			a.answer(kind, h, c, add)
		}
	}
}

// report adds a finding or a note about the handler at hand.
type report func(note bool, rule, what, why, remedy string)

// headers looks for fields that are put back after consent withheld them: deferred operations of a handler, and those that
// require something of the answer, run when it passes the handler on its way out.
func (a *auditor) headers(h gjson.Result, c *chain, add report) {
	a.forwardedIn(h.Get("request"), c, add)
	if !c.gateway || c.consent || !h.Get("response.deferred").Bool() && !h.Get("response.require").Exists() {
		return
	}
	for _, op := range []string{"set", "add", "replace"} {
		h.Get("response." + op).ForEach(func(field, _ gjson.Result) bool {
			switch strings.ToLower(strings.TrimLeft(field.String(), "+?")) {
			case "set-cookie", "link", "refresh", "reporting-endpoints", "report-to", "nel":
				add(false, "deferred-header", "the deferred header "+field.String()+" is set outside consent", "it goes to the visitor after consent looked at the answer: a cookie or a preload that nobody agreed to",
					"drop the > before its name, or put header behind consent: route { consent; header >"+field.String()+" … }")
			case "content-security-policy":
				add(true, "deferred-header", "the deferred header "+field.String()+" replaces the policy that consent sends", "what a page contacts unseen is then held back by the guard alone", "drop the > before its name: consent joins both policies")
			}
			return true
		})
	}
}

// forwarded looks for an address that is passed on before it is masked.
func (a *auditor) forwarded(h gjson.Result, c *chain, add report) {
	a.forwardedIn(h.Get("headers.request"), c, add)
}

func (a *auditor) forwardedIn(ops gjson.Result, c *chain, add report) {
	if c.anonymized || !c.anonymizes {
		return
	}
	for _, op := range []string{"set", "add"} {
		ops.Get(op).ForEach(func(field, values gjson.Result) bool {
			if strings.Contains(values.Raw, "{http.request.remote") || strings.Contains(values.Raw, "{http.vars.client_ip}") {
				add(false, "address-forwarded", "the request header "+field.String()+" takes the visitor's address before anonymize_ip masks it", "the app behind, and its logs, get the whole address",
					"write anonymize_ip before it; outside of route, the directives' own order does that")
			}
			return true
		})
	}
}

// answer judges a handler that answers before consent was passed.
func (a *auditor) answer(kind string, h gjson.Result, c *chain, add report) {
	const why = "the answer is not looked at: its trackers are loaded and its cookies set before anybody agreed"
	const remedy = "put consent first: route { consent; … }; or say that it is meant: consent @matcher off"
	switch {
	case kind == "reverse_proxy" && h.Get("headers.request.set.X-Forwarded-Uri").Exists() && h.Get("handle_response").Exists():
		add(false, "answers-above", "forward_auth answers before consent", "the authentication service's pages go to the visitor as they are, its trackers and cookies with them",
			"write route { consent; forward_auth …; reverse_proxy … }")
	case kind == "authentication":
		add(true, "answers-above", "authentication answers before consent", "its refusals are empty unless handle_errors makes pages of them", "none is needed while handle_errors has consent")
	case kind == "static_response" && ownPath(h.Get("headers.Location.0").String()):
	case kind == "static_response" && h.Get("headers.Location").Exists():
		add(true, "answers-above", "a redirect is sent before consent", "its target is not looked at: a link shortener or click tracker stays one", "none is needed where the target is the operator's own")
	case kind == "static_response" && h.Get("body").String() == "":
	case c.conditional:
		add(true, "answers-above", kind+" answers some requests before consent", why, remedy)
	default:
		add(false, "answers-above", kind+" answers before consent", why, remedy)
	}
}

// ownPath reports whether a redirect stays on the site.
func ownPath(location string) bool {
	return strings.HasPrefix(location, "/") && !strings.HasPrefix(location, "//")
}

// hosts are the host names of a route's matchers.
func hosts(r gjson.Result) (names []string) {
	for _, m := range r.Get("match").Array() {
		for _, h := range m.Get("host").Array() {
			names = append(names, h.String())
		}
	}
	return names
}

// contains reports whether a route has a handler of that name, at any depth and not turned off; "" stands for any that
// answers or passes on.
func contains(r gjson.Result, name string) bool {
	for _, h := range r.Get("handle").Array() {
		kind := h.Get("handler").String()
		if kind == name && h.Get("mode").String() != "off" || name == "" && kind != "subroute" && kind != "vars" {
			return true
		}
		if slices.ContainsFunc(h.Get("routes").Array(), func(sub gjson.Result) bool { return contains(sub, name) }) {
			return true
		}
	}
	return false
}
