package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

type reportOf struct {
	Sites []struct {
		Site       string
		Documents  int
		Pages      map[string]int
		Undeclared []string
		Hosts      []struct {
			Host, Vendor, Purpose string
			Gated, Passed         int
		}
		Seen []struct{ Kind, Vendor, Rule string }
	}
}

func parseReport(t *testing.T, text string) (r reportOf) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return r
}

// TestReportCommand: what pages contact is counted, over a reload and a restart, and declared by the draft; metrics count it too.
func TestReportCommand(t *testing.T) {
	i := newInstance(t, trackingPage)
	i.options = "store bolt " + i.bolt()
	i.start()
	i.page("/")
	i.page("/orders/12345678/jane@example.com?token=secret")
	i.choose("accept")
	i.start() // a reload
	i.page("/")
	metrics := i.api("/metrics")
	for _, want := range []string{
		`caddy_consent_answers_total{event="given"}`, `caddy_consent_decisions_total{outcome="undecided",regime="opt-in"}`,
		`caddy_consent_gated_total{kind="resource",purpose="analytics",site="127.0.0.1",vendor="google-analytics"}`, `caddy_consent_rewritten_bytes_total`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no metric %s", want)
		}
	}
	i.stop()
	i.start()
	text := mustCommand(t, "report", "--address", i.admin, "--json")
	if strings.Contains(text, "jane") || strings.Contains(text, "12345678") || strings.Contains(text, "secret") {
		t.Errorf("the report names a visitor: %s", text)
	}
	r := parseReport(t, text)
	if len(r.Sites) != 1 || r.Sites[0].Documents != 3 || r.Sites[0].Pages["/"] != 2 || r.Sites[0].Pages["/orders/*/*"] != 1 {
		t.Fatalf("pages: %s", text)
	}
	s := r.Sites[0]
	if !slices.Equal(s.Undeclared, []string{"cdn.unknown.example"}) {
		t.Errorf("undeclared: %v", s.Undeclared)
	}
	for _, h := range s.Hosts {
		if h.Host == "www.google-analytics.com" && (h.Gated != 3 || h.Vendor != "google-analytics") {
			t.Errorf("host: %+v", h)
		}
	}
	human := mustCommand(t, "report", "--address", i.admin)
	_, draft, ok := strings.Cut(human, "# A draft")
	if !ok || !strings.Contains(draft, "allow cdn.unknown.example") || !strings.Contains(draft, "require analytics google-analytics") {
		t.Fatalf("draft: %s", human)
	}
	if _, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte("#"+draft), map[string]any{"filename": "Caddyfile"}); err != nil {
		t.Errorf("the draft is no Caddyfile: %v\n%s", err, draft)
	}
	page := filepath.Join(i.dir, "report.html")
	mustCommand(t, "report", "--address", i.admin, "--html", page)
	if html, _ := os.ReadFile(page); !strings.Contains(string(html), "<svg") || strings.Contains(string(html), "<script") || strings.Contains(string(html), "src=") || !strings.Contains(string(html), "cdn.unknown.example") {
		t.Errorf("report page: %s", html)
	}
	i.stop()
	quiet := newInstance(t, trackingPage)
	_, declared, _ := strings.Cut(draft, "consent {")
	declared, _, _ = strings.Cut(declared, "\t}")
	quiet.options, quiet.directive = "store bolt "+quiet.bolt(), "consent {"+declared+"\n}"
	quiet.start()
	quiet.page("/")
	if r := parseReport(t, mustCommand(t, "report", "--address", quiet.admin, "--json")); len(r.Sites) != 1 || len(r.Sites[0].Undeclared) > 0 {
		t.Errorf("with the draft in force something is undeclared still: %+v; the draft: %s", r.Sites, declared)
	}
}

