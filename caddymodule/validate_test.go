package caddymodule

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/modules/filestorage" // where Caddy keeps its files unless it is told

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
)

// adapted returns what a Caddyfile says.
func adapted(t *testing.T, text string) []byte {
	t.Helper()
	config, err := adapt(text)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// validated does what `caddy validate` does.
func validated(t *testing.T, config []byte) error {
	t.Helper()
	var cfg caddy.Config
	if err := json.Unmarshal(config, &cfg); err != nil {
		t.Fatal(err)
	}
	return caddy.Validate(&cfg)
}

// within lists what is in a folder, at any depth.
func within(t *testing.T, dir string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		list = append(list, strings.TrimPrefix(path, dir))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list[1:]
}

// TestValidateChangesNothing: what a start makes, key, store, spool and the lists' copies, validating does not: root, who may
// do it, must leave nothing that the service cannot write to.
func TestValidateChangesNothing(t *testing.T) {
	publisher := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "||listed.example^\n")
	}))
	defer publisher.Close()
	dir := t.TempDir()
	t.Setenv("XDG_DATA_HOME", filepath.Join(dir, "data"))
	config := adapted(t, `{
	admin off
	persist_config off
	storage file_system `+filepath.Join(dir, "storage")+`
	consent {
		store bolt `+filepath.Join(dir, "records", "consent.db")+`
		rules list `+publisher.URL+`/list.txt
	}
}
http://127.0.0.1:0 {
	consent
}
`)
	for range 2 {
		if err := validated(t, config); err != nil {
			t.Fatal(err)
		}
		if made := within(t, dir); len(made) > 0 {
			t.Fatalf("validating made %q", made)
		}
	}
	if err := caddy.Load(config, true); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = caddy.Stop() }()
	made := within(t, dir)
	for _, want := range []string{"/records/consent.db", "/storage/consent/key", "/data/caddy/consent/lists"} {
		if !slices.Contains(made, want) {
			t.Errorf("a start did not make %s, but %q", want, made)
		}
	}
	if lists := within(t, listsDir()); len(lists) != 2 {
		t.Errorf("of the list, a start keeps %q", lists)
	}
}

// TestValidateTells names what would end the start, with the Caddyfile's line.
func TestValidateTells(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_DATA_HOME", filepath.Join(dir, "data"))
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("This is no store, and it is longer than a header of one would be.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for option, want := range map[string]string{
		"store bolt " + file:                       "not a store, or damaged",
		"store bolt " + file + "/c.db":             "not a directory",
		`store postgres "host=` + dir + ` user=u"`: "start the database, or start without it",
		"store postgres {env.NOBODY_SET_THIS}":     "{env.NOBODY_SET_THIS} is empty: set the variable",
		"key {file." + dir + "/none}":              "consent key 1: {file." + dir + "/none} is empty",
	} {
		err := validated(t, adapted(t, "{\n\tadmin off\n\tconsent {\n\t\t"+option+"\n\t}\n}\nhttp://127.0.0.1:0 {\n\tconsent\n}\n"))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "Caddyfile:4: ") {
			t.Errorf("%s: %v", option, err)
		}
	}
}

// TestFirstRequest: Caddy starts apps in any order. A request that comes before the app's turn finds the store open; where
// that fails, nothing is granted, refusals hold, and Start says what is wrong.
func TestFirstRequest(t *testing.T) {
	s := newUnopened(t, true)
	s.withStorage(t)
	s.handler.app.keys = nil // one is to be made
	if status, _, token := s.choose(t, "refuse", ""); status != http.StatusOK || token == "" {
		t.Errorf("before the start a refusal gets %d %q", status, token)
	}
	failing := newUnopened(t, true)
	failing.withStorage(t)
	app := failing.handler.app
	app.store.opener = failingOpener{app.store.opener}
	status, _, token := failing.choose(t, "accept", "")
	if status != http.StatusServiceUnavailable || token != "" {
		t.Errorf("without a store a grant gets %d %q", status, token)
	}
	failing.ask(t, false)
	if err := app.Start(); !errors.Is(err, errDown) {
		t.Errorf("the start says %v", err)
	}
	if err := app.store.Defer(t.Context(), new(consent.Record)); !errors.Is(err, errDown) {
		t.Errorf("deferred: %v", err)
	}
}

// failingOpener is a store that cannot be opened although it looked like it.
type failingOpener struct{ StoreOpener }

func (failingOpener) Open(context.Context, *store.Signer) (store.Store, error) { return nil, errDown }

// adapt returns what a Caddyfile stands for.
func adapt(text string) ([]byte, error) {
	config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": "Caddyfile"})
	return config, err
}
