package ui_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/caddy-consent/caddy-consent/consent/ui"
)

// TestPageKeepsItsLayout compares where a page's own elements are, with the banner and without, on pages that fill the
// window in the usual ways.
func TestPageKeepsItsLayout(t *testing.T) {
	u := someUI(t)
	ctx := newBrowser(t)
	for _, css := range []string{
		"", "html,body{height:100%;margin:0}*{box-sizing:border-box}", "body{min-height:100vh;display:flex;flex-direction:column}main{flex:1}",
		"html,body{height:100%;overflow:hidden}*{box-sizing:border-box}main{height:100%;overflow:auto}", "html{display:flex}body{margin:auto}",
		"body{display:grid;grid-template-rows:auto 1fr auto;min-height:100vh}", "body{transform:translateZ(0)}", "body>*{position:relative;margin:1em}",
	} {
		positions := func(path string) string {
			page := strings.Replace(plainPage, "</style>", css+"</style>", 1)
			open(t, ctx, 1000, 700, site(t, u, page).URL+path)
			return eval[string](t, ctx, `[...document.querySelectorAll("header, main, footer, h1, main p, a")].filter((e) => !e.closest("consent-banner")).map((e) => { const b = e.getBoundingClientRect(); return [e.localName, b.x, b.y, b.width, b.height].join(" "); }).join("\n")`)
		}
		if without, with := positions("/?bare=1"), positions("/"); without != with {
			t.Errorf("%q: %s", css, firstDifference(without, with))
		}
	}
}

// TestLayout looks at the open banner in every language, on a desktop and at 320 px (WCAG 2.2, 1.4.10): accept and
// refuse have the same size, style and height on the page, both are in view without scrolling, targets have at least 24 px
// (2.5.8), nothing sticks out.
func TestLayout(t *testing.T) {
	u := someUI(t)
	s := site(t, u, plainPage)
	ctx := newBrowser(t)
	langs := []string{"el", "ga", "hu", "ar"} // the longest ones, and one from right to left
	if thorough {
		langs = u.Languages()
	}
	for _, size := range [][2]int64{{1280, 800}, {640, 400}, {320, 640}} { // the second is the first at 200 % (1.4.4)
		for _, lang := range langs {
			open(t, ctx, size[0], size[1], s.URL+"/?csp=1&lang="+lang)
			problems := inShadow[[]string](t, ctx, `
				const found = [], a = box(accept), r = box(refuse), style = (e) => { const s = getComputedStyle(e); return ["color", "backgroundColor", "fontSize", "fontWeight", "fontFamily", "border", "opacity", "padding", "boxShadow"].map((k) => s[k]).join(); };
				if (Math.abs(a.w - r.w) > .5 || Math.abs(a.h - r.h) > .5) found.push("accept and refuse differ in size");
				if (a.y != r.y && a.x != r.x) found.push("accept and refuse are neither side by side nor one below the other");
				if (style(accept) != style(refuse)) found.push("accept and refuse differ in style: " + style(accept) + " / " + style(refuse));
				for (const b of [a, r]) if (b.y < 0 || b.bottom > innerHeight) found.push("a button is out of view at " + b.y + " to " + b.bottom);
				if (getComputedStyle(host).position != "fixed") found.push("the banner is not fixed: its style did not apply");
				if (document.scrollingElement.scrollWidth > innerWidth) found.push("the page scrolls sideways");
				for (const e of all("*")) if (!e.closest("summary span") && (box(e).right > innerWidth + .5 || box(e).x < -.5)) found.push(e.outerHTML.slice(0, 80) + " sticks out");
				for (const e of all("a, button:not([hidden]), summary, label")) if (box(e).w && (box(e).w < 24 || box(e).h < 23.9)) found.push(e.outerHTML.slice(0, 80) + " is a small target: " + box(e).w + " x " + box(e).h);
				if ($(".b").scrollHeight > $(".b").clientHeight + 1) found.push("the first layer needs scrolling");
				return found;`)
			for _, p := range problems {
				t.Errorf("%s at %d: %s", lang, size[0], p)
			}
			if len(problems) > 0 || lang == "en" || lang == "ar" || lang == "el" {
				shoot(t, ctx, fmt.Sprintf("ask-%s-%d", lang, size[0]))
			}
		}
	}
}

// TestHostileStyles: a page that styles everything, with !important, does not reach the banner.
func TestHostileStyles(t *testing.T) {
	u := someUI(t)
	plain, hostile := site(t, u, plainPage), site(t, u, hostilePage)
	ctx := newBrowser(t)
	look := func(url string) string {
		open(t, ctx, 1280, 800, url)
		return inShadow[string](t, ctx, `return all("*").map((e) => { const s = getComputedStyle(e), b = box(e); return [e.localName, b.x, b.y, b.w, b.h, s.color, s.fontFamily, s.display, s.letterSpacing, s.opacity].join(" "); }).join("\n");`)
	}
	want := look(plain.URL)
	got := look(hostile.URL)
	shoot(t, ctx, "ask-hostile")
	if got != want {
		t.Errorf("the page reaches the banner: %s", firstDifference(want, got))
	}
}

