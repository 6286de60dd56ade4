package lab

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Firefox is a Firefox with an empty profile, in the world behind a door. It is driven through Marionette, the protocol
// that Firefox's own tests use; it is for one goroutine.
type Firefox struct {
	conn net.Conn
	in   *bufio.Reader
	id   int
}

// firefoxPrefs keep the browser from errands of its own and from asking first.
const firefoxPrefs = `user_pref("network.proxy.type", 1);
user_pref("network.proxy.socks_version", 5);
user_pref("network.proxy.socks_remote_dns", true);
user_pref("network.proxy.allow_hijacking_localhost", true);
user_pref("network.proxy.no_proxies_on", "");
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("dom.security.https_first", false);
user_pref("network.trr.mode", 5);
user_pref("services.settings.server", "http://127.0.0.1:9/");
user_pref("browser.safebrowsing.update.enabled", false);
user_pref("dom.disable_open_during_load", false);
user_pref("network.cookie.cookieBehavior", 0);
user_pref("privacy.trackingprotection.enabled", false);
user_pref("app.update.enabled", false);
user_pref("toolkit.telemetry.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("remote.prefs.recommended", true);
`

// NewFirefox starts a Firefox with additional preferences ("javascript.enabled": "false"); it ends with the test. Without
// one the test is skipped: where CI=true, too, because not every system has one beside its Chromium.
func NewFirefox(t testing.TB, d *Door, prefs map[string]string) *Firefox {
	t.Helper()
	path := ""
	for _, name := range []string{"firefox-esr", "firefox"} {
		if p, err := exec.LookPath(name); err == nil && path == "" {
			path = p
		}
	}
	if path == "" {
		t.Skip("Firefox is not installed (apt-get install firefox-esr)")
	}
	profile, err := os.MkdirTemp("", "lab")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { Soon(func() bool { return os.RemoveAll(profile) == nil }) })
	host, port, _ := net.SplitHostPort(d.Addr)
	text := firefoxPrefs + fmt.Sprintf("user_pref(\"network.proxy.socks\", %q);\nuser_pref(\"network.proxy.socks_port\", %s);\nuser_pref(\"marionette.port\", 0);\n", host, port)
	for k, v := range prefs {
		text += fmt.Sprintf("user_pref(%q, %s);\n", k, v)
	}
	if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--headless", "--no-remote", "--marionette", "--remote-allow-system-access", "--profile", profile)
	cmd.Env = append(os.Environ(), "HOME="+profile, "MOZ_CRASHREPORTER_DISABLE=1", "MOZ_DISABLE_CONTENT_SANDBOX=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	f := &Firefox{}
	if !Soon(func() bool { return f.dial(filepath.Join(profile, "MarionetteActivePort")) == nil }) {
		t.Fatal("Firefox does not answer")
	}
	t.Cleanup(func() { // ends its helpers, too
		_, _ = f.call("Marionette:Quit", map[string]any{"flags": []string{"eForceQuit"}})
		_ = f.conn.Close()
	})
	capabilities := map[string]any{"capabilities": map[string]any{"alwaysMatch": map[string]any{"acceptInsecureCerts": true}}}
	if _, err := f.call("WebDriver:NewSession", capabilities); err != nil {
		t.Fatal(err)
	}
	if _, err := f.call("Marionette:SetContext", map[string]any{"value": "chrome"}); err != nil {
		t.Fatal(err)
	}
	return f
}

// dial connects to the port that Firefox wrote down.
func (f *Firefox) dial(portFile string) error {
	port, err := os.ReadFile(portFile)
	if err != nil {
		return err
	}
	if f.conn, err = net.Dial("tcp", "127.0.0.1:"+strings.TrimSpace(string(port))); err != nil {
		return err
	}
	f.in = bufio.NewReader(f.conn)
	_, err = f.read() // the greeting
	return err
}

