package ui_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/caddy-consent/caddy-consent/consent"
	"github.com/caddy-consent/caddy-consent/consent/ui"
)

// These tests look at the real thing in Chromium. Without one they are skipped, with CI=true they fail. With
// UI_SCREENSHOTS=folder each writes pictures of what it saw there.

// newBrowser starts a headless Chromium for one test.
func newBrowser(t *testing.T, flags ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		missing(t, "no Chromium found: install chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU)
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), append(options, flags...)...)
	t.Cleanup(cancel)
	ctx, cancelTab := chromedp.NewContext(ctx)
	t.Cleanup(cancelTab)
	ctx, cancelTime := context.WithTimeout(ctx, time.Minute)
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

// site serves pages with the banner in a given state, the preference page and a page with placeholders.
func site(t *testing.T, u *ui.UI, html string) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		p := pageOf(u, r)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; form-action 'self'; style-src 'unsafe-inline'")
		if r.FormValue("csp") != "" {
			w.Header().Set("Content-Security-Policy", "default-src 'none'; form-action 'self'; style-src "+u.StyleHash())
		}
		_, _ = w.Write([]byte(fill(html, string(u.AppendBanner(nil, p)))))
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
	mux.HandleFunc("GET /posted", func(w http.ResponseWriter, r *http.Request) {})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func pageOf(u *ui.UI, r *http.Request) *ui.Page {
	p := &ui.Page{Lang: u.Negotiate("", r.FormValue("lang")), Mark: "0123456789abcdef", Return: "/", Signal: r.FormValue("signal"), Asked: r.FormValue("asked") != ""}
	p.Granted, _ = consent.ParsePurposes(r.FormValue("granted"))
	p.Saved, p.Recorded = r.FormValue("saved") != "", p.Asked
	p.VendorOn = func(number uint16) (on, set bool) { return number == 1, p.Asked && number <= 2 }
	return p
}

func TestScreenshots(t *testing.T) {
	u := someUI(t)
	s := site(t, u, plainPage)
	hostile := site(t, u, hostilePage)
	ctx := newBrowser(t)
	for _, shot := range []struct {
		name, url     string
		width, height int64
		dark          string
	}{
		{"ask-en", s.URL + "/?lang=en", 1280, 800, "light"},
		{"ask-de-dark", s.URL + "/?lang=de", 1280, 800, "dark"},
		{"ask-hostile", hostile.URL + "/?lang=de", 1280, 800, "light"},
		{"ask-320", s.URL + "/?lang=de", 320, 568, "light"},
		{"ask-360", s.URL + "/?lang=en", 360, 740, "light"},
		{"rest", s.URL + "/?asked=1&granted=analytics&saved=1", 1280, 800, "light"},
		{"signal", s.URL + "/?asked=1&signal=GPC", 1280, 800, "light"},
		{"signal-320", s.URL + "/?asked=1&signal=GPC&lang=de", 320, 568, "light"},
		{"preferences", s.URL + "/.consent/?asked=1&granted=analytics&saved=1", 1280, 1400, "light"},
		{"preferences-dark", s.URL + "/.consent/?signal=GPC&lang=de", 1280, 1200, "dark"},
		{"preferences-320", s.URL + "/.consent/?lang=de&asked=1", 320, 1600, "light"},
	} {
		do(t, ctx, chromedp.EmulateViewport(shot.width, shot.height))
		media(t, ctx, "prefers-color-scheme", shot.dark)
		do(t, ctx, chromedp.Navigate(shot.url))
		shoot(t, ctx, shot.name)
		if strings.HasPrefix(shot.name, "ask-") || shot.name == "rest" {
			eval[chromedp.Void](t, ctx, `{const d=document.querySelector("consent-banner").shadowRoot;d.querySelector("details").open=true;d.querySelector(".m").open=true}`)
			shoot(t, ctx, shot.name+"-open")
		}
	}
}
