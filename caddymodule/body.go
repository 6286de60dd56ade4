package caddymodule

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/ui"
	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/css"
	"github.com/caddy-consent/caddy-consent/rewrite/encoding"
	"github.com/caddy-consent/caddy-consent/rewrite/guard"
	"github.com/caddy-consent/caddy-consent/rewrite/header"
	"github.com/caddy-consent/caddy-consent/rewrite/html"
	weburl "github.com/caddy-consent/caddy-consent/rewrite/url"
	"github.com/caddy-consent/caddy-consent/rules"
)

// editHeader does what every response needs, errors and bodyless ones included. It returns the status to send.
func (x *exchange) editHeader(h http.Header, status int) int {
	location := h["Location"]
	if !redirects(status) {
		delete(h, "Location") // it leads no browser anywhere, and stays
	}
	delete(h, markHeader) // only this gateway says how to know what it gated
	x.siteCSP = len(h[cspName])+len(h[cspReports]) > 0
	now := time.Now()
	x.edit = header.Options{
		Policy: &x.policy, Resolve: x.resolve, Destination: x.destination(),
		OptOut: !x.decision.Permits(consent.Marketing, 0), Decoration: x.site.decoration(&x.decision),
		MaxCookieAge: maxCookieAge, Now: now,
	}
	redirect := header.Edit(h, &x.edit)
	x.suspectCookies(h, now)
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

// remember keeps what a signal refused where nobody asks: under opt-out the refusal must outlive the header that caused it.
func (x *exchange) remember(h http.Header) {
	if x.decision.Regime == consent.OptIn || x.decision.Honoured == 0 || !x.fetch.markup() {
		return
	}
	if t, ok := consent.Remember(&x.site.terms, &x.signals, time.Now()); ok {
		value := string(x.site.app.keys.Sign(nil, x.siteName, &t))
		h["Set-Cookie"] = append(h["Set-Cookie"], x.cookie().Set(value, x.site.terms.CookieAge(&t)))
	}
}

// editInterim edits a 1xx response: early hints would preload a tracker before the page is there (RFC 8297).
func (x *exchange) editInterim(h http.Header) {
	header.Edit(h, &header.Options{Policy: &x.policy, Resolve: x.resolve, Now: time.Now()})
}

// allowLate lets the guard fetch its second part under the site's own policy: that one file, and the Trusted Types policy
// through which it is named.
func (x *exchange) allowLate(h http.Header) {
	if late, _ := x.guard().Late(); !strings.ContainsAny(x.r.Host, "[]*'") {
		header.AllowSource(h, "script-src-elem", x.r.Host+late)
	}
	header.AllowSource(h, "trusted-types", "caddy-consent")
}

// editRewritten makes the header true for a body that is changed on the way and depends on the visitor's decision.
func (x *exchange) editRewritten(h http.Header, kind encoding.Kind) {
	header.Rewritten(h)
	header.MarkETag(h, x.state())
	addVary(h)
	makePrivate(h, kind == encoding.KindHTML || kind == encoding.KindXML || x.fetch == fetchWorker)
	if x.document() && kind == encoding.KindHTML {
		if !x.siteCSP {
			return // a policy of ours allows what is ours
		}
		if _, ok := header.Nonce(header.ParseCSP(h["Content-Security-Policy"])); !ok {
			header.AllowInline(h, "script-src-elem", x.guard().Hash())
			if x.site.bridge != nil {
				header.AllowInline(h, "script-src-elem", x.site.bridge.hash)
			}
		}
		for hash := range strings.FieldsSeq(x.site.ui.StyleHash()) {
			header.AllowInline(h, "style-src-elem", hash)
		}
		x.allowLate(h)
		header.AllowSource(h, "connect-src", "'self'")
		header.AllowSource(h, "form-action", "'self'")
	}
}

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

// makePrivate keeps shared caches, many of which ignore Vary, from giving one visitor's page to another. A page must also
// be revalidated, or it would come out of the browser's cache as it was before a withdrawal.
func makePrivate(h http.Header, revalidate bool) {
	var kept []string
	for _, line := range h["Cache-Control"] {
		for d := range strings.SplitSeq(line, ",") {
			name, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(d)), "=")
			switch name {
			case "no-store":
				return
			case "", "public", "private", "s-maxage":
			case "max-age", "no-cache", "immutable", "stale-while-revalidate", "stale-if-error", "must-revalidate":
				if !revalidate {
					kept = append(kept, strings.TrimSpace(d))
				}
			default:
				kept = append(kept, strings.TrimSpace(d))
			}
		}
	}
	if revalidate {
		delete(h, "Expires")
		if len(kept) == 0 {
			h["Cache-Control"] = []string{"private, no-cache"}
			return
		}
	}
	kept = append(kept, "private")
	if revalidate {
		kept = append(kept, "no-cache")
	}
	h["Cache-Control"] = []string{strings.Join(kept, ", ")}
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
	_, _ = io.WriteString(f, x.guard().Hash()+x.lang())
	if a := x.site.app.aliases; a != nil && x.fetch != fetchWorker { // a worker's script names nothing that is judged
		_, _ = f.Write(binary.LittleEndian.AppendUint64(scratch[:0], a.sum.Load()))
	}
	x.stateTag = strconv.FormatUint(f.Sum64(), 36)
	return x.stateTag
}

