package bolt_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/store"
	"github.com/caddy-consent/caddy-consent/consent/store/bolt"
	"github.com/caddy-consent/caddy-consent/consent/store/storetest"
)

// TestCheck: what is wrong with a file is told as Open would, and nothing is made or changed.
func TestCheck(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	write := func(name string, data []byte) {
		t.Helper()
		if err := os.WriteFile(at(name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := bolt.Open(at("good"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	storetest.MustAppend(t, s, storetest.Record(site, consent.NewID(), 1, storetest.All))
	if err := bolt.Check(at("good"), bolt.Options{}); !errors.Is(err, store.ErrHeld) {
		t.Errorf("while another has it open: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(at("good"))
	if err != nil {
		t.Fatal(err)
	}
	write("empty", nil)
	write("text", []byte("This is no store, but a text that is long enough for nobody to take it for one.\n"))
	write("short", good[:len(good)/2])
	for _, newer := range []bool{true, false} { // a file of the next version, and one of another program
		name := map[bool]string{true: "newer", false: "other"}[newer]
		write(name, map[bool][]byte{true: good}[newer])
		db, err := bbolt.Open(at(name), 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = db.Update(func(tx *bbolt.Tx) error {
			if newer {
				return tx.Bucket([]byte("meta")).Put([]byte("schema"), []byte{0, 0, 0, 9})
			}
			_, err := tx.CreateBucket([]byte("users"))
			return err
		})
		if err = errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
	}
	before := files(t, dir)
	for name, want := range map[string]string{
		"good": "", "empty": "", "new": "", "new/below/it": "",
		"": "name a file in it", "text/below": "not a directory", "text": "not a store, or damaged", "short": "the file was cut off",
		"newer": "written by a newer version (schema 9", "other": "another program",
	} {
		err := bolt.Check(at(name), bolt.Options{})
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), at(name))) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	after := files(t, dir)
	if len(after) != len(before) {
		t.Errorf("there are %d files, were %d", len(after), len(before))
	}
	for name, data := range before {
		if !bytes.Equal(after[name], data) {
			t.Errorf("%s was changed", name)
		}
	}
}

// TestCheckRights: who may not write is told before the start.
func TestCheckRights(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	dir := filepath.Join(t.TempDir(), "theirs")
	if err := os.Mkdir(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	err := bolt.Check(filepath.Join(dir, "consent.db"), bolt.Options{})
	if err == nil || !strings.Contains(err.Error(), "give it to the user") {
		t.Errorf("said %v", err)
	}
}

// files are the contents of the files in a folder by name.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, e := range entries {
		if all[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return all
}