// TestKeyboard walks through the banner with Tab and checks that focus is always seen (WCAG 2.2, 2.4.7).
func TestKeyboard(t *testing.T) {
	u := someUI(t)
	s := site(t, u, plainPage)
	ctx := newBrowser(t)
	open(t, ctx, 1280, 800, s.URL+"/?csp=1")
	painted(t, ctx)
	var order []string
	for range 7 {
		do(t, ctx, chromedp.KeyEvent("\t"))
		order = append(order, inShadow[string](t, ctx, `const e = root.activeElement, s = e && getComputedStyle(e); return e ? (s.outlineStyle == "none" || parseFloat(s.outlineWidth) < 2 ? "UNSEEN " : "") + (e.value || e.textContent) : "";`))
	}
	want := "Privacy settings|Choose by purpose|refuse|accept|Purposes and providers in detail|Privacy policy|Legal notice"
	if got := strings.Join(order, "|"); got != want {
		t.Errorf("order of focus\n%s\nwant\n%s", got, want)
	}
	shoot(t, ctx, "focus")
	// The panel folds by keyboard, which decides nothing, and unfolds again.
	inShadow[chromedp.Void](t, ctx, `$("[data-consent-open]").focus();`)
	do(t, ctx, chromedp.KeyEvent("\r"))
	if inShadow[bool](t, ctx, `return $("details").open;`) {
		t.Error("Enter does not fold the panel")
	}
	do(t, ctx, chromedp.KeyEvent("\r"))
	if !inShadow[bool](t, ctx, `return $("details").open && location.pathname == "/";`) {
		t.Error("Enter does not unfold the panel")
	}
	// Space ticks a box, Enter in it saves what is ticked.
	inShadow[chromedp.Void](t, ctx, `$(".m").open = true; $("input[value=analytics]").focus();`)
	do(t, ctx, chromedp.KeyEvent(" "), chromedp.KeyEvent("\r"))
	if got := posted(t, ctx); got != "choice=save&purpose=analytics&return=%2F" {
		t.Errorf("Space and Enter in a box posted %q", got)
	}
}

// TestFocusIsNotObscured tabs through the page below the open banner (WCAG 2.2, 2.4.11).
func TestFocusIsNotObscured(t *testing.T) {
	s := site(t, someUI(t), plainPage)
	ctx := newBrowser(t)
	for _, size := range [][2]int64{{1280, 800}, {320, 640}} {
		open(t, ctx, size[0], size[1], s.URL+"/?lang=el")
		inShadow[chromedp.Void](t, ctx, `$(".f a:last-child").focus();`)
		for i := range 25 {
			do(t, ctx, chromedp.KeyEvent("\t"))
			hidden := inShadow[string](t, ctx, `const e = document.activeElement, b = box(e), c = box($(".b")); return e == document.body || b.y >= c.y && b.bottom <= c.bottom && b.x >= c.x && b.right <= c.right ? e.textContent.slice(0, 20) + " at " + b.y : "";`)
			if hidden != "" {
				t.Errorf("at %d, link %d: focused out of sight: %s", size[0], i, hidden)
			}
		}
	}
}

// TestLongNames: the longest names of vendor, organisation and site make the preference centre no wider than a phone
// (WCAG 2.2, 1.4.10).
func TestLongNames(t *testing.T) {
	name := strings.Repeat("Datenverarbeitungsdienstleistung", 3)
	vendor := ui.Vendor{ID: "long", Number: 1, Name: name, Org: name, Purpose: "analytics", PolicyURL: "https://long.example/"}
	s := site(t, mustNew(t, ui.Config{SiteName: name[:80], Vendors: []ui.Vendor{vendor}}), plainPage)
	ctx := newBrowser(t)
	open(t, ctx, 320, 640, s.URL+"/.consent/?asked=1")
	wide := eval[int](t, ctx, `document.querySelectorAll("details").forEach(d => d.open = true), document.documentElement.scrollWidth`)
	if wide > 320 {
		t.Errorf("the preference centre is %d px wide", wide)
	}
}

// posted waits for a form to arrive and returns what it held.
func posted(t *testing.T, ctx context.Context) string {
	t.Helper()
	for {
		at, err := chromedp.Run(ctx, chromedp.Evaluate[string]("location.pathname + location.search"))
		if got, ok := strings.CutPrefix(at, "/posted?"); ok {
			return got
		}
		if ctx.Err() != nil { // another error is a page that just goes
			t.Fatalf("no form arrives: at %q, %v", at, err)
		}
		do(t, ctx, chromedp.Sleep(20*time.Millisecond))
	}
}