// document reports whether the answer is a page of its own, into which guard and banner go.
func (x *exchange) document() bool { return x.fetch.markup() }

// unrewritable is what becomes of a body that could hold markup and cannot be read.
func (x *exchange) unrewritable(h http.Header) plan {
	x.policy.tally.unreadable++
	x.confine(h)
	if x.site.options.OnUnrewritable == "block" {
		return planBlock
	}
	return planPass
}

// rewriter returns the first stage for a body that begins with prefix, or out itself for what is neither markup nor style
// after all. Encodings that cannot be tokenised as bytes are decoded before and encoded again behind the rewriter: forms
// of the page are sent in its encoding, which the app behind relies on. UTF-16 becomes UTF-8, as forms of it do anyway.
func (x *exchange) rewriter(out stage, h http.Header, kind encoding.Kind, contentType string, prefix []byte) stage {
	if x.guardsWorker(kind) {
		return x.workerStage(out)
	}
	if kind == encoding.KindJSON {
		return x.jsonStage(out, h, contentType)
	}
	if kind != encoding.KindHTML && kind != encoding.KindXML && kind != encoding.KindCSS {
		return out
	}
	if kind == encoding.KindXML && x.document() && !encoding.Untransformed(prefix) {
		x.confine(h)
	}
	name, certain := encoding.Sniff(contentType, prefix)
	if _, told := encoding.Sniff(contentType, nil); certain && !told || !encoding.Transparent(name) {
		setCharset(h, name) // what the body says of itself not every browser reads alike, nor did this one have to
	}
	if encoding.Transparent(name) {
		if certain {
			return x.rewriterTo(out, h, kind, encoding.ReadIn(name))
		}
		next := x.rewriterTo(out, h, kind, encoding.ReadAnyhow())
		return undeclared{encoding.NewUndeclared(next), next}
	}
	back, err := encoding.NewEncoder(name, out)
	if err != nil || strings.HasPrefix(name, "utf-16") {
		setCharset(h, "utf-8")
		back = nil
	}
	var next stage
	if back == nil {
		next = x.rewriterTo(out, h, kind, encoding.Readings{})
	} else {
		next = x.rewriterTo(back, h, kind, encoding.Readings{})
	}
	t, err := encoding.NewTranscoder(name, next)
	if err != nil {
		return next
	}
	return transcoder{t, next, back}
}

