package integration

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/integration/lab"
	"github.com/caddy-consent/caddy-consent/rules/filterlist"
)

// realPage is a page of the development corpus.
type realPage struct{ File, URL string }

// visitResult is what one visit of a page brought.
type visitResult struct {
	trackers, others []string
	errors           []string
	words            map[string]int
}

// Cookies that the pages' servers set.
const (
	realTracking = "_ga _gid _fbp __utma"
	realOwn      = "PHPSESSID csrftoken cart"
)

var realLists = []string{"easyprivacy.txt", "easylist.txt", "fanboy-social-thirdparty.txt"}

// realSite serves the pages under their own hosts and paths, and stubs of what they want from there.
func realSite(t *testing.T, pages []realPage) http.Handler {
	t.Helper()
	bodies := map[string][]byte{}
	for _, p := range pages {
		u, err := url.Parse(p.URL)
		if err != nil {
			t.Fatal(err)
		}
		if bodies[u.Host+u.Path], err = os.ReadFile(corpus(t, filepath.Join("dev", p.File))); err != nil {
			t.Fatal(err)
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, ok := bodies[r.Host+r.URL.Path]; ok {
			for _, name := range strings.Fields(realTracking + " " + realOwn) {
				w.Header().Add("Set-Cookie", name+"=value; Path=/; Max-Age=63072000")
			}
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write(body)
			return
		}
		switch r.Header.Get("Sec-Fetch-Dest") {
		case "script":
			w.Header().Set("Content-Type", "text/javascript")
		case "style":
			w.Header().Set("Content-Type", "text/css")
		default:
			http.NotFound(w, r)
		}
	})
}

