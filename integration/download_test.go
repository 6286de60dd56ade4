package integration

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// TestDownload: a page that is saved instead of shown is what the app sent, byte for byte; what a browser may show all the
// same is not, and no browser shows the other.
func TestDownload(t *testing.T) {
	t.Parallel()
	const page = `<!DOCTYPE html><title>x</title><img src="https://www.facebook.com/tr?id=1">`
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if v, ok := r.URL.Query()["d"]; ok {
			w.Header()["Content-Disposition"] = v
		}
		if r.URL.Path == "/error" {
			w.WriteHeader(http.StatusNotFound)
		}
		if r.URL.Path == "/frames" {
			_, _ = io.WriteString(w, `<!DOCTYPE html><iframe src="/?d=attachment"></iframe><object data="/?d=attachment"></object><embed src="/?d=attachment"><script>fetch("/?d=attachment").then(r=>r.text()).then(t=>{document.body.insertAdjacentHTML("beforeend",t)})</script>`)
			return
		}
		_, _ = io.WriteString(w, page)
	}))
	t.Cleanup(upstream.Close)
	origin := strings.TrimPrefix(upstream.URL, "http://")
	gateway := lab.Gateway(t, origin, "consent", "")
	for _, x := range []struct {
		path, dest, mode string
		same             bool
	}{
		{"/?d=attachment", "document", "navigate", true},
		{`/?d=Attachment%20;%20filename="a.html"`, "iframe", "navigate", true},
		{"/?d=attachment", "empty", "cors", true},
		{"/?d=attachment", "empty", "navigate", false}, // a service worker may show it
		{"/?d=attachment", "", "", false},
		{"/?d=attachment", "object", "navigate", false},
		{"/?d=attachment", "embed", "navigate", false},
		{"/?d=inline;attachment", "document", "navigate", false},
		{"/?d=attachments", "document", "navigate", false},
		{"/?d=attachment&d=inline", "document", "navigate", false},
		{"/error?d=attachment", "document", "navigate", false},
		{"/", "document", "navigate", false},
	} {
		res, body := openPage(t, http.MethodGet, "http://"+gateway+strings.ReplaceAll(x.path, ";", "%3B"), "Sec-Fetch-Dest", x.dest, "Sec-Fetch-Mode", x.mode)
		if same := body == page; same != x.same || same && res.ContentLength != int64(len(page)) {
			t.Errorf("%v: %v, length %d: %.300s", x, same, res.ContentLength, body)
		}
	}
	d := lab.NewDoor(t)
	d.Site("guarded.test", gateway)
	b := lab.NewBrowser(t, d)
	for _, path := range []string{"/frames", "/?d=attachment"} {
		b.Try(fmt.Sprintf("https://guarded.test%s", path), 4*time.Second)
		d.Quiet(300 * time.Millisecond)
	}
	for _, c := range d.Contacts() {
		if c.Host == "www.facebook.com" { // of its own, Chromium has downloads checked
			t.Errorf("contact %s%s (%s)", c.Host, c.Path, c.Dest)
		}
	}
}