// TestReportRunTime: what pages contact at run time, and the guard asks about, is in the report; what a client makes up is
// bounded, and nothing of it is a name that harms a draft.
func TestReportRunTime(t *testing.T) {
	i := newInstance(t, trackingPage)
	i.options = "store bolt " + i.bolt()
	i.start()
	i.page("/")
	ask := func(urls ...string) {
		t.Helper()
		var q struct {
			U [][2]string `json:"u"`
		}
		for _, u := range urls {
			q.U = append(q.U, [2]string{u, "script"})
		}
		text, _ := json.Marshal(q)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+i.addr+"/.consent/judge", strings.NewReader(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set("Referer", "http://"+i.addr+"/late/page/1234567")
		if answer := body(t, r); !strings.Contains(answer, `"v":[`) {
			t.Fatalf("the gateway does not judge: %s", answer)
		}
	}
	ask("https://late.unknown.example/a.js", "https://www.google-analytics.com/collect", "https://x{env.HOME}.example/a.js", "/own.js", "https://"+strings.Repeat("a", 150)+".example/a")
	violation := `{"csp-report":{"document-uri":"http://site/reported","blocked-uri":"https://blocked.unknown.example/a.js","effective-directive":"script-src-elem"}}`
	res, err := http.Post("http://"+i.addr+"/.consent/csp", "application/csp-report", strings.NewReader(violation))
	if err != nil || res.StatusCode != http.StatusNoContent {
		t.Fatal(res, err)
	}
	_ = res.Body.Close()
	for n := range 100 {
		var urls []string
		for k := range 100 {
			urls = append(urls, fmt.Sprintf("https://n%d-%d.made-up.example/", n, k))
		}
		ask(urls...)
	}
	text := mustCommand(t, "report", "--address", i.admin, "--json")
	r := parseReport(t, text)
	if len(r.Sites) != 1 || !slices.Contains(r.Sites[0].Undeclared, "late.unknown.example") || !strings.Contains(text, "/late/page/*") ||
		!slices.Contains(r.Sites[0].Undeclared, "blocked.unknown.example") || !strings.Contains(text, "/reported") {
		t.Errorf("what is contacted at run time is not reported: %.2000s", text)
	}
	if strings.Contains(text, "env.HOME") || strings.Contains(text, "aaaaaaaaaa") || strings.Contains(text, "1234567") {
		t.Errorf("the report takes what a client makes up: %.2000s", text)
	}
	if n := strings.Count(text, "made-up"); n == 0 || n > 3*maxMadeUp {
		t.Errorf("%d names that a client made up are in the report", n)
	}
	i.stop()
}

// TestReportOversize: who runs a site learns that a page holds what is too large to be judged whole.
func TestReportOversize(t *testing.T) {
	large := "<script>var state = '" + strings.Repeat("x", 40<<10) + "';</script>"
	i := newInstance(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!DOCTYPE html><title>t</title>")
		if r.URL.Path == "/large" {
			_, _ = io.WriteString(w, large)
		}
	}))
	i.options = "store bolt " + i.bolt()
	i.start()
	counted := func() (n int) {
		_, rest, _ := strings.Cut(i.api("/metrics"), "caddy_consent_errors_total{error=\"oversize\"} ")
		if _, err := fmt.Sscan(rest, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := counted() // the process counts for all its tests
	for _, path := range []string{"/small", "/large", "/large"} {
		i.page(path)
	}
	if n := counted() - before; n != 2 {
		t.Errorf("metrics count %d, not 2", n)
	}
	if text := mustCommand(t, "report", "--address", i.admin); !strings.Contains(text, "2 documents hold a tag, script or style") {
		t.Errorf("the report does not tell: %s", text)
	}
	i.stop()
}

// maxMadeUp is more than a client can bring into a report within this test.
const maxMadeUp = 600

// TestReportHostile: names that a page or client made up do no harm in the page.
func TestReportHostile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.json")
	hostile := `<script>alert(1)</script>"'{}`
	text, _ := json.Marshal(map[string]any{"sites": []any{map[string]any{"site": hostile, "pages": map[string]int{hostile: 1},
		"hosts": []any{map[string]any{"host": hostile, "vendor": hostile, "gated": 3, "pages": []string{hostile}}}}}})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	page := file + ".html"
	mustCommand(t, "report", "--file", file, "--html", page)
	if html, _ := os.ReadFile(page); strings.Contains(string(html), "<script>") || !strings.Contains(string(html), "&lt;script&gt;") {
		t.Errorf("not escaped: %s", html)
	}
}