// painted waits until the page is on the screen: before, Chromium drops what a visitor does.
func painted(t *testing.T, ctx context.Context) {
	t.Helper()
	if _, err := chromedp.Run(ctx, chromedp.CaptureScreenshot()); err != nil {
		t.Fatal(err)
	}
}

// TestWithoutScript answers the question in a browser that runs no script.
func TestWithoutScript(t *testing.T) {
	u := someUI(t)
	s := site(t, u, plainPage)
	ctx := newBrowser(t)
	withoutScript(t, ctx)
	for _, tt := range []struct{ path, click, want string }{
		{"/?csp=1", "button[value=refuse]", "choice=refuse&return=%2F"},
		{"/?csp=1", "button[value=accept]", "choice=accept&return=%2F"},
		{"/.consent/?granted=analytics&asked=1", "button[value=save]", "choice=save&from=preferences&purpose=analytics&return=%2F.consent%2F%3Freturn%3D%2F&vendor=&vendor=%2Bgoogle-analytics&vendor=-matomo&vendor="},
		{"/.consent/?granted=analytics&asked=1", "button[value=withdraw]", "choice=withdraw&from=preferences&return=%2F.consent%2F%3Freturn%3D%2F"},
	} {
		open(t, ctx, 1280, 1400, s.URL+tt.path)
		at := eval[[]float64](t, ctx, `(() => { const h = document.querySelector("consent-banner"), r = (h ? h.shadowRoot : document).querySelector("`+tt.click+`").getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()`)
		painted(t, ctx)
		do(t, ctx, chromedp.MouseClickXY(at[0], at[1]))
		if got := posted(t, ctx); got != tt.want {
			t.Errorf("%s %s: %s, want %s", tt.path, tt.click, got, tt.want)
		}
	}
}

// TestVitals measures what the banner costs: no layout shift, not the largest paint, also where the page comes slowly.
func TestVitals(t *testing.T) {
	u := someUI(t)
	s := site(t, u, plainPage)
	ctx := newBrowser(t)
	for _, size := range [][3]int64{{1280, 800}, {360, 740}, {1280, 800, 1}, {360, 740, 1}} {
		path := "/"
		if size[2] == 1 {
			path = "/?slow=1"
		}
		open(t, ctx, size[0], size[1], s.URL+path)
		got := eval[struct {
			Shift   float64
			Largest string
		}](t, ctx, `new Promise((done) => {
			const out = {Shift: 0, Largest: ""};
			new PerformanceObserver((l) => { for (const e of l.getEntries()) out.Shift += e.value; }).observe({type: "layout-shift", buffered: true});
			new PerformanceObserver((l) => { for (const e of l.getEntries()) out.Largest = e.element ? e.element.localName : "in the banner"; }).observe({type: "largest-contentful-paint", buffered: true});
			const end = Date.now() + 50000, look = () => /^(p|h1)$/.test(out.Largest) || Date.now() > end ? setTimeout(() => done(out), 200) : setTimeout(look, 50);
			look();
		})`, chromedp.EvalAwaitPromise)
		if got.Shift != 0 || got.Largest != "p" && got.Largest != "h1" {
			t.Errorf("%s at %d: layout shift %v, largest paint %q", path, size[0], got.Shift, got.Largest)
		}
	}
}

// TestMedia: dark scheme, forced colours, reduced motion, print.
func TestMedia(t *testing.T) {
	u := someUI(t)
	s := site(t, u, plainPage)
	ctx := newBrowser(t)
	ground := `return getComputedStyle($(".b")).backgroundColor;`
	open(t, ctx, 1280, 800, s.URL+"/")
	light := inShadow[string](t, ctx, ground)
	media(t, ctx, "prefers-color-scheme", "dark")
	shoot(t, ctx, "ask-dark")
	if dark := inShadow[string](t, ctx, ground); dark == light {
		t.Errorf("dark is %s too", dark)
	}
	media(t, ctx, "forced-colors", "active")
	shoot(t, ctx, "ask-forced-colors")
	if border := inShadow[string](t, ctx, `return getComputedStyle(refuse).borderTopWidth + " " + getComputedStyle(refuse).borderTopStyle;`); border != "1px solid" {
		t.Errorf("with forced colours the buttons have the border %q", border)
	}
	media(t, ctx)
	if n := inShadow[int](t, ctx, `$("details").open = false; $("details").open = true; return root.getAnimations().length + all("*").filter((e) => { const s = getComputedStyle(e); return s.transitionDuration != "0s" || s.animationName != "none"; }).length;`); n != 0 {
		t.Errorf("%d things move", n)
	}
	printed := func(path string) (height string) {
		open(t, ctx, 1280, 800, s.URL+path)
		if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}); err != nil {
			t.Fatal(err)
		}
		return eval[string](t, ctx, `document.documentElement.scrollHeight + " " + [...document.querySelectorAll("consent-banner")].filter((e) => e.checkVisibility()).length`)
	}
	if with, without := printed("/"), printed("/?bare=1"); with != without {
		t.Errorf("in print the page is %s high (banners), without banner %s", with, without)
	}
}

