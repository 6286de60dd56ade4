package integration

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// TestDictionaries: the app is never asked for a body that only somebody with an earlier one can read (RFC 9842), and what is
// rewritten is no dictionary.
func TestDictionaries(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Available-Dictionary") != "" || strings.Contains(strings.Join(r.Header["Accept-Encoding"], ","), "dc") {
			t.Errorf("%s %s: asked with %v", r.URL, r.Header.Get("Sec-Fetch-Dest"), r.Header)
		}
		w.Header().Set("Content-Type", "text/css")
		w.Header().Set("Use-As-Dictionary", `match="/*"`)
		_, _ = io.WriteString(w, `p{background:url(https://www.facebook.com/tr?id=1)}`)
	}))
	t.Cleanup(upstream.Close)
	gateway := lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", "")
	for _, dest := range []string{"document", "style", "empty", "script"} {
		res, body := openPage(t, http.MethodGet, "http://"+gateway+"/a.css", "Sec-Fetch-Dest", dest, "Accept-Encoding", "gzip, dcb, dcz", "Available-Dictionary", ":x=:")
		if strings.Contains(body, "url(https://www.facebook.com") || res.Header.Get("Use-As-Dictionary") != "" {
			t.Errorf("%s: %v %s", dest, res.Header, body)
		}
	}
}