func realOracle(t *testing.T) *filterlist.Engine {
	t.Helper()
	var lists []*filterlist.List
	for _, name := range realLists {
		f, err := os.Open(corpus(t, filepath.Join("lists", name)))
		if err != nil {
			t.Fatal(err)
		}
		l, _, err := filterlist.Parse(name, f, filterlist.Limits{})
		_ = f.Close()
		if err != nil {
			t.Fatal(err)
		}
		lists = append(lists, l)
	}
	engine, err := filterlist.Compile(lists...)
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

// resourceTypes are the lists' words for what Sec-Fetch-Dest says.
var resourceTypes = map[string]string{"script": "script", "image": "image", "style": "stylesheet", "font": "font", "iframe": "subdocument",
	"empty": "xmlhttprequest", "video": "media", "audio": "media", "object": "object", "embed": "object"}

// realVisit opens one page and sorts what it contacted. What a sink's own script asks for is not the page's.
func realVisit(t *testing.T, d *lab.Door, tab *lab.Browser, oracle *filterlist.Engine, page realPage) visitResult {
	tab.Try("about:blank", 5*time.Second)
	tab.Errors()
	d.Reset()
	tab.Try(page.URL, 10*time.Second)
	d.Quiet(400 * time.Millisecond)
	r := visitResult{errors: tab.Errors(), words: map[string]int{}}
	for w := range strings.FieldsSeq(lab.Eval[string](t, tab, "document.body ? document.body.innerText : ''")) {
		r.words[w]++
	}
	for _, c := range d.Contacts() {
		if strings.HasPrefix(c.Path, "/lab-pixel") {
			continue
		}
		kind, err := filterlist.ParseType(resourceTypes[c.Dest])
		if err != nil {
			kind = filterlist.Other
		}
		address := "https://" + c.Host + c.Path
		request, err := filterlist.NewRequest(address, page.URL, kind)
		if err != nil {
			continue
		}
		if _, blocked := oracle.Match(&request); blocked {
			r.trackers = append(r.trackers, address)
		} else {
			r.others = append(r.others, address)
		}
	}
	return r
}

// realRun visits all pages with two browsers, and returns the results and the names of all cookies.
func realRun(t *testing.T, pages []realPage, addr string, oracle *filterlist.Engine, gpc bool) (results []visitResult, cookies map[string]int) {
	t.Helper()
	results, cookies = make([]visitResult, len(pages)), map[string]int{}
	const browsers = 2
	var work sync.WaitGroup
	var mu sync.Mutex
	for n := range browsers {
		d := lab.NewDoor(t)
		for _, p := range pages {
			u, _ := url.Parse(p.URL)
			d.Site(u.Hostname(), addr)
		}
		tab := lab.NewBrowser(t, d)
		if gpc {
			tab.Headers(t, map[string]any{"Sec-GPC": "1"})
		}
		work.Go(func() {
			for i := n; i < len(pages); i += browsers {
				results[i] = realVisit(t, d, tab, oracle, pages[i])
			}
			mu.Lock()
			defer mu.Unlock()
			for _, c := range tab.Cookies(t) {
				cookies[c.Name]++
			}
		})
	}
	work.Wait()
	return results, cookies
}

// Real pages, visited by someone who refuses: what reached trackers before and after, and what the pages lost.
func TestRealPages(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(corpus(t, "dev/index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var index struct{ Pages []realPage }
	if err := json.Unmarshal(data, &index); err != nil {
		t.Fatal(err)
	}
	pages, oracle := index.Pages, realOracle(t)
	upstream := httptest.NewServer(realSite(t, pages))
	defer upstream.Close()
	origin, global := strings.TrimPrefix(upstream.URL, "http://"), ""
	for _, name := range realLists {
		path, err := filepath.Abs(corpus(t, filepath.Join("lists", name)))
		if err != nil {
			t.Fatal(err)
		}
		global += "rules list " + path + " {\npurpose marketing\n}\n"
	}
	before, beforeCookies := realRun(t, pages, origin, oracle, false)
	after, afterCookies := realRun(t, pages, lab.Gateway(t, origin, "consent", global), oracle, true)
	realVerdict(t, pages, before, after, beforeCookies, afterCookies)
}

func realVerdict(t *testing.T, pages []realPage, before, after []visitResult, beforeCookies, afterCookies map[string]int) {
	t.Helper()
	var b, a struct{ trackers, others, words, tracking, own int }
	broken := 0
	for i, p := range pages {
		b.trackers += len(before[i].trackers)
		a.trackers += len(after[i].trackers)
		for _, address := range after[i].trackers {
			t.Errorf("%s contacts %s", p.URL, address)
		}
		for _, address := range before[i].others {
			b.others++
			if slices.Contains(after[i].others, address) {
				a.others++
			} else {
				t.Logf("%s no longer contacts %s", p.URL, address)
			}
		}
		for word, n := range before[i].words {
			b.words += n
			a.words += min(n, after[i].words[word])
		}
		for _, e := range after[i].errors {
			// Not where: what goes first in a page moves its lines.
			what, _, _ := strings.Cut(e, "\n")
			if !slices.ContainsFunc(before[i].errors, func(old string) bool { return strings.HasPrefix(old, what) }) {
				broken++
				t.Logf("%s has a new error: %.300s", p.URL, e)
				break
			}
		}
	}
	for _, name := range strings.Fields(realTracking) {
		b.tracking += beforeCookies[name]
		a.tracking += afterCookies[name]
	}
	for _, name := range strings.Fields(realOwn) {
		b.own += beforeCookies[name]
		a.own += afterCookies[name]
	}
	t.Logf("%d pages            before  after\ntracker requests    %6d %6d\nother third parties %6d %6d\ntracking cookies    %6d %6d\nown cookies         %6d %6d\nwords               %6d %6d\nnew script errors          %6d pages",
		len(pages), b.trackers, a.trackers, b.others, a.others, b.tracking, a.tracking, b.own, a.own, b.words, a.words, broken)
	if b.trackers < 15 || b.tracking == 0 || b.words < 1000 {
		t.Error("the pages without the gateway are too quiet to prove anything")
	}
	if a.tracking > 0 || a.own < b.own {
		t.Errorf("cookies: %d tracking, %d of %d own ones", a.tracking, a.own, b.own)
	}
	if broken > 0 {
		t.Errorf("%d pages have new script errors", broken)
	}
	if 1000*a.words < 999*b.words {
		t.Errorf("%d of %d words kept, want 99.9%%", a.words, b.words)
	}
}
