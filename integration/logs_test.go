package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// visitorAddress finds the addresses of this test's visitors, in every form in which they were sent or could be written.
var visitorAddress = regexp.MustCompile(`(?i)` + strings.Join([]string{
	`0*113\.0*77`,                       // 203.0.113.77, zero-padded too
	`cb00:?714d`,                        // the same as IPv6 or hexadecimal
	`dead(:|%3a|%253a|\\u003a)beef`,     // 2001:db8:dead:beef::77, fe80::dead:beef
	`127\.0\.0\.2\b`,                    // the peer
	`(^|[^0-9a-f:])::1([^0-9a-f:]|%|$)`, // the peer by IPv6
}, "|"))

// tally counts, per place, what was written there and what of it holds an address.
type tally struct {
	leaks, entries map[string]int
	example        map[string]string
}

func (c *tally) add(place, text string) {
	c.entries[place]++
	if m := visitorAddress.FindStringIndex(text); m != nil {
		c.leaks[place]++
		if c.example[place] == "" {
			c.example[place] = text[max(0, m[0]-120):min(len(text), m[1]+60)]
		}
	}
}

func (c *tally) total() (leaks, entries int) {
	for place, n := range c.entries {
		leaks, entries = leaks+c.leaks[place], entries+n
	}
	return leaks, entries
}

// logs counts the lines of a log by the logger that wrote them.
func (c *tally) logs(sink string, text []byte) {
	for line := range strings.Lines(string(text)) {
		var entry struct{ Logger, Msg string }
		place := sink + ": (plain text)"
		if json.Unmarshal([]byte(line), &entry) == nil {
			place = sink + ": " + entry.Logger
		}
		c.add(place, line)
	}
}

// No sink of the gateway holds an address of a visitor, at level DEBUG, whatever goes wrong; and without the project's
// modules dozens do, so that this test could fail (issue 2; the scenarios are those of the reference's section on logs).
func TestNoLogHoldsAnAddress(t *testing.T) {
	t.Parallel()
	with := visitGateway(t, map[string]string{"format": "format anonymize", "ours": "anonymize_ip\n\tconsent", "errors": "consent", "app": "consent {\n\t\tstore bolt {dir}/consent.db\n\t}"})
	without := visitGateway(t, map[string]string{"format": "", "ours": "", "errors": "", "app": ""})

	places := map[string]int{}
	maps.Copy(places, with.entries)
	maps.Copy(places, without.entries)
	var table strings.Builder
	fmt.Fprintf(&table, "%-62s %17s %17s\n", "entries that hold an address, of all", "plain Caddy", "gateway")
	for _, place := range slices.Sorted(maps.Keys(places)) {
		fmt.Fprintf(&table, "%-62s %8d of %5d %8d of %5d\n", place, without.leaks[place], without.entries[place], with.leaks[place], with.entries[place])
	}
	leaks, entries := with.total()
	leaksWithout, entriesWithout := without.total()
	fmt.Fprintf(&table, "%-62s %8d of %5d %8d of %5d\n", "total", leaksWithout, entriesWithout, leaks, entries)
	t.Log("\n" + table.String())

	for place, example := range with.example {
		t.Errorf("%s holds an address: …%s…", place, example)
	}
	if leaksWithout < 100 {
		t.Errorf("without the modules only %d entries hold an address: the visits prove nothing", leaksWithout)
	}
	// Each of these is a scenario: where one falls silent, its visit no longer reaches the sink.
	for _, place := range []string{
		"stderr: http.log.access", "stderr: http.log.error", "stderr: admin.api", "stderr: http.stdlib", "stderr: http.handlers.reverse_proxy",
		"stderr: http.handlers.rewrite", "stderr: http.reverse_proxy.transport.fastcgi", "tls.log: http.log.access.log0", "stdout (spans)", "upstream", "responses",
	} {
		if with.entries[place] == 0 || without.leaks[place] == 0 {
			t.Errorf("%s: %d entries with the modules, %d leaks without: the visits prove nothing about it", place, with.entries[place], without.leaks[place])
		}
	}
	// Go's own loggers, panics under HTTP/3 among them: Caddy leaves them on its start-up logger, which has no name.
	if without.leaks["stderr: "] == 0 || with.entries["stderr: "] > 0 || with.entries["stderr: stdlib"] < 10 {
		t.Errorf("Go's own loggers: %d leaks without the modules; with them %d entries that do not reach the log, %d that do", without.leaks["stderr: "], with.entries["stderr: "], with.entries["stderr: stdlib"])
	}
}

