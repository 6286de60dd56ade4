package caddymodule

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/caddy-consent/caddy-consent/caddymodule/inventory"
	"github.com/caddy-consent/caddy-consent/caddymodule/learned"
	"github.com/caddy-consent/caddy-consent/caddymodule/metrics"
	"github.com/caddy-consent/caddy-consent/rewrite"
	"github.com/caddy-consent/caddy-consent/rewrite/header"
	weburl "github.com/caddy-consent/caddy-consent/rewrite/url"
)

// own answers the gateway's own pages. It reports false for all others.
func (x *exchange) own(w http.ResponseWriter) bool {
	path := x.url.Path
	if x.site.mode == modeReport {
		return false
	}
	rest, ok := strings.CutPrefix(path, x.site.options.Prefix)
	if !ok || rest != "" && rest[0] != '/' {
		return x.site.serveWellKnown(w, x)
	}
	if held := x.site.app.store; held.hold() == nil { // without a store refusals still take effect
		defer held.letGo()
	}
	x.policy.claimed = true
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Robots-Tag", "noindex")
	switch rest {
	case "", "/":
		x.preferences(w, http.StatusOK, "")
	case "/choose":
		x.choose(w)
	case "/state":
		h.Set("Cache-Control", "no-store")
		writeJSON(w, http.StatusOK, "application/json", x.stateBody())
	case "/record":
		x.receipt(w)
	case "/judge":
		x.limitClaims()
		x.judge(w)
	case "/placeholder":
		x.placeholders(w)
	case "/csp":
		x.limitClaims()
		x.cspReport(w)
	default:
		if segment, ok := strings.CutPrefix(rest, linkPath); ok {
			x.preferencesByLink(w, segment)
			return true
		}
		if x.serveScript(w, path) {
			return true
		}
		h.Set("Cache-Control", "no-store") // another node, or the next release, may have it
		http.Error(w, "There is no such page. The preference centre is at "+x.site.options.Prefix+"/", http.StatusNotFound)
	}
	return true
}

// serveScript answers with the guard's second part. Its path changes with its content, so it is cached for good.
func (x *exchange) serveScript(w http.ResponseWriter, path string) bool {
	for _, g := range x.site.guards {
		late, content := g.Late()
		if path != late && path != x.site.options.Prefix+late {
			continue
		}
		h := w.Header()
		h.Set("Content-Type", "text/javascript; charset=utf-8")
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		_, _ = w.Write(content)
		return true
	}
	return false
}

// preferences renders the preference centre.
func (x *exchange) preferences(w http.ResponseWriter, status int, problem string) {
	if status == http.StatusOK && x.r.Method != http.MethodGet && x.r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	u := x.preferencesUI()
	h.Set("Content-Security-Policy", u.PageCSP())
	// Neither path nor query leaves the page. With no-referrer a browser would send its form with an Origin of null (Fetch,
	// "append a request Origin header"), which over plain HTTP is all that tells where it comes from.
	h.Set("Referrer-Policy", "strict-origin")
	p := x.page()
	p.Error, p.DeadLink = problem, status == http.StatusGone
	if x.link != "" {
		p.Link, p.Recorded = x.link, false // the receipt takes the cookie as proof
	}
	w.WriteHeader(status)
	_ = u.WritePreferences(w, &p)
}

// returnPath is where to go back to.
func (x *exchange) returnPath() string {
	v := x.r.PostForm.Get("return")
	if v == "" {
		v = x.url.Query().Get("return")
	}
	return localPath(v)
}

// localPath returns v if it is a path of this site, "/" for anything else. A scheme, a host, a backslash or a control
// character in it would lead a browser elsewhere.
func localPath(v string) string {
	if len(v) > maxReturn || !strings.HasPrefix(v, "/") || strings.HasPrefix(v, "//") || strings.ContainsFunc(v, func(c rune) bool { return c <= ' ' || c == '\\' || c >= 0x7f }) {
		return "/"
	}
	if u, err := url.Parse(v); err != nil || u.Scheme != "" || u.Host != "" {
		return "/"
	}
	return v
}

const maxReturn = 2048

// Bounds of one question of the guard.
const (
	maxJudged     = 256
	maxJudgeBytes = 256 << 10
)

// limitClaims keeps one network from teaching the gateway more hosts than its visitors' browsers would.
func (x *exchange) limitClaims() {
	if !x.site.app.claims.allow(client(x.r), time.Now()) {
		x.policy.learned = nil
	}
}

// judge tells the guard whose the URLs are that only the gateway knows: "PURPOSE VENDOR GLOBAL…", or "" for nobody's.
func (x *exchange) judge(w http.ResponseWriter) {
	var q struct {
		U [][2]string `json:"u"`
	}
	if !x.readQuestion(w, &q, func() bool { return len(q.U) <= maxJudged }) {
		return
	}
	page := "/"
	if u, err := url.Parse(x.r.Referer()); err == nil {
		page = u.Path
		x.policy.setPage(x.policy.pageHost, page, u.RawQuery)
	}
	metrics.CountJudged(len(q.U))
	answers := make([]string, len(q.U))
	var seen inventory.Tally
	for i, u := range q.U {
		answers[i], _ = x.policy.judge(u[0], u[1])
		x.policy.claim(&seen, u[0], u[1])
	}
	x.site.app.inventory.Add(x.siteName, page, &seen)
	writeJSON(w, http.StatusOK, "application/json", map[string][]string{"v": answers})
}

