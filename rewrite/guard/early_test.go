package guard

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestEarlyWithdrawal: what another tab takes away before the late part is there is gone at once, and the page comes anew, but
// not before the gateway knows of it.
func TestEarlyWithdrawal(t *testing.T) {
	t.Parallel()
	for name, rest := range map[string]string{"whole": "", "still to come": "<script src=/never.js></script>"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newScenarioBench(t)
			g := testGuard(t, Config{Judge: true})
			path, _ := g.Late()
			var opened, told atomic.Int32
			never := func() bool { return false }
			b.page("/page", b.guarded(g, Page{Granted: 31}, "", earlyPage+rest))
			b.page("/other", "<!DOCTYPE html>other")
			b.mu.Lock()
			b.pages["tracker.test/frame"] = "<script>setInterval(() => fetch('/frame-beat'), 20)</script>"
			b.until = map[string]func() bool{path: never, "/never.js": never, "/page": func() bool { return opened.Add(1) > 0 }, "/told": func() bool { return told.Add(1) > 0 }}
			b.mu.Unlock()
			steps := func(tell string, holds func() bool) {
				t.Helper()
				tab, _ := b.tab(t)
				if err := chromedp.Do(tab, chromedp.Navigate("https://site.test/other")); err != nil {
					t.Fatal(err)
				}
				if _, err := chromedp.Run(tab, chromedp.Evaluate[bool](tell+", true")); err != nil {
					t.Fatal(err)
				}
				if err := chromedp.Do(tab, until(holds)); err != nil {
					t.Fatalf("after %s: %v", tell, err)
				}
			}
			falls := func(when, part string) {
				t.Helper()
				silent := func() bool { // what was on its way has come
					b.reset()
					time.Sleep(300 * time.Millisecond) // fifteen beats
					return len(b.seen(part)) == 0
				}
				for n := 0; !silent(); n++ {
					if n == 30 {
						t.Fatalf("%s: %d contacts", when, len(b.seen(part)))
					}
				}
			}
			tab, exceptions := b.tab(t)
			if err := chromedp.Do(tab, chromedp.Navigate("https://site.test/other")); err != nil {
				t.Fatal(err)
			}
			if _, err := chromedp.Run(tab, chromedp.Evaluate[bool]("location = '/page', true")); err != nil {
				t.Fatal(err)
			}
			steps("0", func() bool { return len(b.seen("/beat")) > 9 && len(b.seen("/frame-beat")) > 3 })
			steps(channel+"({..."+denyAll+", wait: Date.now() + 1e5})", func() bool { return told.Load() > 0 })
			falls("after the withdrawal", "/beat")
			if n := opened.Load(); n != 1 {
				t.Errorf("the page came %d times before the gateway could know", n)
			}
			b.page("/page", b.guarded(g, Page{Granted: 1, Denied: 30}, "", `<img src="https://cdn.test/clean">`))
			steps(channel+"("+denyAll+")", func() bool { return len(b.seen("/clean")) > 0 })
			falls("once the gateway knows", "beat")
			if e := exceptions(); len(e) > 0 {
				t.Errorf("exceptions: %q", e)
			}
		})
	}
}

// TestLateIsUnseen: who takes over a whole document (React 18) before the late part is there finds nothing of the guard's in it, and
// the late part runs nevertheless.
func TestLateIsUnseen(t *testing.T) {
	t.Parallel()
	b := newScenarioBench(t)
	g := testGuard(t, Config{Judge: true})
	path, _ := g.Late()
	var asked, free atomic.Bool
	b.page("/page", strings.Replace(b.guarded(g, Page{Granted: 31}, "", `<p>text`), "</head>", "<meta name=last></head>", 1))
	b.page("/other", "<!DOCTYPE html>other")
	b.mu.Lock()
	b.until = map[string]func() bool{path: func() bool { asked.Store(true); return free.Load() }}
	b.mu.Unlock()
	tab, _ := b.tab(t)
	if err := chromedp.Do(tab, chromedp.Navigate("https://site.test/other")); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Run(tab, chromedp.Evaluate[bool]("location = '/page', true")); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(tab, until(asked.Load)); err != nil {
		t.Fatal(err)
	}
	found := func(what string) bool {
		yes, err := chromedp.Run(tab, chromedp.Evaluate[bool](what))
		return err == nil && yes
	}
	if err := chromedp.Do(tab, until(func() bool { return found("!!document.querySelector('p')") })); err != nil {
		t.Fatal(err)
	}
	if !found("!document.querySelector('script')") {
		t.Error("a script of the guard's stands in the document")
	}
	free.Store(true)
	if err := chromedp.Do(tab, until(func() bool { return found("document.readyState == 'complete'") })); err != nil {
		t.Fatal(err)
	}
}

const channel = "new BroadcastChannel('consent').postMessage"

// earlyPage contacts a tracker over and over, by itself and in a frame, and tells when it heard of a choice.
const earlyPage = `<script>setInterval(() => { new Image().src = 'https://tracker.test/beat'; fetch('https://tracker.test/beat').catch(() => 0) }, 20);
new BroadcastChannel('consent').onmessage = () => fetch('/told')</script><iframe src="https://tracker.test/frame"></iframe>`
