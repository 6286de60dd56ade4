package caddymodule

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/caddy-consent/caddy-consent/caddymodule/inventory"
	"github.com/caddy-consent/caddy-consent/caddymodule/metrics"
	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/rewrite/cookie"
)

// Bounds of an answer.
const (
	maxChoiceBytes = 64 << 10
	recordTimeout  = 5 * time.Second
)

// crossOrigin refuses answers that another site's page sends (Fetch Metadata and Origin, as net/http checks them).
var crossOrigin = http.NewCrossOriginProtection()

// answerError is an error for the visitor: a status and a sentence.
type answerError struct {
	status int
	text   string
}

func (e *answerError) Error() string { return e.text }

// choose takes a visitor's answer: it is recorded, then carried in the signed cookie. A refusal takes effect even when
// nothing can be recorded; a grant that cannot be recorded is not granted.
func (x *exchange) choose(w http.ResponseWriter) {
	form, err := readChoice(w, x.r)
	if err != nil {
		x.answer(w, nil, err)
		return
	}
	c, err := consent.ParseChoice(form, x.site.vendorNumber)
	if err != nil {
		x.answer(w, nil, &answerError{http.StatusBadRequest, err.Error()})
		return
	}
	app, now, use := x.site.app, time.Now(), consent.ID{}
	if segment := x.r.PostForm.Get("link"); segment != "" {
		var problem *answerError
		if use, problem = x.openLink(segment); problem != nil {
			x.answer(w, nil, problem)
			return
		}
	} else {
		x.reconcile()
	}
	token, event := consent.Choose(&x.site.terms, &x.signals, c, now)
	record := x.record(&token, event, now)
	if !use.IsZero() {
		record.RecordID, record.Method = use, consent.MethodPreferences
	}
	grants := event == consent.EventGiven
	// A link takes one answer anyhow, which must hold elsewhere at once, and so must a withdrawal.
	crowded := use.IsZero() && !x.takesBack(event) && !app.limiter.allow(client(x.r), now)
	if grants && crowded {
		metrics.CountError(metrics.ErrorLimit)
		x.answer(w, nil, &answerError{http.StatusTooManyRequests, "Too many answers came from your network. Please try again in a minute."})
		return
	}
	if err := app.append(x.r.Context(), record, crowded); err != nil {
		metrics.CountError(metrics.ErrorAnswer)
		if grants {
			x.answer(w, nil, &answerError{http.StatusServiceUnavailable, "Your answer could not be recorded, so nothing was changed. Please try again later."})
			return
		}
		record = nil // the refusal holds; no proof of it is claimed
	} else {
		app.keepNotice(x, record)
	}
	metrics.CountAnswer(event)
	x.setToken(w, &token)
	x.signals.Token, x.signals.TokenState = token, consent.TokenValid
	x.decision = consent.Decide(&x.site.terms, &x.signals, now)
	if grants {
		page, _, _ := strings.Cut(x.returnPath(), "?")
		app.inventory.Revive(x.siteName, page, x.permits)
	}
	x.expireCookies(w)
	x.answer(w, record, nil)
}

// permits reports whether the visitor agreed to a vendor of that catalogue id, or to a purpose.
func (x *exchange) permits(purpose, vendor string) bool {
	p, err := consent.ParsePurpose(purpose)
	n, _ := x.site.vendorNumber(vendor)
	return err == nil && x.decision.Permits(p, n)
}

// readChoice reads the form of an answer.
func readChoice(w http.ResponseWriter, r *http.Request) (map[string][]string, error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return nil, &answerError{http.StatusMethodNotAllowed, "An answer is sent with POST."}
	}
	if err := crossOrigin.Check(r); err != nil {
		return nil, &answerError{http.StatusForbidden, "This answer was sent by the page of another site and is not accepted."}
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxChoiceBytes)
	err := r.ParseForm()
	if err == nil && len(r.PostForm) == 0 && strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		err = r.ParseMultipartForm(maxChoiceBytes)
	}
	if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
		return nil, &answerError{http.StatusRequestEntityTooLarge, "The answer is too long."}
	}
	if err != nil {
		return nil, &answerError{http.StatusBadRequest, "The answer could not be read."}
	}
	return r.PostForm, nil
}

// reconcile makes sure that the next answer comes after the newest one on record, also where the present one only refuses.
func (x *exchange) reconcile() {
	t := &x.signals.Token
	if x.signals.TokenState != consent.TokenValid || t.ID.IsZero() {
		return
	}
	if latest, err := x.site.app.store.Latest(x.r.Context(), x.siteName, t.ID); err == nil {
		x.signals.Reconcile(latest.Seq, latest.Granted, latest.Denied, x.site.choices(latest.Vendors))
	}
}

// record is the entry that proves the answer (ISO/IEC TS 27560).
func (x *exchange) record(t *consent.Token, event consent.Event, now time.Time) *consent.Record {
	r := consent.NewRecord(x.siteName, &x.site.terms, &x.signals, t, event, now)
	id, sum := x.site.ui.NoticeHash(x.lang())
	r.Notice = consent.Notice{ID: id, Version: x.site.options.PolicyVersion, Language: x.lang(), SHA256: sum}
	r.Method, r.BrowserMajor = x.method(), consent.BrowserMajor(x.r.UserAgent())
	o := &x.site.options
	r.Controllers = []consent.Party{{Name: cmp.Or(o.Controller, x.siteName), URL: cmp.Or(o.ImprintURL, o.PolicyURL)}}
	r.Information = []consent.PII{{Type: inventory.DisclosedContact}, {Type: inventory.DisclosedCookie}}
	for n, granted := range t.Vendors.All() {
		if v := x.site.vendor(n); v != nil {
			if r.Vendors == nil {
				r.Vendors = map[string]bool{}
			}
			r.Vendors[v.ID] = granted
		}
	}
	return &r
}