// readQuestion reads what the guard asks. It reports false after it has refused what another site's page asks, what is no such
// question, and what is none within its bounds.
func (x *exchange) readQuestion(w http.ResponseWriter, q any, bounded func() bool) bool {
	w.Header().Set("Cache-Control", "no-store")
	if x.r.Method != http.MethodPost || crossOrigin.Check(x.r) != nil {
		writeJSON(w, http.StatusForbidden, "application/json", answerBody{Error: "Only this site's own pages can ask."})
		return false
	}
	if err := json.NewDecoder(io.LimitReader(x.r.Body, maxJudgeBytes)).Decode(q); err != nil || !bounded() {
		writeJSON(w, http.StatusBadRequest, "application/json", answerBody{Error: "The question could not be read."})
		return false
	}
	return true
}

// judge says whose a URL is that a page's script is about to contact, and whether the visitor has not agreed to it. What is no
// URL contacts nobody. The guard keeps the answer, also when the visitor chooses anew, for all that it is asked about the
// address, so it is judged as what the page wants it for and as what else scripts fetch; as a frame only where it may be one.
func (p *policy) judge(raw, destination string) (owner string, gated bool) {
	u, err := weburl.Parse(raw)
	if err != nil {
		return "", false
	}
	wanted := [...]rewrite.Destination{destinations[destination], rewrite.DestinationScript, rewrite.DestinationImage, rewrite.DestinationEmpty, rewrite.DestinationFrame}
	kinds := wanted[:4]
	if destination == "write" {
		kinds = wanted[:]
	}
	hosts := p.learned
	p.learned = nil // it learns of what the site's pages hold, not of what a client says
	defer func() { p.learned = hosts }()
	for _, d := range kinds {
		r := resourceOf(u, d)
		v := p.Resource(&r)
		if m, found := p.match(&r); found && !v.Gate {
			v = p.named(&m)
			v.Gate = false
		}
		if owner == "" || v.Gate {
			owner = strings.TrimSpace(v.Purpose + " " + v.Vendor + " " + v.Globals)
		}
		if v.Gate {
			return owner, true
		}
	}
	script := wanted[0] == rewrite.DestinationScript || wanted[0] == rewrite.DestinationWorker || destination == "write"
	if !script || hosts == nil || p.claims >= learned.MaxClaims {
		return owner, false
	}
	// A tracker that this visitor permits is one all the same: the policy of others must not name it.
	r := resourceOf(u, rewrite.DestinationScript)
	if _, found := p.match(&r); !found && p.request.ThirdParty {
		p.claims++
		hosts.Claim(r.Host())
	}
	return owner, false
}

// claim counts a third party that a client says a page contacts: so many for one request, and none of a client that says
// too much (see limitClaims).
func (p *policy) claim(seen *inventory.Tally, raw, destination string) {
	u, err := weburl.Parse(raw)
	if err != nil || p.learned == nil || seen.Hosts() == learned.MaxClaims || !header.IsHostSource([]byte(u.Host())) {
		return
	}
	r := resourceOf(u, destinations[destination])
	m, found := p.match(&r)
	if p.request.ThirdParty {
		seen.AddClaim(r.Host(), r.Destination, &m, found && !p.decision.Permits(m.Purpose, m.Number))
	}
}

// destinations are the names of the Fetch standard (2.2.5), and the guard's own for what the standard leaves out. What is not
// among them is as good as fetch(), DestinationEmpty.
var destinations = map[string]rewrite.Destination{
	"script": rewrite.DestinationScript, "style": rewrite.DestinationStyle, "image": rewrite.DestinationImage, "font": rewrite.DestinationFont,
	"audio": rewrite.DestinationMedia, "video": rewrite.DestinationMedia, "track": rewrite.DestinationMedia, "media": rewrite.DestinationMedia,
	"iframe": rewrite.DestinationFrame, "frame": rewrite.DestinationFrame, "object": rewrite.DestinationObject, "embed": rewrite.DestinationObject,
	"worker": rewrite.DestinationWorker, "sharedworker": rewrite.DestinationWorker, "serviceworker": rewrite.DestinationWorker,
	"manifest": rewrite.DestinationManifest, "ping": rewrite.DestinationPing, "beacon": rewrite.DestinationPing,
	"connect": rewrite.DestinationConnect, "prefetch": rewrite.DestinationPrefetch, "document": rewrite.DestinationDocument, "websocket": rewrite.DestinationWebSocket,
}

// writeJSON answers with a JSON value.
func writeJSON(w http.ResponseWriter, status int, contentType string, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
