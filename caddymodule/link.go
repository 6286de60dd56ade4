package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-consent/caddy-consent/caddymodule/adminapi"
	"github.com/caddy-consent/caddy-consent/caddymodule/records"
	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
)

// How long a preference-centre link opens, unless it is told, and at most.
const (
	defaultLinkAge = 7 * 24 * time.Hour
	maxLinkAge     = 90 * 24 * time.Hour
)

// linkPath is where links open, below the prefix.
const linkPath = "/link/"

var (
	errLinkInvalid = &answerError{http.StatusGone, "This link is not valid, or no longer. Ask for a new one, or choose here for this browser."}
	errLinkUsed    = &answerError{http.StatusGone, "This link was used already. Ask for a new one, or choose here for this browser."}
	errLinkStore   = &answerError{http.StatusServiceUnavailable, "This link cannot be opened now. Please try again later, or choose here for this browser."}
)

// preferencesByLink opens the preference centre for the consent ID of a link out of a mail, without a login. It changes
// nothing: mail scanners follow links, too. What its form posts is recorded for that ID, once for each link.
func (x *exchange) preferencesByLink(w http.ResponseWriter, segment string) {
	if _, err := x.openLink(segment); err != nil {
		x.preferences(w, err.status, err.text)
		return
	}
	x.link = segment
	x.preferences(w, http.StatusOK, "")
}

// openLink puts, for this request, the newest answer of the link's consent ID in the place of the browser's own, and returns the record
// ID of the answer that the link may give. Where it fails the browser's own answer stays.
func (x *exchange) openLink(segment string) (consent.ID, *answerError) {
	app, now := x.site.app, time.Now()
	l, err := app.keys.VerifyLink(x.siteName, segment, now)
	if err != nil {
		return consent.ID{}, errLinkInvalid
	}
	ctx, cancel := context.WithTimeout(x.r.Context(), recordTimeout)
	defer cancel()
	used, version := false, ""
	state, err := app.store.Latest(ctx, x.siteName, l.ID)
	if err == nil {
		err = app.store.Scan(ctx, store.Filter{Site: x.siteName, ID: l.ID}, func(e store.Entry) error {
			used = used || consent.LinkUsed(segment, e.Record.RecordID)
			if e.Record.Seq == state.Seq {
				version = e.Record.PolicyVersion
			}
			return nil
		})
	}
	switch {
	case errors.Is(err, store.ErrNotFound): // whoever has not answered yet can be asked by mail
	case err != nil:
		x.noteUnreadable(err)
		return consent.ID{}, errLinkStore
	case used || consent.LinkUsed(segment, state.RecordID):
		return consent.ID{}, errLinkUsed
	}
	x.signals.Token, x.signals.TokenState = x.site.tokenOf(l.ID, &state, version), consent.TokenValid
	x.decision = consent.Decide(&x.site.terms, &x.signals, now)
	return consent.LinkUse(segment), nil
}

// tokenOf returns the token that carries what is on record. Grants given under a policy version other than the present one
// may be older than its last material change: they do not count.
func (s *site) tokenOf(id consent.ID, state *store.State, version string) consent.Token {
	t := consent.Token{
		ID: id, Seq: state.Seq, Granted: state.Granted, Denied: state.Denied, Vendors: s.choices(state.Vendors),
		Signals: state.Signals, At: state.Time, Version: s.terms.Material,
	}
	if !state.Expiry.IsZero() {
		lifetime := s.terms.Lifetime
		if lifetime <= 0 {
			lifetime = consent.DefaultLifetime
		}
		t.At = state.Expiry.Add(-lifetime)
	}
	if t.Version != 0 && version != s.terms.PolicyVersion {
		t.Version = ^t.Version
	}
	return t
}

// adminLink makes a link.
func (a *App) adminLink(_ http.ResponseWriter, r *http.Request) (any, error) {
	q := r.URL.Query()
	l := adminapi.Link{Site: q.Get("site"), ID: consent.NewID()}
	s := a.siteFor(l.Site)
	if l.Site == "" || s == nil {
		return nil, adminError(http.StatusNotFound, fmt.Errorf("no consent handler is running for the site %q: name it as the records do", l.Site))
	}
	age := defaultLinkAge
	var errs [2]error
	if text := q.Get("for"); text != "" {
		if age, errs[0] = caddy.ParseDuration(text); errs[0] != nil || age <= 0 || age > maxLinkAge {
			errs[0] = fmt.Errorf("for %q: use a duration of at most 90 days, such as 30d", text)
		}
	}
	if text := q.Get("id"); text != "" {
		l.ID, errs[1] = records.ParseID(text)
	}
	if err := errors.Join(errs[:]...); err != nil {
		return nil, adminError(http.StatusBadRequest, err)
	}
	_, err := a.store.Store.Latest(r.Context(), l.Site, l.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	l.Recorded, l.Expires = err == nil, time.Now().Add(age).UTC().Truncate(time.Second)
	l.Path = s.options.Prefix + linkPath + a.keys.SignLink(l.Site, consent.Link{ID: l.ID, Expiry: l.Expires})
	return l, nil
}