// visit is what Visit lets the browser itself do: WebDriver's own navigation waits for dialogs that nobody sees.
const visit = `const how = {triggeringPrincipal: Services.scriptSecurityManager.getSystemPrincipal()};
while (gBrowser.tabs.length < arguments[0].length) gBrowser.addTab("about:blank", how);
arguments[0].forEach((url, i) => gBrowser.tabs[i].linkedBrowser.loadURI(Services.io.newURI(url), how));`

// Visit begins to load each URL in a tab of its own, in place of what the tabs showed, and does not wait.
func (f *Firefox) Visit(t testing.TB, urls ...string) {
	t.Helper()
	if _, err := f.call("WebDriver:ExecuteScript", map[string]any{"script": visit, "args": []any{urls}}); err != nil {
		t.Fatal(err)
	}
}

// Eval runs the body of a function in the first tab's page, beside the page's own scripts, and decodes what it returns.
func (f *Firefox) Eval(t testing.TB, body string, result any) {
	t.Helper()
	var answer struct{ Value json.RawMessage }
	for _, step := range []struct {
		name   string
		params map[string]any
	}{
		{"Marionette:SetContext", map[string]any{"value": "content"}},
		{"WebDriver:ExecuteScript", map[string]any{"script": body, "args": []any{}}},
		{"Marionette:SetContext", map[string]any{"value": "chrome"}},
	} {
		data, err := f.call(step.name, step.params)
		if err == nil && step.name == "WebDriver:ExecuteScript" {
			if err = json.Unmarshal(data, &answer); err == nil {
				err = json.Unmarshal(answer.Value, result)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// call carries out one command. (Marionette protocol 3: LENGTH ":" JSON, in both directions)
func (f *Firefox) call(name string, params map[string]any) (json.RawMessage, error) {
	f.id++
	if params == nil {
		params = map[string]any{}
	}
	b, err := json.Marshal([]any{0, f.id, name, params})
	if err != nil {
		return nil, err
	}
	_ = f.conn.SetDeadline(time.Now().Add(2 * time.Minute)) // on a busy machine a page of a hundred frames takes its time
	if _, err := io.WriteString(f.conn, strconv.Itoa(len(b))+":"+string(b)); err != nil {
		return nil, err
	}
	b, err = f.read()
	if err != nil {
		return nil, err
	}
	var answer []json.RawMessage
	if err := json.Unmarshal(b, &answer); err != nil || len(answer) != 4 {
		return nil, fmt.Errorf("marionette: %.200s: %w", b, err)
	}
	if string(answer[2]) != "null" {
		return nil, fmt.Errorf("marionette: %s: %.300s", name, answer[2])
	}
	return answer[3], nil
}

func (f *Firefox) read() ([]byte, error) {
	length, err := f.in.ReadString(':')
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(length, ":"))
	if err != nil || n < 0 || n > 1<<24 {
		return nil, fmt.Errorf("marionette: a length of %q", length)
	}
	b := make([]byte, n)
	_, err = io.ReadFull(f.in, b)
	return b, err
}

// socksVersion begins a connection that comes through a SOCKS proxy, as Firefox's do. (RFC 1928)
const socksVersion = 5

// socks says yes to whatever host a connection asks for; who that is, the connection itself tells soon after.
func socks(conn net.Conn, in *bufio.Reader) error {
	head := make([]byte, 2)
	if _, err := io.ReadFull(in, head); err != nil {
		return err
	}
	if _, err := in.Discard(int(head[1])); err != nil {
		return err
	}
	if _, err := conn.Write([]byte{socksVersion, 0}); err != nil { // no authentication
		return err
	}
	request := make([]byte, 5)
	if _, err := io.ReadFull(in, request); err != nil {
		return err
	}
	rest := map[byte]int{1: 4 - 1, 3: int(request[4]), 4: 16 - 1}[request[3]]
	if rest == 0 {
		return errors.New("no address")
	}
	if _, err := in.Discard(rest + 2); err != nil { // and the port
		return err
	}
	_, err := conn.Write([]byte{socksVersion, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	return err
}
