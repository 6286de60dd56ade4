package caddymodule

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-consent/caddy-consent/caddymodule/adminapi"
	"github.com/caddy-consent/caddy-consent/caddymodule/command"
	"github.com/caddy-consent/caddy-consent/caddymodule/records"
	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
)

func init() {
	caddy.RegisterModule(new(AdminAPI))
}

// AdminAPI adds the consent gateway to Caddy's admin API:
//
//	GET    /consent/status                        store, spool, lists, sites
//	GET    /consent/report                        what was seen of each site
//	GET    /consent/explain?url=…&page=…&site=…   why a URL is gated or passes
//	GET    /consent/records?site=…&id=…&from=…&to=…  records, one JSON object a line, ended by {"end":true}
//	DELETE /consent/records?site=…&id=…           erases the records of a consent id
//	POST   /consent/records/verify                checks the chain, and the heads in the body, an array
//	GET    /consent/records/disclosures?site=…    the disclosure ledger
//	GET    /consent/records/notice?sha256=…       the text that a record names by its hash
//	POST   /consent/link?site=…&id=…&for=…        makes a link to the preference centre, for a mail
//	POST   /consent/records/sweep[?any_clock=true]   destroys what is past its retention
//
// No answer holds a visitor's address: none is kept.
type AdminAPI struct{}

// CaddyModule returns the module's ID.
func (*AdminAPI) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "admin.api.consent", New: func() caddy.Module { return new(AdminAPI) }}
}

// Routes returns the API's route.
func (a *AdminAPI) Routes() []caddy.AdminRoute {
	return []caddy.AdminRoute{{Pattern: adminapi.Base, Handler: caddy.AdminHandlerFunc(a.serve)}}
}

// adminError is an error with a status.
func adminError(status int, err error) error { return caddy.APIError{HTTPStatus: status, Err: err} }

func (a *AdminAPI) serve(w http.ResponseWriter, r *http.Request) error {
	// Caddy gives its admin API to a configuration before that could be started, and leaves it there when that fails: the
	// app that runs must be asked for.
	active, _ := caddy.ActiveContext().AppIfConfigured("consent")
	app, ok := active.(*App)
	if !ok {
		return adminError(http.StatusNotFound, errors.New("no consent gateway is running: a site block with consent starts one"))
	}
	path := strings.TrimPrefix(r.URL.Path, adminapi.Base)
	handlers := adminHandlers[path]
	if handlers == nil {
		return adminError(http.StatusNotFound, fmt.Errorf("there is no %s%s", adminapi.Base, path))
	}
	handle := handlers[r.Method]
	if handle == nil {
		w.Header().Set("Allow", strings.Join(slices.Sorted(maps.Keys(handlers)), ", "))
		return adminError(http.StatusMethodNotAllowed, fmt.Errorf("%s%s does not take %s", adminapi.Base, path, r.Method))
	}
	if err := app.store.hold(); err != nil {
		return adminError(http.StatusServiceUnavailable, err)
	}
	defer app.store.letGo()
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json")
	answer, err := handle(app, w, r)
	if err != nil {
		return adminStatus(err)
	}
	if answer == nil {
		return nil
	}
	return json.NewEncoder(w).Encode(answer)
}

// adminStatus finds the status for an error.
func adminStatus(err error) error {
	if e := (caddy.APIError{}); errors.As(err, &e) {
		return err
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return adminError(http.StatusNotFound, err)
	case errors.Is(err, store.ErrClock):
		return adminError(http.StatusConflict, err)
	}
	return adminError(http.StatusServiceUnavailable, err)
}

// adminHandler answers one method of one path: with a value to encode, or, having written itself, nil.
type adminHandler func(a *App, w http.ResponseWriter, r *http.Request) (any, error)

var adminHandlers = map[string]map[string]adminHandler{
	"status":              {http.MethodGet: func(a *App, _ http.ResponseWriter, r *http.Request) (any, error) { return a.status(r.Context()), nil }},
	"report":              {http.MethodGet: func(a *App, _ http.ResponseWriter, _ *http.Request) (any, error) { return a.inventory.Report(), nil }},
	"explain":             {http.MethodGet: (*App).adminExplain},
	"records":             {http.MethodGet: (*App).adminScan, http.MethodDelete: (*App).adminErase},
	"link":                {http.MethodPost: (*App).adminLink},
	"records/disclosures": {http.MethodGet: (*App).adminDisclosures},
	"records/notice":      {http.MethodGet: (*App).adminNotice},
	"records/verify":      {http.MethodPost: (*App).adminVerify},
	"records/sweep": {http.MethodPost: func(a *App, _ http.ResponseWriter, r *http.Request) (any, error) {
		return a.keeper().Sweep(r.Context(), r.URL.Query().Get("any_clock") == "true")
	}},
}

