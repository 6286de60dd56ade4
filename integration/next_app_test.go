package integration

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// buildNext builds testdata/next into the folder for temporary files, where it stays until a source changes. npm fetches some
// 340 MB for it, so that the first time is only with CONSENT_APPS=all.
func buildNext(t *testing.T) (folder string) {
	t.Helper()
	if _, err := exec.LookPath("npm"); err != nil {
		t.Skip("npm is not installed (apt-get install npm): no Next.js application to try")
	}
	sources, sum := os.DirFS("testdata/next"), sha256.New()
	if err := fs.WalkDir(sources, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(sources, path)
		_, _ = sum.Write(append([]byte(path), data...))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	folder = filepath.Join(os.TempDir(), "caddy-consent-next-"+hex.EncodeToString(sum.Sum(nil)[:6]))
	complete := filepath.Join(folder, "complete")
	if _, err := os.Stat(complete); err == nil {
		return folder
	}
	if os.Getenv("CONSENT_APPS") != "all" {
		t.Skip("the Next.js application is not built: CONSENT_APPS=all does it")
	}
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(folder, sources); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	run := func(name string, args ...string) ([]byte, error) {
		c := exec.CommandContext(ctx, name, args...)
		c.Dir, c.Env = folder, append(os.Environ(), "NEXT_TELEMETRY_DISABLED=1")
		return c.CombinedOutput()
	}
	if out, err := run("npm", "install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund"); err != nil {
		t.Skipf("npm could not fetch Next.js: %v %.300s", err, out)
	}
	if out, err := run("node", "node_modules/next/dist/bin/next", "build"); err != nil {
		t.Fatalf("building the Next.js application: %v\n%.2000s", err, out)
	}
	if err := os.WriteFile(complete, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

// serveNext starts the application's own server, which streams.
func serveNext(t *testing.T) (addr string) {
	t.Helper()
	port := strconv.Itoa(lab.FreePort(t))
	server := exec.Command("node", "node_modules/next/dist/bin/next", "start", "-H", "127.0.0.1", "-p", port)
	server.Dir, server.Env = buildNext(t), append(os.Environ(), "NEXT_TELEMETRY_DISABLED=1")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	addr = "127.0.0.1:" + port
	if !lab.Soon(func() bool {
		res, err := http.Get("http://" + addr + "/map")
		if err == nil {
			_ = res.Body.Close()
		}
		return err == nil && res.StatusCode == http.StatusOK
	}) {
		t.Fatal("Next.js does not answer")
	}
	return addr
}

// TestNext: a Next.js application with third-party scripts of each strategy of next/script, a part that is streamed after the
// rest, and client routes hydrates with all of that gated, and has it after acceptance, in place.
func TestNext(t *testing.T) {
	t.Parallel()
	addr := lab.Gateway(t, serveNext(t), "consent", "")
	door := lab.NewDoor(t)
	a := &app{&shop{door, lab.NewBrowser(t, door), addr}, "next.test"}
	door.Site(a.host, addr)
	a.browser.Open(t, "https://"+a.host+"/")
	a.becomes(t, "at first", "document.documentElement.dataset.hydrated == 'yes'")
	a.click(t, "count")
	a.becomes(t, "at first", "document.getElementById('count').textContent == '1'")
	a.becomes(t, "at first, in the streamed part", stands("#film", "YouTube")+" && !document.getElementById('wait')")
	lab.Eval[bool](t, a.browser, "self.sameDocument = true")
	a.click(t, "to-map")
	a.becomes(t, "on a client route", stands("#place", "Google"))
	a.click(t, "to-home")
	a.becomes(t, "back on the first route", stands("#film", "YouTube"))
	a.silent(t, "before any choice")

	a.press(t, "accept")
	a.alive(t, "after acceptance", []string{"static.hotjar.com", "www.googletagmanager.com", "connect.facebook.net", "www.youtube.com"})
	a.click(t, "to-map")
	a.becomes(t, "after acceptance, on a client route", "document.querySelector('#place')?.hasAttribute('src') && !document.querySelector('#place').srcdoc")
	a.click(t, "count")
	a.becomes(t, "after acceptance", "document.getElementById('count').textContent == '1'")

	a.press(t, "refuse")
	a.becomes(t, "after withdrawal", stands("#place", "Google"))
	a.click(t, "to-home")
	a.becomes(t, "after withdrawal, on another route", "self.sameDocument && "+stands("#film", "YouTube"))
	a.silent(t, "after withdrawal")
	if errs := a.browser.Errors(); len(errs) > 0 {
		t.Errorf("the page has errors: %q", errs)
	}
}