// TestAxe lets axe-core look for what breaks WCAG 2.2 AA in each state.
func TestAxe(t *testing.T) {
	axe := axeCore(t)
	u := someUI(t)
	s := site(t, u, plainPage)
	ctx := newBrowser(t)
	paths, schemes := []string{"/", "/?asked=1&signal=GPC&lang=de", "/.consent/?asked=1&granted=analytics", "/frames?lang=ar"}, []string{"light", "dark"}
	if thorough {
		paths = append(paths, "/?lang=ar", "/?asked=1", "/.consent/", "/.consent/?lang=he&asked=1&granted=analytics", "/frames")
	}
	for _, path := range paths {
		for _, scheme := range schemes {
			media(t, ctx, "prefers-color-scheme", scheme)
			open(t, ctx, 1280, 1000, s.URL+path)
			for _, unfold := range []bool{false, true} {
				if !unfold && !thorough {
					continue
				}
				if unfold { // what lies behind the first view too
					eval[chromedp.Void](t, ctx, `{const h = document.querySelector("consent-banner"); for (const d of (h ? h.shadowRoot : document).querySelectorAll("details")) d.open = true;}`)
				}
				eval[chromedp.Void](t, ctx, axe)
				found := eval[[]string](t, ctx, `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then((r) => r.violations.flatMap((v) => v.nodes.map((n) => v.id + ": " + n.target.join(" ") + " " + n.html.slice(0, 120) + " " + n.failureSummary)))`, chromedp.EvalAwaitPromise)
				for _, f := range found {
					t.Errorf("%s %s: %s", path, scheme, f)
				}
			}
		}
	}
}

// axeCore returns the source of axe-core, fetched once with npm into the folder for temporary files.
func axeCore(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(os.TempDir(), "caddy-consent-axe-4.14.1")
	file := filepath.Join(folder, "node_modules", "axe-core", "axe.min.js")
	if _, err := os.Stat(file); err != nil {
		npm, err := exec.LookPath("npm")
		if err != nil {
			t.Skip("no npm found to fetch axe-core with")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, npm, "install", "--no-save", "--ignore-scripts", "--prefix", folder, "axe-core@4.14.1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Skipf("npm could not fetch axe-core: %v %.300s", err, out)
		}
	}
	source, err := os.ReadFile(file)
	if err != nil {
		missing(t, err.Error())
	}
	return string(source)
}

// TestScreenshots takes pictures for people to look at.
func TestScreenshots(t *testing.T) {
	if os.Getenv("UI_SCREENSHOTS") == "" {
		t.Skip("pictures are taken with UI_SCREENSHOTS=folder")
	}
	s := site(t, someUI(t), plainPage)
	ctx := newBrowser(t)
	for _, shot := range []struct {
		name, path    string
		width, height int64
		scheme        string
	}{
		{"ask", "/?lang=en", 1280, 800, "light"},
		{"ask-de-dark", "/?lang=de", 1280, 800, "dark"},
		{"ask-360", "/?lang=en", 360, 740, "light"},
		{"rest", "/?asked=1&granted=analytics", 1280, 800, "light"},
		{"signal", "/?asked=1&signal=GPC", 1280, 800, "light"},
		{"signal-320", "/?asked=1&signal=GPC&lang=de", 320, 568, "light"},
		{"preferences", "/.consent/?asked=1&granted=analytics", 1280, 1400, "light"},
		{"preferences-dark", "/.consent/?signal=GPC&lang=de&asked=1", 1280, 1200, "dark"},
		{"preferences-ar", "/.consent/?signal=GPC&lang=ar&granted=social", 1280, 1200, "light"},
		{"preferences-320", "/.consent/?lang=de&asked=1", 320, 1600, "light"},
	} {
		media(t, ctx, "prefers-color-scheme", shot.scheme)
		open(t, ctx, shot.width, shot.height, s.URL+shot.path)
		shoot(t, ctx, shot.name)
		if !strings.HasPrefix(shot.name, "preferences") {
			inShadow[chromedp.Void](t, ctx, `$("details").open = true; $(".m").open = true;`)
			shoot(t, ctx, shot.name+"-open")
		}
	}
}
