package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

// Browser is a Chromium with an empty profile, in the world behind a door.
type Browser struct {
	ctx context.Context

	mu        sync.Mutex
	errors    []string
	committed map[cdp.LoaderID]bool // documents that the tab came to show
}

// Chromium returns the browser's path. Without one the test is skipped, or fails where CI=true.
func Chromium(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("Chromium is missing: apt-get install chromium")
	}
	t.Skip("Chromium is not installed (apt-get install chromium)")
	return ""
}

// NewBrowser starts a Chromium; it ends with the test. Third-party cookies are allowed: blocked, as they are by default,
// they would hide what a tracker sets.
func NewBrowser(t testing.TB, d *Door, options ...chromedp.ExecAllocatorOption) *Browser {
	t.Helper()
	profile, err := os.MkdirTemp("", "lab")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // its helpers may write for a moment after the browser has ended
		Soon(func() bool { return os.RemoveAll(profile) == nil })
	})
	if err := os.Mkdir(filepath.Join(profile, "Default"), 0o700); err != nil {
		t.Fatal(err)
	}
	prefs, err := json.Marshal(map[string]any{"profile": map[string]any{"cookie_controls_mode": 0, "block_third_party_cookies": false}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(profile, "Default", "Preferences"), prefs, 0o600); err != nil {
		t.Fatal(err)
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(Chromium(t)), chromedp.UserDataDir(profile), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("host-resolver-rules", "MAP * "+d.Addr), chromedp.Flag("ignore-certificate-errors", true), chromedp.Flag("allow-running-insecure-content", true),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-domain-reliability", true), chromedp.WindowSize(1280, 900),
		chromedp.Flag("disable-features", "HttpsUpgrades,AutoupgradeMixedContent,OptimizationHints,MediaRouter,Translate,LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests"))
	b := &Browser{ctx: start(t, append(opts, options...)), committed: map[cdp.LoaderID]bool{}}
	if err := chromedp.Listen(b.ctx, b.note); err != nil {
		t.Fatal(err)
	}
	return b
}

// start starts a Chromium; on a busy machine not each one comes up at the first try.
func start(t testing.TB, options []chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	var err error
	for range 3 {
		alloc, cancelAlloc := chromedp.NewExecAllocator(context.Background(), options...)
		ctx, cancel := chromedp.NewContext(alloc)
		end := func() {
			_ = chromedp.Cancel(ctx)
			cancel()
			cancelAlloc()
		}
		if err = chromedp.Do(ctx, chromedp.Navigate("about:blank")); err == nil {
			t.Cleanup(end)
			return ctx
		}
		end()
	}
	t.Fatalf("starting Chromium: %v", err)
	return nil
}

// Tab opens another tab of the same browser and profile; it closes with the test.
func (b *Browser) Tab(t testing.TB) *Browser {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx)
		cancel()
	})
	tab := &Browser{ctx: ctx, committed: map[cdp.LoaderID]bool{}}
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("opening a tab: %v", err)
	}
	if err := chromedp.Listen(ctx, tab.note); err != nil {
		t.Fatal(err)
	}
	return tab
}

// Headers makes the tab send additional request header fields, such as Sec-GPC.
func (b *Browser) Headers(t testing.TB, fields map[string]any) {
	t.Helper()
	run(t, b, func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
			return chromedp.Void{}, err
		}
		_, err := chromedp.Call(ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: fields})
		return chromedp.Void{}, err
	})
}

// Permit says yes to what pages may ask a visitor for, such as "notifications".
func (b *Browser) Permit(t testing.TB, name string) {
	t.Helper()
	run(t, b, func(ctx context.Context, _ *chromedp.Target) (none chromedp.Void, err error) {
		_, err = chromedp.CallBrowser(ctx, browser.SetPermission, browser.SetPermissionParams{Permission: &browser.PermissionDescriptor{Name: name}, Setting: browser.PermissionSettingGranted})
		return none, err
	})
}

// Before runs a script in each document that the tab opens from now on, before any other.
func (b *Browser) Before(t testing.TB, script string) {
	t.Helper()
	run(t, b, func(ctx context.Context, _ *chromedp.Target) (none chromedp.Void, err error) {
		_, err = chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return none, err
	})
}

