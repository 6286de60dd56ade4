package integration

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// consentCommand runs `caddy consent ARGS…` in this process and returns what it printed.
func consentCommand(t testing.TB, args ...string) (string, error) {
	t.Helper()
	cmd := &cobra.Command{Use: "consent", SilenceErrors: true}
	caddycmd.Commands()["consent"].CobraFunc(cmd)
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func mustCommand(t testing.TB, args ...string) string {
	t.Helper()
	out, err := consentCommand(t, args...)
	if err != nil {
		t.Fatalf("consent %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// instance is a gateway with an admin API and a folder that outlives it.
type instance struct {
	t                 testing.TB
	dir, addr, admin  string
	upstream, options string // options of the global block
	directive         string
}

// newInstance prepares a gateway in front of a handler; start runs it.
func newInstance(t testing.TB, h http.Handler) *instance {
	t.Helper()
	up := httptest.NewServer(h)
	t.Cleanup(up.Close)
	dir := t.TempDir()
	t.Setenv("XDG_DATA_HOME", dir)
	i := &instance{t: t, dir: dir, upstream: up.Listener.Addr().String(), directive: "consent",
		addr: fmt.Sprintf("127.0.0.1:%d", lab.FreePort(t)), admin: fmt.Sprintf("127.0.0.1:%d", lab.FreePort(t))}
	t.Cleanup(func() { _ = caddy.Stop() })
	return i
}

// text is the instance's Caddyfile.
func (i *instance) text() string {
	return fmt.Sprintf(`{
	admin %s
	persist_config off
	storage file_system %s
	log {
		level FATAL
	}
	consent {
		%s
	}
}
http://%s {
	%s
	reverse_proxy %s
}
`, i.admin, filepath.Join(i.dir, "storage"), i.options, strings.TrimPrefix(i.addr, "127.0.0.1"), i.directive, i.upstream)
}

func (i *instance) start() {
	i.t.Helper()
	config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(i.text()), map[string]any{"filename": filepath.Join(i.dir, "Caddyfile")})
	if err != nil {
		i.t.Fatal(err)
	}
	if err := load(config); err != nil {
		i.t.Fatal(err)
	}
}

func (i *instance) stop() {
	i.t.Helper()
	if err := caddy.Stop(); err != nil {
		i.t.Fatal(err)
	}
}

func (i *instance) bolt() string { return filepath.Join(i.dir, "consent.db") }

// page visits a page as a browser without an answer does.
func (i *instance) page(path string) string {
	i.t.Helper()
	r, _ := http.NewRequestWithContext(i.t.Context(), http.MethodGet, "http://"+i.addr+path, nil)
	r.Header.Set("Sec-Fetch-Dest", "document")
	return body(i.t, r)
}

// choose answers, and returns what the gateway says.
func (i *instance) choose(answer string) string {
	i.t.Helper()
	r, _ := http.NewRequestWithContext(i.t.Context(), http.MethodPost, "http://"+i.addr+"/.consent/choose", strings.NewReader(url.Values{"choice": {answer}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	return body(i.t, r)
}

// api asks the admin API.
func (i *instance) api(path string) string {
	i.t.Helper()
	r, _ := http.NewRequestWithContext(i.t.Context(), http.MethodGet, "http://"+i.admin+path, nil)
	return body(i.t, r)
}

func body(t testing.TB, r *http.Request) string {
	t.Helper()
	_, b := answer(t, r)
	return string(b)
}

// trackingPage contacts a vendor, a host that nobody knows, and sets a tracking cookie.
var trackingPage = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/robots.txt" {
		_, _ = io.WriteString(w, "User-agent: *\nDisallow: /private\n")
		return
	}
	if strings.HasSuffix(r.URL.Path, ".css") {
		w.Header().Set("Content-Type", "text/css")
		_, _ = io.WriteString(w, "@import url(https://fonts.from-css.example/f.css);")
		return
	}
	w.Header().Set("Content-Type", "text/html")
	w.Header().Add("Set-Cookie", "_ga=GA1.1.1.2; Path=/; Max-Age=9999999")
	_, _ = io.WriteString(w, `<!DOCTYPE html><title>t</title><link rel=stylesheet href=/style.css>
<script src="https://www.google-analytics.com/analytics.js"></script>
<script src="https://cdn.unknown.example/app.js"></script>
<a href=/second>second</a> <a href=/private/area>private</a> <a href=https://elsewhere.example/>elsewhere</a><p>`+r.URL.Path)
})
