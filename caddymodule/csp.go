package caddymodule

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/caddy-consent/caddy-consent/caddymodule/inventory"
	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/rewrite/header"
	"github.com/caddy-consent/caddy-consent/rules"
)

// The consent-derived Content-Security-Policy is the third defence, for what neither the bytes nor the guard can see. It
// is a policy of its own beside the site's, so it can only tighten: it names who may be contacted and leaves inline code,
// eval and the like to the site's policy.
//
//   - strict: nobody but the site itself and whom the operator or the visitor allowed.
//   - auto: scripts and workers only, which is where what the guard cannot see comes from (import(), importScripts), from
//     the site and the third parties that it was seen to load scripts from and that no rule calls tracking. Until enough
//     pages were seen, the browser is asked to report only; each report of a host that is not tracking adds it.
//
// A document keeps the policy that it came with, so what a visitor permits later would be refused by it. Where the
// visitor is still being asked, auto therefore reports only, unless a report told that on this site something gated gets
// past bytes and guard; then the guard reloads the page after an agreement. With marketing permitted there is no telling
// whom an advertisement will contact, so nothing is restricted; a withdrawal brings the policy into the open page. Of the
// vendors of other purposes that a visitor permits there are too many for a field: it names those that the site is known
// to have, and the reports tell of more.
const (
	cspInline  = "data: blob: 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' mediastream: filesystem:"
	cspName    = "Content-Security-Policy"
	cspReports = "Content-Security-Policy-Report-Only"
	// maxPolicy bounds the header's length: servers and proxies refuse longer ones.
	maxPolicy = 6 << 10
)

// appendPolicy adds the policy to a response, and those of filter lists.
func (x *exchange) appendPolicy(h http.Header) {
	x.appendListPolicies(h)
	mode := x.site.options.CSP
	if x.site.mode == modeStrict && mode == "" {
		mode = "strict"
	}
	seen := x.policy.learned
	enforce := mode == "strict" || seen.Enough(x.url.Path) && (x.decision.Ask == 0 || seen.Escaped())
	if mode == "off" || scriptless(h) || !enforce && !x.document() || x.decision.Permits(consent.Marketing, 0) {
		return
	}
	policy := x.rememberedPolicy(mode == "strict")
	switch {
	case policy == "":
	case enforce:
		header.AppendCSP(h, policy)
	default:
		h.Add(cspReports, policy)
	}
}

// confine holds back what no rewriter can follow, parts of a series or the outcome of an XSLT program: nobody may be
// contacted but the site itself and whom the operator allowed. Who permits all gets no policy: no cache may give that to others.
func (x *exchange) confine(h http.Header) {
	if x.site.mode == modeReport || x.site.options.CSP == "off" {
		return
	}
	addVary(h)
	header.Private(h, true)
	if x.decision.Permits(consent.Marketing, 0) {
		return
	}
	if policy := x.rememberedPolicy(true); policy != "" {
		header.AppendCSP(h, policy)
	}
}

// withdrawalPolicy is what the guard puts into an open page from which something is withdrawn; "" where nothing would be
// enforced on a fresh one.
func (x *exchange) withdrawalPolicy() string {
	strict := x.site.options.CSP == "strict" || x.site.mode == modeStrict && x.site.options.CSP == ""
	if x.site.options.CSP == "off" || x.decision.Permits(consent.Marketing, 0) || !strict && !x.policy.learned.Enough(x.returnPath()) {
		return ""
	}
	policy, _ := x.policyText(strict)
	return policy
}

// policyKey is what the policy of a site depends on.
type policyKey struct {
	site, host string
	permitted  consent.Purposes
	strict     bool
	learned    uint32 // the version of what was learned
	known      uint32 // the version of the vendors that the site is known to have
}

// rememberedPolicy returns the policy for this visitor, "" where it would be too long. Visitors who chose single vendors
// have their own.
func (x *exchange) rememberedPolicy(strict bool) string {
	key := policyKey{site: x.siteName, host: x.r.Host, permitted: x.decision.Permitted, strict: strict}
	if x.policy.learned != nil {
		key.learned = x.policy.learned.Version()
	}
	permits := x.decision.Permitted&consent.OptionalPurposes != 0
	if permits {
		key.known = x.site.app.inventory.Version(x.siteName)
	}
	if text, ok := x.site.policies.get(key); ok && x.decision.Vendors.IsZero() {
		return text
	}
	text, ok := x.policyText(strict)
	if !ok {
		text = ""
	} else if !strict || permits {
		text += "; report-uri " + x.site.options.Prefix + "/csp" // by which what is enforced heals when the site adds a host
	}
	if x.decision.Vendors.IsZero() {
		key.site, key.host = strings.Clone(key.site), strings.Clone(key.host)
		x.site.policies.put(key, text)
	}
	return text
}

