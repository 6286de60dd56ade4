package guard

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// reloads are the ways in which a page's callback leads to the page that it is in.
var reloads = []string{
	`location = location.href`, `location.href = ''`, `location.assign(location)`, `location.replace(location.pathname + location.search)`, `location.reload()`,
	`history.go(0)`, `open(location, '_self')`, `navigation.reload().finished.catch(() => 0)`, `document.forms[0].submit()`, `document.forms[0].requestSubmit()`, `document.forms[0].elements[0].click()`,
	`document.links[0].click()`, `setTimeout(() => location.reload(), 20)`, `Promise.resolve().then(() => location.reload())`, `(async () => { await trk.ready(); location.reload() })()`,
}

// TestLoops: what a stand-in calls back of its own accord leads no page to itself, where it would be called back again, for ever.
// It leads elsewhere, and to itself once for a visitor who is at it.
func TestLoops(t *testing.T) {
	t.Parallel()
	b := newScenarioBench(t)
	g := testGuard(t, Config{})
	var frames strings.Builder
	for i, way := range append(reloads, "location = '/else?' + i") {
		path := fmt.Sprintf("/page%d", i)
		b.page(path, b.guarded(g, Page{}, "", fmt.Sprintf(`<script>const i = %d; parent.came(i)</script><script type="text/plain" %s data-consent-src="https://tracker.test/x.js"></script><form><button></button></form><a href="%s">x</a>`+
			`<script>trk.push(() => { parent.called(i); %s; setTimeout(() => parent.stayed(i), 300) })</script>`, i, parkedAs, path, way)))
		fmt.Fprintf(&frames, `<iframe src="%s"></iframe>`, path)
	}
	b.page("/else", "<!DOCTYPE html><script>parent.elsewhere = 1</script>")
	b.page("/", "<!DOCTYPE html><script>var loads = {}, calls = {}, stays = {}, note = (on) => (i) => on[i] = (on[i] || 0) + 1, came = note(loads), called = note(calls), stayed = note(stays)</script><body>")
	tab, exceptions := b.tab(t)
	if err := chromedp.Do(tab, chromedp.Navigate("https://site.test/")); err != nil {
		t.Fatal(err)
	}
	got, err := chromedp.Run(tab, chromedp.Evaluate[string](fmt.Sprintf(`(async () => {
		document.body.innerHTML = %q;
		const n = %d, whole = () => Object.keys(stays).length == n && self.elsewhere;
		for (let i = 0; i < 100 && !whole(); i++) await new Promise((done) => setTimeout(done, 50));
		const wrong = [...Array(n).keys()].filter((i) => loads[i] != 1 || calls[i] != 1 || stays[i] != 1);
		return wrong.map((i) => i + ': ' + loads[i] + ' loads, ' + calls[i] + ' calls'+stays[i]).join('; ') + (self.elsewhere ? '' : ' not elsewhere')})()`, frames.String(), len(reloads)), chromedp.EvalAwaitPromise))
	if err != nil || got != "" {
		t.Errorf("to itself: %s; %v, %q", got, err, exceptions())
	}
	var came atomic.Int32
	var stayed atomic.Bool
	b.page("/used", b.guarded(g, Page{}, "", fmt.Sprintf(`<script type="text/plain" %s data-consent-src="https://tracker.test/x.js"></script><script>trk.push(() => { location.reload(); setTimeout(() => fetch('/stayed'), 300) })</script>`, parkedAs)))
	b.mu.Lock()
	b.until = map[string]func() bool{"/used": func() bool { came.Add(1); return true }, "/stayed": func() bool { stayed.Store(true); return true }}
	b.mu.Unlock()
	stays := until(stayed.Load)
	if err := chromedp.Do(tab, chromedp.Navigate("https://site.test/used"), stays); err != nil {
		t.Fatal(err)
	}
	stayed.Store(false)
	gesture := func(p *runtime.EvaluateParams) { yes := true; p.UserGesture = &yes }
	if _, err := chromedp.Run(tab, chromedp.Evaluate[bool]("trk.push(() => location.reload()), true", gesture)); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(tab, stays); err != nil || came.Load() != 2 {
		t.Errorf("for a visitor who is at it the page came %d times, want 2; %v", came.Load(), err)
	}
}
