package integration

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// TestRedirects: the site's own redirects lead past no counter unasked. A visitor gets a page with a link instead, an
// image nothing; signing in with a social network works.
func TestRedirects(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusFound)
	}))
	t.Cleanup(upstream.Close)
	addr := lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", "")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, c := range []struct {
		to, dest string
		status   int
		holds    string
	}{
		{"https://ad.doubleclick.net/ddm/clk/1", "document", 200, `href="https://ad.doubleclick.net/ddm/clk/1"`},
		{"https://ad.doubleclick.net/ddm/clk/1", "image", 204, ""},
		{"https://www.facebook.com/v3.2/dialog/oauth?client_id=1", "document", 302, ""},
		{"https://partner.example/", "document", 302, ""},
		{"/elsewhere", "document", 302, ""},
	} {
		req, err := http.NewRequest(http.MethodGet, "http://"+addr+"/go?to="+strings.ReplaceAll(c.to, "&", "%26"), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Sec-Fetch-Dest", c.dest)
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode != c.status || !strings.Contains(string(body), c.holds) {
			t.Errorf("%s to %s: status %d, want %d; body %.300s", c.dest, c.to, res.StatusCode, c.status, body)
		}
		if gated := c.status != 302; gated && res.Header.Get("Location") != "" {
			t.Errorf("%s to %s: Location %q is left", c.dest, c.to, res.Header.Get("Location"))
		}
	}
}
