package integration

import (
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
)

// leakyFields are response fields by which a browser contacts somebody, some of them only minutes later or where a
// browser under test does not: what counts here is that no response names the tracker.
var leakyFields = [][2]string{
	{"Link", "<https://tracker.test/v/1>; rel=preload; as=script, </own.css>; rel=preload; as=style"},
	{"Link", "<https://tracker.test>; rel=preconnect"},
	{"Link", "<//tracker.test>; rel=dns-prefetch"},
	{"Refresh", "0; url=https://tracker.test/v/2"},
	{"Content-Security-Policy", "default-src *; report-uri https://tracker.test/v/3"},
	{"Content-Security-Policy-Report-Only", "default-src 'self'; report-uri https://tracker.test/v/4"},
	{"Reporting-Endpoints", `main="https://tracker.test/v/5"`},
	{"Report-To", `{"group":"main","max_age":10886400,"endpoints":[{"url":"https://tracker.test/v/6"}]}`},
	{"NEL", `{"report_to":"main","max_age":31536000}`},
	{"Speculation-Rules", `"https://tracker.test/v/7"`},
	{"SourceMap", "https://tracker.test/v/8"},
}

// No field of any response names the tracker: pages, errors, answers without a body, early hints.
func TestResponseFields(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, f := range leakyFields {
			w.Header().Add(f[0], f[1])
		}
		w.Header().Add("Set-Cookie", "_ga=GA1.1.1.1; Path=/; HttpOnly")
		switch r.URL.Path {
		case "/hints":
			w.WriteHeader(http.StatusEarlyHints)
			_, _ = w.Write([]byte("<!DOCTYPE html><title>x</title>"))
		case "/error":
			http.Error(w, "broken", http.StatusInternalServerError)
		case "/redirect":
			http.Redirect(w, r, "https://www.google-analytics.com/collect?v=1&tid=UA-1-1&t=pageview", http.StatusFound)
		case "/empty":
			w.WriteHeader(http.StatusNoContent)
		default:
			_, _ = w.Write([]byte("<!DOCTYPE html><title>x</title>"))
		}
	}))
	defer upstream.Close()
	origin := strings.TrimPrefix(upstream.URL, "http://")
	gateway := leakyGateway(t, origin)
	for _, path := range []string{"/", "/hints", "/error", "/redirect", "/empty"} {
		for _, via := range []string{origin, gateway} {
			named := fieldsNaming(t, "http://"+via+path, "tracker.test", "google-analytics.com", "_ga=")
			if via == origin && len(named) < len(leakyFields)-1 {
				t.Errorf("%s: without the gateway only %d fields name a tracker: %v", path, len(named), named)
			}
			if via == gateway && len(named) > 0 {
				t.Errorf("%s: behind the gateway these fields name a tracker: %q", path, named)
			}
		}
	}
}

// fieldsNaming returns the response's fields, those of interim responses too, that hold one of the words.
func fieldsNaming(t *testing.T, address string, words ...string) (named []string) {
	t.Helper()
	look := func(h map[string][]string) {
		for name, values := range h {
			for _, v := range values {
				for _, word := range words {
					if strings.Contains(v, word) {
						named = append(named, name+": "+v)
					}
				}
			}
		}
	}
	trace := &httptrace.ClientTrace{Got1xxResponse: func(_ int, h textproto.MIMEHeader) error {
		look(h)
		return nil
	}}
	r, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Dest", "image")
	if !strings.HasSuffix(address, "/redirect") {
		r.Header.Set("Sec-Fetch-Dest", "document")
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	look(res.Header)
	return named
}
