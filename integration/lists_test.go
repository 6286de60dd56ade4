package integration

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// gated reports whether the running gateway gates a URL, and its whole answer.
func (i *instance) gated(u string) (bool, string) {
	i.t.Helper()
	answer := i.api("/consent/explain?type=script&url=" + u)
	return strings.Contains(answer, `"verdict":"gate"`), answer
}

// eventually waits until f holds.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !f(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("in vain waited for: " + what)
		}
	}
}

// TestListFile: a list is read again when its file changes; a disastrous one is refused and the old one stays.
func TestListFile(t *testing.T) {
	i := newInstance(t, trackingPage)
	list := filepath.Join(i.dir, "own.txt")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("||one.listed.example^\n")
	i.options = fmt.Sprintf("store bolt %s\nrules list own.txt {\n purpose analytics\n}\nallow declared.example", i.bolt())
	i.start()
	if gated, answer := i.gated("https://one.listed.example/a.js"); !gated || !strings.Contains(answer, `"purpose":"analytics"`) || !strings.Contains(answer, `"line":1`) {
		t.Fatalf("the list is not in force: %s", answer)
	}
	write("! a comment\n||two.listed.example^\n||declared.example^\n")
	eventually(t, "the changed list", func() bool { gated, _ := i.gated("https://two.listed.example/a.js"); return gated })
	if gated, answer := i.gated("https://one.listed.example/a.js"); gated {
		t.Errorf("a rule that was taken out still gates: %s", answer)
	}
	if gated, answer := i.gated("https://declared.example/a.js"); gated {
		t.Errorf("allow does not beat a list: %s", answer)
	}
	for name, disaster := range map[string]string{"every URL": "/^https?:/\n", "declared hosts": "||example^\n", "own pages": "/style.css\n/main.\n/app.js\n/logo.\n"} {
		write("||two.listed.example^\n" + disaster)
		eventually(t, "the refusal of "+name, func() bool { return strings.Contains(i.api("/consent/status"), "is refused") })
		if gated, _ := i.gated("https://three.listed.test/app2.js"); gated {
			t.Errorf("%s: the disastrous list is in force", name)
		}
		if gated, _ := i.gated("https://two.listed.example/a.js"); !gated {
			t.Errorf("%s: the old list is not in force any more", name)
		}
		write("||two.listed.example^\n")
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
	i.options = fmt.Sprintf("store bolt %s\nrules list %s {\n purpose social\n}", i.bolt(), address)
	i.start()
	if gated, answer := i.gated("https://fetched.example/a.js"); !gated || !strings.Contains(answer, `"purpose":"social"`) || !strings.Contains(answer, address) {
		t.Fatalf("not in force: %s", answer)
	}
	i.stop()
	publisher.Close()
	begun := time.Now()
	i.start()
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("a start with a good copy took %s", took)
	}
	if gated, answer := i.gated("https://fetched.example/a.js"); !gated {
		t.Errorf("the last good copy is not in force: %s", answer)
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
