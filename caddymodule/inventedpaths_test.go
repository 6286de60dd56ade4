package caddymodule

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-consent/caddy-consent/rules/filterlist"
)

// everywhere is a site that answers with one and the same page whatever is asked for, as single-page apps do.
func everywhere(t *testing.T) (s *served, visit func(path string, network int)) {
	t.Helper()
	s = newServed(t, true)
	s.next = caddyhttp.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, err := w.Write([]byte(`<!DOCTYPE html><title>x</title><script src="https://cdn.example/a.js"></script>`))
		return err
	})
	return s, func(path string, network int) {
		r := httptest.NewRequest(http.MethodGet, "https://site.test"+path, nil)
		r.RemoteAddr = fmt.Sprintf("10.%d.%d.1:1", network>>8, network&0xff)
		r.Header.Set("Sec-Fetch-Dest", "document")
		w := httptest.NewRecorder()
		if err := s.handler.ServeHTTP(w, caddyhttp.PrepareRequest(r, caddy.NewReplacer(), w, nil), s.next); err != nil {
			t.Fatal(err)
		}
	}
}

// TestInventedPathsLeaveRoom: one network that asks for paths that nobody else asks for keeps the site's pages out of the report
// neither before they were visited nor after.
func TestInventedPathsLeaveRoom(t *testing.T) {
	const maxPaths = 300 // of a site in the inventory
	s, visit := everywhere(t)
	invent := func() {
		for n := range 3 * maxPaths {
			visit(fmt.Sprintf("/invented-%d", n), 1)
		}
	}
	invent()
	for n := range 40 {
		visit(fmt.Sprintf("/page%d", n%10), 2+n)
	}
	for n := range maxPaths { // so many that there is no room for more
		visit(fmt.Sprintf("/seldom-%d", n), 100+n)
	}
	invent()
	visit("/late", 2)
	report := s.handler.app.inventory.Report().Sites[0]
	for n := range 10 {
		if path := fmt.Sprintf("/page%d", n); report.Pages[path] != 4 {
			t.Errorf("%s was counted %d times, not 4", path, report.Pages[path])
		}
	}
	if report.Pages["/late"] != 1 {
		t.Error("a page that was visited last is not there")
	}
	invented := 0
	for path := range report.Pages {
		if strings.HasPrefix(path, "/invented") {
			invented++
		}
	}
	if invented > 2*viewsPerMinute || len(report.Pages) > maxPaths {
		t.Errorf("%d of %d paths are invented", invented, len(report.Pages))
	}
	if n := 6*maxPaths + 41 + maxPaths; report.Documents != uint64(n) {
		t.Errorf("%d pages were delivered, the report says %d", n, report.Documents)
	}
	for n, example := range report.Hosts[0].Pages {
		if n > 0 && report.Pages[example] == 0 {
			t.Errorf("the example %s is not among the pages", example)
		}
	}
}

// TestInventedPathsRefuseNoList: what pages a list is tried on before it comes into force is not for one network to say. Who
// asks for paths that a list blocks would have it refused, and its trackers pass.
func TestInventedPathsRefuseNoList(t *testing.T) {
	list, _, err := filterlist.Parse("list", strings.NewReader("/adserver/\n"), filterlist.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	engine, err := filterlist.Compile(list)
	if err != nil {
		t.Fatal(err)
	}
	s, visit := everywhere(t)
	for n := range 1000 {
		visit(fmt.Sprintf("/adserver/%d", n%100), 1)
	}
	for n := range 200 {
		visit(fmt.Sprintf("/page%d", n%20), 2+n)
	}
	if err := s.handler.app.samples().Refuse(engine); err != nil {
		t.Errorf("refused: %v", err)
	}
	for n := range 100 { // now these are what visitors look at
		visit("/adserver/", 2+n)
	}
	if err := s.handler.app.samples().Refuse(engine); err == nil {
		t.Error("a list that blocks a third of what visitors look at is not refused")
	}
	if pages := s.handler.app.inventory.Pages(10)["site.test"]; len(pages) > 10 || !slices.Contains(pages, "/adserver/") {
		t.Errorf("the pages are %q", pages)
	}
}
