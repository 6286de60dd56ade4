package caddymodule

import (
	"fmt"
	"runtime"
	"testing"
)

// TestManySites: what a site has of its own, such as the hosts that it allows, does not make it compile the catalogue again: a
// thousand sites in one Caddyfile must start, and fit into memory.
func TestManySites(t *testing.T) {
	const sites, most = 20, 512 << 10
	app := newServed(t, true).handler.app
	if _, err := newSite(app, app.Options, modeEnforce); err != nil {
		t.Fatal(err)
	}
	var kept []*site
	before := heap()
	for n := range sites {
		s, err := newSite(app, app.Options.merged(Options{Allow: []Allow{{Host: fmt.Sprintf(".cdn%d.example", n)}}}), modeEnforce)
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, s)
		if n > 0 && (s.common != kept[0].common || s.parties != kept[0].parties || s.guards[0] == kept[0].guards[0]) {
			t.Errorf("site %d shares too little or too much", n)
		}
	}
	if each := int64(heap()-before) / sites; each > most {
		t.Errorf("each site takes %d KiB, want at most %d", each>>10, most>>10)
	}
	runtime.KeepAlive(kept)
}

// heap returns how much memory is in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkManySites compiles sites that differ in what they allow.
func BenchmarkManySites(b *testing.B) {
	app := newServed(b, true).handler.app
	var kept []*site
	before := heap()
	n := 0
	for b.Loop() {
		s, err := newSite(app, app.Options.merged(Options{Allow: []Allow{{Host: fmt.Sprintf("cdn%d.example", n)}}}), modeEnforce)
		if err != nil {
			b.Fatal(err)
		}
		n++
		kept = append(kept, s)
	}
	b.ReportMetric(float64(heap()-before)/float64(len(kept))/1024, "KiB/site")
	runtime.KeepAlive(kept)
}
