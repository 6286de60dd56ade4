package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/consent/store/postgres/pgtest"
)

// config writes the instance's Caddyfile under a name and returns its path.
func (i *instance) config(name string) string {
	i.t.Helper()
	path := filepath.Join(i.dir, name)
	if err := os.WriteFile(path, []byte(i.text()), 0o600); err != nil {
		i.t.Fatal(err)
	}
	return path
}

// moves answers on a file, copies the records into the store that the options name while the gateway runs, loads it, and copies
// once more what came in between, beside the gateway where the store is for many processes: every answer counts as before, a second copy adds nothing, and what was erased stays so.
func (i *instance) moves(options string) {
	i.t.Helper()
	old := "store bolt " + i.bolt() + "\n"
	i.options = old
	i.start()
	base, at := "http://"+i.addr, "--address="+i.admin
	choose := func(answer string, fields ...string) string {
		i.t.Helper()
		res, _ := post(i.t, base+"/.consent/choose", "choice="+answer, append(fields, "Accept", "application/json")...)
		return token(i.t, res)
	}
	yes, forgotten, withdrawn := choose("accept"), choose("accept"), choose("accept")
	choose("withdraw", "Cookie", withdrawn)
	list := mustCommand(i.t, "records", "list", at)
	id := consentID.FindString(strings.Split(list, "\n")[2])
	mustCommand(i.t, "records", "erase", id, at)
	follow(i.t, base+"/", "Cookie", yes, "Sec-Fetch-Dest", "document") // which is disclosed

	from := i.config("old")
	i.options = options + "\n"
	into := i.config("new")
	if out := mustCommand(i.t, "records", "copy", at, "--into", into); !strings.Contains(out, "copied: 3 records") {
		i.t.Errorf("a copy of 3 records: %s", out)
	}
	i.options = old
	between := choose("accept")
	i.options = options + "\n"
	i.start()
	if shared := strings.Contains(options, "postgres"); !shared { // a file is one process's
		i.stop()
	}
	if out := mustCommand(i.t, "records", "copy", "--config", from, "--into", into); !strings.Contains(out, "copied: 4 records") {
		i.t.Errorf("what came in between: %s", out)
	}
	if out := mustCommand(i.t, "records", "copy", "--config", from, "--into", into, "--json"); !strings.Contains(out, `"records":4`) {
		i.t.Errorf("as JSON: %s", out)
	}
	i.start()
	for what, c := range map[string]struct {
		cookie  string
		permits bool
	}{"an agreement": {yes, true}, "one from in between": {between, true}, "one that was withdrawn": {withdrawn, false}, "one that was erased": {forgotten, false}} {
		if got := i.state("Cookie", c.cookie); (got != nothing) != c.permits {
			i.t.Errorf("%s permits %s in the new store", what, got)
		}
	}
	if out := mustCommand(i.t, "records", "export", at); strings.Count(out, "\n") != 4 || strings.Contains(out, id) {
		i.t.Errorf("the new store holds:\n%s", out)
	}
	if out := mustCommand(i.t, "records", "verify", at); !strings.Contains(out, "4 entries, 0 of them erased") || !strings.Contains(out, "signed to the end") {
		i.t.Errorf("verify: %s", out)
	}
	if out := mustCommand(i.t, "records", "disclosures", at); !strings.Contains(out, "google-analytics") {
		i.t.Errorf("the ledger: %s", out)
	}
	i.stop()
	tamper(i.t, i.bolt())
	if out, err := consentCommand(i.t, "records", "copy", "--config", from, "--into", into); err == nil || !strings.Contains(err.Error(), "nothing was copied") {
		i.t.Errorf("records that were changed are copied: %v %s", err, out)
	}
}

// TestRecordsMoveToPostgres: the way from one node to many.
func TestRecordsMoveToPostgres(t *testing.T) {
	server, err := pgtest.Start()
	pgtest.Need(t, err)
	t.Cleanup(func() { _ = server.Close() })
	newInstance(t, trackingPage).moves(`store postgres "` + server.DSN() + `"`)
}

// TestRecordsMoveToAnotherFile: and into a file that is not there yet.
func TestRecordsMoveToAnotherFile(t *testing.T) {
	i := newInstance(t, trackingPage)
	i.moves("store bolt " + filepath.Join(i.dir, "other.db"))
}
