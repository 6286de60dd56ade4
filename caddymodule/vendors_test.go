package caddymodule

import (
	"strconv"
	"sync"
	"testing"

	"github.com/caddy-consent/caddy-consent/consent/ui"
)

// TestPreferencesOfAGrowingSite: however often the set of vendors changes, the present one is compiled once, whoever asks.
func TestPreferencesOfAGrowingSite(t *testing.T) {
	var p preferencesUIs
	compiled := map[string]int{}
	for set := range 5 * maxPreferences {
		key := strconv.Itoa(set)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { p.get(key, func() *ui.UI { compiled[key]++; return new(ui.UI) }) })
		}
		wg.Wait()
		if compiled[key] != 1 || len(p.byVendors) > maxPreferences {
			t.Fatalf("set %d was compiled %d times; %d are kept", set, compiled[key], len(p.byVendors))
		}
	}
}
