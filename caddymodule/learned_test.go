package caddymodule

import (
	"fmt"
	"testing"
)

// What was learned on one page says nothing of another: it is enforced where a page was seen before, or when many were.
func TestLearnedPaths(t *testing.T) {
	var l learned
	for range learnedPages {
		if l.enough("/") {
			t.Fatal("enforced too soon")
		}
		l.page("/")
	}
	if !l.enough("/") || l.enough("/new") {
		t.Errorf("after %d views of one page: / %v, /new %v; want true, false", learnedPages, l.enough("/"), l.enough("/new"))
	}
	for i := range learnedPages {
		l.page(fmt.Sprint("/page/", i))
	}
	if !l.enough("/new") {
		t.Error("after many pages a new one is not enforced")
	}
	for i := range 3 * maxLearnedPaths {
		l.page(fmt.Sprint("/more/", i))
	}
	if n := l.distinct.Load(); n > maxLearnedPaths {
		t.Errorf("%d paths are remembered, want at most %d", n, maxLearnedPaths)
	}
}
