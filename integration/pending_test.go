package integration

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// pendingPage is what follows more pictures of one host than a browser fetches from it at a time: pixels, which have to wait
// for their turn and by their shape alone are known to be pixels, and a picture of a size.
const pendingPage = `<img src="https://nobody-knows.example/pixel/attributes" width=1 height=1>
<img src="https://nobody-knows.example/pixel/style" style="width:1px;height:1px">
<img src="https://nobody-knows.example/pixel/hidden" style="display:none">
<img src="https://nobody-knows.example/picture" width=90 height=90></body>`

// TestWithdrawalWhileLoading: a pixel of a host that no list names, which the page still waits for when its visitor
// withdraws, never leaves; a picture of the same host does. So without lists, where the guard judges alone, and with one,
// where it asks the gateway.
func TestWithdrawalWhileLoading(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]string{"alone": "", "asking": "rules list " + writeList(t, "||listed.example^\n")} {
		t.Run(name, func(t *testing.T) { withdrawWhileLoading(t, options) })
	}
}

func writeList(t *testing.T, text string) string {
	t.Helper()
	path := t.TempDir() + "/list.txt"
	writeFile(t, path, text)
	return path
}

func withdrawWhileLoading(t *testing.T, options string) {
	const slow = 6 // connections to one host in Chromium, over HTTP/1.1
	var waiting atomic.Int32
	all := func() bool { return waiting.Load() == slow }
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!DOCTYPE html><title>pending</title><body>")
		if r.URL.Path != "/pending" {
			return
		}
		for n := range slow {
			_, _ = fmt.Fprintf(w, "<img src=https://nobody-knows.example/slow/%d width=90 height=90>\n", n)
		}
		_ = http.NewResponseController(w).Flush()
		lab.Soon(all)
		_, _ = io.WriteString(w, pendingPage)
	}))
	t.Cleanup(upstream.Close)
	d := lab.NewDoor(t)
	addr := lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", options)
	d.Site("pending.test", addr)
	s := &shop{d, lab.NewBrowser(t, d), addr}
	s.browser.Open(t, "https://pending.test/")
	s.press(t, "accept")

	release := make(chan struct{})
	d.Answer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "image/svg+xml")
		if strings.HasPrefix(r.URL.Path, "/slow/") {
			waiting.Add(1)
			<-release
		}
	}))
	t.Cleanup(func() { d.Answer(nil) })
	lab.Eval[bool](t, s.browser, "location = '/pending', true")
	if !lab.Soon(all) {
		t.Fatalf("%d pictures are on their way, want %d", waiting.Load(), slow)
	}
	s.ready(t)
	before := s.stored(t)
	d.Reset()
	lab.Eval[bool](t, s.browser, "document.querySelector('consent-banner').shadowRoot.querySelector('button[name=choice][value=refuse]').click(), true")
	s.answered(t, before)
	lab.Eval[bool](t, s.browser, idle+".then(() => fetch('/.consent/state')).then(() => true)") // by then the browser has called off what is not wanted any more
	close(release)
	if !lab.Soon(func() bool { return contacted(d, "/picture") }) {
		t.Error("a picture that was waited for does not come after the withdrawal")
	}
	d.Quiet(300 * time.Millisecond)
	for _, c := range d.Contacts() {
		if strings.HasPrefix(c.Path, "/pixel/") {
			t.Errorf("after the withdrawal %s reached %s", c.Path, c.Host)
		}
	}
}

// TestWithdrawalWhileParsing: what comes of a page after its visitor withdrew in another tab was written for the answer before,
// and contacts nobody; the page comes anew, without the vendors.
func TestWithdrawalWhileParsing(t *testing.T) {
	t.Parallel()
	rest := make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!DOCTYPE html><title>streaming</title><body>")
		if r.URL.Path == "/stream" {
			_, _ = io.WriteString(w, "<p id=begun>begun</p>"+strings.Repeat("<!-- more than a browser waits for -->", 1000))
			_ = http.NewResponseController(w).Flush()
			<-rest
			_, _ = io.WriteString(w, `<script src="https://www.googletagmanager.com/gtag/js?id=G-1"></script><img src="https://www.facebook.com/tr?id=1">
<iframe src="https://www.youtube.com/embed/x"></iframe><img src="https://nobody-knows.example/pixel" width=1 height=1><p id=ended>ended</p></body>`)
		}
	}))
	t.Cleanup(upstream.Close)
	d := lab.NewDoor(t)
	addr := lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", "")
	d.Site("streaming.test", addr)
	s := &shop{d, lab.NewBrowser(t, d), addr}
	s.browser.Open(t, "https://streaming.test/")
	s.press(t, "accept")
	other := &shop{d, s.browser.Tab(t), addr}
	other.browser.Open(t, "https://streaming.test/")
	has := func(id string) bool {
		return lab.Soon(func() bool { return lab.Eval[bool](t, s.browser, "!!document.getElementById('"+id+"')") })
	}
	lab.Eval[bool](t, s.browser, "location = '/stream', true")
	if !has("begun") {
		t.Fatal("the page does not begin")
	}
	other.press(t, "refuse")
	close(rest)
	if !has("ended") {
		t.Fatal("the page does not come anew")
	}
	d.Quiet(300 * time.Millisecond)
	if hosts := d.Hosts(); len(hosts) > 0 {
		t.Errorf("after the withdrawal %v are contacted", hosts)
	}
}
