package integration

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// rawUpstream answers each request with what answer returns for it, byte for byte, and hangs up.
func rawUpstream(t testing.TB, answer func(*http.Request) string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { //nolint:gosec // a test
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(c, answer(r))
		_ = c.Close()
	})}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return l.Addr().String()
}

// openPage asks as a browser that opens a page.
func openPage(t testing.TB, method, address string, fields ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Sec-Fetch-Dest", "document")
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	c := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

// TestUntypedResponse: net/http names the type of a body that has none, nosniff or not, so that browsers show as a page
// what the upstream's own answer would not have been.
func TestUntypedResponse(t *testing.T) {
	const page = `<!DOCTYPE html><title>x</title><img src="https://www.facebook.com/tr?id=1">`
	for _, fields := range []string{"", "X-Content-Type-Options: nosniff\r\n", "Content-Type:\r\nX-Content-Type-Options: nosniff\r\n"} {
		addr := lab.Gateway(t, rawUpstream(t, func(*http.Request) string {
			return "HTTP/1.1 200 OK\r\nConnection: close\r\n" + fields + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(page), page)
		}), "consent", "")
		res, body := openPage(t, http.MethodGet, "http://"+addr+"/")
		if kind := res.Header.Get("Content-Type"); strings.HasPrefix(kind, "text/html") == strings.Contains(body, ` src="https://www.facebook.com`) {
			t.Errorf("%q: type %q, body %s", fields, kind, body)
		}
	}
}

// TestFragmentType: what a script fetches keeps the type that the upstream named, which tells XMLHttpRequest how to read it;
// in a page that is navigated to, the gateway names what it found.
func TestFragmentType(t *testing.T) {
	const text = `<!doctype html><meta charset=windows-1252><p>x</p>`
	for upstream, page := range map[string]string{"text/html": "text/html; charset=windows-1252", "unknown": "text/html; charset=windows-1252"} {
		addr := lab.Gateway(t, rawUpstream(t, func(*http.Request) string {
			return fmt.Sprintf("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", upstream, len(text), text)
		}), "consent", "")
		for dest, want := range map[string]string{"document": page, "empty": upstream} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Sec-Fetch-Dest", dest)
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if got := res.Header.Get("Content-Type"); got != want {
				t.Errorf("%s for %s: %s, want %s", upstream, dest, got, want)
			}
		}
	}
}

// TestLocationOfCreated: a Location that leads nowhere, of a 201 or 200, takes no answer's place.
func TestLocationOfCreated(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "https://www.google-analytics.com/collect?v=1&tid=UA-1-1")
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/created" {
			w.WriteHeader(http.StatusCreated)
		}
		_, _ = io.WriteString(w, `{"id":1}`)
	}))
	t.Cleanup(up.Close)
	base := "http://" + lab.Gateway(t, strings.TrimPrefix(up.URL, "http://"), "consent", "")
	for path, status := range map[string]int{"/created": http.StatusCreated, "/": http.StatusOK} {
		if res, body := openPage(t, http.MethodPost, base+path); res.StatusCode != status || body != `{"id":1}` || !strings.Contains(res.Header.Get("Location"), "collect") {
			t.Errorf("%s: %d, %q, %s", path, res.StatusCode, res.Header.Get("Location"), body)
		}
	}
}

// TestPolicyOfUnseenPages: what teaches the gateway no host, pages that are confirmed, only asked for their header, or not
// there, is no view from which it would conclude that it knows the site's hosts.
func TestPolicyOfUnseenPages(t *testing.T) {
	t.Parallel()
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("ETag", `"v1"`)
		switch {
		case strings.HasPrefix(r.URL.Path, "/gone"):
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, "<!DOCTYPE html><p>not found")
			return
		case r.Header.Get("If-None-Match") != "":
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = io.WriteString(w, `<!DOCTYPE html><script src="https://assets.shop-files.example/app.js"></script><p>page`)
	}))
	t.Cleanup(up.Close)
	base := "http://" + lab.Gateway(t, strings.TrimPrefix(up.URL, "http://"), "consent", "")
	first, _ := openPage(t, http.MethodGet, base+"/", "Sec-GPC", "1")
	tag := first.Header.Get("ETag")
	for n := range 60 {
		openPage(t, http.MethodHead, fmt.Sprintf("%s/head/%d", base, n), "Sec-GPC", "1")
		openPage(t, http.MethodGet, fmt.Sprintf("%s/gone/%d", base, n), "Sec-GPC", "1")
		if res, _ := openPage(t, http.MethodGet, base+"/", "Sec-GPC", "1", "If-None-Match", tag); res.StatusCode != http.StatusNotModified {
			t.Fatalf("not confirmed: %d", res.StatusCode)
		}
	}
	if res, _ := openPage(t, http.MethodGet, base+"/", "Sec-GPC", "1"); res.Header.Get("Content-Security-Policy") != "" {
		t.Errorf("one page was seen, and its policy is in force: %s", res.Header.Get("Content-Security-Policy"))
	}
	for n := range 60 {
		openPage(t, http.MethodGet, fmt.Sprintf("%s/page/%d", base, n), "Sec-GPC", "1")
	}
	if res, _ := openPage(t, http.MethodGet, base+"/", "Sec-GPC", "1"); !strings.Contains(res.Header.Get("Content-Security-Policy"), "assets.shop-files.example") {
		t.Errorf("60 pages were seen, and the policy is %q", res.Header.Get("Content-Security-Policy"))
	}
}
