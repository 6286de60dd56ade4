package ui_test

import (
	"context"
	"flag"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/ui"
)

// These tests look at the real thing in Chromium. Without one they are skipped, with CI=true they fail. With
// UI_SCREENSHOTS=folder each writes pictures of what it saw there.

// thorough runs (UI_THOROUGH=1) look at every language and state, not only at those most likely to fail.
var thorough = os.Getenv("UI_THOROUGH") != ""

// browser is the one Chromium of all tests, started by the first that needs it.
var browser struct {
	once sync.Once
	ctx  context.Context
	stop context.CancelFunc
	err  error
}

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if browser.stop != nil {
		browser.stop()
	}
	os.Exit(code)
}

func startBrowser() {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU)
		for range 3 { // on a busy machine not each one comes up at once
			ctx, stopProcess := chromedp.NewExecAllocator(context.Background(), options...)
			ctx, stopContext := chromedp.NewContext(ctx)
			browser.ctx, browser.stop = ctx, func() { stopContext(); stopProcess() }
			if browser.err = chromedp.Do(ctx, chromedp.Navigate("about:blank")); browser.err == nil {
				return
			}
			browser.stop()
		}
		return
	}
}

// newBrowser opens a tab for one test.
func newBrowser(t *testing.T) context.Context {
	t.Helper()
	browser.once.Do(startBrowser)
	if browser.ctx == nil {
		missing(t, "no Chromium found: install chromium")
	}
	if browser.err != nil {
		t.Fatal(browser.err)
	}
	ctx, cancelTab := chromedp.NewContext(browser.ctx)
	t.Cleanup(cancelTab)
	ctx, cancelTime := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancelTime)
	return ctx
}

func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}

func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// eval returns the value of a script; it runs beside the page's Content-Security-Policy.
func eval[T any](t *testing.T, ctx context.Context, script string, options ...chromedp.EvaluateOption) T {
	t.Helper()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, options...))
	if err != nil {
		t.Fatalf("%v in %.300s", err, script)
	}
	return value
}

// media emulates CSS media features, given as name, value, name, value…
func media(t *testing.T, ctx context.Context, features ...string) {
	t.Helper()
	var list []*emulation.MediaFeature
	for i := 0; i+1 < len(features); i += 2 {
		list = append(list, &emulation.MediaFeature{Name: features[i], Value: features[i+1]})
	}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: list}); err != nil {
		t.Fatal(err)
	}
}

// shoot writes a picture of the viewport when pictures are wanted.
func shoot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	folder := os.Getenv("UI_SCREENSHOTS")
	if folder == "" {
		return
	}
	data, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name+".png"), data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// hostilePage is a page whose own style sheet tries to reach everything.