// rewriterTo returns the rewriter for a kind of document.
func (x *exchange) rewriterTo(w io.Writer, h http.Header, kind encoding.Kind, readings encoding.Readings) stage {
	if kind == encoding.KindCSS {
		return css.NewRewriter(w, &css.Options{Policy: &x.policy, Resolve: x.base().Resolve, Mark: x.responseMark(), Readings: readings})
	}
	if kind == encoding.KindHTML && x.document() {
		countPage(&x.decision)
		if x.writer.status < http.StatusBadRequest { // whoever invents paths adds no page of the site
			x.policy.tally.document = true
			x.policy.learned.page(x.url.Path)
		}
	}
	x.html = rewriters.Get().(*html.Rewriter)
	o := x.htmlOptions(h, kind)
	o.Readings = readings
	x.html.Reset(w, o)
	return x.html
}

// rewriters are kept for their memory.
var rewriters = sync.Pool{New: func() any { return new(html.Rewriter) }}

// done gives back what a response that ended well has used.
func (x *exchange) done() {
	if x.html != nil {
		x.html.Reset(nil, html.Options{}) // holds on to nothing of this response
		rewriters.Put(x.html)
		x.html = nil
	}
}

// transcoder joins a decoder of characters to the rewriter behind it, and an encoder (or nil) behind that.
type transcoder struct {
	io.WriteCloser
	next stage
	back io.Closer
}

// Flush passes on what is complete; a cut-off character waits for its rest.
func (t transcoder) Flush() error { return t.next.Flush() }

// Close ends the text, then the document.
func (t transcoder) Close() error {
	err := errors.Join(t.WriteCloser.Close(), t.next.Close())
	if t.back != nil {
		err = errors.Join(err, t.back.Close())
	}
	return err
}

// undeclared is the stage before the rewriter of a body that does not say its encoding.
type undeclared struct {
	io.Writer
	stage
}

// Write keeps out what would be read differently in another encoding.
func (u undeclared) Write(p []byte) (int, error) { return u.Writer.Write(p) }

// setCharset replaces the charset parameter of the content type.
func setCharset(h http.Header, charset string) {
	essence, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		essence, _, _ = strings.Cut(h.Get("Content-Type"), ";")
		params = nil
	}
	if params == nil {
		params = map[string]string{}
	}
	params["charset"] = charset
	if t := mime.FormatMediaType(strings.TrimSpace(essence), params); t != "" {
		h["Content-Type"] = []string{t}
	}
}

func (x *exchange) htmlOptions(h http.Header, kind encoding.Kind) html.Options {
	o := html.Options{Policy: &x.policy, Base: x.base(), Mark: x.responseMark(), XML: kind == encoding.KindXML, Fragment: !x.document() || kind != encoding.KindHTML}
	if x.site.mode != modeReport {
		o.Link = x.undecorated()
	}
	if x.fetch == fetchFragment && (kind == encoding.KindHTML || kind == encoding.KindJSON) && x.site.mode != modeReport {
		h[markHeader] = []string{o.Mark}
	}
	if o.Fragment || x.site.mode == modeReport {
		return o
	}
	nonce := ""
	if x.siteCSP {
		nonce, _ = header.Nonce(header.ParseCSP(h[cspName]))
	}
	o.Head = func(w io.Writer) { x.writeHead(w, nonce) }
	if (x.fetch == fetchDocument || x.fetch == fetchPane) && x.site.options.Banner != "off" && !x.behind {
		o.Body = func(w io.Writer) { x.writeBanner(w, nonce) }
	}
	return o
}

// writeHead writes what goes first in the head of a page.
func (x *exchange) writeHead(w io.Writer, nonce string) {
	p := x.guardPage(x.responseMark(), nonce)
	_ = x.guard().Write(w, &p) // the rewriter keeps the error
	if x.site.bridge != nil {
		_, _ = w.Write(x.site.bridge.append(nil, nonce))
	}
}

