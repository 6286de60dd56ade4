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

// TestPoisonedPolicy: what clients say that a site loads cannot write into the policy that other visitors get, push out
// what the site's pages load, or make the policy so long that it is left out.
func TestPoisonedPolicy(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<!DOCTYPE html><script src="https://assets.shop-files.example/app.js"></script><p>page`)
	}))
	t.Cleanup(upstream.Close)
	base := "http://" + lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", "")
	send := func(method, path, contentType, body string, fields ...string) string {
		t.Helper()
		r, err := http.NewRequest(method, base+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "shop.example"
		r.Header.Set("Accept", "text/html")
		r.Header.Set("Sec-GPC", "1") // who refuses gets the policy once enough was seen
		if contentType != "" {
			r.Header.Set("Content-Type", contentType)
		}
		for i := 0; i < len(fields); i += 2 {
			r.Header.Set(fields[i], fields[i+1])
		}
		res, _ := answer(t, r)
		return res.Header.Get("Content-Security-Policy")
	}
	judge := func(urls ...string) {
		t.Helper()
		var b strings.Builder
		for i, u := range urls {
			fmt.Fprintf(&b, `,["%s","script"]`, u)
			if i == len(urls)-1 || i%200 == 199 {
				send("POST", "/.consent/judge", "application/json", `{"u":[`+b.String()[1:]+`]}`)
				b.Reset()
			}
		}
	}
	judge("https://x;sandbox/", "https://*/", "https://*.net/", "https://a.b'/", "https://x;script-src-elem", "https://real-cdn.example/a.js", "https://real-cdn.example/b.js")
	send("POST", "/.consent/csp", "application/csp-report", `{"csp-report":{"blocked-uri":"https://y;sandbox/x","effective-directive":"script-src"}}`)
	var many []string
	for i := range 600 {
		many = append(many, fmt.Sprintf("https://%s%d.example/", strings.Repeat("long-", 10), i))
	}
	judge(many...)
	for _, u := range many[:100] {
		send("POST", "/.consent/csp", "application/csp-report", `{"csp-report":{"blocked-uri":"`+u+`","effective-directive":"script-src"}}`)
	}
	var policy string
	for range 60 {
		policy = send("GET", "/", "", "")
	}
	if policy == "" {
		t.Fatal("no policy is sent any more")
	}
	if strings.Contains(policy, "sandbox") || strings.Contains(policy, " * ") || strings.Contains(policy, "*.net") || strings.Contains(policy, "script-src-elem") {
		t.Errorf("clients wrote into the policy: %s", policy)
	}
	for _, host := range []string{"assets.shop-files.example", "real-cdn.example"} {
		if !strings.Contains(policy, " "+host) {
			t.Errorf("%s, which the site's visitors load from, was pushed out of the policy: %s", host, policy)
		}
	}
	if strings.Contains(policy, "bundle.new-files.example") || !strings.HasSuffix(policy, "; report-uri /.consent/csp") {
		t.Errorf("the policy in force asks for no reports: %s", policy)
	}
	for range 3 {
		send("POST", "/.consent/csp", "application/csp-report", `{"csp-report":{"blocked-uri":"https://bundle.new-files.example/x.js","effective-directive":"script-src-elem"}}`)
	}
	foreign := func(site string) string {
		for range 5 {
			send("POST", "/.consent/csp", "application/csp-report", `{"csp-report":{"blocked-uri":"https://`+site+`.example/x.js","effective-directive":"script-src-elem"}}`, "Sec-Fetch-Site", site)
		}
		return send("GET", "/", "", "")
	}
	if policy := foreign("cross-site"); strings.Contains(policy, "cross-site") {
		t.Errorf("another site's page has its visitors write into the policy: %s", policy)
	}
	if policy := foreign("same-origin"); !strings.Contains(policy, "same-origin") {
		t.Errorf("a browser's report does not heal the policy: %s", policy)
	}
	if healed := send("GET", "/", "", ""); !strings.Contains(healed, " bundle.new-files.example") {
		t.Errorf("reports of what the policy blocks do not heal it: %s", healed)
	}
	if len(policy) > 8<<10 {
		t.Errorf("the policy has %d bytes", len(policy))
	}
}

// TestPolicyOfOddHosts: net/http lets Host fields pass that would be further directives.
func TestPolicyOfOddHosts(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!DOCTYPE html><p>page")
	}))
	t.Cleanup(upstream.Close)
	addr := lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", "")
	for host, own := range map[string]string{
		"shop.example;sandbox": "", "shop.example:80;sandbox": "", "shop.example,sandbox": "", "*.example": "", "[::1]:8080": "", "localhost:8080": "",
		"127.0.0.1:8080": " 127.0.0.1 ", "WWW.Shop.Example:8080": " *.shop.example ", "xn--bcher-kva.example": " *.xn--bcher-kva.example ",
	} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: "+host+"\r\nAccept: text/html\r\nConnection: close\r\n\r\n")
		answer, _ := io.ReadAll(c)
		_ = c.Close()
		_, policy, _ := strings.Cut(string(answer), "Content-Security-Policy-Report-Only: ")
		policy, _, _ = strings.Cut(policy, "\r\n")
		if strings.Contains(policy, "sandbox") || strings.Contains(policy, "*.*") || !strings.Contains(policy, own) || policy == "" {
			t.Errorf("Host: %s got %q", host, policy)
		}
	}
}
