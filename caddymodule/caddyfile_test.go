package caddymodule

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/modules/standard" // what a Caddyfile may name
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestAdapt compares what Caddyfiles become with what stands below them in testdata/*.caddyfiletest.
func TestAdapt(t *testing.T) {
	files, err := filepath.Glob("testdata/*.caddyfiletest")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			caddyfile, want, _ := strings.Cut(string(text), "----------\n")
			config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(caddyfile), map[string]any{"filename": "/etc/caddy/Caddyfile"})
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if err := json.Indent(&got, config, "", "\t"); err != nil {
				t.Fatal(err)
			}
			if got := got.String() + "\n"; got != want {
				if *update {
					if err := os.WriteFile(file, []byte(caddyfile+"----------\n"+got), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				t.Errorf("became\n%s\nnot\n%s", got, want)
			}
		})
	}
}

// TestCaddyfileErrors: what is wrong is named with file, line, value and the way out.
func TestCaddyfileErrors(t *testing.T) {
	for _, c := range []struct {
		global, site string
		want         []string
	}{
		{"colour red", "", []string{"Caddyfile:3", `"colour"`, "policy_version"}},
		{"", "colour red", []string{"Caddyfile:", `"colour"`, "policy_version"}},
		{"default maybe", "", []string{"Caddyfile:3", `"maybe"`, "opt-in"}},
		{"csp loose", "", []string{"Caddyfile:3", `"loose"`, "strict"}},
		{"retention soon", "", []string{"Caddyfile:3", `"soon"`, "90d"}},
		{"retention -3h", "", []string{"Caddyfile:3", `"-3h"`}},
		{"store", "", []string{"Caddyfile:3", "store bolt"}},
		{"store redis", "", []string{"Caddyfile:3", `"redis"`, "bolt"}},
		{"store bolt a b", "", []string{"Caddyfile:3", `"b"`}},
		{"store postgres", "", []string{"Caddyfile:3", "CONSENT_DSN"}},
		{"rules many", "", []string{"Caddyfile:3", "many", "rules list"}},
		{"rules cookies a.csv\nrules cookies b.csv", "", []string{"Caddyfile:4", "into one"}},
		{"rules file *.json {\nwatch never\n}", "", []string{"Caddyfile:4", "watch never", "every two seconds"}},
		{"rules file *.json {\nwatch 1s\n}", "", []string{"Caddyfile:4", "watch 1s"}},
		{"require social disqus {\nplaceholder none\n}", "", []string{"Caddyfile:4", "placeholder none", "placeholder click"}},
		{"policy_version", "", []string{"Caddyfile:3", "policy_version"}},
		{"policy_version 1 important", "", []string{"Caddyfile:3", "material"}},
		{"region weather", "", []string{"Caddyfile:3", "region header"}},
		{"require marketing", "", []string{"Caddyfile:3", "require functional zendesk"}},
		{"allow", "", []string{"Caddyfile:3", "allow cdn.example"}},
		{"purpose marketing", "", []string{"Caddyfile:3", "purpose analytics"}},
		{"theme button", "", []string{"Caddyfile:3", "theme button"}},
		{"text en", "", []string{"Caddyfile:3", "text en title"}},
		{"first_party", "", []string{"Caddyfile:3", "first_party"}},
		{"cname a b", "", []string{"Caddyfile:3", "127.0.0.1:53"}},
		{"debug", "", []string{"Caddyfile:3", "debug"}},
		{"child_directed yes", "", []string{"Caddyfile:3", `"yes"`}},
		{"on_unrewritable drop\nbanner maybe", "", []string{"Caddyfile:3", `"drop"`, "Caddyfile:4", `"maybe"`}},
		{"platform", "", []string{"Caddyfile:3", "platform onetrust", "platform cookie"}},
		{"platform cookie", "", []string{"Caddyfile:3", "platform cookie my_consent"}},
		{"platform klaro {\nmap matomo\n}", "", []string{"Caddyfile:4", "map matomo analytics"}},
		{"platform klaro {\nlist x\n}", "", []string{"Caddyfile:4", `"list"`, "revision"}},
		{"platform klaro onetrust {\nrevision 2\n}", "", []string{"Caddyfile:", "one line for each"}},
		{"ask", "", []string{"Caddyfile:3", "cookie session"}},
		{"ask http://app {\nheader X\n}", "", []string{"Caddyfile:4", "Authorization"}},
		{"ask http://app {\ntimeout soon\n}", "", []string{"Caddyfile:4", `"soon"`}},
		{"", "store bolt", []string{"Caddyfile:", "global"}},
	} {
		text := "{\n\tconsent {\n" + c.global + "\n\t}\n}\n:80 {\n\tconsent {\n" + c.site + "\n\t}\n}\n"
		_, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": "Caddyfile"})
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q %q: the error lacks %q: %v", c.global, c.site, want, err)
			}
		}
	}
	for _, mode := range []string{"maybe", "report now"} {
		if _, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(":80 {\n\tconsent "+mode+"\n}\n"), map[string]any{"filename": "Caddyfile"}); err == nil || !strings.Contains(err.Error(), "Caddyfile:2") {
			t.Errorf("consent %s: %v", mode, err)
		}
	}
}

// TestValidate: what only shows when it is used is refused before anything starts, all at once.
func TestValidate(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_DATA_HOME", dir)
	t.Setenv("CONSENT_TEST_KEY", "c2hvcnQ=")
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file := write("file", "x")
	bad := write("bad.json", `{"vendors":[{`)
	for what, c := range map[string]struct {
		global string
		want   []string
	}{
		"store in a file":        {"store bolt " + file + "/consent.db", []string{file}},
		"no store file":          {"store bolt " + file, []string{file}},
		"bad key":                {"key c2hvcnQ=", []string{"32"}},
		"two bad keys":           {"key c2hvcnQ= !!!", []string{"holds 5 bytes", "not base64"}},
		"bad keys of elsewhere":  {"key {env.CONSENT_TEST_KEY} {env.CONSENT_TEST_KEY}", []string{"key 1: {env.CONSENT_TEST_KEY}", "key 2"}},
		"missing list":           {"rules list " + dir + "/none.txt", []string{dir + "/none.txt"}},
		"missing vendor files":   {"rules file " + dir + "/none/*.json", []string{"none"}},
		"broken vendor file":     {"rules file " + bad, []string{"bad.json"}},
		"no cookie database":     {"rules cookies " + dir + "/none.csv", []string{"none.csv", "Open Cookie Database"}},
		"bad cookie database":    {"rules cookies " + file, []string{file, "Open Cookie Database"}},
		"list's purpose":         {"rules list " + file + " {\n purpose fun\n }", []string{"fun"}},
		"lifetime":               {"lifetime 1000d", []string{"13 months"}},
		"signals":                {"signals smoke", []string{"smoke", "gpc"}},
		"prefix":                 {"prefix consent", []string{"consent", "/.consent"}},
		"cname of nowhere":       {"cname nowhere", []string{"nowhere", "127.0.0.1:53"}},
		"debug for somebody":     {"debug somebody", []string{"somebody", "198.51.100.0/24"}},
		"like an option":         {"polcy_url /privacy", []string{"did you mean policy_url?"}},
		"unknown vendor":         {"require functional nobody", []string{"nobody"}},
		"unknown purpose":        {"require fun zendesk", []string{"fun"}},
		"cookie of a suffix":     {"cookie_domain co.uk", []string{"co.uk", "shop.example"}},
		"cookie of an address":   {"cookie_domain 192.0.2.1", []string{"192.0.2.1"}},
		"cookie of nonsense":     {"cookie_domain \"shop.example; Secure\"", []string{"Secure"}},
		"unknown platform":       {"platform nobody", []string{"nobody"}},
		"platform without a map": {"platform cookie own {\npath x\n}", []string{"own", "map"}},
		"platform with a path":   {"platform klaro {\npath x\n}", []string{"klaro", "platform cookie NAME"}},
		"platform's purpose":     {"platform klaro {\nmap matomo fun\n}", []string{"matomo", "fun"}},
		"bridge with a map":      {"platform termly {\nmap matomo analytics\n}", []string{"termly", "bridge"}},
		"ask without cookies":    {"ask http://app", []string{"http://app", "cookies"}},
		"ask for long":           {"ask http://app {\ncookie a\ntimeout 1m\ncache 1h\n}", []string{"1m0s", "1h0m0s"}},
		"ask nobody":             {"ask app {\ncookie a\n}", []string{"http://app:3000/consent"}},
		"both, at once":          {"key {env.CONSENT_TEST_KEY}\nrules list " + dir + "/none.txt", []string{"key 1", "none.txt"}},
		"refusal made invisible": {"theme refuse none", []string{"refuse"}},
	} {
		t.Run(what, func(t *testing.T) {
			store := ""
			if !strings.HasPrefix(c.global, "store") {
				store = "store bolt " + t.TempDir() + "/consent.db\n"
			}
			text := "{\n\tadmin off\n\tconsent {\n" + store + c.global + "\n\t}\n}\nhttp://:0 {\n\tconsent\n}\n"
			config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": "Caddyfile"})
			if elsewhere := strings.Contains(c.global, dir) || strings.Contains(c.global, "{env."); elsewhere && err == nil {
				var cfg caddy.Config
				if err := json.Unmarshal(config, &cfg); err != nil {
					t.Fatal(err)
				}
				err = caddy.Validate(&cfg)
			} else if err == nil || !strings.Contains(err.Error(), "at Caddyfile:") {
				t.Errorf("the error names no line: %v", err)
			}
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("the error lacks %q: %v", want, err)
				}
			}
		})
	}
}
