package ui_test

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// inFrames looks at every frame: what it shows fits, is no scroll box, has a control that a pointer hits and that says
// in words what it does, and leads to the provider's privacy policy.
const inFrames = `(() => { const found = [];
	for (const f of document.querySelectorAll("iframe")) {
		const d = f.contentDocument, name = f.title + " " + f.width + "x" + f.height + ": ", root = d.documentElement;
		if (root.scrollWidth > root.clientWidth || root.scrollHeight > root.clientHeight) found.push(name + "scrolls, " + root.scrollWidth + "x" + root.scrollHeight);
		if (d.defaultView.getComputedStyle(d.body).display != "grid") found.push(name + "no style");
		const shown = [...d.querySelectorAll("a, button")].filter((e) => e.checkVisibility());
		if (f.width < 15) { if (shown.length) found.push(name + "something to focus in an invisible box"); continue; }
		if (!shown.length) found.push(name + "nothing to press");
		if (f.width > 80 && d.querySelector(".p") && !shown.some((e) => e.className == "p")) found.push(name + "no way to the provider's policy");
		for (const e of shown) {
			const b = e.getBoundingClientRect(), at = d.elementFromPoint(b.x + b.width / 2, b.y + b.height / 2);
			if (b.x < 0 || b.y < 0 || b.right > root.clientWidth + .5 || b.bottom > root.clientHeight + .5) found.push(name + e.textContent + " sticks out");
			if (!at || at != e && !e.contains(at)) found.push(name + e.textContent + " is covered");
			if (Math.min(f.height, f.width) >= 24 && (b.width < 24 || b.height < 23.9)) found.push(name + e.textContent + " is a small target, " + b.width + "x" + b.height);
			if (!/[^ ]/.test(e.innerText + e.title) || !e.textContent.trim()) found.push(name + "a control without words");
		}
	}
	return found; })()`

// TestPlaceholder looks at placeholders in boxes of many sizes, with script and without, and uses one.
func TestPlaceholder(t *testing.T) {
	u := someUI(t)
	s := site(t, u, plainPage)
	ctx := newBrowser(t)
	langs := []string{"en", "de", "el", "he"}
	if thorough {
		langs = u.Languages()
	}
	for _, lang := range langs {
		open(t, ctx, 1280, 2600, s.URL+"/frames?lang="+lang)
		for _, p := range eval[[]string](t, ctx, inFrames) {
			t.Errorf("%s %s", lang, p)
		}
		shoot(t, ctx, "frames-"+lang)
	}
	open(t, ctx, 1280, 2600, s.URL+"/frames")
	media(t, ctx, "forced-colors", "active")
	shoot(t, ctx, "frames-forced-colors")
	if border := eval[string](t, ctx, `(() => { const e = document.getElementById("f7").contentDocument.querySelector("[data-consent-load]"), s = e.ownerDocument.defaultView.getComputedStyle(e); return s.borderTopWidth + " " + s.borderTopStyle; })()`); border != "1px solid" {
		t.Errorf("with forced colours a small button has the border %q", border)
	}
	eval[chromedp.Void](t, ctx, `document.getElementById("f0").contentDocument.querySelector("button[name=choice]").click()`)
	if got := posted(t, ctx); got != "choice=save&return=%2Fmuseum&scope=vendor&vendor=%2Byoutube" {
		t.Errorf("posted %s", got)
	}
	withoutScript(t, ctx)
	open(t, ctx, 1280, 2600, s.URL+"/frames?lang=de")
	for _, p := range eval[[]string](t, ctx, inFrames) {
		t.Errorf("without script %s", p)
	}
	if n := eval[int](t, ctx, `[...document.querySelectorAll("iframe")].flatMap((f) => [...f.contentDocument.querySelectorAll("[data-consent-load]")]).filter((e) => e.checkVisibility()).length`); n != 0 {
		t.Errorf("without script %d buttons are shown that need one", n)
	}
	shoot(t, ctx, "frames-without-script")
}

func withoutScript(t *testing.T, ctx context.Context) {
	t.Helper()
	if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
}
