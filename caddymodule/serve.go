package caddymodule

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/encode"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/cookie"
	"github.com/caddy-consent/caddy-consent/rewrite/header"
	"github.com/caddy-consent/caddy-consent/rewrite/html"
	weburl "github.com/caddy-consent/caddy-consent/rewrite/url"
)

// takenVar is the request variable that says that a consent handler has taken the request: one that comes later in the
// chain, or after `consent off` for a path, leaves it alone.
const takenVar = "http.consent.taken"

// DecisionHeader tells the app behind the gateway what the visitor decided, as in "analytics=granted;by=token, …". What a
// client sends under this name is removed.
const DecisionHeader = "Consent-Decision"

// exchange is one request on its way through the gateway.
type exchange struct {
	site     *site
	r        *http.Request
	siteName string
	signals  consent.Signals
	decision consent.Decision
	policy   policy
	fetch    fetchDest
	url      *url.URL       // as the browser asked for it
	gzip     bool           // what comes compressed leaves compressed: see compresses
	encode   *encode.Encode // compresses outside, nil where it does not or has no gzip
	confirms bool           // the request's entity tags are those of a rewritten body
	siteCSP  bool           // the site has a policy of its own
	digests  bool           // the site's policy wants digests of scripts
	xhtml    bool           // the page is XHTML, parsed as XML
	ascii    bool           // the page is, or may be, in an encoding that has no more in common with UTF-8
	behind   bool           // another gateway is in front and asks; what it says of the decision counts for nothing
	mark     string         // see responseMark
	stateTag string         // see state
	language string         // see lang
	baseURL  *weburl.URL
	html     *html.Rewriter // of the pool
	link     string         // a preference-centre link that was opened
	instead  []byte         // a page of ours that takes the place of the answer

	// In one piece with the exchange, which costs one allocation.
	edit   header.Options
	fields [2]string // the values of fields of ours
	writer responseWriter
}

// ServeHTTP is the way through: signals, decision, request, response header, body.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	if caddyhttp.GetVar(r.Context(), takenVar) != nil {
		return next.ServeHTTP(w, r)
	}
	caddyhttp.SetVar(r.Context(), takenVar, true)
	behind := r.Header[DecisionHeader] != nil
	deleteAliases(r.Header, DecisionHeader)
	s := h.site.Load()
	if s.mode == modeOff {
		return next.ServeHTTP(w, r)
	}
	_ = h.app.open() // Start tells what is wrong
	x := s.exchange(r)
	x.behind = behind
	if s.debugged(r) {
		x.policy.reasons = new(reasons)
	}
	x.expose()
	if x.own(w) {
		return nil
	}
	if x.gatedRequest() {
		h.app.inventory.Add(x.siteName, x.url.Path, &x.policy.tally)
		if x.policy.reasons != nil {
			x.explain(w.Header())
		}
		header.NotStored(w.Header())
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	x.editRequest(w)
	err := x.reply(w, next)
	h.app.inventory.Add(x.siteName, x.url.Path, &x.policy.tally)
	if err != nil {
		caddyhttp.SetVar(r.Context(), takenVar, nil) // handle_errors may have a consent of its own
	}
	return err
}

// reply responds; to whom may ask why things are gated, when all was judged.
func (x *exchange) reply(w http.ResponseWriter, next caddyhttp.Handler) error {
	if x.policy.reasons == nil || x.r.Method == http.MethodConnect {
		return x.respond(w, next)
	}
	whole(x.r.Header)
	d := newDebugWriter(w, x)
	if err := x.respond(d, next); err != nil {
		_ = d.send() // what is there; the error counts
		return err
	}
	d.WriteHeader(http.StatusOK)
	return d.send()
}

// respond lets the rest of the chain answer, through a writer that edits what it says, or only looks at it.
func (x *exchange) respond(w http.ResponseWriter, next caddyhttp.Handler) error {
	if x.site.mode == modeReport {
		o := newObserver(w, x)
		defer o.shadow.abort()
		err := next.ServeHTTP(o, x.r)
		o.finish(err)
		return err
	}
	rw := x.newResponseWriter(w)
	defer rw.abort()
	err := next.ServeHTTP(rw, x.r)
	if err == nil {
		err = rw.finish()
	}
	return rw.fail(err)
}

// exchange reads the request's signals and decides.
func (s *site) exchange(r *http.Request) *exchange {
	host := hostOf(r)
	x := &exchange{site: s, r: r, siteName: s.nameFor(host), fetch: fetchDestOf(r), url: askedURL(r)}
	x.signals, x.decision = s.decide(x, time.Now())
	x.policy = policy{site: s, decision: &x.decision, page: x, learned: s.app.learnedOf(host)}
	x.policy.setPage(host, x.url.Path, x.url.RawQuery)
	return x
}

// askedURL returns the URL that the browser asked for: try_files and the like have rewritten the request's own by now.
func askedURL(r *http.Request) *url.URL {
	if o, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request); ok && o.URL != nil {
		return o.URL
	}
	return r.URL
}

