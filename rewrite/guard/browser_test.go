package guard

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

const testMark = "MaRk0123456789-_"

// testVendors are made for the tests: hosts and names that no real party has.
var testVendors = []Vendor{
	{ID: "tracker", Purpose: "marketing", Hosts: []string{"tracker.test"}, Patterns: []string{"shared.test/pixel", "*.multi.test/t/", "glob.test/a*/t.js"}, Passes: []string{"tracker.test/public/", "fine.tracker.test/*/ok"},
		Cookies: []string{"_trk", "_trk_*"}, Storage: []string{"trk-*"}},
	{ID: "meter", Purpose: "analytics", Hosts: []string{"meter.test"}, Cookies: []string{"_met"}},
}

// bench is a site and every other host of a made-up Internet, with a browser that finds them all.
type bench struct {
	*httptest.Server
	browser context.Context
	stop    context.CancelFunc
	mu      sync.Mutex
	hits    []string                 // host and path of requests to other hosts than the site's
	pages   map[string]string        // the site's pages
	judge   func(url string) string  // answers of the judge endpoint
	choose  func(form string) string // answer of the choose endpoint
	state   string
	until   map[string]func() bool // what has to hold before a path is answered
}

func (b *bench) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for holds := b.until[r.URL.Path]; holds != nil && r.Context().Err() == nil; {
		b.mu.Unlock()
		done := holds()
		time.Sleep(10 * time.Millisecond)
		b.mu.Lock()
		if done {
			break
		}
	}
	host := strings.Split(r.Host, ":")[0]
	w.Header().Set("Access-Control-Allow-Origin", "*")
	if host != "site.test" {
		b.hits = append(b.hits, host+r.URL.Path)
	}
	if body, ok := b.pages[host+r.URL.Path]; ok {
		if strings.HasSuffix(r.URL.Path, ".js") {
			w.Header().Set("Content-Type", "text/javascript")
		} else {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
		}
		if csp := b.pages[host+r.URL.Path+" csp"]; csp != "" {
			w.Header().Set("Content-Security-Policy", csp)
		}
		if kinds := b.pages[host+r.URL.Path+" clear"]; kinds != "" { // Clear Site Data, 3.1
			w.Header().Set("Clear-Site-Data", kinds)
		}
		_, _ = io.WriteString(w, body)
		return
	}
	switch {
	case r.URL.Path == "/.consent/choose":
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, b.choose(string(body)))
	case r.URL.Path == "/.consent/state":
		_, _ = io.WriteString(w, b.state)
	case r.URL.Path == "/.consent/judge":
		b.serveJudge(w, r)
	case r.URL.Path == "/.consent/placeholder":
		b.servePlaceholders(w, r)
	case strings.HasSuffix(r.URL.Path, ".css"):
		w.Header().Set("Content-Type", "text/css")
	case strings.HasSuffix(r.URL.Path, ".js"):
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = fmt.Fprintf(w, "(self.ran=self.ran||[]).push(%q)", host+r.URL.Path)
	case host == "site.test":
		http.NotFound(w, r)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// idle are benches whose tests have ended. A browser takes longer to start than most tests to run.
var idle struct {
	sync.Mutex
	benches []*bench
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, b := range idle.benches {
		b.stop()
	}
	os.Exit(code)
}

// newBench returns a bench, as empty as a new one, for this test alone.
func newBench(t testing.TB) *bench {
	idle.Lock()
	var b *bench
	if last := len(idle.benches) - 1; last >= 0 {
		b, idle.benches = idle.benches[last], idle.benches[:last]
	}
	idle.Unlock()
	if b == nil {
		b = startBench(t)
	} else if err := chromedp.Do(b.browser, chromedp.Func(forget)); err != nil {
		t.Fatal(err)
	}
	b.mu.Lock()
	b.hits, b.pages, b.judge, b.choose, b.state, b.until = nil, map[string]string{}, nil, func(string) string { return "{}" }, "", nil
	b.mu.Unlock()
	t.Cleanup(func() {
		if t.Failed() { // in whatever state
			b.stop()
			return
		}
		idle.Lock()
		idle.benches = append(idle.benches, b)
		idle.Unlock()
	})
	return b
}

// forget deletes what the tests before have stored in the browser.
func forget(ctx context.Context, _ *chromedp.Target) error {
	_, err := chromedp.Call(ctx, storage.ClearDataForOrigin, storage.ClearDataForOriginParams{Origin: "https://site.test", StorageTypes: "all"})
	if err == nil {
		_, err = chromedp.CallBrowser(ctx, storage.ClearCookies, storage.ClearCookiesParams{})
	}
	if err == nil {
		_, err = chromedp.Call(ctx, network.ClearBrowserCache, cdp.Empty{})
	}
	return err
}

