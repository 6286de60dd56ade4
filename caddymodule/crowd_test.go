package caddymodule

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-consent/caddy-consent/consent/store"
)

// withStorage gives the app a storage, which answers need.
func (s *served) withStorage(t *testing.T) {
	t.Helper()
	ctx, err := caddy.ProvisionContext(&caddy.Config{StorageRaw: []byte(`{"module":"file_system","root":"` + t.TempDir() + `"}`)})
	if err != nil {
		t.Fatal(err)
	}
	s.handler.app.ctx = ctx
}

// choose answers as a visitor of one network does and returns what came back, and the cookie.
func (s *served) choose(t *testing.T, choice, cookie string) (status int, answer answerBody, token string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "https://site.test/.consent/choose", strings.NewReader("choice="+choice))
	for name, value := range map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json", "Origin": "https://site.test"} {
		r.Header.Set(name, value)
	}
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	w := httptest.NewRecorder()
	r = caddyhttp.PrepareRequest(r, caddy.NewReplacer(), w, nil)
	if err := s.handler.ServeHTTP(w, r, s.next); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatalf("%d %q: %v", w.Code, w.Body, err)
	}
	for _, c := range w.Result().Cookies() {
		if strings.Contains(c.Name, "consent") {
			token = c.Name + "=" + c.Value
		}
	}
	return w.Code, answer, token
}

// TestCrowd: however many refuse from one network, each refusal holds and is recorded; a withdrawal is recorded at once;
// only consent waits for the next minute.
func TestCrowd(t *testing.T) {
	s := newServed(t, true)
	s.withStorage(t)
	lease := s.handler.app.store
	lease.stop() // nothing is handed over meanwhile
	lease.running.Wait()
	_, _, consented := s.choose(t, "accept", "")
	beyond := func(choice, cookie string) (int, answerBody, string) {
		for s.handler.app.limiter.allow(netip.MustParseAddr("192.0.2.1"), time.Now()) { //nolint:revive // until the minute's budget is spent
		}
		return s.choose(t, choice, cookie)
	}
	records := map[string]bool{}
	for range 100 {
		status, answer, token := beyond("refuse", "")
		if status != http.StatusOK || token == "" || answer.Granted.String() != "necessary" || answer.Record == "" {
			t.Fatalf("refusal %d: %d %+v %q", len(records), status, answer, token)
		}
		records[answer.Record] = true
	}
	if status, _, token := beyond("accept", ""); status != http.StatusTooManyRequests || token != "" {
		t.Errorf("consent beyond the limit: %d %q", status, token)
	}
	status, withdrawal, _ := beyond("refuse", consented)
	if n := lease.spooled().Pending; status != http.StatusOK || n != 100 {
		t.Errorf("a withdrawal: %d, and %d wait instead of 100", status, n)
	}
	records[withdrawal.Record] = true
	for range 100 { // the same cookie has nothing left to withdraw
		if _, answer, _ := beyond("refuse", consented); answer.Record != "" {
			records[answer.Record] = true
		}
	}
	if n := lease.spooled().Pending; n != 200 {
		t.Errorf("%d of 200 refusals beyond the limit wait: the others went straight to the store", n)
	}
	if err := lease.spool.Load().Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := lease.Scan(t.Context(), store.Filter{}, func(e store.Entry) error {
		delete(records, e.Record.RecordID.String())
		return nil
	})
	if err != nil || len(records) > 0 {
		t.Errorf("%d answers with a record's number are not on record: %v", len(records), err)
	}
}
