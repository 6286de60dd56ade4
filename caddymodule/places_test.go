package caddymodule

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
)

// validate is what `caddy validate` says of a Caddyfile.
func validate(t *testing.T, text, name string) string {
	t.Helper()
	config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": name})
	if err != nil {
		t.Fatal(err)
	}
	var c caddy.Config
	if err := json.Unmarshal(config, &c); err != nil {
		t.Fatal(err)
	}
	if err := caddy.Validate(&c); err != nil {
		return err.Error()
	}
	return ""
}

// TestFilesHaveTheirLines: what is wrong with a file is said with the Caddyfile's line that names it, for all files at once.
func TestFilesHaveTheirLines(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	dir := t.TempDir()
	for name, text := range map[string]string{"wrong.json": `{"sellers": []}`, "right.json": `{"number": 60001, "name": "Ours", "org": "Ours", "category": "web-analytics", "purpose": "analytics", "hosts": ["ours.example"]}`, "wrong.csv": "a,b", "wrong.mmdb": "no", "file": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	head := "{\n\tadmin off\n\tstorage file_system " + dir + "\n\tconsent {\n"
	said := validate(t, head+`		store bolt file/consent.db
		rules file right.json
		rules file wrong.json
		rules file none/*.json
		rules cookies wrong.csv
		rules list ./none.txt {
			purpose analytics
		}
	}
}
:80 {
	consent
}
`, filepath.Join(dir, "Caddyfile"))
	for _, want := range []string{":5: consent store", ":7: rules file", ":8: rules file", ":9: rules cookies", ":10: rules list"} {
		if strings.Count(said, dir+"/Caddyfile"+want) != 1 {
			t.Errorf("%s: want …%s once", said, want)
		}
	}
	if strings.Contains(said, ":6:") {
		t.Errorf("what is right was found wrong: %s", said)
	}
	said = validate(t, head+"\t}\n}\n:80 {\n\tconsent {\n\t\tregion maxmind wrong.mmdb\n\t}\n}\n", filepath.Join(dir, "Caddyfile"))
	if !strings.Contains(said, dir+"/Caddyfile:9: region database") {
		t.Errorf("of the database: %s", said)
	}
}