func (a *App) keeper() records.Local {
	return records.Local{Store: a.store.Store, Retention: a.retention(), Texts: a.ctx.Storage()}
}

func (a *App) adminScan(w http.ResponseWriter, r *http.Request) (any, error) {
	q, err := records.ParseQuery(r.URL.Query())
	if err != nil {
		return nil, adminError(http.StatusBadRequest, err)
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	lines := json.NewEncoder(w)
	last := adminapi.RecordLine{End: true}
	if err := a.keeper().Scan(r.Context(), q, func(rec *consent.Record) error { return lines.Encode(adminapi.RecordLine{Record: rec}) }); err != nil {
		last = adminapi.RecordLine{Error: err.Error()}
	}
	return nil, lines.Encode(last)
}

func (a *App) adminErase(_ http.ResponseWriter, r *http.Request) (any, error) {
	q, err := records.ParseQuery(r.URL.Query())
	if err == nil && (q.Site == "" || q.ID.IsZero()) {
		err = errors.New("an erasure needs both site and id")
	}
	if err != nil {
		return nil, adminError(http.StatusBadRequest, err)
	}
	return a.keeper().Erase(r.Context(), q.Site, q.ID)
}

// maxAnchors bounds the body of a verification.
const maxAnchors = 1 << 20

func (a *App) adminVerify(_ http.ResponseWriter, r *http.Request) (any, error) {
	var anchors []store.Head
	if err := json.NewDecoder(io.LimitReader(r.Body, maxAnchors)).Decode(&anchors); err != nil && !errors.Is(err, io.EOF) {
		return nil, adminError(http.StatusBadRequest, fmt.Errorf("the body must be an array of heads: %w", err))
	}
	return a.keeper().Verify(r.Context(), anchors)
}

// adminDisclosures answers with the ledger, up to now.
func (a *App) adminDisclosures(_ http.ResponseWriter, r *http.Request) (any, error) {
	k := a.keeper()
	if err := a.inventory.Disclose(r.Context(), store.LedgerOf(k.Store), time.Now()); err != nil {
		return nil, err
	}
	lines, err := k.Disclosures(r.Context(), r.URL.Query().Get("site"))
	if err == nil && lines == nil {
		lines = []store.Disclosure{}
	}
	return lines, err
}

func (a *App) adminNotice(w http.ResponseWriter, r *http.Request) (any, error) {
	var sum consent.Hash
	if err := sum.UnmarshalText([]byte(r.URL.Query().Get("sha256"))); err != nil {
		return nil, adminError(http.StatusBadRequest, err)
	}
	text, err := a.keeper().Notice(r.Context(), sum)
	if err != nil {
		return nil, err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err = w.Write(text)
	return nil, err
}

func (a *App) adminExplain(_ http.ResponseWriter, r *http.Request) (any, error) {
	q := r.URL.Query()
	s := a.siteFor(q.Get("site"))
	if s == nil {
		return nil, adminError(http.StatusNotFound, errors.New("no consent handler is running for that site"))
	}
	judge, err := s.explain(command.Question{Page: cmp.Or(q.Get("page"), command.DefaultPage), Type: q.Get("type"), Granted: q.Get("granted")})
	if err != nil {
		return nil, adminError(http.StatusBadRequest, err)
	}
	e, err := judge(q.Get("url"))
	if err != nil {
		return nil, adminError(http.StatusBadRequest, err)
	}
	return e, nil
}

// siteFor returns the site of that name; with "", or where a handler serves any host, the first.
func (a *App) siteFor(name string) *site {
	sites := a.activeSites()
	for _, s := range sites {
		if s.options.Site == name {
			return s
		}
	}
	for _, s := range sites {
		if name == "" || s.options.Site == "" {
			return s
		}
	}
	return nil
}

// activeSites are the sites of all handlers that are not off, by name.
func (a *App) activeSites() []*site {
	sites := slices.Clone(a.currentSites())
	slices.SortFunc(sites, func(x, y *site) int { return strings.Compare(x.options.Site, y.options.Site) })
	return sites
}

var (
	_ caddy.AdminRouter = (*AdminAPI)(nil)
)