// scriptless reports whether a response is of a type in which, however it is used, no browser runs or fetches anything
// that a policy of its own would govern. SVG is not: an image to one page is a document in a window of its own.
func scriptless(h http.Header) bool {
	values := h["Content-Type"]
	if len(values) != 1 || strings.Contains(values[0], ",") { // of several the last counts (Fetch, "extract a MIME type")
		return false
	}
	kind, subtype, _ := strings.Cut(values[0], "/")
	switch kind {
	case "image":
		return !strings.Contains(subtype, "xml") && !strings.Contains(subtype, "XML")
	case "font", "audio", "video":
		return true
	}
	return false
}

// policyText writes the policy for this visitor; ok is false when it would be too long.
func (x *exchange) policyText(strict bool) (policy string, ok bool) {
	var b strings.Builder
	if strict {
		b.WriteString("default-src")
	} else {
		b.WriteString("script-src")
	}
	b.WriteString(" 'self' ")
	b.WriteString(cspInline)
	if site := rules.RegistrableDomain(x.policy.pageHost); header.IsHostSource([]byte(site)) && !strings.ContainsAny(x.r.Host, ";,'*") {
		b.WriteString(" " + site + " *." + site + " ws://" + x.r.Host + " wss://" + x.r.Host)
	}
	for _, a := range x.site.options.Allow {
		if strings.Contains(a.Host, ".") {
			b.WriteString(" " + a.Host + " *." + a.Host)
		}
	}
	room := maxPolicy - b.Len()
	if strict {
		b.WriteString(x.permittedHosts(room))
	} else {
		learned := x.policy.learned
		b.WriteString(x.permittedHosts(room - len(strings.Join(learned.List(0), " ")) - 1))
		for _, host := range learned.List(maxPolicy - b.Len()) {
			b.WriteByte(' ')
			b.WriteString(host)
		}
	}
	return b.String(), b.Len() <= maxPolicy
}

// permittedHosts writes the hosts of the vendors that the visitor permits, of those that the site is known to have where all
// would take more room.
func (x *exchange) permittedHosts(room int) string {
	all, size := map[uint16]string{}, 0
	x.site.rules.Gated(func(number uint16, purpose consent.Purpose, hosts []string) {
		if x.decision.Permits(purpose, number) {
			size -= len(all[number])
			for _, host := range hosts {
				all[number] += " " + host + " *." + host
			}
			size += len(all[number])
		}
	})
	var b strings.Builder
	if size <= room {
		for _, number := range slices.Sorted(maps.Keys(all)) {
			b.WriteString(all[number])
		}
		return b.String()
	}
	for _, id := range x.site.app.inventory.Known(x.siteName) {
		if number, ok := x.site.vendorNumber(id); ok && b.Len()+len(all[number]) <= room {
			b.WriteString(all[number])
			delete(all, number)
		}
	}
	return b.String()
}

// maxReport bounds one report.
const maxReport = 32 << 10

// cspReport takes a browser's report. Nothing of it is kept but a host that is not tracking, or that there was one that is.
func (x *exchange) cspReport(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	if x.r.Method != http.MethodPost {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	if crossOrigin.Check(x.r) != nil { // else another site's page could have its visitors, on as many networks, report what it likes
		w.WriteHeader(http.StatusForbidden)
		return
	}
	var report struct {
		Body struct {
			Document  string `json:"document-uri"`
			Blocked   string `json:"blocked-uri"`
			Directive string `json:"effective-directive"`
		} `json:"csp-report"`
	}
	if json.NewDecoder(io.LimitReader(x.r.Body, maxReport)).Decode(&report) == nil {
		if u, err := url.Parse(report.Body.Blocked); err == nil && u.Host != "" {
			page := "/"
			if d, err := url.Parse(report.Body.Document); err == nil {
				page = d.Path
			}
			var seen inventory.Tally
			x.policy.claim(&seen, report.Body.Blocked, destinationOfDirective(report.Body.Directive))
			x.site.app.inventory.Add(x.siteName, page, &seen)
			// judge notes the host as learned if no rule gates it. What is gated should never have come so far.
			if _, gated := x.policy.judge(report.Body.Blocked, destinationOfDirective(report.Body.Directive)); gated && x.policy.learned != nil {
				x.policy.learned.Escape()
			}
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// destinationOfDirective names what a fetch directive governs (CSP 3, 6.1).
func destinationOfDirective(d string) string {
	name, _, _ := strings.Cut(d, "-src")
	switch name {
	case "script", "style", "font", "media", "object", "manifest", "worker", "frame":
		return name
	case "img":
		return "image"
	}
	return ""
}
