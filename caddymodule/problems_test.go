package caddymodule

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"
)

// adaptError is what the adapter says of a Caddyfile.
func adaptError(t *testing.T, text, name string) string {
	t.Helper()
	_, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": name})
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestMistakes compares what is said of Caddyfiles that are wrong with what stands below them in testdata/*.mistakes.
func TestMistakes(t *testing.T) {
	files, err := filepath.Glob("testdata/*.mistakes")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		caddyfile, want, _ := strings.Cut(string(text), "----------\n")
		got := adaptError(t, caddyfile, "/etc/caddy/Caddyfile") + "\n"
		if got == want {
			continue
		}
		if *update {
			if err := os.WriteFile(file, []byte(caddyfile+"----------\n"+got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		t.Errorf("%s: said\n%s\nnot\n%s", file, got, want)
	}
}

// TestNoMistakes: what is right only together with other lines, with the operator's own vendor files or with the environment
// is not refused while it is parsed.
func TestNoMistakes(t *testing.T) {
	dir := t.TempDir()
	vendor := `{"number": 60001, "name": "Ours", "org": "Ours", "category": "web-analytics", "purpose": "analytics", "hosts": ["ours.example"]}`
	if err := os.WriteFile(filepath.Join(dir, "ours.json"), []byte(vendor), 0o600); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string][2]string{
		"pale buttons with dark text": {"", "theme button \"#ffffff\"\ntheme button-text \"#000000\""},
		"colours of both blocks":      {"theme button \"#0a5c36\"", "theme background \"#ffffff\"\ntheme text \"#000000\""},
		"a region for one site":       {"default deny", "region header CF-IPCountry"},
		"no region for one site":      {"region header CF-IPCountry", "default notice"},
		"signals in two lines":        {"signals gpc\nsignals dnt", ""},
		"the operator's own vendor":   {"require functional ours\nrules file *.json", "require marketing ours\nfirst_party /x/* ours"},
		"vendors of a file to come":   {"require functional theirs\nrules file none/*.json", "first_party /x/* theirs"},
		"keys of the environment":     {"key {env.NO_KEY} {file./run/key}", ""},
		"a service of elsewhere":      {"", "ask {env.NO_SERVICE} {\ncookie session\n}"},
	} {
		text := "{\n\tconsent {\n" + c[0] + "\n\t}\n}\n:80 {\n\tconsent {\n" + c[1] + "\n\t}\n}\n"
		if said := adaptError(t, text, filepath.Join(dir, "Caddyfile")); said != "" {
			t.Errorf("%s: %s", what, said)
		}
	}
}

// TestMistakesWithoutCaddyfile: in JSON, too, all that is wrong with a site is told at once.
func TestMistakesWithoutCaddyfile(t *testing.T) {
	app := newServed(t, false).handler.app
	_, err := newSite(app, Options{Signals: []string{"smoke"}, FirstParty: []FirstPartyPath{{Path: "/x/*", Vendor: "nobody"}}, Theme: map[string]string{"accent": "#fff"}}, modeEnforce)
	for _, want := range []string{`signals "smoke"`, `there is no vendor "nobody"`, `--consent-accent`} {
		if err == nil || strings.Count(err.Error(), want) != 1 {
			t.Errorf("%v: want %s once", err, want)
		}
	}
}