// visitGateway starts a gateway, makes all visits, reloads it, makes them again, stops it, and reads all it left.
func visitGateway(t *testing.T, words map[string]string) *tally {
	t.Helper()
	dir := t.TempDir()
	app := upstream{make(chan string, 10_000)}
	server := httptest.NewServer(app)
	defer server.Close()
	v := &visitors{ports: map[string]string{"upstream": server.URL[strings.LastIndex(server.URL, ":")+1:]}, failed: map[string]error{}}
	for _, port := range []string{"http", "https", "admin", "dead"} {
		v.ports[port] = strconv.Itoa(lab.FreePort(t))
	}
	caddyfile := logsCaddyfile
	for _, m := range []map[string]string{words, v.ports, {"dir": dir}} {
		for word, text := range m {
			caddyfile = strings.ReplaceAll(caddyfile, "{"+word+"}", text)
		}
	}
	path := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(path, []byte(caddyfile), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	stop := startGateway(t, path, &stdout, &stderr)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // a busy machine, with the race detector
	defer cancel()
	if err := waitFor(ctx, func() error {
		for _, server := range []string{"http", "https"} { // Caddy starts its servers in any order
			conn, err := dial(ctx, v.ports[server], false)
			if err != nil {
				return err
			}
			_ = conn.Close()
		}
		return nil
	}); err != nil {
		stop()
		t.Fatalf("the gateway does not start: %v\n%s%s", err, stdout.Bytes(), stderr.Bytes())
	}
	v.visitAll(t)
	v.misbehave(t)
	v.reload(t, caddyfile)
	v.visitAll(t)
	time.Sleep(300 * time.Millisecond) // what is logged after the connection's end
	stop()
	for what, err := range v.failed {
		if !strings.Contains(what, "/abort") && !strings.Contains(what, "/careless") {
			t.Errorf("%s: %v", what, err)
		}
	}
	c := &tally{map[string]int{}, map[string]int{}, map[string]string{}}
	c.logs("stderr", stderr.Bytes())
	c.add("stdout (spans)", stdout.String())
	c.add("upstream", app.drain())
	c.add("responses", v.bodies.String())
	c.files(t, dir)
	return c
}

// startGateway runs this test binary as a gateway; the function it returns ends it and waits.
func startGateway(t *testing.T, caddyfile string, stdout, stderr *bytes.Buffer) (stop func()) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLogsGatewayProcess$", "-test.timeout=5m") //nolint:gosec // this very program
	cmd.Env = append(os.Environ(), gatewayConfig+"="+caddyfile, "XDG_DATA_HOME="+filepath.Dir(caddyfile), "OTEL_TRACES_EXPORTER=console")
	cmd.Stdout, cmd.Stderr = stdout, stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the gateway's end: %v\n%s", err, stdout.Bytes())
		}
	}
}

// files counts the lines of logs, and each other file that the gateway left (records, certificates) as one entry.
func (c *tally) files(t *testing.T, dir string) {
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "Caddyfile" {
			return err
		}
		text, err := os.ReadFile(path) //nolint:gosec // of the test's own folder
		if strings.HasSuffix(path, ".log") {
			c.logs(d.Name(), text)
		} else {
			c.add("other files", string(text))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
