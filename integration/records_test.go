package integration

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

var consentID = regexp.MustCompile(`[A-Za-z0-9_-]{22}`)

// TestRecordsCommands lists, shows, exports, verifies, erases and sweeps on a running gateway, then verifies its file
// without one.
func TestRecordsCommands(t *testing.T) {
	i := newInstance(t, trackingPage)
	i.options = "store bolt " + i.bolt()
	i.start()
	i.choose("accept")
	i.choose("refuse")
	at := "--address=" + i.admin
	list := mustCommand(t, "records", "list", at)
	if n := strings.Count(list, "\n"); n != 3 || !strings.Contains(list, "given") || !strings.Contains(list, "refused") {
		t.Fatalf("list has %d lines, want a head and two records:\n%s", n, list)
	}
	id := consentID.FindString(strings.SplitN(list, "\n", 2)[1])
	if show := mustCommand(t, "records", "show", id, at); !strings.Contains(show, `"pii_principal_id": "`+id+`"`) {
		t.Errorf("show %s: %s", id, show)
	}
	if export := mustCommand(t, "records", "export", at); strings.Count(export, "\n") != 2 || !json.Valid([]byte(strings.Split(export, "\n")[0])) {
		t.Errorf("export: %s", export)
	}
	verified := mustCommand(t, "records", "verify", at)
	if !strings.Contains(verified, "2 entries, 0 of them erased") || !strings.Contains(verified, "signed to the end") {
		t.Errorf("verify: %s", verified)
	}
	sum := regexp.MustCompile(`"sha256": "([0-9a-f]{64})"`).FindStringSubmatch(mustCommand(t, "records", "show", id, at))
	if sum == nil {
		t.Fatal("the record names no notice by its hash")
	}
	if out := mustCommand(t, "records", "notices", at); strings.Count(out, "\n") != 2 || !regexp.MustCompile(`\b1 +1 +0 +`+sum[1]).MatchString(out) {
		t.Errorf("notices: %s", out)
	}
	notice := mustCommand(t, "records", "notice", sum[1], at)
	if fmt.Sprintf("%x", sha256.Sum256([]byte(notice))) != sum[1] || !strings.Contains(notice, "Accept all") {
		t.Errorf("the notice of hash %s is %q", sum[1], notice)
	}
	heads := filepath.Join(i.dir, "heads")
	if err := os.WriteFile(heads, []byte(verified), 0o600); err != nil {
		t.Fatal(err)
	}
	show := mustCommand(t, "records", "show", id, at)
	record := regexp.MustCompile(`"record_id": "([^"]+)"`).FindStringSubmatch(show)[1]
	if out := mustCommand(t, "records", "show", record, at); out != show {
		t.Errorf("by the receipt's number: %s", out)
	}
	for _, member := range []string{`"pii_controllers": [`, `"party_name": "127.0.0.1"`, `"pii_type": "network address, browser and page visited"`, `"lawful_basis": "consent"`} {
		if !strings.Contains(show, member) {
			t.Errorf("the record lacks %s (ISO/IEC TS 27560)", member)
		}
	}
	if out := mustCommand(t, "records", "export", "--csv", at); strings.Count(out, "\n") != 3 || !strings.Contains(out, record) {
		t.Errorf("export --csv: %s", out)
	}
	if out := mustCommand(t, "records", "erase", record, at); !strings.Contains(out, ": 1 records; the file was written anew") {
		t.Errorf("erase: %s", out)
	}
	if out, err := consentCommand(t, "records", "erase", id, at); err == nil {
		t.Errorf("a second erasure succeeds: %s", out)
	}
	if file, _ := os.ReadFile(i.bolt()); bytes.Contains(file, []byte(record)) || len(file) == 0 {
		t.Error("the file still holds the erased record")
	}
	if out := mustCommand(t, "records", "verify", at, "--head", heads); !strings.Contains(out, "3 entries, 1 of them erased") || !strings.Contains(out, "kept elsewhere") {
		t.Errorf("verify after an erasure, against the head from before: %s", out)
	}
	mustCommand(t, "records", "sweep", at)
	if out, err := consentCommand(t, "records", "list", "--store", i.bolt()); err == nil || !strings.Contains(err.Error(), "holds the file") || !strings.Contains(err.Error(), "--address") {
		t.Errorf("a file that is open: %v %s", err, out)
	}
	i.stop()
	config := filepath.Join(i.dir, "Caddyfile")
	if err := os.WriteFile(config, []byte(i.text()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := mustCommand(t, "records", "verify", "--config", config, "--head", heads); !strings.Contains(out, "signed to the end") {
		t.Errorf("verify without a running gateway: %s", out)
	}
	if out, err := consentCommand(t, "records", "list", "--address=127.0.0.1:1"); err == nil || !strings.Contains(err.Error(), "--store FILE") {
		t.Errorf("without a running gateway: %v %s", err, out)
	}
	if out := mustCommand(t, "records", "notice", sum[1], "--config", config); out != notice {
		t.Errorf("the notice without a running gateway: %q", out)
	}
	text := filepath.Join(i.dir, "storage", "consent", "notices", sum[1]+".txt")
	if err := os.WriteFile(text, []byte("We may do as we please."), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := consentCommand(t, "records", "notice", sum[1], "--config", config); err == nil || !strings.Contains(err.Error(), "was changed") {
		t.Errorf("a changed notice: %v %s", err, out)
	}
	tamper(t, i.bolt())
	if out, err := consentCommand(t, "records", "verify", "--config", config); err == nil || !strings.Contains(out, "wrong: entry 2") {
		t.Errorf("a changed record is not noticed: %v\n%s", err, out)
	}
}

// tamper turns the refusal in the file into a grant.
func tamper(t testing.TB, path string) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	err = db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte("bodies"))
		return b.ForEach(func(k, v []byte) error {
			if changed := bytes.Replace(v, []byte(`"marketing":"denied"`), []byte(`"marketing":"granted"`), 1); !bytes.Equal(changed, v) {
				return b.Put(bytes.Clone(k), changed)
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRecordsMistakes(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	for _, c := range []struct{ args, want string }{
		{"records list --store /nowhere/consent.db", "no such file"},
		{"records list --store a --config b", "exclude each other"},
		{"records list --store a --address b", "running instance"},
		{"records list --from yesterday", "2026-11-01"},
		{"records show short", "22 characters"},
		{"records show AAAAAAAAAAAAAAAAAAAAAA", "22 characters"},
		{"records erase AAAAAAAAAAAAAAAAAAAAAA", "22 characters"},
		{"records lst", "no consent records lst"},
		{"nonsense", "no consent nonsense"},
		{"records disclosures --store /nowhere/consent.db", "no such file"},
		{"records disclosures --month May", "2026-05"},
		{"records copy", "--into is missing"},
		{"records copy --store /nowhere/consent.db --into Caddyfile", "no such file"},
		{"records show", "records show ID"},
		{"records notice abc", "64 hexadecimal digits"},
		{"records verify --head /nowhere", "no such file"},
	} {
		if out, err := consentCommand(t, strings.Fields(c.args)...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q\n%s", c.args, err, c.want, out)
		}
	}
}

// TestListNamesVendors: an answer about a single vendor is told by its name.
func TestListNamesVendors(t *testing.T) {
	i := newInstance(t, trackingPage)
	i.options = "store bolt " + i.bolt()
	i.start()
	post(t, "http://"+i.addr+"/.consent/choose", "choice=save&scope=vendor&vendor=%2Byoutube&vendor=-matomo")
	list := mustCommand(t, "records", "list", "--address="+i.admin)
	if fields := strings.Fields(strings.Split(list, "\n")[1]); len(fields) != 8 || fields[5] != "youtube" || fields[6] != "matomo" {
		t.Errorf("the list does not name what was agreed to and refused:\n%s", list)
	}
}
