package guard

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// scripted makes scripts of an unknown host and of a tracker's at run time, and says when.
const scripted = `<script>self.made=performance.now();for(const u of ['https://cdn.test/late.js','https://tracker.test/late.js']){const s=document.createElement('script');s.src=u;document.head.append(s)}</script>`

// TestAskedAtOnce: where the gateway is asked about all that nobody knows, no question waits for the late part.
func TestAskedAtOnce(t *testing.T) {
	t.Parallel()
	b := newScenarioBench(t)
	g := testGuard(t, Config{Judge: true})
	b.page("/page", b.guarded(g, Page{}, scripted, ""))
	path, _ := g.Late()
	came := func() bool { return len(b.seen("cdn.test/late.js")) > 0 }
	b.mu.Lock()
	b.until = map[string]func() bool{path: came}
	b.mu.Unlock()
	got, thrown := b.visitUntil(t, "/page", "new Promise((done) => { const look = () => self.ran ? done(String(ran)) : setTimeout(look, 20); look() })", 0, came)
	if got != "cdn.test/late.js" || len(thrown) > 0 || len(b.seen("tracker.test/")) > 0 {
		t.Errorf("ran %s, contacts %q; %q", got, b.seen(""), thrown)
	}
}

// BenchmarkDelay measures how long a script of an unknown host waits in Chromium from its making to its request, in
// milliseconds, on a line with a round trip of 30 ms and 10 Mbit/s and without anything in the browser's cache.
func BenchmarkDelay(b *testing.B) {
	s := newScenarioBench(b)
	for _, judge := range []bool{false, true} {
		g := testGuard(b, Config{Judge: judge, Vendors: referenceVendors(b)})
		s.page("/page", s.guarded(g, Page{}, scripted, ""))
		b.Run(fmt.Sprintf("judge=%t", judge), func(b *testing.B) {
			var sum float64
			for b.Loop() {
				sum += s.delay(b)
			}
			b.ReportMetric(sum/float64(b.N), "ms-waiting")
		})
	}
}

// delay opens the page on a slow line and returns how long its script waited.
func (b *bench) delay(t testing.TB) (ms float64) {
	tab, _ := b.tab(t)
	slow := &network.Conditions{Latency: 30, DownloadThroughput: 10e6 / 8, UploadThroughput: 10e6 / 8}
	const waited = "new Promise((done) => { const look = () => { const e = performance.getEntriesByType('resource').find((e) => /cdn.test/.test(e.name)); e ? done(e.startTime - self.made) : setTimeout(look, 20) }; look() })"
	err := chromedp.Do(tab, chromedp.Func(forget), chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
			return err
		}
		_, err := chromedp.Call(ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{slow}})
		return err
	}), chromedp.Navigate("https://site.test/page"))
	if err == nil {
		ms, err = chromedp.Run(tab, chromedp.Evaluate[float64](waited, chromedp.EvalAwaitPromise))
	}
	if err != nil && !strings.Contains(err.Error(), "closed") {
		t.Fatal(err)
	}
	_ = chromedp.Cancel(tab)
	return ms
}
