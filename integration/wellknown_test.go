package integration

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// claim is a configuration, a visitor, and what the site must state.
type claim struct {
	name, options string
	gpc           bool
	header        http.Header
	answer        string // a choice made before
	tk            string
}

// TestClaims: what a site states about signals is what its configuration does (TPE, 6; GPC, "GPC Support Resource").
func TestClaims(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!DOCTYPE html><title>x</title>")
	}))
	t.Cleanup(upstream.Close)
	for _, c := range []claim{
		{name: "default", gpc: true, tk: "N;N"},
		{name: "after consent", gpc: true, answer: "accept", tk: "C;C"},
		{name: "after refusal", gpc: true, answer: "refuse", tk: "N;N"},
		{name: "signal", gpc: true, header: http.Header{"Dnt": {"1"}}, tk: "N;N"},
		{name: "opt-out", options: "default opt-out", gpc: true, tk: "T;T"},
		{name: "opt-out and a signal", options: "default opt-out", gpc: true, header: http.Header{"Sec-Gpc": {"1"}}, tk: "N;N"},
		{name: "opt-out, signals disregarded", options: "default opt-out\nsignals none", header: http.Header{"Dnt": {"1"}}, tk: "D;D"},
		{name: "DNT alone", options: "signals dnt", tk: "N;N"},
		{name: "GPC alone", options: "signals gpc", gpc: true, tk: "N;N"},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr := lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent {\npolicy_url /privacy\n"+c.options+"\n}", "")
			cookie := ""
			if c.answer != "" {
				req := request(t, http.MethodPost, "http://"+addr+"/.consent/choose", strings.NewReader("choice="+c.answer), http.Header{"Accept": {"application/json"}, "Content-Type": {"application/x-www-form-urlencoded"}})
				res, _ := answer(t, req)
				if got := res.Header.Get("Tk"); got != "U" {
					t.Errorf("Tk of an answer = %q, want U", got)
				}
				cookie = res.Cookies()[0].Name + "=" + res.Cookies()[0].Value
			}
			h := c.header.Clone()
			if h == nil {
				h = http.Header{}
			}
			h.Set("Cookie", cookie)
			h.Set("Accept", "text/html")
			if res, _ := answer(t, request(t, http.MethodGet, "http://"+addr+"/", nil, h)); res.Header.Get("Tk") != c.tk {
				t.Errorf("Tk = %q, want %q", res.Header.Get("Tk"), c.tk)
			}
			res, body := answer(t, request(t, http.MethodGet, "http://"+addr+"/.well-known/gpc.json", nil, nil))
			var support struct {
				GPC        *bool
				LastUpdate string
			}
			if err := json.Unmarshal(body, &support); err != nil || support.GPC == nil || *support.GPC != c.gpc || len(support.LastUpdate) != len("2006-01-02") || res.Header.Get("Content-Type") != "application/json" {
				t.Errorf("gpc.json = %s (%s), want gpc %v", body, res.Header.Get("Content-Type"), c.gpc)
			}
			c.status(t, addr, h)
		})
	}
}

// status checks the tracking status resources: never cookies, never stored, a resource for each ID that Tk names.
func (c claim) status(t *testing.T, addr string, h http.Header) {
	t.Helper()
	for path, tracking := range map[string]string{"": "?", "N": "N", "C": "C", "T": "T", "D": "D", "nonsense": ""} {
		res, body := answer(t, request(t, http.MethodGet, "http://"+addr+"/.well-known/dnt/"+path, nil, h))
		if tracking == "" {
			if res.StatusCode != http.StatusNotFound {
				t.Errorf("status %q: %d, want 404", path, res.StatusCode)
			}
			continue
		}
		var s struct{ Tracking, Policy, Config string }
		if err := json.Unmarshal(body, &s); err != nil || s.Tracking != tracking || s.Policy != "/privacy" || s.Config != "/.consent/" {
			t.Errorf("status %q = %s", path, body)
		}
		if res.Header.Get("Content-Type") != "application/tracking-status+json" || res.Header.Get("Set-Cookie") != "" || !strings.Contains(res.Header.Get("Cache-Control"), "no-store") {
			t.Errorf("status %q: header %v", path, res.Header)
		}
	}
}

func request(t *testing.T, method, url string, body io.Reader, h http.Header) *http.Request {
	t.Helper()
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	if h != nil {
		req.Header = h.Clone()
	}
	return req
}