// TestScan crawls within the site and robots.txt, and fails on what nobody declared.
func TestScan(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	var paths []string
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.Path)
		trackingPage(w, r)
	}))
	defer up.Close()
	out := mustCommand(t, "scan", up.URL, "--json")
	r := parseReport(t, out)
	if len(r.Sites) != 1 || r.Sites[0].Documents != 2 || !slices.Equal(r.Sites[0].Undeclared, []string{"cdn.unknown.example", "fonts.from-css.example"}) {
		t.Errorf("scan: %s", out)
	}
	if slices.Contains(paths, "/private/area") {
		t.Error("robots.txt was not obeyed")
	}
	if !strings.Contains(out, `"rule":"_ga`) {
		t.Errorf("no cookie: %s", out)
	}
	if _, err := consentCommand(t, "scan", up.URL, "--fail-on", "undeclared"); err == nil || !strings.Contains(err.Error(), "cdn.unknown.example") {
		t.Errorf("--fail-on undeclared: %v", err)
	}
	config := filepath.Join(t.TempDir(), "Caddyfile")
	declared := "example.com {\n\tconsent {\n\t\tallow cdn.unknown.example\n\t\tallow from-css.example\n\t}\n}\n"
	if err := os.WriteFile(config, []byte(declared), 0o600); err != nil {
		t.Fatal(err)
	}
	mustCommand(t, "scan", up.URL, "--fail-on", "undeclared", "--config", config)
	paths = nil
	if r := parseReport(t, mustCommand(t, "scan", up.URL, "--json", "--pages", "1")); r.Sites[0].Documents != 1 {
		t.Errorf("--pages 1 delivered %d, asked for %v", r.Sites[0].Documents, paths)
	}
	// What a gateway took out cannot be seen from before it.
	behind := "http://" + lab.Gateway(t, strings.TrimPrefix(up.URL, "http://"), "consent", "")
	if out := mustCommand(t, "scan", behind); strings.Count(out, "a gateway stands before this site") != 1 {
		t.Errorf("a scan of a gateway does not say so once: %s", out)
	}
	if strings.Contains(mustCommand(t, "scan", up.URL), "a gateway stands") {
		t.Error("a scan of the site itself speaks of a gateway")
	}
	for args, want := range map[string]string{"scan": "at least one URL", "scan ftp://x": "no address", "scan http://127.0.0.1:1": "refused", "scan x --fail-on all": "undeclared"} {
		if _, err := consentCommand(t, strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
	}
}

// TestUnclassifiedCookie: a persistent identifier that nobody classified is reported, and in strict mode withheld.
func TestUnclassifiedCookie(t *testing.T) {
	i := newInstance(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Add("Set-Cookie", "vid=9f86d081884c7d659a2feaa0c55ad015; Max-Age=31536000; Path=/")
		w.Header().Add("Set-Cookie", "PHPSESSID=9f86d081884c7d659a2feaa0c55ad015; Path=/")
	}))
	i.options = "store bolt " + i.bolt()
	cookies := func() string {
		t.Helper()
		var lines []string
		if !lab.Soon(func() bool { // Caddy may drop a connection that comes during a reload
			res, err := http.Get("http://" + i.addr + "/") //nolint:noctx // a test
			if err != nil {
				return false
			}
			lines = res.Header.Values("Set-Cookie")
			_, err = io.Copy(io.Discard, res.Body) // or the response is cut off, and not counted
			return errors.Join(err, res.Body.Close()) == nil
		}) {
			t.Fatal("no answer")
		}
		return strings.Join(lines, "\n")
	}
	i.start()
	if got := cookies(); !strings.Contains(got, "vid=") {
		t.Errorf("withheld without strict: %s", got)
	}
	// The response is there a moment before it is counted.
	if !lab.Soon(func() bool { return strings.Contains(i.api("/consent/report"), `"rule":"unclassified cookie vid"`) }) {
		t.Fatalf("the cookie is not in the report: %s", i.api("/consent/report"))
	}
	if r := i.api("/consent/report"); strings.Contains(r, "PHPSESSID") {
		t.Errorf("a session cookie is suspected: %s", r)
	}
	i.directive = "consent strict"
	i.start()
	if got := cookies(); strings.Contains(got, "vid=") || !strings.Contains(got, "PHPSESSID=") {
		t.Errorf("strict: %s", got)
	}
}