func startBench(t testing.TB) *bench {
	path := chromium(t)
	b := &bench{}
	b.Server = httptest.NewUnstartedServer(b)
	b.Config.ErrorLog = log.New(io.Discard, "", 0)
	b.TLS = &tls.Config{GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		if h.ServerName != "site.test" {
			b.hits = append(b.hits, h.ServerName+" connect")
		}
		return nil, nil
	}}
	b.StartTLS()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("ignore-certificate-errors", true),
		chromedp.Flag("host-resolver-rules", "MAP * "+strings.TrimPrefix(b.URL, "https://")),
	)
	for try := 0; ; try++ { // on a busy machine not each one comes up at once
		allocator, stopProcess := chromedp.NewExecAllocator(context.Background(), options...)
		browser, stopContext := chromedp.NewContext(allocator)
		b.browser, b.stop = browser, func() { stopContext(); stopProcess(); b.Close() }
		err := chromedp.Do(browser)
		if err == nil {
			return b
		}
		stopContext()
		stopProcess()
		if try == 2 {
			t.Fatal("Chromium does not start: ", err)
		}
	}
}

// chromium returns the browser's path. Without one the test is skipped, or fails where CI=true.
func chromium(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("no Chromium to test with")
	}
	t.Skip("no Chromium to test with")
	return ""
}

// seen returns the requests to other hosts whose host and path contain part.
func (b *bench) seen(part string) (hits []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, h := range b.hits {
		if strings.Contains(h, part) {
			hits = append(hits, h)
		}
	}
	return hits
}

// reset forgets what was seen.
func (b *bench) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hits = nil
}

// until waits in a tab for what a test can see.
func until(holds func() bool) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		for !holds() {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(20 * time.Millisecond):
			}
		}
		return nil
	})
}

// page serves a page of the site.
func (b *bench) page(path, html string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pages["site.test"+path] = html
}

// visit opens a page in a tab of its own, waits until what comes late has come, and evaluates js there.
func (b *bench) visit(t testing.TB, path, js string, wait time.Duration) (result string, exceptions []string) {
	t.Helper()
	return b.visitUntil(t, path, js, wait, nil)
}

// visitUntil is visit that waits on until done says so.
func (b *bench) visitUntil(t testing.TB, path, js string, wait time.Duration, done func() bool) (result string, exceptions []string) {
	t.Helper()
	tab, thrown := b.tab(t)
	gesture := true
	err := chromedp.Do(tab, chromedp.Navigate("https://site.test"+path), chromedp.Sleep(wait))
	for err == nil && done != nil && !done() {
		err = chromedp.Do(tab, chromedp.Sleep(100*time.Millisecond))
	}
	if err == nil && js != "" {
		result, err = chromedp.Run(tab, chromedp.Evaluate[string](js, chromedp.EvalAwaitPromise, func(p *runtime.EvaluateParams) { p.UserGesture = &gesture }))
	}
	if err != nil {
		t.Errorf("%s: %v", path, err)
	}
	_ = chromedp.Cancel(tab)
	return result, thrown()
}

// tab opens a tab; exceptions returns what was thrown in it so far.
func (b *bench) tab(t testing.TB) (tab context.Context, exceptions func() []string) {
	t.Helper()
	tab, closeTab := chromedp.NewContext(b.browser)
	t.Cleanup(closeTab)
	tab, cancel := context.WithTimeout(tab, 3*time.Minute) // on a busy machine a page of eighty frames takes its time
	t.Cleanup(cancel)
	var mu sync.Mutex
	var list []string
	err := chromedp.Do(tab)
	if err == nil {
		err = chromedp.Listen(tab, func(ev any) {
			if e, ok := ev.(*runtime.EventExceptionThrown); ok {
				mu.Lock()
				list = append(list, describe(e.ExceptionDetails))
				mu.Unlock()
			}
		})
	}
	if err != nil {
		t.Error(err)
	}
	return tab, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return list
	}
}

func testGuard(t testing.TB, c Config) *Guard {
	t.Helper()
	if c.Prefix == "" {
		c.Prefix = "/.consent"
	}
	if c.Vendors == nil {
		c.Vendors = testVendors
	}
	g, err := Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// guarded is a page with the guard first in its head.
func (b *bench) guarded(g *Guard, p Page, head, body string) string {
	path, late := g.Late()
	b.page(path, string(late))
	if p.Mark == "" {
		p.Mark = testMark
	}
	p.Site = "site.test"
	return "<!DOCTYPE html><html><head>" + string(g.Append(nil, p)) + head + "</head><body>" + body + "</body></html>"
}

// serveJudge answers run-time questions as the gateway does.
func (b *bench) serveJudge(w http.ResponseWriter, r *http.Request) {
	var asked struct{ U [][2]string }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	verdicts := make([]string, len(asked.U))
	for i, u := range asked.U {
		verdicts[i] = b.judge(u[0])
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"v": verdicts})
}

// servePlaceholders answers with a button for each frame.
func (b *bench) servePlaceholders(w http.ResponseWriter, r *http.Request) {
	var asked struct{ U []string }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answers := make([]string, len(asked.U))
	for i := range answers {
		answers[i] = "<button data-consent-load=tracker>load</button>"
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"p": answers})
}

func describe(e *runtime.ExceptionDetails) string {
	text := e.Text
	if e.Exception != nil {
		text = e.Exception.Description
	}
	return fmt.Sprintf("%s (%s:%d:%d)", text, e.URL, e.LineNumber, e.ColumnNumber)
}
