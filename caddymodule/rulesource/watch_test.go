package rulesource

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"
	logged "go.uber.org/zap/zaptest/observer"
)

// TestListIsLoggedOnce: what is wrong with a list is in the log once, also where the rules are tried again; what else is wrong
// is not passed over because of it.
func TestListIsLoggedOnce(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	core, logs := logged.New(zap.ErrorLevel)
	none := func() Samples { return NewSamples(nil, nil) }
	source, _, err := Open(Config{Log: zap.New(core), Lists: []List{{Source: write("list.txt", "||one.example^\n")}}, Dir: t.TempDir(), Samples: none})
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"no list": "<!doctype html>", "a disaster": "/style.css\n/main.\n/app.js\n/logo.\n"} {
		write("list.txt", text)
		for range 3 {
			_, err := source.reload(t.Context())
			if err == nil || untold(err) != nil {
				t.Errorf("%s: %v, of which is to be logged: %v", what, err, untold(err))
			}
		}
		said := logs.TakeAll()
		if len(said) != 1 || !strings.Contains(said[0].Message, "the last good one stays in force") {
			t.Errorf("%s: the log says %v", what, said)
		}
	}
	source.cookies = filepath.Join(dir, "gone.csv")
	if _, err := source.reload(t.Context()); err == nil || untold(err) == nil || !strings.Contains(untold(err).Error(), "gone.csv") {
		t.Errorf("of a list and a database that are wrong, this is to be logged: %v", untold(err))
	}
}

// TestContent: other rules have another sum.
func TestContent(t *testing.T) {
	vendors, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	one := *vendors
	one.Vendors = vendors.Vendors[1:]
	all, fewer := Rules{Catalogue: vendors}, Rules{Catalogue: &one}
	a, err := all.content()
	b, wrong := fewer.content()
	if err != nil || wrong != nil || a == b {
		t.Errorf("a catalogue with one vendor less has the same sum: %v, %v", err, wrong)
	}
}

// TestHalfAFile: a file counts as changed once it rests: until then the old rules stay in force.
func TestHalfAFile(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	dir := t.TempDir()
	list, cookies := filepath.Join(dir, "list.txt"), filepath.Join(dir, "cookies.csv")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const head = "ID,Platform,Category,Cookie / Data Key name,Domain,Description,Retention period,Data Controller,User Privacy & GDPR Rights Portals,Wildcard match\n"
	write(list, "||one.example^\n")
	write(cookies, head)
	source, _, err := Open(Config{
		Log: zap.NewNop(), Lists: []List{{Source: list}}, CookieDatabase: cookies, Dir: t.TempDir(),
		Samples: func() Samples { return NewSamples(nil, nil) },
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{list, cookies} {
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		source.renewed(t.Context())
		write(path, "")
		if source.renewed(t.Context()) {
			t.Errorf("%s counts as changed while it is written", path)
		}
		write(path, string(before)+"\n")
		if source.renewed(t.Context()) {
			t.Errorf("%s counts as changed when it has just been written", path)
		}
		if !source.renewed(t.Context()) {
			t.Errorf("%s does not count as changed", path)
		}
		if _, err := source.reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if source.renewed(t.Context()) {
			t.Errorf("%s counts as changed twice", path)
		}
	}
}
