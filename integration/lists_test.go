package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// gated reports whether the running gateway gates a URL, and its whole answer.
func (i *instance) gated(u string) (bool, string) {
	i.t.Helper()
	answer := i.api("/consent/explain?type=script&url=" + u)
	return strings.Contains(answer, `"verdict":"gate"`), answer
}

// eventually waits until f holds.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	if !lab.Soon(f) {
		t.Fatal("in vain waited for: " + what)
	}
}

// writeFile puts a file into place whole: who watches it must not find it empty.
func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := errors.Join(os.WriteFile(path+".new", []byte(text), 0o600), os.Rename(path+".new", path)); err != nil {
		t.Fatal(err)
	}
}

// processorTime is what this process has used; unlike a clock it does not count what the machine does for others.
func processorTime() time.Duration {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// TestListFile: a list is read again when its file changes; a disastrous one is refused and the old one stays.
func TestListFile(t *testing.T) {
	i := newInstance(t, trackingPage)
	list := filepath.Join(i.dir, "own.txt")
	writeFile(t, list, "||one.listed.example^\n")
	i.options = fmt.Sprintf("store bolt %s\nrules list own.txt {\n purpose analytics\n}\nallow declared.example", i.bolt())
	i.start()
	if gated, answer := i.gated("https://one.listed.example/a.js"); !gated || !strings.Contains(answer, `"purpose":"analytics"`) || !strings.Contains(answer, `"line":1`) {
		t.Fatalf("the list is not in force: %s", answer)
	}
	writeFile(t, list, "! a comment\n||two.listed.example^\n||declared.example^\n")
	eventually(t, "the changed list", func() bool { gated, _ := i.gated("https://two.listed.example/a.js"); return gated })
	if gated, answer := i.gated("https://one.listed.example/a.js"); gated {
		t.Errorf("a rule that was taken out still gates: %s", answer)
	}
	if gated, answer := i.gated("https://declared.example/a.js"); gated {
		t.Errorf("allow does not beat a list: %s", answer)
	}
	for name, disaster := range map[string]string{"every URL": "/^https?:/\n", "declared hosts": "||example^\n", "own pages": "/style.css\n/main.\n/app.js\n/logo.\n"} {
		writeFile(t, list, "||two.listed.example^\n"+disaster)
		eventually(t, "the refusal of "+name, func() bool { return strings.Contains(i.api("/consent/status"), "is refused") })
		if gated, _ := i.gated("https://three.listed.test/app2.js"); gated {
			t.Errorf("%s: the disastrous list is in force", name)
		}
		if gated, _ := i.gated("https://two.listed.example/a.js"); !gated {
			t.Errorf("%s: the old list is not in force any more", name)
		}
		writeFile(t, list, "||two.listed.example^\n")
		eventually(t, "the good list after "+name, func() bool { return !strings.Contains(i.api("/consent/status"), `"error"`) })
	}
}

// TestListPublisher: a list comes from its URL, the last good copy serves while the publisher is away, and a first start
// without it serves all the same, and says so.
func TestListPublisher(t *testing.T) {
	publisher := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "||fetched.example^\n")
	}))
	address := publisher.URL + "/list.txt"
	i := newInstance(t, trackingPage)
	asked := time.Now()
	i.options = fmt.Sprintf("store bolt %s\nrules list %s {\n purpose social\n}", i.bolt(), address)
	i.start()
	if gated, answer := i.gated("https://fetched.example/a.js"); !gated || !strings.Contains(answer, `"purpose":"social"`) || !strings.Contains(answer, address) {
		t.Fatalf("not in force: %s", answer)
	}
	i.stop()
	publisher.Close()
	begun := time.Now()
	i.start()
	if took := time.Since(begun); took > time.Minute {
		t.Errorf("a start with a good copy took %s", took)
	}
	if gated, answer := i.gated("https://fetched.example/a.js"); !gated {
		t.Errorf("the last good copy is not in force: %s", answer)
	}
	var status struct {
		Rules struct {
			Lists []struct {
				Rules   int
				Checked time.Time
			}
		}
	}
	if err := json.Unmarshal([]byte(i.api("/consent/status")), &status); err != nil {
		t.Fatal(err)
	}
	if l := status.Rules.Lists; len(l) != 1 || l[0].Rules != 1 || l[0].Checked.Before(asked.Add(-time.Second)) || l[0].Checked.After(begun) {
		t.Errorf("from the copy, the status says %+v; it was fetched after %s and before %s", l, asked, begun)
	}
	metrics := i.api("/metrics")
	for _, want := range []string{`caddy_consent_list_rules{list="` + address + `"} 1`, `caddy_consent_list_checked_timestamp_seconds{list="` + address + `"} 1.`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no metric %s", want)
		}
	}
	i.stop()
	if err := os.RemoveAll(filepath.Join(i.dir, "caddy", "consent", "lists")); err != nil {
		t.Fatal(err)
	}
	i.start()
	if gated, answer := i.gated("https://www.google-analytics.com/analytics.js"); !gated {
		t.Errorf("the catalogue is not in force: %s", answer)
	}
	if status := i.api("/consent/status"); !strings.Contains(status, "connection refused") {
		t.Errorf("status does not say that the list is missing: %s", status)
	}
	if metrics := i.api("/metrics"); !strings.Contains(metrics, `caddy_consent_errors_total{error="list"}`) {
		t.Error("the failure is not counted")
	}
}

