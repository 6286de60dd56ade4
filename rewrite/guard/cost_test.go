package guard

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkCost measures what the guard costs a page, in milliseconds of the browser, beside the same page without it.
func BenchmarkCost(b *testing.B) {
	s := newScenarioBench(b)
	g := testGuard(b, Config{Vendors: referenceVendors(b), Judge: true})
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
	s.page("/with", "<!DOCTYPE html><html><head><script>const t0 = performance.now()</script>"+s.guarded(g, Page{}, "", work)[len("<!DOCTYPE html><html><head>"):])
	s.page("/without", "<!DOCTYPE html><html><head><script>const t0 = performance.now()</script></head><body>"+work)
	what := []string{"start", "elements", "innerHTML", "images", "styles", "cookies"}
	sums := map[string]float64{}
	for b.Loop() {
		for _, path := range []string{"/with", "/without"} {
			got, _ := s.visit(b, path, "document.title", 200*time.Millisecond)
			for i, field := range strings.Fields(got) {
				ms, err := strconv.ParseFloat(field, 64)
				if err != nil {
					b.Fatal(err)
				}
				sums[what[i]+path] += ms
			}
		}
	}
	for name, sum := range sums {
		b.ReportMetric(sum/float64(b.N), "ms-"+name)
	}
}
