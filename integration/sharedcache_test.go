package integration

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// TestSharedCaches: no cache between gateway and browser gives what one visitor is answered to another, nor a browser what it
// was answered before a withdrawal: not what was rewritten, not a redirect past a vendor, not a vendor's cookie, not the
// silence that stands for either. Fields that speak to one kind of cache only (RFC 9213, and those before it) would overrule
// Cache-Control there.
func TestSharedCaches(t *testing.T) {
	t.Parallel()
	targeted := []string{"CDN-Cache-Control", "Cloudflare-CDN-Cache-Control", "Surrogate-Control", "X-Accel-Expires", "Edge-Control"}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "public, max-age=31536000")
		for _, name := range targeted {
			h.Set(name, "max-age=600")
		}
		h.Set("X-Accel-Expires", "600")
		switch r.URL.Path {
		case "/page":
			h.Set("Content-Type", "text/html")
			_, _ = w.Write([]byte(`<!DOCTYPE html><img src="https://www.google-analytics.com/collect?v=1"><p>page`))
		case "/style.css":
			h.Set("Content-Type", "text/css")
			_, _ = w.Write([]byte(`p { background: url(https://www.google-analytics.com/collect?v=1) }`))
		case "/count":
			http.Redirect(w, r, "https://www.google-analytics.com/collect?v=1", http.StatusMovedPermanently)
		case "/partner":
			http.Redirect(w, r, "https://partner.example/?gclid=123", http.StatusMovedPermanently)
		case "/moved":
			h.Set("Location", "/page")
			w.WriteHeader(http.StatusMovedPermanently)
		case "/cookie.png":
			h.Set("Content-Type", "image/png")
			h.Set("Set-Cookie", "_ga=GA1.1.123456789.987654321; Max-Age=600")
		case "/unread":
			h.Set("Content-Type", "text/html")
			h.Set("Content-Encoding", "compress")
			_, _ = w.Write([]byte("\x1f\x9d"))
		case "/strict.png":
			h.Set("Content-Type", "image/png")
			h.Set("Set-Cookie", "whoami=9f86d081884c7d659a2feaa0c55ad015; Max-Age=31536000")
		case "/own.png":
			h.Set("Content-Type", "image/png")
			h.Add("Set-Cookie", "theme=dark; Max-Age=600")
			h.Add("Set-Cookie", "__cf_bm=1; Max-Age=600") // of a vendor, and necessary
		}
	}))
	t.Cleanup(upstream.Close)
	addr := lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "@strict path /strict*\nconsent @strict strict\nconsent {\n\tfirst_party /stats/* plausible\n}", "")
	res, _ := post(t, "http://"+addr+"/.consent/choose", "choice=accept", "Accept", "application/json")
	agreed, _, _ := strings.Cut(res.Header.Get("Set-Cookie"), ";")
	for _, c := range []struct {
		path, dest string
		mine       bool // depends on the visitor
	}{
		{"/page", "document", true},
		{"/style.css", "style", true},
		{"/count", "image", true},
		{"/count", "document", true},
		{"/partner", "document", true},
		{"/cookie.png", "image", true},
		{"/stats/event", "empty", true},
		{"/unread", "document", true},
		{"/strict.png", "image", true},
		{"/moved", "document", false},
		{"/own.png", "image", false},
	} {
		for _, cookie := range []string{"", agreed} {
			r, err := http.NewRequest(http.MethodGet, "http://"+addr+c.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Sec-Fetch-Dest", c.dest)
			if cookie != "" {
				r.Header.Set("Cookie", cookie)
			}
			res, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			said := res.Header.Get("Cache-Control")
			who := c.path + " as " + c.dest + map[bool]string{true: " after agreement", false: " before"}[cookie != ""]
			shared := !strings.Contains(said, "private") && !strings.Contains(said, "no-store")
			for _, name := range targeted {
				shared = shared || c.mine && res.Header.Get(name) != ""
			}
			if shared == c.mine && !(c.path == "/stats/event" && cookie != "") && !((c.path == "/cookie.png" || c.path == "/strict.png") && cookie == "") {
				t.Errorf("%s: status %d, %v", who, res.StatusCode, res.Header)
			}
			if strings.HasPrefix(c.path, "/count") && (strings.Contains(said, "max-age") || said == "") {
				t.Errorf("%s: Cache-Control %q keeps it in the browser beyond a withdrawal", who, said)
			}
			if !c.mine && (res.Header.Get("CDN-Cache-Control") == "" || said != "public, max-age=31536000") {
				t.Errorf("%s: the site's caching is lost: %v", who, res.Header)
			}
		}
	}
}
