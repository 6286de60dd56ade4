package caddymodule

import (
	"encoding/binary"
	"hash/fnv"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/ui"
	"github.com/caddy-consent/caddy-consent/rewrite/encoding"
	"github.com/caddy-consent/caddy-consent/rewrite/header"
)

// editHeader does what every response needs, errors and bodyless ones included. It returns the status to send.
func (x *exchange) editHeader(h http.Header, status int) int {
	location := h["Location"]
	if !redirects(status) {
		delete(h, "Location") // it leads no browser anywhere, and stays
	}
	delete(h, markHeader) // only this gateway says how to know what it gated
	x.siteCSP, x.digests = len(h[cspName])+len(h[cspReports]) > 0, len(h["Integrity-Policy"]) > 0
	now := time.Now()
	x.edit = header.Options{
		Policy: &x.policy, Resolve: x.resolve, Destination: x.destination(),
		OptOut: !x.decision.Permits(consent.Marketing, 0), Featureless: featureless(x.r.UserAgent()), Decoration: x.site.decoration(&x.decision),
		MaxCookieAge: maxLifetime, // audience measurement is excused for 13 months at most (CNIL, 4 July 2025)
		Now:          now,
	}
	passed := x.policy.tally.Passes
	redirect := header.Edit(h, &x.edit)
	agreed := x.policy.tally.Passes > passed
	if x.suspectCookies(h, now) || agreed || redirects(status) && location != nil && x.decorated(location[0]) {
		addVary(h)
		header.Private(h, true) // others may not permit it, nor this visitor any more
	}
	switch {
	case redirect.Gate:
		status = x.gateRedirect(h, location[0], redirect)
	case !redirects(status) && location != nil:
		h["Location"] = location
	}
	x.appendPolicy(h)
	x.remember(h)
	x.fields[1] = x.trackingStatusValue()
	h["Tk"] = x.fields[1:]
	return status
}