// Click clicks, as a visitor does with a mouse, the first element whose attributes hold all the given names and values
// ("name", "choice", "value", "refuse"). Shadow trees are searched, too, and no script of the page is needed.
func (b *Browser) Click(t testing.TB, attributes ...string) {
	t.Helper()
	b.Screenshot(t) // Chromium drops what a visitor does before the page is on the screen
	run(t, b, func(ctx context.Context, _ *chromedp.Target) (none chromedp.Void, err error) {
		all, pierce := int64(-1), true
		doc, err := chromedp.Call(ctx, dom.GetDocument, dom.GetDocumentParams{Depth: &all, Pierce: &pierce})
		if err != nil {
			return none, err
		}
		node := find(doc.Root, attributes)
		if node == nil {
			return none, fmt.Errorf("no element with %q", attributes)
		}
		if _, err := chromedp.Call(ctx, dom.ScrollIntoViewIfNeeded, dom.ScrollIntoViewIfNeededParams{BackendNodeID: node.BackendNodeID}); err != nil {
			return none, err
		}
		box, err := chromedp.Call(ctx, dom.GetBoxModel, dom.GetBoxModelParams{BackendNodeID: node.BackendNodeID})
		if err != nil {
			return none, err
		}
		q := box.Model.Border
		return none, chromedp.Do(ctx, chromedp.MouseClickXY((q[0]+q[4])/2, (q[1]+q[5])/2))
	})
}

// find returns the first node below n, in the order of the document, that has the attributes.
func find(n *cdp.Node, attributes []string) *cdp.Node {
	match := len(attributes) > 0
	for pair := range slices.Chunk(attributes, 2) {
		has := false
		for own := range slices.Chunk(n.Attributes, 2) {
			has = has || slices.Equal(own, pair)
		}
		match = match && has
	}
	if match {
		return n
	}
	for _, child := range slices.Concat(n.ShadowRoots, n.Children) {
		if found := find(child, attributes); found != nil {
			return found
		}
	}
	return nil
}

// Try navigates to the URL and waits for the load event, within the limit. Pages that never finish, or leave for
// another, are no error.
func (b *Browser) Try(url string, limit time.Duration) {
	ctx, cancel := context.WithTimeout(b.ctx, limit)
	defer cancel()
	_ = chromedp.Do(ctx, chromedp.Navigate(url))
}

// note keeps what the tab tells about itself.
func (b *Browser) note(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := ev.(type) {
	case *page.EventFrameNavigated:
		if e.Frame.ParentID == "" {
			b.committed[e.Frame.LoaderID] = true
		}
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if o := e.ExceptionDetails.Exception; o != nil {
			text += " " + o.Description
		}
		b.errors = append(b.errors, text)
	}
}

// Do carries out steps in the browser's tab within a minute.
func (b *Browser) Do(t testing.TB, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	run(t, b, chromedp.Steps(steps...))
}

// Open navigates to the URL and waits for the load event, of that document: a page that just then loads anew of itself does
// not count.
func (b *Browser) Open(t testing.TB, url string) {
	t.Helper()
	loader := run(t, b, func(ctx context.Context, _ *chromedp.Target) (cdp.LoaderID, error) {
		r, err := chromedp.Call(ctx, page.Navigate, page.NavigateParams{URL: url})
		if err == nil && r.ErrorText != "" {
			err = errors.New(r.ErrorText)
		}
		return r.LoaderID, err
	})
	committed := func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return loader == "" || b.committed[loader] // the same document has no loader
	}
	if !Soon(committed) {
		t.Fatalf("browser: %s does not come", url)
	}
	if !Soon(func() bool { return Eval[bool](t, b, "document.readyState == 'complete'") }) {
		t.Fatalf("browser: %s is not loaded", url)
	}
}

// Eval evaluates a JavaScript expression, awaits its promise and returns its value. Where the document goes while it is
// asked, the next one is asked.
func Eval[T any](t testing.TB, b *Browser, expression string) T {
	t.Helper()
	evaluate := chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise)
	return run(t, b, func(ctx context.Context, target *chromedp.Target) (v T, err error) {
		for range 3 {
			if v, err = evaluate(ctx, target); err == nil || !strings.Contains(err.Error(), "Inspected target navigated") {
				break
			}
		}
		return v, err
	})
}

// Screenshot returns the visible part of the page as PNG.
func (b *Browser) Screenshot(t testing.TB) []byte {
	t.Helper()
	return run(t, b, chromedp.CaptureScreenshot())
}

// Errors returns the uncaught exceptions since the last call.
func (b *Browser) Errors() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.errors
	b.errors = nil
	return e
}

// Cookies returns all cookies of the profile, HttpOnly and third-party ones included.
func (b *Browser) Cookies(t testing.TB) []*network.Cookie {
	t.Helper()
	return run(t, b, func(ctx context.Context, _ *chromedp.Target) ([]*network.Cookie, error) {
		r, err := chromedp.CallBrowser(ctx, storage.GetCookies, storage.GetCookiesParams{})
		return r.Cookies, err
	})
}

func run[T any](t testing.TB, b *Browser, a chromedp.Action[T]) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		t.Fatalf("browser: %v", err)
	}
	return v
}
