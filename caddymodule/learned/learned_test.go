package learned

import (
	"fmt"
	"testing"
)

// What was learned on one page says nothing of another: it is enforced where a page was seen before, or when many were.
func TestLearnedPaths(t *testing.T) {
	var l Hosts
	for range enoughPages {
		if l.Enough("/") {
			t.Fatal("enforced too soon")
		}
		l.Page("/")
	}
	if !l.Enough("/") || l.Enough("/new") {
		t.Errorf("after %d views of one page: / %v, /new %v; want true, false", enoughPages, l.Enough("/"), l.Enough("/new"))
	}
	for i := range enoughPages {
		l.Page(fmt.Sprint("/page/", i))
	}
	if !l.Enough("/new") {
		t.Error("after many pages a new one is not enforced")
	}
	for i := range 3 * maxPaths {
		l.Page(fmt.Sprint("/more/", i))
	}
	if n := l.distinct.Load(); n > maxPaths {
		t.Errorf("%d paths are remembered, want at most %d", n, maxPaths)
	}
}
