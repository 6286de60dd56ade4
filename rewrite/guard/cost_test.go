package guard

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestCost measures what the guard costs a page; the limits are ten times what an idle machine shows.
func TestCost(t *testing.T) {
	b := newScenarioBench(t)
	g := testGuard(t, Config{Vendors: referenceVendors(t), Judge: true})
	const work = `<script>
		const t1 = performance.now(), box = document.createElement('div');
		for (let i = 0; i < 20000; i++) { const p = document.createElement('p'); p.setAttribute('class', 'x'); p.textContent = i; box.appendChild(p); }
		const t2 = performance.now();
		for (let i = 0; i < 2000; i++) box.innerHTML = '<ul class="a"><li><a href="/x">y</a><img src="data:,"></li></ul>';
		const t3 = performance.now();
		for (let i = 0; i < 2000; i++) { const a = document.createElement('img'); a.src = 'https://site.test/' + i % 1; }
		const t4 = performance.now();
		box.style.width = '1px';
		const t5 = performance.now();
		for (let i = 0; i < 20000; i++) { box.style.width = i + 'px'; box.style.setProperty('--x', i); }
		const t6 = performance.now();
		for (let i = 0; i < 200; i++) document.cookie = 'own' + i % 20 + '=' + i;
		const t7 = performance.now();
		document.title = [t1 - t0, t2 - t1, t3 - t2, t4 - t3, t6 - t5, t7 - t6].map((n) => n.toFixed(1)).join(' ');
	</script>`
	b.page("/with", "<!DOCTYPE html><html><head><script>const t0 = performance.now()</script>"+b.guarded(g, Page{}, "", work)[len("<!DOCTYPE html><html><head>"):])
	b.page("/without", "<!DOCTYPE html><html><head><script>const t0 = performance.now()</script></head><body>"+work)
	for _, path := range []string{"/with", "/without"} {
		got, _ := b.visit(t, path, "document.title", 200*time.Millisecond)
		t.Logf("%s: milliseconds for start, 20,000 elements, 2,000 innerHTML, 2,000 image addresses, 40,000 style properties, 200 cookies: %s", path, got)
		took := strings.Fields(got)
		for i, limit := range []float64{500, 2500, 3500, 1000, 500, 500} {
			if i >= len(took) {
				t.Fatalf("%s: not measured: %q", path, got)
			}
			if ms, err := strconv.ParseFloat(took[i], 64); err != nil || ms > limit {
				t.Errorf("%s: measure %d is %s ms, more than %.0f", path, i+1, took[i], limit)
			}
		}
	}
}
