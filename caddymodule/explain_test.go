package caddymodule

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/caddy-consent/caddy-consent/caddymodule/command"
)

// TestExplainPasses: what passes although a rule knows it is explained by that rule, and by what would gate it.
func TestExplainPasses(t *testing.T) {
	config := filepath.Join(t.TempDir(), "Caddyfile")
	text := ":80 {\n\tconsent {\n\t\tallow cdn.own.example \"the shop's own pictures\"\n\t\tallow hotjar\n\t}\n}\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string][]string{
		"https://fonts.googleapis.com/css?family=Sans":     {"pass", "Google Fonts", "functional", "by    default", "require functional google-fonts"},
		"https://shop.us1.list-manage.com/subscribe/post":  {"pass", "Mailchimp", "by    exception"},
		"https://cdn.own.example/x.js":                     {"pass", "declared by the operator", "(allow)", "by    allow: the shop's own pictures"},
		"https://static.hotjar.com/c/hotjar-1.js":          {"pass", "Hotjar", "by    allow"},
		"https://js.stripe.com/v3/":                        {"pass", "Stripe", "necessary", "by    payment"},
		"https://cdn.nobody.example/x.js":                  {"pass", "no rule knows it"},
		"https://connect.facebook.net/en_US/fbevents.js":   {"gate", "by    undecided", "allow connect.facebook.net"},
		"https://www.youtube.com/embed/M7lc1UVf-VE":        {"gate", "YouTube"},
		"https://fonts.gstatic.com/s/opensans/v1/x.woff2":  {"pass", "by    default"},
		"https://maps.googleapis.com/maps/api/js?key=ours": {"Google Maps"},
	} {
		var out bytes.Buffer
		cmd := new(cobra.Command)
		command.Add(cmd, offline)
		cmd.SetOut(&out)
		cmd.SetArgs([]string{"explain", "--page", "https://shop.example/index.php?route=checkout/checkout", "--config", config, url})
		if err := cmd.Execute(); err != nil {
			t.Fatal(err)
		}
		for _, part := range want {
			if !strings.Contains(out.String(), part) {
				t.Errorf("%q is not in\n%s", part, out.String())
			}
		}
	}
}

// TestScanDraft: frames of the site are crawled as a browser would load them, and the draft gates nothing more than before.
func TestScanDraft(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		page := map[string]string{
			"/":    `<frameset cols="20%,80%"><frame src="/nav"><frame src="/main"></frameset>`,
			"/nav": `<link rel="stylesheet" href="https://fonts.googleapis.com/css?family=Sans">`,
			"/main": `<script src="https://static.hotjar.com/c/hotjar-1.js"></script>` +
				`<iframe src="/deep"></iframe><iframe src="https://www.youtube.com/embed/M7lc1UVf-VE"></iframe>`,
			"/deep": `<script src="https://cdn.nobody.example/a.js"></script>`,
		}[r.URL.Path]
		_, _ = w.Write([]byte("<!DOCTYPE html>" + page))
	}))
	defer up.Close()
	cmd := new(cobra.Command)
	command.Add(cmd, offline)
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"scan", up.URL})
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		": 4 pages", "\t\trequire analytics hotjar\n", "\t\t# require functional google-fonts youtube\n", "\t\tallow cdn.nobody.example",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}