// writeBanner writes what goes first in the body.
func (x *exchange) writeBanner(w io.Writer, nonce string) {
	p := x.page()
	p.Nonce = nonce
	scratch := outputs.Get().(*outputBuffer)
	_, _ = w.Write(x.site.ui.AppendBanner(scratch[:0], &p))
	outputs.Put(scratch)
}

// guardPage is what the guard is told about the visitor and the page.
func (x *exchange) guardPage(mark, nonce string) guard.Page {
	return guard.Page{
		Mark: mark, Nonce: nonce, Granted: uint8(x.decision.Permitted), Denied: uint8(consent.AllPurposes &^ x.decision.Permitted),
		Vendors: x.vendorList(), GPC: x.signals.GPC, DNT: x.signals.DNT == consent.DNTDeny, Site: rules.RegistrableDomain(x.policy.pageHost),
	}
}

// page is what banner and preference centre show.
func (x *exchange) page() ui.Page {
	return ui.Page{
		Lang: x.lang(), Mark: x.responseMark(), Granted: x.decision.Granted,
		VendorOn: func(n uint16) (on, set bool) {
			return x.decision.Vendors.Granted(n), x.decision.Vendors.Granted(n) || x.decision.Vendors.Refused(n)
		},
		Signal: signalName(x.decision.SignalDecided()), Return: x.returnTo(), Answered: x.decision.Ask == 0, Recorded: !x.decision.ID.IsZero(),
	}
}

// returnTo is where the visitor goes back to after an answer: this page, or the one the preference centre was opened from.
func (x *exchange) returnTo() string {
	if strings.HasPrefix(x.url.Path, x.site.options.Prefix+"/") {
		return x.returnPath()
	}
	return x.url.RequestURI()
}

func signalName(s consent.SignalSet) string {
	switch {
	case s.Has(consent.SignalGPC):
		return "GPC"
	case s.Has(consent.SignalDNT):
		return "DNT"
	}
	return ""
}

// vendorList is the visitor's decisions about single vendors as the guard takes them.
func (x *exchange) vendorList() string {
	var b strings.Builder
	for n := range x.decision.Vendors.All() {
		v := x.site.vendor(n)
		if v == nil {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		if x.decision.Permits(v.Purpose, n) {
			b.WriteByte('+')
		} else {
			b.WriteByte('-')
		}
		b.WriteString(v.ID)
	}
	return b.String()
}

// base is the document's URL.
func (x *exchange) base() *weburl.URL {
	if x.baseURL == nil {
		x.baseURL, _ = weburl.Parse(x.origin() + x.url.RequestURI())
	}
	return x.baseURL
}

// origin is the document's, as the visitor's browser has it.
func (x *exchange) origin() string {
	if x.secure() {
		return "https://" + x.r.Host
	}
	return "http://" + x.r.Host
}

// resolve is the Resolve of the document's URL, for headers that mostly hold no reference.
func (x *exchange) resolve(dst, ref []byte) (abs []byte, hostStart, hostEnd int, ok bool) {
	return x.base().Resolve(dst, ref)
}

// secure reports whether the visitor's side of the connection is HTTPS. A forwarded scheme is believed from a trusted
// proxy only.
func (x *exchange) secure() bool {
	if x.r.TLS != nil {
		return true
	}
	trusted, _ := caddyhttp.GetVar(x.r.Context(), caddyhttp.TrustedProxyVarKey).(bool)
	return trusted && x.r.Header.Get("X-Forwarded-Proto") == "https"
}

func (x *exchange) guard() *script { return x.site.guardFor(x.policy.context) }

// destination is what the browser asked for, for judging where a redirect leads.
func (x *exchange) destination() rewrite.Destination {
	d := x.r.Header.Get("Sec-Fetch-Dest")
	if d == "" || d == "document" {
		return rewrite.DestinationDocument
	}
	return destinationOf(d)
}
