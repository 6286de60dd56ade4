package guard

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestCorpus opens real pages with the guard of a visitor who refuses and without it: no exception may be new, and the
// text and the elements that the page shows must be the same. GUARD_CORPUS=all takes every page, else one of sixteen.
func TestCorpus(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("../../../shared/corpus/dev/pages/*.html")
	if len(files) == 0 {
		t.Skip("no pages beside the repository")
	}
	step := 16
	if os.Getenv("GUARD_CORPUS") == "all" {
		step = 1
	}
	b := newScenarioBench(t)
	g := testGuard(t, Config{Vendors: referenceVendors(t), Judge: true})
	head := regexp.MustCompile(`(?i)<head[^>]*>`)
	path, late := g.Late()
	b.page(path, string(late))
	guard := string(g.Append(nil, Page{Mark: testMark, Granted: 1, Denied: 30, Site: "site.test"}))
	var wg sync.WaitGroup
	slots := make(chan bool, 3)
	for i := 0; i < len(files); i += step {
		wg.Go(func() {
			slots <- true
			defer func() { <-slots }()
			data, err := os.ReadFile(files[i])
			if err != nil {
				t.Error(err)
				return
			}
			text := string(data)
			at := 0
			if m := head.FindStringIndex(text); m != nil {
				at = m[1]
			}
			b.page(fmt.Sprintf("/c%d", i), text)
			b.page(fmt.Sprintf("/g%d", i), text[:at]+guard+text[at:])
			const look = `[document.body ? document.body.innerText.length : 0, document.querySelectorAll('body *').length].join(' ')`
			want, before := b.visit(t, fmt.Sprintf("/c%d", i), look, time.Second)
			got, after := b.visit(t, fmt.Sprintf("/g%d", i), look, time.Second)
			if far(got, want) || len(after) > len(before) {
				t.Errorf("%s: %s, without the guard %s; exceptions %q, without %q", filepath.Base(files[i]), got, want, after, before)
			}
		})
	}
	wg.Wait()
}

// far reports whether one of the numbers lost more than a thousandth, and more than two.
func far(got, want string) bool {
	g, w := strings.Fields(got), strings.Fields(want)
	for i := range w {
		a, _ := strconv.Atoi(w[i])
		if b, err := strconv.Atoi(g[i]); err != nil || a-b > max(2, a/1000) {
			return true
		}
	}
	return false
}