// TestLearnedOverReload: which third parties a site's pages load scripts from is known after a reload, too: the policy that
// follows from it is enforced on.
func TestLearnedOverReload(t *testing.T) {
	i := newInstance(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<!DOCTYPE html><title>t</title><script src="https://cdn.needed.example/a.js"></script>`)
	}))
	i.options = "store bolt " + i.bolt()
	i.start()
	policy := func() string {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+i.addr+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", "text/html")
		r.Header.Set("Sec-Gpc", "1")
		res, _ := answer(t, r)
		return res.Header.Get("Content-Security-Policy")
	}
	for range 60 {
		policy()
	}
	if p := policy(); !strings.Contains(p, "cdn.needed.example") {
		t.Fatalf("nothing was learned: %q", p)
	}
	i.options += "\nretention 30d"
	i.start() // a reload
	if p := policy(); !strings.Contains(p, "cdn.needed.example") {
		t.Errorf("after a reload: %q", p)
	}
}

// TestBadLists: whatever a watched list turns into, the gateway reads a bounded part of it in a bounded time, says what is
// wrong, and keeps the rules that it has or takes those that are right.
func TestBadLists(t *testing.T) {
	i := newInstance(t, trackingPage)
	list := filepath.Join(i.dir, "own.txt")
	writeFile(t, list, "||old.listed.example^\n")
	i.options = fmt.Sprintf("store bolt %s\nrules list own.txt", i.bolt())
	i.start()
	status := func() string { return i.api("/consent/status") }
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	huge := "||new.listed.example^\n" + strings.Repeat("||a.example^$script,domain=b.example\n", 3<<20)
	writeFile(t, list, huge) // 113 MB
	eventually(t, "the report of a list of 100 MB", func() bool { return strings.Contains(status(), "larger than") })
	if err := os.Truncate(list, 0); err != nil { // the test's own copy is not to count
		t.Fatal(err)
	}
	if gated, answer := i.gated("https://old.listed.example/a.js"); !gated {
		t.Errorf("the old rules are gone: %s", answer)
	}
	huge = ""
	if now := heap(); now > before+64<<20 {
		t.Errorf("%d MiB are kept, %d before", now>>20, before>>20)
	}
	bad := strings.Repeat(`/(a{1,1000}){1,1000}(b{1,1000}){1,1000}[^c]{1000}$/`+"\n", 2000) + "||nul.listed.example^\x00\n\x00\x00||x^\n" +
		"||" + strings.Repeat("long.", 200_000) + "example^\n" + strings.Repeat("/"+strings.Repeat("(a|b)*", 50)+"c$/\n", 500) + "||good.listed.example^\n"
	begun := processorTime()
	for n := range 10_000 {
		bad += fmt.Sprintf("||n%d.example^\n", n)
	}
	writeFile(t, list, bad)
	eventually(t, "the good rule among bad ones", func() bool { gated, _ := i.gated("https://good.listed.example/a.js"); return gated })
	if took := processorTime() - begun; took > 20*time.Second {
		t.Errorf("the bad list took %s of the processors", took)
	}
	if gated, answer := i.gated("https://nul.listed.example/a.js"); gated {
		t.Errorf("a line with NUL bytes is in force: %s", answer)
	}
	if s := status(); !strings.Contains(s, `"dropped":2`) {
		t.Errorf("what is dropped is not counted: %s", s)
	}
	writeFile(t, list, "127.0.0.1 localhost\n0.0.0.0 hosts.listed.example # a hosts file\n::1 ip6-localhost\n")
	eventually(t, "the hosts file", func() bool { gated, _ := i.gated("https://hosts.listed.example/a.js"); return gated })
	if gated, answer := i.gated("http://localhost/a.js"); gated {
		t.Errorf("a hosts file gates the machine itself: %s", answer)
	}
}