// method tells how the visitor answered.
func (x *exchange) method() consent.Method {
	switch {
	case x.r.PostForm.Get("scope") == "vendor":
		return consent.MethodPlaceholder
	case x.r.PostForm.Get("from") == "preferences":
		return consent.MethodPreferences
	case x.r.PostForm.Get("from") == "platform":
		return consent.MethodAPI
	}
	return consent.MethodBanner
}

// takesBack reports whether an answer withdraws what is on record. Of such there are as many as there were consents, which
// the limit bounds.
func (x *exchange) takesBack(event consent.Event) bool {
	t := &x.signals.Token
	return event == consent.EventWithdrawn && x.signals.TokenState == consent.TokenValid && (t.Granted&consent.OptionalPurposes != 0 || !t.Vendors.IsZero())
}

// append records an answer; one of a crowd, a refusal, is kept at once and stored at its turn.
func (a *App) append(ctx context.Context, r *consent.Record, crowded bool) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	put := a.store.Append
	if crowded {
		put = a.store.Defer
	}
	err := put(ctx, r)
	if err != nil {
		a.answersOut.note(context.Background(), a.log, r.Site, err)
	}
	return err
}

// setToken sends the signed answer.
func (x *exchange) setToken(w http.ResponseWriter, t *consent.Token) {
	value := string(x.site.app.keys.Sign(nil, x.siteName, t))
	w.Header().Add("Set-Cookie", x.cookie().Set(value, x.site.terms.CookieAge(t)))
}

// expireCookies removes the cookies of vendors that are not permitted, HttpOnly ones too, wherever they may be stored:
// for every domain from the host up to the registrable domain, and every path on the way to the page.
func (x *exchange) expireCookies(w http.ResponseWriter) {
	scope := cookie.Scope{Host: x.policy.pageHost, Paths: cookie.Paths(x.returnPath()), Secure: x.secure(), Partitioned: true}
	seen := map[string]bool{}
	lines := w.Header()["Set-Cookie"]
	cookie.Each(x.r.Header["Cookie"], func(name, _ []byte) bool {
		n := string(name)
		if seen[n] || len(seen) == maxExpired {
			return true
		}
		if m, found := x.site.rules.Cookie(name); found && !x.decision.Permits(m.Purpose, m.Number) {
			seen[n] = true
			lines = cookie.Expire(lines, scope, n)
		}
		return true
	})
	w.Header()["Set-Cookie"] = lines
}

// maxExpired bounds the cookies that one answer expires.
const maxExpired = 32

// answerBody is the JSON answer to a choice, and to GET {prefix}/state.
type answerBody struct {
	Granted consent.Purposes `json:"granted"`
	Denied  consent.Purposes `json:"denied"`
	Vendors map[string]bool  `json:"vendors"`
	Record  string           `json:"record,omitempty"`
	Error   string           `json:"error,omitempty"`
	// Policy is the Content-Security-Policy for an open page from which something was withdrawn.
	Policy string `json:"policy,omitempty"`
}

// stateBody is the decision as the guard takes it.
func (x *exchange) stateBody() answerBody {
	b := answerBody{Granted: x.decision.Permitted, Denied: consent.AllPurposes &^ x.decision.Permitted, Vendors: map[string]bool{}, Policy: x.withdrawalPolicy()}
	for n, granted := range x.decision.Vendors.All() {
		if v := x.site.vendor(n); v != nil {
			b.Vendors[v.ID] = granted && x.decision.Permits(v.Purpose, n)
		}
	}
	return b
}

// answer ends a choice: JSON for the guard, a redirect back or the preference page for a form.
func (x *exchange) answer(w http.ResponseWriter, record *consent.Record, err error) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	status, text := http.StatusOK, ""
	if err != nil {
		status, text = http.StatusInternalServerError, err.Error()
		if e := (*answerError)(nil); errors.As(err, &e) {
			status = e.status
		}
	} else {
		h.Set("Tk", "U") // the request changed the visitor's status (TPE, 6.3)
	}
	switch {
	case strings.Contains(x.r.Header.Get("Accept"), "application/json"):
		b := x.stateBody()
		b.Error = text
		if record != nil {
			b.Record = record.RecordID.String()
		}
		writeJSON(w, status, "application/json", b)
	case err != nil:
		x.preferences(w, status, text)
	default:
		h.Set("Location", x.returnPath())
		w.WriteHeader(http.StatusSeeOther)
	}
}

// receipt gives the visitor the own entries, with the cookie as proof.
func (x *exchange) receipt(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	if x.decision.ID.IsZero() {
		writeJSON(w, http.StatusNotFound, "application/json", answerBody{Error: "There is no answer of yours on record here."})
		return
	}
	var last *consent.Record
	ctx, cancel := context.WithTimeout(x.r.Context(), recordTimeout)
	defer cancel()
	err := x.site.app.store.Scan(ctx, store.Filter{Site: x.siteName, ID: x.decision.ID}, func(e store.Entry) error {
		last = e.Record
		return nil
	})
	switch {
	case err != nil:
		x.noteUnreadable(err)
		writeJSON(w, http.StatusServiceUnavailable, "application/json", answerBody{Error: "The records cannot be read now. Please try again later."})
	case last == nil:
		writeJSON(w, http.StatusNotFound, "application/json", answerBody{Error: "There is no answer of yours on record here."})
	default:
		body, err := last.Receipt()
		if err != nil {
			writeJSON(w, http.StatusInternalServerError, "application/json", answerBody{Error: "The record could not be written out."})
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Disposition", `inline; filename="consent-receipt.json"`)
		_, _ = w.Write(body)
	}
}