// redirects reports whether browsers follow the Location of a response (Fetch, 2.2.3, "redirect status").
func redirects(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// decorated reports whether a redirect passes on marks of the visitor, or would with marketing permitted.
func (x *exchange) decorated(location string) bool {
	_, marked := x.site.decorations.Strip(nil, []byte(location))
	return marked
}

// remember keeps what a signal refused where nobody asks: under opt-out the refusal must outlive the header that caused it.
func (x *exchange) remember(h http.Header) {
	if x.decision.Regime == consent.OptIn || x.decision.Honoured == 0 || !x.fetch.markup() {
		return
	}
	if t, ok := consent.Remember(&x.site.terms, &x.signals, time.Now()); ok {
		value := string(x.site.app.keys.Sign(nil, x.siteName, &t))
		h["Set-Cookie"] = append(h["Set-Cookie"], x.cookie().Set(value, x.site.terms.CookieAge(&t)))
		header.Private(h, false)
	}
}

// featureless reports whether a browser is Chromium 156 or later, which has no advertising features any more: it warned of each
// in the console of every page.
func featureless(agent string) bool {
	_, version, ok := strings.Cut(agent, "Chrome/")
	if !ok {
		return false
	}
	version, _, _ = strings.Cut(version, ".")
	n, err := strconv.Atoi(version)
	return err == nil && n >= 156
}

// editInterim edits a 1xx response: early hints would preload a tracker before the page is there (RFC 8297).
func (x *exchange) editInterim(h http.Header) {
	header.Edit(h, &header.Options{Policy: &x.policy, Resolve: x.resolve, Now: time.Now()})
}

// allowOwn lets guard and banner work under the site's own policy: with that one file of ours, the endpoints, and the
// Trusted Types policy through which the file is named. An IPv6 address cannot stand in a policy (CSP 3, 2.3.1).
func (x *exchange) allowOwn(h http.Header) {
	endpoints := "'self'"
	if !strings.ContainsAny(x.r.Host, "[]*'") {
		late, _ := x.guard().Late()
		header.AllowSource(h, "script-src-elem", x.r.Host+late)
		endpoints = x.r.Host + x.site.options.Prefix + "/"
	}
	header.AllowSource(h, "connect-src", endpoints)
	header.AllowSource(h, "form-action", endpoints)
	header.AllowSource(h, "trusted-types", "caddy-consent")
}

// editRewritten makes the header true for a body that is changed on the way and depends on the visitor's decision.
func (x *exchange) editRewritten(h http.Header, kind encoding.Kind) {
	header.Rewritten(h)
	header.MarkETag(h, x.state())
	addVary(h)
	header.Private(h, kind == encoding.KindHTML || kind == encoding.KindXML || x.fetch == fetchWorker)
	if x.document() && (kind == encoding.KindHTML || x.xhtml) {
		if !x.siteCSP {
			return // a policy of ours allows what is ours
		}
		if _, ok := header.Nonce(header.ParseCSP(h[cspName])); !ok {
			header.AllowInline(h, "script-src-elem", x.guard().Hash())
			if x.xhtml {
				header.AllowInline(h, "script-src-elem", bannerScript)
			}
			if x.site.bridge != nil {
				header.AllowInline(h, "script-src-elem", x.site.bridge.hash)
			}
		}
		for hash := range strings.FieldsSeq(x.site.ui.StyleHash()) {
			header.AllowInline(h, "style-src-elem", hash)
		}
		x.allowOwn(h)
	}
}

// bannerScript is what makes the banner's shadow root in XML.
var bannerScript = ui.ScriptHash()

// editConfirmed does the same for a 304, whose fields replace those that the browser stored with the body (RFC 9111, 4.3.4).
func (x *exchange) editConfirmed(h http.Header) {
	kind := encoding.KindHTML
	if x.styleWanted() {
		kind = encoding.KindCSS
	}
	x.editRewritten(h, kind)
}

// addVary names the request fields that the body depends on.
func addVary(h http.Header) {
	if len(h["Vary"]) == 0 {
		h["Vary"] = []string{"Cookie, Sec-GPC, DNT, Sec-Fetch-Dest"}
		return
	}
	for _, f := range [...]string{"Cookie", "Sec-GPC", "DNT", "Sec-Fetch-Dest"} {
		if !listed(h["Vary"], f) {
			h["Vary"] = append(h["Vary"], f)
		}
	}
}

// listed reports whether a field that is a list has a member.
func listed(values []string, member string) bool {
	for _, v := range values {
		for m := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(m), member) {
				return true
			}
		}
	}
	return false
}

// state names, for entity tags, what a rewritten body depends on: two visitors with the same state get the same page. With
// the rules, the options or what is known of aliases it changes: a page that was stored before would be confirmed as it
// was judged then.
func (x *exchange) state() string {
	if x.stateTag != "" {
		return x.stateTag
	}
	f := fnv.New64a()
	var scratch [16]byte
	_, _ = f.Write(x.decision.AppendSets(scratch[:0]))
	for n, granted := range x.decision.Vendors.All() {
		_, _ = f.Write([]byte{byte(n >> 8), byte(n), map[bool]byte{true: 1}[granted]})
	}
	_, _ = f.Write(binary.LittleEndian.AppendUint64(scratch[:0], x.site.sum))
	_, _ = f.Write([]byte{byte(x.fetch)}) // what fetch() gets has neither guard nor banner
	if x.document() && x.justAnswered() {
		_, _ = f.Write([]byte{1}) // a page that says so is not confirmed later
	}
	_, _ = io.WriteString(f, x.guard().Hash()+x.lang())
	if a := x.site.app.aliases; a != nil && x.fetch != fetchWorker { // a worker's script names nothing that is judged
		_, _ = f.Write(binary.LittleEndian.AppendUint64(scratch[:0], a.Sum()))
	}
	x.stateTag = strconv.FormatUint(f.Sum64(), 36)
	return x.stateTag
}
