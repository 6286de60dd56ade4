package ui_test

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// TestPhone looks at the banner on phones, at first sight: on a page for phones, on one that was made for desktops only, which
// browsers lay out 980 px wide and show smaller (CSS Device Adaptation, 9), and on one with something wider than the screen,
// which makes the box that fixed elements lie in larger than what is seen (CSSOM View, 2, layout viewport).
func TestPhone(t *testing.T) {
	u := someUI(t)
	ctx := newBrowser(t)
	const meta = `<meta name="viewport" content="width=device-width, initial-scale=1">`
	wide := strings.Replace(plainPage, "<main>", `<main><div style="width:900px;height:40px;background:teal"></div>`, 1)
	for _, c := range []struct {
		name, page    string
		width, height int64
	}{
		{"for phones", plainPage, 390, 844},
		{"for phones", plainPage, 320, 480},
		{"for desktops", strings.Replace(plainPage, meta, "", 1), 390, 844},
		{"for desktops", strings.Replace(plainPage, meta, "", 1), 320, 480},
		{"too wide", wide, 390, 844},
		{"too wide, from right to left", strings.Replace(wide, `lang="en"`, `lang="ar" dir="rtl"`, 1), 390, 844},
	} {
		if _, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: c.width, Height: c.height, DeviceScaleFactor: 2, Mobile: true}); err != nil {
			t.Fatal(err)
		}
		for _, lang := range []string{"en", "el", "ar"} {
			do(t, ctx, chromedp.Navigate(site(t, u, c.page).URL+"/?lang="+lang))
			shoot(t, ctx, strings.ReplaceAll("phone "+c.name+" "+lang, " ", "-"))
			for _, p := range inShadow[[]string](t, ctx, `
				const found = [], v = visualViewport, panel = box($(".b"));
				for (const e of [accept, refuse]) {
					const b = box(e), size = parseFloat(getComputedStyle(e).fontSize) * v.scale;
					if (b.x < v.offsetLeft || b.y < v.offsetTop || b.right > v.offsetLeft + v.width + 1 || b.bottom > v.offsetTop + v.height + 1) found.push(e.value + " is out of sight: " + JSON.stringify(b) + " of " + v.width + "x" + v.height + " at " + v.offsetLeft);
					else if (document.elementFromPoint(b.x + b.w / 2, b.y + b.h / 2) != host) found.push(e.value + " is covered");
					if (size < 12 || size > 18) found.push(e.value + " has letters of " + size + " px");
					if (b.w * v.scale < 44 || b.h * v.scale < 24) found.push(e.value + " is small");
				}
				for (const e of all("a, p, h2, button, i")) if (parseFloat(getComputedStyle(e).lineHeight) < 1.25 * parseFloat(getComputedStyle(e).fontSize)) found.push("the lines of " + e.textContent + " overlap");
				if (panel.h > v.height) found.push("the panel is higher than the screen");
				return found;`) {
				t.Errorf("%s, %dx%d, %s: %s", c.name, c.width, c.height, lang, p)
			}
		}
	}
}

// TestLargeText: at 320 px, with text of twice the size, everything of the banner can be read and both answers are in view
// (WCAG 2.2, 1.4.4 and 1.4.10).
func TestLargeText(t *testing.T) {
	u := someUI(t)
	s := site(t, u, plainPage)
	ctx := newBrowser(t)
	if _, err := chromedp.Call(ctx, page.SetFontSizes, page.SetFontSizesParams{FontSizes: &page.FontSizes{Standard: 32, Fixed: 26}}); err != nil {
		t.Fatal(err)
	}
	langs := []string{"bg", "de", "el", "fi", "pl", "ar"} // of long words
	if thorough {
		langs = u.Languages()
	}
	for _, lang := range langs {
		open(t, ctx, 320, 568, s.URL+"/?csp=1&lang="+lang)
		for _, p := range inShadow[[]string](t, ctx, `
			const found = [], size = getComputedStyle(accept).fontSize;
			if (size != "28px") found.push("letters of " + size);
			for (const e of [accept, refuse]) {
				const b = box(e);
				if (b.y < 0 || b.bottom > innerHeight || root.elementFromPoint(b.x + b.w / 2, b.y + b.h / 2) != e) found.push(e.value + " is out of sight");
				if (e.scrollWidth > e.clientWidth + 1) found.push(e.value + " is wider than its button");
			}
			for (const e of all("*")) if (!e.closest("summary span") && (box(e).right > innerWidth + .5 || box(e).x < -.5)) found.push(e.outerHTML.slice(0, 80) + " sticks out");
			const panel = $(".b"), own = panel.clientHeight - box(accept.parentNode).h;
			if (panel.scrollWidth > panel.clientWidth + 1) found.push("the panel scrolls sideways");
			if (own < 84) found.push("of the text " + own + " px are seen");
			return found;`) {
			t.Errorf("%s: %s", lang, p)
			shoot(t, ctx, "large-"+lang)
		}
	}
}
