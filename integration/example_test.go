package integration

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// TestExample: each site of Caddyfile.example does what its comment says.
func TestExample(t *testing.T) {
	text, err := os.ReadFile("../Caddyfile.example")
	if err != nil {
		t.Fatal(err)
	}
	config := strings.NewReplacer("admin localhost:2019", "{global}", "consent-data", t.TempDir(), "root * caddymodule/demo/site", "root * ../caddymodule/demo/site").Replace(string(text))
	ports := map[string]string{}
	for _, port := range []string{"8081", "8082", "8083", "8084", "8085", "8086", "9000"} {
		ports[port] = fmt.Sprint(lab.FreePort(t))
		config = strings.ReplaceAll(config, ":"+port, ":"+ports[port])
	}
	lab.Caddy(t, config)
	get := func(port, path, cookie string) (*http.Response, string) {
		t.Helper()
		req, err := http.NewRequest(http.MethodGet, "http://127.0.0.1:"+ports[port]+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Cookie", cookie)
		res, err := http.DefaultClient.Do(req)
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
	const loader = ` src="https://platform.twitter.com/widgets.js"`
	for _, c := range []struct {
		port, path string
		gated      bool
		holds      string
	}{
		{"8081", "/", true, "data-consent-form"},
		{"8082", "/", true, "/.privacy/choose"},
		{"8082", "/.privacy/", true, "<form"},
		{"8083", "/", false, ""},
		{"8084", "/", false, ""},
		{"8085", "/", true, "data-consent-form"},
		{"8086", "/", true, "data-consent-form"},
	} {
		res, body := get(c.port, c.path, "")
		if res.StatusCode != 200 || strings.Contains(body, loader) == c.gated || !strings.Contains(body, c.holds) {
			t.Errorf("site %s%s: status %d, names the tracker: %v, holds %q: %v", c.port, c.path, res.StatusCode, strings.Contains(body, loader), c.holds, strings.Contains(body, c.holds))
		}
	}
	if res, _ := get("8086", "/", ""); res.Header.Get("X-Remarketing") != "" {
		t.Error("site 8086 allows remarketing before the visitor agreed")
	}
	res, err := http.Post("http://127.0.0.1:"+ports["8086"]+"/.consent/choose", "application/x-www-form-urlencoded", strings.NewReader("choice=accept"))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	cookie := ""
	for _, c := range res.Request.Response.Cookies() {
		cookie = c.Name + "=" + c.Value
	}
	if res, _ := get("8086", "/", cookie); res.Header.Get("X-Remarketing") != "allowed" {
		t.Errorf("site 8086 does not allow remarketing after the visitor agreed (cookie %q)", cookie)
	}
	if _, body := get("8085", "/", cookie); strings.Contains(body, loader) {
		t.Error("the answer given to one site counts on another")
	}
}
