package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	logged "go.uber.org/zap/zaptest/observer"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
)

// brokenStore is a store that does not answer while it is down.
type brokenStore struct {
	store.Store
	down bool
}

var errDown = errors.New("no store answers")

func (s *brokenStore) Append(ctx context.Context, r ...*consent.Record) error {
	if s.down {
		return errDown
	}
	return s.Store.Append(ctx, r...)
}

func (s *brokenStore) Latest(ctx context.Context, site string, id consent.ID) (store.State, error) {
	if s.down {
		return store.State{}, errDown
	}
	return s.Store.Latest(ctx, site, id)
}

// TestOutageIsLoggedOnce: however many visitors meet a store that is down, the log says so once a minute; no line is about a
// visitor who left.
func TestOutageIsLoggedOnce(t *testing.T) {
	s := newServed(t, true)
	app := s.handler.app
	core, logs := logged.New(zap.InfoLevel)
	app.log = zap.New(core)
	broken := &brokenStore{Store: app.store.Store}
	app.store.Store = broken
	visit := func(ctx context.Context, method, path, body, cookies string) *http.Response {
		r := httptest.NewRequestWithContext(ctx, method, "https://site.test"+path, strings.NewReader(body))
		r.Header = http.Header{"Sec-Fetch-Dest": {"document"}, "Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}, "Cookie": {cookies}}
		w := httptest.NewRecorder()
		r = caddyhttp.PrepareRequest(r, caddy.NewReplacer(), w, nil)
		if err := s.handler.ServeHTTP(w, r, s.next); err != nil {
			t.Fatal(err)
		}
		return w.Result()
	}
	answer := func() string {
		terms := consent.Terms{Asked: consent.OptionalPurposes, PolicyVersion: "1"}
		k := consent.Token{ID: consent.NewID(), Granted: consent.OptionalPurposes, Seq: 1, At: time.Now()}
		r := consent.NewRecord("site.test", &terms, &consent.Signals{}, &k, consent.EventGiven, k.At)
		r.Method = consent.MethodBanner
		if err := app.append(t.Context(), &r, false); err != nil {
			t.Fatal(err)
		}
		return "__Host-consent=" + string(app.keys.Sign(nil, "site.test", &k))
	}
	yes := answer()
	if logs.Len() > 0 {
		t.Fatalf("logged %v", logs.All())
	}
	left, leave := context.WithCancel(t.Context())
	leave()
	broken.down = true
	visit(left, http.MethodGet, "/", "", yes)
	if n := logs.TakeAll(); len(n) > 0 {
		t.Errorf("a visitor who left is logged: %v", n)
	}
	met := func(want ...string) {
		t.Helper()
		for range 5 {
			visit(t.Context(), http.MethodPost, "/.consent/choose", "choice=accept", "")
			visit(t.Context(), http.MethodGet, "/", "", yes)
		}
		var said []string
		for _, l := range logs.TakeAll() {
			said = append(said, l.Message, fmt.Sprint(l.ContextMap()["failures"]))
		}
		if !slices.Equal(said, want) {
			t.Errorf("the log says %q, want %q", said, want)
		}
	}
	met(app.answersOut.what, "1", app.recordsOut.what, "1")
	met()
	for _, o := range []*outage{&app.answersOut, &app.recordsOut} { // a minute later
		earlier := o.told.Load().Add(-toldEvery)
		o.told.Store(&earlier)
	}
	met(app.answersOut.what, "10", app.recordsOut.what, "10")
}
