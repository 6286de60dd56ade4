package integration

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// places turns the invented pages into hiding places, with numbers of their own, and adds what they ask of their own site.
func places(list []hidden) (pages []hidingPlace, own map[string]string) {
	own = map[string]string{}
	for i, h := range list {
		id := fmt.Sprintf("p%03d", 500+i)
		tracker := "http://tracker.test:8099/t/" + id
		fill := strings.NewReplacer("TRACKER", tracker, utf16("TRACKER"), utf16(tracker), "OWN", "/own/"+id, "t/ID", "t/"+id, "p000", id).Replace
		p := hidingPlace{ID: id, Name: h.name, Class: "invented", Headers: map[string]string{}, Body: fill(h.body)}
		if h.headers == nil {
			h.headers = contentType("text/html; charset=utf-8")
		}
		for k, v := range h.headers {
			if v != "-" {
				p.Headers[k] = fill(v)
			}
		}
		for k, v := range h.own {
			own["/own/"+id+"/"+k] = fill(v)
		}
		pages = append(pages, p)
	}
	return pages, own
}

// hiddenSite serves hiding places and their own files, and notes which pages were asked for.
type hiddenSite struct {
	pages http.Handler
	own   map[string]string

	mu    sync.Mutex
	asked map[string]bool
}

func (s *hiddenSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked[r.URL.Path] = true
	s.mu.Unlock()
	file, ok := s.own[r.URL.Path]
	if !ok {
		s.pages.ServeHTTP(w, r)
		return
	}
	kind, body, _ := strings.Cut(file, "|")
	headers := contentType(kind)
	if kind == "-" {
		headers = nil
	}
	raw(w, headers, []byte(body))
}

// reset forgets what was asked for.
func (s *hiddenSite) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = map[string]bool{}
}

// served reports whether all the pages were asked for.
func (s *hiddenSite) served(pages []hidingPlace) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !slices.ContainsFunc(pages, func(p hidingPlace) bool { return !s.asked["/p/"+p.ID] })
}

// hidingGateway puts the gateway in front of a site of hiding places; alone is what its rewriter does without guard and policy.
func hidingGateway(t *testing.T, site http.Handler) (origin, gateway, alone string) {
	t.Helper()
	upstream := httptest.NewServer(site)
	t.Cleanup(upstream.Close)
	vendor := filepath.Join(t.TempDir(), "tracker.json")
	writeFile(t, vendor, trackerVendor)
	origin = strings.TrimPrefix(upstream.URL, "http://")
	gateway = lab.Gateway(t, origin, "consent", "rules file "+vendor)
	return origin, gateway, withoutGuard(t, gateway)
}

// hidingLeaks tells which pages contacted the tracker since the last Reset.
func hidingLeaks(d *lab.Door) map[string]bool {
	leaking := map[string]bool{}
	id := regexp.MustCompile(`p\d{3}`)
	for _, c := range d.Contacts() {
		if found := id.FindString(c.Host + c.Path); found != "" {
			leaking[found] = true
		} else if strings.HasPrefix(c.Host, "tracker.test") {
			leaking["a connection without a request"] = true
		}
	}
	return leaking
}

// firefoxRun visits all pages in Firefox, many at a time, and returns the ids of those that contacted the tracker.
func firefoxRun(t *testing.T, d *lab.Door, f *lab.Firefox, site *hiddenSite, pages []hidingPlace) map[string]bool {
	t.Helper()
	site.reset()
	d.Reset()
	const tabs = 16
	for batch := range slices.Chunk(pages, tabs) {
		var urls []string
		for _, p := range batch {
			urls = append(urls, "http://site.test:8099/p/"+p.ID)
		}
		f.Visit(t, urls...)
		if !lab.Soon(func() bool { return site.served(batch) }) {
			t.Error("Firefox did not ask for each page")
		}
		d.Quiet(500 * time.Millisecond)
	}
	f.Visit(t, slices.Repeat([]string{"about:blank"}, tabs)...)
	d.Quiet(300 * time.Millisecond)
	return hidingLeaks(d)
}

// TestHiddenPages: with rewriting alone no invented page contacts the tracker in a Chromium without JavaScript, and none of
// four pages of each class of the corpus in Firefox; what can be told only when it happens is held by the policy.
// HIDDEN_PAGES selects pages by name (".": all, in Firefox, too); HIDDEN_CONTROL=1 shows first what they do without the gateway.
func TestHiddenPages(t *testing.T) {
	t.Parallel()
	list := slices.Concat(hiddenPages, hiddenElements)
	pages, own := places(list)
	var programs []hidingPlace
	for i, h := range list {
		if h.program {
			programs = append(programs, pages[i])
		}
	}
	if only := os.Getenv("HIDDEN_PAGES"); only != "" {
		other := func(p hidingPlace) bool { return !regexp.MustCompile(only).MatchString(p.Name) }
		pages, programs = slices.DeleteFunc(pages, other), slices.DeleteFunc(programs, other)
	}
	var corpus []hidingPlace
	if os.Getenv("HIDDEN_PAGES") == "" || os.Getenv("HIDDEN_PAGES") == "." {
		corpus = slices.DeleteFunc(readHidingPlaces(t), func(p hidingPlace) bool {
			return p.Class == "script" || p.Name == "type-mixed-replace" || p.Name == "type-xslt-page"
		})
	}
	site := &hiddenSite{pages: hidingSite(slices.Concat(pages, corpus)), own: own, asked: map[string]bool{}}
	origin, gateway, alone := hidingGateway(t, site)

	judge := func(t *testing.T, d *lab.Door, pages []hidingPlace, run func([]hidingPlace) map[string]bool) {
		if os.Getenv("HIDDEN_CONTROL") != "" {
			d.Site("site.test", origin)
			without := run(pages)
			quiet := slices.DeleteFunc(slices.Clone(pages), func(p hidingPlace) bool { return without[p.ID] })
			t.Logf("%d of %d pages contact the tracker without the gateway", len(pages)-len(quiet), len(pages))
			for _, p := range quiet {
				t.Logf("quiet: %s", p.Name)
			}
			if len(quiet) > len(pages)/2 {
				t.Error("too few to prove anything")
			}
		}
		d.Site("site.test", alone)
		bytes := slices.DeleteFunc(slices.Clone(pages), func(p hidingPlace) bool {
			return slices.ContainsFunc(programs, func(q hidingPlace) bool { return p.ID == q.ID })
		})
		nobody := func(hidingPlace) bool { return false }
		hidingVerdict(t, bytes, run(bytes), nobody)
		d.Site("site.test", gateway)
		hidingVerdict(t, programs, run(programs), nobody)
	}
	t.Run("Chromium", func(t *testing.T) {
		d := lab.NewDoor(t)
		browser := lab.NewBrowser(t, d, chromedp.Flag("blink-settings", "scriptEnabled=false"))
		tabs := []*lab.Browser{browser}
		for len(tabs) < 6 {
			tabs = append(tabs, browser.Tab(t))
		}
		judge(t, d, pages, func(pages []hidingPlace) map[string]bool { return hidingRun(t, d, tabs, pages, 20*time.Millisecond) })
	})
	t.Run("Firefox", func(t *testing.T) {
		d := lab.NewDoor(t)
		f := lab.NewFirefox(t, d, nil)
		if os.Getenv("HIDDEN_PAGES") == "" {
			pages, corpus = nil, sampled(corpus, 4)
		}
		judge(t, d, slices.Concat(pages, corpus), func(pages []hidingPlace) map[string]bool { return firefoxRun(t, d, f, site, pages) })
	})
}