const hostilePage = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>A site</title>
<style>
html{font-size:8px;line-height:3}
*{font-family:monospace!important;color:#d00!important;letter-spacing:.3em}
button,form button[value=refuse]{display:none!important}
consent-banner,consent-banner *{display:none!important;position:static!important;opacity:0!important;transform:scale(.1)!important}
.c,.b,.a,.s{display:none!important}
p{font-size:16px}
</style></head><body>BANNER<header><h1>Welcome</h1></header><main>CONTENT</main><footer><a href="/imprint">Imprint</a></footer></body></html>`

const plainPage = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>A site</title>
<style>body{font:16px/1.5 Georgia,serif;margin:0 auto;max-width:46em;padding:1em;background:#faf8f4;color:#222}h1{font-size:2em}</style>
</head><body>BANNER<header><h1>The old mill</h1></header><main>CONTENT</main><footer><a href="/imprint">Imprint</a></footer></body></html>`

func fill(html, banner string) string {
	paragraph := `<p>The mill by the river has been grinding since 1742. It is open on Sundays, and <a href="/visit">visitors</a> are welcome to see the wheel, the stones and the small museum above the stable.</p>`
	return strings.NewReplacer("BANNER", banner, "CONTENT", strings.Repeat(paragraph, 24)).Replace(html)
}

// frameSizes are boxes that gated frames come in.
var frameSizes = [][2]int{
	{560, 315}, {320, 200}, {300, 150}, {728, 90}, {300, 60}, {160, 600}, {120, 90}, {120, 28}, {90, 20}, {76, 20}, {16, 16},
	{200, 200}, {480, 70}, {450, 80}, {180, 100}, {240, 120}, {300, 250}, {340, 130}, {60, 60}, {100, 300}, {40, 400}, {24, 24}, {1000, 20}, {2, 2},
}

// framesPage shows placeholders of a video and of a share button in all those boxes.
func framesPage(u *ui.UI, lang string) string {
	var b strings.Builder
	b.WriteString(`<!doctype html><html lang="en"><meta charset="utf-8"><title>Frames</title><style nonce="page">iframe{border:0;margin:4px}</style><main><h1>Frames</h1>`)
	facebook := ui.Vendor{ID: "facebook-social", Number: 4, Name: "Facebook social plugins", Purpose: "social", PolicyURL: "https://www.facebook.com/privacy/policy/"}
	vendors := []*ui.Vendor{&someVendors[3], &facebook}
	for k, e := range []ui.Embed{
		{Lang: lang, URL: "https://www.youtube.com/embed/abc", Return: "/museum"},
		{Lang: lang, URL: "https://www.facebook.com/plugins/like.php?href=https%3A%2F%2Fshop.example%2F"},
	} {
		document := html.EscapeString(string(u.AppendPlaceholder(nil, vendors[k], &e)))
		for i, size := range frameSizes {
			fmt.Fprintf(&b, `<iframe id="f%d" title="embed %d of %d" width="%d" height="%d" srcdoc="%s"></iframe> `, k*len(frameSizes)+i, i, k, size[0], size[1], document)
		}
	}
	return b.String()
}

// site serves pages with the banner in a given state, the preference page and a page with placeholders.
func site(t *testing.T, u *ui.UI, page string) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		p := pageOf(u, r)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; form-action 'self'; style-src 'unsafe-inline'")
		if r.FormValue("csp") != "" {
			w.Header().Set("Content-Security-Policy", "default-src 'none'; form-action 'self'; style-src "+u.StyleHash())
		}
		banner := string(u.AppendBanner(nil, p))
		if r.FormValue("bare") != "" {
			banner = ""
		}
		html := []byte(fill(page, banner))
		for r.FormValue("slow") != "" && len(html) > 700 {
			_, _ = w.Write(html[:700])
			_ = http.NewResponseController(w).Flush()
			time.Sleep(40 * time.Millisecond) // a browser paints between them
			html = html[700:]
		}
		_, _ = w.Write(html)
	})
	mux.HandleFunc("GET /.consent/{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", u.PageCSP())
		_ = u.WritePreferences(w, pageOf(u, r))
	})
	mux.HandleFunc("POST /.consent/choose", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		http.Redirect(w, r, "/posted?"+r.PostForm.Encode(), http.StatusSeeOther)
	})
	mux.HandleFunc("GET /frames", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; form-action 'self'; style-src 'nonce-page' "+u.StyleHash())
		_, _ = w.Write([]byte(framesPage(u, r.FormValue("lang"))))
	})
	mux.HandleFunc("GET /posted", func(w http.ResponseWriter, r *http.Request) {})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func pageOf(u *ui.UI, r *http.Request) *ui.Page {
	p := &ui.Page{Lang: u.Negotiate(r.FormValue("lang")), Mark: "0123456789abcdef", Return: "/", Signal: r.FormValue("signal"), Answered: r.FormValue("asked") != ""}
	p.Granted, _ = consent.ParsePurposes(r.FormValue("granted"))
	p.Recorded = p.Answered
	p.VendorOn = func(number uint16) (on, set bool) { return number == 1, p.Answered && number <= 2 }
	return p
}

func open(t *testing.T, ctx context.Context, width, height int64, url string) {
	t.Helper()
	do(t, ctx, chromedp.EmulateViewport(width, height), chromedp.Navigate(url))
}

// shadow is a script's beginning: what the tests below look at.
const shadow = `const host = document.querySelector("consent-banner"), root = host.shadowRoot, $ = (s) => root.querySelector(s), all = (s) => [...root.querySelectorAll(s)];
const box = (e) => { const r = e.getBoundingClientRect(); return {x: r.x, y: r.y, w: r.width, h: r.height, right: r.right, bottom: r.bottom}; };
const accept = $("button[value=accept]"), refuse = $("button[value=refuse]");
`

func inShadow[T any](t *testing.T, ctx context.Context, script string) T {
	t.Helper()
	return eval[T](t, ctx, "(() => {"+shadow+script+"})()")
}
