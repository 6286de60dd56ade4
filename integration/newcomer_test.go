package integration

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// TestSubpaths: the gateway under handle_path, route and matchers, with a prefix of its own, and behind a TLS terminator
// that is trusted; answers come from the site's own pages only and lead nowhere else.
func TestSubpaths(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<!DOCTYPE html><p>page</p><script src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>`)
	}))
	t.Cleanup(upstream.Close)
	port := strconv.Itoa(lab.FreePort(t))
	lab.Caddy(t, strings.NewReplacer("{up}", strings.TrimPrefix(upstream.URL, "http://"), "{port}", port).Replace(`{
	{global}
	servers {
		trusted_proxies static private_ranges
	}
	consent {
		store bolt {store}
	}
	log {
		level ERROR
	}
}
http://:{port} {
	@off path /off/*
	consent @off off
	handle_path /shop/* {
		consent {
			prefix /shop/.privacy
		}
		reverse_proxy {up}
	}
	route /route/* {
		consent
		reverse_proxy {up}
	}
	handle {
		consent
		reverse_proxy {up}
	}
}
`))
	ask := func(method, path, body string, fields ...string) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequest(method, "http://127.0.0.1:"+port+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "shop.example"
		r.Header.Set("Accept", "text/html")
		for i := 0; i < len(fields); i += 2 {
			r.Header.Set(fields[i], fields[i+1])
		}
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		b, _ := io.ReadAll(res.Body)
		return res, string(b)
	}
	for path, action := range map[string]string{"/shop/x": "/shop/.privacy", "/route/x": "/.consent", "/x": "/.consent", "/off/x": ""} {
		_, body := ask(http.MethodGet, path, "")
		if gated := !strings.Contains(body, ` src="https://www.googletagmanager`); gated != (action != "") || action != "" && !strings.Contains(body, `action="`+action+`/choose"`) {
			t.Errorf("%s: gated %v, want the form to go to %q", path, gated, action)
		}
		if res, _ := ask(http.MethodGet, action+"/", ""); action != "" && res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s/ is not the preference centre: %v", action, res.Header)
		}
	}
	const form = "application/x-www-form-urlencoded"
	res, _ := ask(http.MethodPost, "/shop/.privacy/choose", "choice=refuse&return=/shop/x", "Content-Type", form, "X-Forwarded-Proto", "https", "Origin", "https://shop.example")
	if c := res.Header.Get("Set-Cookie"); res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(c, "__Host-consent=") || !strings.Contains(c, "; Secure") || res.Header.Get("Location") != "/shop/x" {
		t.Errorf("behind a TLS terminator: %d, Set-Cookie %q, Location %q", res.StatusCode, c, res.Header.Get("Location"))
	}
	for _, c := range []struct {
		origin, site string
		status       int
	}{
		{"https://evil.example", "", 403}, {"null", "", 403}, {"", "cross-site", 403}, {"https://evil.example", "same-site", 403}, {"https://shop.example", "same-origin", 303},
	} {
		fields := []string{"Content-Type", form}
		for name, v := range map[string]string{"Origin": c.origin, "Sec-Fetch-Site": c.site} {
			if v != "" {
				fields = append(fields, name, v)
			}
		}
		for _, back := range []string{"//evil.example", `/\evil.example`, "https://evil.example/", "/%09/evil.example", "javascript:alert(1)"} {
			res, _ := ask(http.MethodPost, "/.consent/choose", "choice=accept&return="+back, fields...)
			if res.StatusCode != c.status || (len(res.Header["Set-Cookie"]) > 0) != (c.status == 303) || c.status == 303 && res.Header.Get("Location") != "/" {
				t.Errorf("origin %q, site %q, back to %q: %d, Location %q, cookies %q", c.origin, c.site, back, res.StatusCode, res.Header.Get("Location"), res.Header["Set-Cookie"])
			}
		}
	}
}
