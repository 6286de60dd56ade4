package caddymodule

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/consent/store/bolt"
)

// TestValidateBesideRunning: a configuration can be validated while another process runs it. Only a start needs the store's
// files, and ends with an error that says who holds them.
func TestValidateBesideRunning(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	dir := t.TempDir()
	stored := filepath.Join(dir, "consent.db")
	held, err := bolt.Open(stored, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = held.Close() }()
	free := filepath.Join(dir, "free.db")
	other, err := bolt.Open(filepath.Join(dir, "other.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	spool, err := store.OpenSpool(spoolPath((&BoltStore{Path: free}).Key()), other, store.SpoolOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = spool.Close() }()
	for what, path := range map[string]string{"the store": stored, "the spool": free} {
		text := "{\n\tadmin off\n\tconsent {\n\t\tstore bolt " + path + "\n\t}\n}\nhttp://127.0.0.1:0 {\n\tconsent\n}\n"
		config := adapted(t, text)
		if err := validated(t, config); err != nil {
			t.Errorf("%s: a valid configuration is refused: %v", what, err)
		}
		err = caddy.Load(config, true)
		if err == nil || !strings.Contains(err.Error(), "another process holds the file") {
			t.Errorf("%s: started all the same: %v", what, err)
		}
	}
}
