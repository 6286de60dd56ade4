package integration

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// TestExample: each site of Caddyfile.example does what its comment says.
func TestExample(t *testing.T) {
	config, ports := exampleSites(t, t.TempDir(), "")
	lab.Caddy(t, config)
	get := func(port, path, cookie string) (*http.Response, string) {
		t.Helper()
		req, err := http.NewRequest(http.MethodGet, "http://127.0.0.1:"+ports[port]+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Cookie", cookie)
		res, body := answer(t, req)
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

// TestExampleLogs: whatever an address is sent in, no log of the example's sites holds it; and what was logged more than 90
// days ago is deleted, what is younger is not.
func TestExampleLogs(t *testing.T) {
	dir := t.TempDir()
	text, ports := exampleSites(t, dir, "")
	rolled := func(ago time.Duration) string { // a file of one day, rolled at its end
		return filepath.Join(dir, "access-"+time.Now().UTC().Add(-ago).Format("2006-01-02T15-04-05.000")+"-time.log.gz")
	}
	const day = 24 * time.Hour
	var young []string
	for n := range 88 {
		young = append(young, rolled(time.Duration(n)*day+time.Hour))
	}
	old := []string{rolled(88*day + time.Hour), rolled(89*day + time.Hour), rolled(400 * day)}
	for _, name := range slices.Concat(young, old) {
		writeFile(t, name, "a line\n")
	}
	lab.Caddy(t, text)
	for _, port := range []string{"8081", "8082", "8083", "8084", "8085", "8086"} {
		follow(t, "http://127.0.0.1:"+ports[port]+"/?a=203.0.113.77", "X-Forwarded-For", "203.0.113.77, 2001:db8:dead:beef::77", "Forwarded", `for="[2001:db8:dead:beef::77]"`, "X-Real-IP", "203.0.113.77", "Referer", "http://[2001:db8:dead:beef::77]/")
	}
	log := ""
	if !lab.Soon(func() bool {
		log = ""
		for _, name := range []string{"caddy.log", "access.log"} {
			b, _ := os.ReadFile(filepath.Join(dir, name))
			log += string(b)
		}
		return strings.Count(log, "handled request") >= 3 // 8082, 8083 and 8084 log
	}) {
		t.Fatalf("nothing is logged: %s", log)
	}
	if m := regexp.MustCompile(`.{0,80}(203\.0\.113\.77|dead:beef|"127\.0\.0\.1").{0,20}`).FindString(log); m != "" {
		t.Errorf("a log holds an address: %s", m)
	}
	exists := func(name string) bool {
		_, err := os.Stat(name)
		return err == nil
	}
	eventually(t, "old files to be deleted", func() bool { return !slices.ContainsFunc(old, exists) })
	for _, name := range young {
		if !exists(name) {
			t.Errorf("%s is deleted before its time", filepath.Base(name))
		}
	}
}
