package learned

import (
	"fmt"
	"sync"
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

// TestInventedHosts: whoever asks for hosts that nobody has keeps out neither those that are visited nor those that come later,
// and fills no memory.
func TestInventedHosts(t *testing.T) {
	s := NewSites()
	visit := func(host string) bool {
		for range enoughPages {
			s.Of(host).Page("/")
		}
		return s.Of(host).Enough("/")
	}
	if !visit("early.example") {
		t.Fatal("what was visited often is not enough")
	}
	var group sync.WaitGroup
	for g := range 4 {
		group.Go(func() {
			for i := range maxSites {
				s.Of(fmt.Sprint(g, "-", i, ".invented.example")).Page("/")
			}
		})
	}
	group.Wait()
	if !s.Of("early.example").Enough("/") || !visit("late.example") {
		t.Error("invented hosts keep out those that are visited")
	}
	for i := range maxSites {
		visit(fmt.Sprint(i, ".busy.example"))
	}
	if s.Of("one-more.example") != &s.overflow || !s.Of("late.example").Enough("/") {
		t.Error("a site of which there is enough made room")
	}
	kept := 0
	s.sites.Range(func(_, _ any) bool { kept++; return true })
	if kept != maxSites || s.count != maxSites {
		t.Errorf("%d sites are kept, %d counted; want %d", kept, s.count, maxSites)
	}
}

// TestVersionOfHosts: policies are made anew for a new host, not whenever a client speaks of one.
func TestVersionOfHosts(t *testing.T) {
	var l Hosts
	l.Claim([]byte("cdn.example"))
	first := l.Version()
	l.Claim([]byte("cdn.example"))
	again := l.Version()
	l.Claim([]byte("other.example"))
	if first == 0 || again != first || l.Version() == again {
		t.Errorf("versions %d, %d, %d", first, again, l.Version())
	}
}