// decide resolves the request's signals. An answer is held against the newest one that the store knows: whoever kept the
// cookie of a consent that was withdrawn since has none. A store that does not answer leaves the refusals in force only.
func (s *site) decide(x *exchange, now time.Time) (consent.Signals, consent.Decision) {
	var from netip.Addr
	if s.options.Region != nil {
		from = client(x.r)
	}
	signals := s.reader(x).Read(x.r.Header, from, now)
	if t := &signals.Token; signals.TokenState == consent.TokenValid && !t.ID.IsZero() && (t.Granted&consent.OptionalPurposes != 0 || !t.Vendors.IsZero()) {
		latest, err := s.app.store.Latest(x.r.Context(), x.siteName, t.ID)
		if err != nil {
			if !errors.Is(err, store.ErrNotFound) {
				x.noteUnreadable(err)
			}
			signals.TokenState = consent.TokenSuperseded
		} else {
			signals.Reconcile(latest.Seq, latest.Granted, latest.Denied, s.choices(latest.Vendors))
		}
	}
	return signals, consent.Decide(&s.terms, &signals, now)
}

// choices translates a record's answers about single vendors. One about a vendor that is in the catalogue no more says
// nothing.
func (s *site) choices(vendors map[string]bool) (c consent.VendorChoices) {
	for id, granted := range vendors {
		if n, ok := s.vendorNumber(id); ok {
			c.Set(n, granted)
		}
	}
	return c
}

// lang is the language that the visitor is asked in.
func (x *exchange) lang() string {
	if x.language == "" {
		x.language = x.site.ui.Negotiate(x.r.Header.Get("Accept-Language"))
	}
	return x.language
}

// expose offers the decision as Caddy's placeholders ({http.consent.analytics}, {http.consent.state}, …) to later handlers
// and logs.
func (x *exchange) expose() {
	repl, ok := x.r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	if !ok {
		return
	}
	repl.Map(func(key string) (any, bool) {
		name, ok := strings.CutPrefix(key, "http.consent.")
		if !ok {
			return nil, false
		}
		return x.told(name)
	})
}

// told returns what {http.consent.NAME} stands for.
func (x *exchange) told(name string) (any, bool) {
	switch name {
	case "state":
		return x.decision.String(), true
	case "signal":
		return x.decision.Signals.String(), true
	case "version":
		return x.site.options.PolicyVersion, true
	case "report.gated":
		return x.policy.tally.Gates, true
	}
	if p, err := consent.ParsePurpose(name); err == nil {
		return x.decision.Permits(p, 0), true
	}
	return nil, false
}

// editRequest takes out what the app must not see and what would make its answer unreadable.
func (x *exchange) editRequest(w http.ResponseWriter) {
	h := x.r.Header
	if cookies := h["Cookie"]; len(cookies) > 0 {
		x.policy.tally.Asking = true // a cookie that is sent here says nothing of what the site sets
		kept, removed := cookie.Filter(cookies, x.policy.cookieKept)
		x.policy.tally.Asking = false
		if removed > 0 {
			if len(kept) == 0 {
				delete(h, "Cookie")
			} else {
				h["Cookie"] = kept
			}
		}
	}
	if x.site.mode == modeReport {
		return
	}
	x.fields[0] = decisionText(&x.decision)
	h[DecisionHeader] = x.fields[0:1:1]
	x.cleanQuery()
	if len(h["Available-Dictionary"]) > 0 {
		header.WithoutDictionaries(h) // a style sheet or fragment that nobody here could read
	}
	if x.fetch.whole() {
		// Whatever the client takes (encode has negotiated already): without the field, Go's transport would ask for gzip
		// itself, and undo it without a bound on what a body unfolds to.
		x.compresses(w)
		h["Accept-Encoding"] = []string{"gzip"}
	}
	if x.fetch.whole() || x.styleWanted() || header.Marked(h) {
		header.Conditional(h, x.state())
		x.confirms = len(h["If-None-Match"]) > 0
	}
}

// decisionTexts remembers how decisions are spelled.
var decisionTexts memo[decisionKey]

// decisionKey is what the spelling of a decision depends on.
type decisionKey struct {
	granted, denied, permitted consent.Purposes
	by                         [len(consent.Decision{}.By)]consent.Source
}

func decisionText(d *consent.Decision) string {
	key := decisionKey{d.Granted, d.Denied, d.Permitted, d.By}
	text, ok := decisionTexts.get(key)
	if !ok {
		text = d.String()
		decisionTexts.put(key, text)
	}
	return text
}

// styleWanted reports whether the browser asks for a style sheet.
func (x *exchange) styleWanted() bool {
	dest := x.r.Header.Get("Sec-Fetch-Dest")
	return dest == "style" || dest == "" && strings.HasPrefix(x.r.Header.Get("Accept"), "text/css")
}

// deleteAliases removes a field under every name that a server behind may take for the same (CGI turns - into _).
func deleteAliases(h http.Header, name string) {
	for field := range h {
		if len(field) == len(name) && strings.EqualFold(strings.ReplaceAll(field, "_", "-"), name) {
			delete(h, field)
		}
	}
}

// document reports whether the answer is a page of its own, into which guard and banner go.
func (x *exchange) document() bool { return x.fetch.markup() }

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

// destination is what the browser asked for, for judging where a redirect leads. What is fetched ahead of a visitor is not the
// visitor's way yet.
func (x *exchange) destination() rewrite.Destination {
	switch {
	case strings.HasPrefix(x.r.Header.Get("Sec-Purpose"), "prefetch"):
		return rewrite.DestinationPrefetch
	case x.fetch == fetchDocument:
		return rewrite.DestinationDocument
	}
	return destinations[x.r.Header.Get("Sec-Fetch-Dest")]
}
