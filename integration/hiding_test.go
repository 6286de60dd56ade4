package integration

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/integration/lab"
	"github.com/caddy-consent/caddy-consent/rewrite/encoding"
)

// hidingPlace is a page that hides one contact to tracker.test.
type hidingPlace struct {
	ID, Name, Class string
	Headers         map[string]string
	Encoding, Body  string
	Chromium        bool `json:"chromium_contacts_tracker"`
}

// trackerVendor is tracker.test as an operator would declare it, with the address by which one page spells it.
const trackerVendor = `{"number": 60000, "name": "Tracker", "org": "Tracker Ltd", "purpose": "marketing", "category": "advertising",
	"hosts": ["tracker.test"], "patterns": ["127.0.0.2/"],
	"examples": {"urls": ["https://tracker.test/t/1"]}, "benign": {"urls": ["https://tracker.test.example/"]}}`

// browserLimits are what neither markup nor any script can hinder: a script that sends the visitor elsewhere.
var browserLimits = []string{"location"}

func corpus(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "shared", "corpus", name)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the corpus is absent: no %s", path)
	}
	return path
}

func readHidingPlaces(t *testing.T) []hidingPlace {
	t.Helper()
	data, err := os.ReadFile(corpus(t, "hiding/pages.json"))
	if err != nil {
		t.Fatal(err)
	}
	var pages []hidingPlace
	if err := json.Unmarshal(data, &pages); err != nil {
		t.Fatal(err)
	}
	return pages
}

// hidingSite serves the pages byte for byte, and what they may ask of their own site.
func hidingSite(pages []hidingPlace) http.Handler {
	mux := http.NewServeMux()
	for _, p := range pages {
		body := []byte(p.Body)
		if p.Encoding == "base64" {
			body, _ = base64.StdEncoding.DecodeString(p.Body)
		}
		mux.HandleFunc("/p/"+p.ID, func(w http.ResponseWriter, _ *http.Request) { raw(w, p.Headers, body) })
	}
	own := func(path, contentType, body string) {
		mux.HandleFunc("/"+path+"/{id}", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", contentType)
			_, _ = fmt.Fprintf(w, body, "http://tracker.test:8099/t/"+r.PathValue("id"))
		})
	}
	own("css", "text/css", "@import '%s';")
	own("js", "text/javascript", "new Image().src='%s'")
	own("xsl", "text/xml", `<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:output method="html"/>`+
		`<xsl:template match="/"><html><body><img src="%s"/></body></html></xsl:template></xsl:stylesheet>`)
	mux.HandleFunc("/redir/{id}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://tracker.test:8099/t/"+r.PathValue("id"), http.StatusFound)
	})
	return mux
}

// raw answers without the changes that net/http makes to header fields.
func raw(w http.ResponseWriter, headers map[string]string, body []byte) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer func() { _ = conn.Close() }()
	if hints := headers[":early"]; hints != "" {
		_, _ = io.WriteString(conn, "HTTP/1.1 103 Early Hints\r\n"+hints+"\r\n")
	}
	_, _ = io.WriteString(conn, "HTTP/1.1 "+cmp.Or(headers[":status"], "200 OK")+"\r\nConnection: close\r\nContent-Length: "+strconv.Itoa(len(body))+"\r\n")
	for k, v := range headers {
		if k[0] != ':' {
			_, _ = io.WriteString(conn, k+": "+v+"\r\n")
		}
	}
	_, _ = io.WriteString(conn, "\r\n")
	_, _ = conn.Write(body)
}

// scriptPause is what a page's scripts and timers get after its load event.
const scriptPause = 250 * time.Millisecond

// guardScript finds the guard in a page.
var guardScript = regexp.MustCompile(`(?s)<script data-consent-guard.*?</script>`)

// withoutGuard passes requests on to the gateway and takes the guard and the policy header out of its answers: what is
// left is the work of the rewriter alone.
func withoutGuard(t *testing.T, gateway string) string {
	t.Helper()
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: gateway})
		r.Out.Host = r.In.Host
		r.Out.Header.Set("Accept-Encoding", "identity") // what is compressed cannot be searched
	}}
	proxy.ModifyResponse = func(r *http.Response) error {
		r.Header.Del("Content-Security-Policy")
		r.Header.Del("Content-Security-Policy-Report-Only")
		body, err := io.ReadAll(r.Body)
		_ = r.Body.Close()
		body = guardScript.ReplaceAll(body, nil)
		if !encoding.Identity(r.Header.Get("Content-Encoding")) || bytes.Contains(body, []byte("<script data-consent-guard")) {
			t.Errorf("%s still has its guard", r.Request.URL)
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		r.ContentLength = int64(len(body))
		r.Header.Set("Content-Length", strconv.Itoa(len(body)))
		return err
	}
	srv := httptest.NewServer(proxy)
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://")
}

