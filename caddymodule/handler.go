package caddymodule

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func init() {
	caddy.RegisterModule(new(Handler))
}

// mode is how far a site's gateway goes.
type mode uint8

const (
	modeEnforce mode = iota // gates what a rule calls tracking
	modeReport              // decides and counts, changes nothing
	modeStrict              // gates every third party that was not declared
	modeOff                 // does nothing
)

var modeNames = []string{"enforce", "report", "strict", "off"}

// String returns the mode's name, as parseMode reads it.
func (m mode) String() string { return modeNames[m] }

// parseMode returns the mode of that name; "" is enforcing.
func parseMode(name string) (mode, error) {
	if i := slices.Index(modeNames, cmp.Or(name, "enforce")); i >= 0 {
		return mode(i), nil
	}
	return 0, fmt.Errorf("unknown consent mode %q: use report, strict or off, or nothing to enforce", name)
}

// Handler is the consent firewall of one site. With no options at all it is safe and useful.
type Handler struct {
	// Mode is "enforce" (the default), "report" (decide and count, change nothing), "strict" (gate every third party that
	// was not allowed, and unclassified cookies that look like tracking) or "off".
	Mode string `json:"mode,omitempty"`
	// Options override those of the app.
	Options

	app  *App
	site atomic.Pointer[site]
}

// CaddyModule returns the handler's ID.
func (*Handler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.consent", New: func() caddy.Module { return new(Handler) }}
}

// Provision joins the site's options with the app's and compiles them.
func (h *Handler) Provision(ctx caddy.Context) error {
	app, err := ctx.App("consent")
	if err != nil {
		return fmt.Errorf("starting the consent app: %w", err)
	}
	h.app = app.(*App)
	m, err := parseMode(h.Mode)
	if err != nil {
		return err
	}
	return h.app.addSite(h, m)
}

// Cleanup takes the site out of the app's list.
func (h *Handler) Cleanup() error {
	if h.app != nil {
		h.app.removeSite(h)
	}
	return nil
}

// fetchDest is the request's destination as its metadata tells (Fetch Metadata, 2.1), as far as it matters here.
type fetchDest uint8

const (
	fetchOther    fetchDest = iota
	fetchDocument           // a page in a tab
	fetchFrame              // a page in an inline frame or object
	fetchPane               // a page in a frame of a frameset, which has no page around it that could ask the visitor
	fetchWorker             // a worker's script
	fetchFragment           // anything that may be HTML but is not navigated to: fetch(), XMLHttpRequest
)

// fetchDestOf reads Sec-Fetch-Dest, and what it must guess from where it is missing.
func fetchDestOf(r *http.Request) fetchDest {
	switch r.Header.Get("Sec-Fetch-Dest") {
	case "document":
		return fetchDocument
	case "iframe", "object", "embed", "fencedframe":
		return fetchFrame
	case "frame":
		return fetchPane
	case "worker", "sharedworker", "serviceworker":
		return fetchWorker
	case "empty":
		// link rel=prefetch fetches what the browser may show as a page later; so does a service worker, which passes a
		// navigation on with its mode but without its destination, or keeps a page for later.
		if strings.HasPrefix(r.Header.Get("Sec-Purpose"), "prefetch") || r.Header.Get("Sec-Fetch-Mode") == "navigate" || fromScript(r) {
			return fetchDocument
		}
		return fetchFragment
	case "":
		// Web views of Android name their app here, navigations included.
		if strings.EqualFold(r.Header.Get("X-Requested-With"), "XMLHttpRequest") {
			return fetchFragment
		}
		// Without fetch metadata (plain HTTP, old browsers): a navigation asks for text/html; fetch() asks for anything and,
		// unlike a command-line client, names a language. One that asks for a range goes on with a download.
		accept := r.Header.Get("Accept")
		if strings.Contains(accept, "text/html") || (accept == "" || accept == "*/*") && r.Header.Get("Accept-Language") == "" && r.Header.Get("Range") == "" {
			return fetchDocument
		}
		return fetchFragment
	}
	return fetchOther
}

// fromScript reports whether a worker asks on its own behalf: the referrer is then its script (Fetch, 4.1; HTML, 10.2.4).
func fromScript(r *http.Request) bool {
	u, err := url.Parse(r.Referer())
	return err == nil && (strings.HasSuffix(u.Path, ".js") || strings.HasSuffix(u.Path, ".mjs")) && u.Host == r.Host
}

// markup reports whether the answer may be a page.
func (f fetchDest) markup() bool { return f == fetchDocument || f == fetchFrame || f == fetchPane }

// whole reports whether the answer is asked for in full and in a coding that the gateway reads.
func (f fetchDest) whole() bool { return f.markup() || f == fetchWorker }

// hostOf returns the request's host in lower case without port; an IPv6 address keeps its brackets, as in URLs.
func hostOf(r *http.Request) string {
	host := r.Host
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host = host[:i]
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

var (
	_ caddy.Provisioner           = (*Handler)(nil)
	_ caddy.CleanerUpper          = (*Handler)(nil)
	_ caddyhttp.MiddlewareHandler = (*Handler)(nil)
)