// hidingRun visits all pages in several tabs and returns the ids of those that contacted the tracker.
func hidingRun(t *testing.T, d *lab.Door, tabs []*lab.Browser, pages []hidingPlace, pause time.Duration) map[string]bool {
	t.Helper()
	d.Reset()
	queue := make(chan hidingPlace)
	var work sync.WaitGroup
	for _, tab := range tabs {
		work.Go(func() {
			for p := range queue {
				tab.Try("http://site.test:8099/p/"+p.ID, 4*time.Second)
				time.Sleep(pause) // what scripts and timers bring in
			}
			tab.Try("about:blank", 4*time.Second)
		})
	}
	for _, p := range pages {
		queue <- p
	}
	close(queue)
	work.Wait()
	d.Quiet(300 * time.Millisecond)
	return hidingLeaks(d)
}

// sampled returns the first pages of each class, as many as named.
func sampled(pages []hidingPlace, count int) (some []hidingPlace) {
	seen := map[string]int{}
	for _, p := range pages {
		if seen[p.Class]++; seen[p.Class] <= count {
			some = append(some, p)
		}
	}
	return some
}

// Every way to hide a tracker in a page that a browser was seen to follow is found by the rewriter, except what only
// scripts make, and that by the whole gateway, which is tried with two pages of each other class. HIDDEN_CONTROL=1 shows
// first what the pages do without the gateway, and tries the gateway with all.
func TestHidingPlaces(t *testing.T) {
	t.Parallel()
	pages := readHidingPlaces(t)
	d := lab.NewDoor(t)
	browser := lab.NewBrowser(t, d)
	tabs := []*lab.Browser{browser}
	for len(tabs) < 5 {
		tabs = append(tabs, browser.Tab(t))
	}
	origin, gateway, alone := hidingGateway(t, hidingSite(pages))
	scripts := slices.DeleteFunc(slices.Clone(pages), func(p hidingPlace) bool { return p.Class != "script" })
	others := slices.DeleteFunc(slices.Clone(pages), func(p hidingPlace) bool { return p.Class == "script" })
	whole := slices.Concat(scripts, sampled(others, 2))
	if os.Getenv("HIDDEN_CONTROL") != "" {
		whole = pages
	}
	t.Run("without gateway", func(t *testing.T) {
		if os.Getenv("HIDDEN_CONTROL") == "" {
			t.Skip("HIDDEN_CONTROL is not set")
		}
		d.Site("site.test", origin)
		leaking := hidingRun(t, d, tabs, pages, scriptPause)
		for _, p := range pages {
			if p.Chromium && !leaking[p.ID] {
				t.Errorf("%s %s: Chromium did not contact the tracker, so it proves nothing", p.ID, p.Name)
			}
		}
		t.Logf("%d of %d pages contact the tracker", len(leaking), len(pages))
	})
	t.Run("rewriter alone", func(t *testing.T) {
		d.Site("site.test", alone)
		hidingVerdict(t, others, hidingRun(t, d, tabs, others, scriptPause), func(hidingPlace) bool { return false })
	})
	t.Run("gateway", func(t *testing.T) {
		d.Site("site.test", gateway)
		hidingVerdict(t, whole, hidingRun(t, d, tabs, whole, scriptPause), func(p hidingPlace) bool { return slices.Contains(browserLimits, p.Name) })
	})
}

// hidingVerdict fails for each page that leaked and was not excused.
func hidingVerdict(t *testing.T, pages []hidingPlace, leaking map[string]bool, excused func(hidingPlace) bool) {
	t.Helper()
	excuses := 0
	for _, p := range pages {
		switch {
		case !leaking[p.ID]:
		case excused(p):
			excuses++
		default:
			t.Errorf("%s %s (%s) contacts the tracker: %.200q", p.ID, p.Name, p.Class, p.Body)
		}
		delete(leaking, p.ID)
	}
	for other := range leaking {
		t.Errorf("the tracker was contacted by %s", other)
	}
	t.Logf("%d pages, %d excused", len(pages), excuses)
}
