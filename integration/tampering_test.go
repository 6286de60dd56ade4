package integration

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// beyondTheGuard are the ways that no script can stop. Those that run scripts the policy header stops, once it is in force.
var beyondTheGuard = map[string]string{
	"import-in-eval":          "a direct call of eval cannot be replaced, and import() is no function",
	"import-in-timeout":       "as import-in-eval",
	"import-in-file":          "import() is syntax, in a file that nobody changes",
	"style-text-removed":      "the page takes away what made a comment of the rest of a style; held by csp strict",
	"frame-location":          "location cannot be replaced, and a frame's first, empty document has no navigate event; held by csp strict",
	"frame-location-replace":  "as frame-location",
	"location-blob-frame":     "as frame-location, to a document that the page made",
	"anchor-blob-frame":       "as location-blob-frame",
	"open-javascript-frame":   "as frame-location: what the script returns becomes a document with natives of its own",
	"anchor-javascript-frame": "as open-javascript-frame",
	"string-patched":          "the page replaced what the language itself is made of; its scripts are held by the policy, all else by csp strict",
	"regexp-patched":          "as string-patched",
	"map-patched":             "as string-patched",
	"url-patched":             "as string-patched",
}

// unfollowed are ways that this browser does not follow here, or over UDP, which the lab does not see: only that nothing gets
// out is asked for.
var unfollowed = map[string]bool{
	"speculation": true, "url-object-lies": true, "attribute-lies": true, "markup-lies": true, "xhr-lies": true, "beacon-lies": true, "style-lies": true,
	"web-transport": true, "media-session": true, "background-fetch": true, "sheet-base": true, "rtc-stun": true, "rtc-configured": true, "svg-use-href": true, "media-artwork": true,
}

// leaving are ways that act on the whole window.
var leaving = map[string]bool{"anchor-download": true, "location-assign": true, "location-top": true, "form-beyond-prototype": true, "popup": true, "fetch-later": true, "notification-icon": true, "notification-worker": true, "sign-in": true, "sign-out": true, "payment-handler": true,
	"link-icon": true, "link-manifest": true, "exec-insert-image": true, "exec-insert-html": true}

// TestTamperingPages: each way reaches the tracker without the gateway; with it, before any choice, none does but those known
// to get past the guard, and with csp strict not those either.
func TestTamperingPages(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(serveTampered))
	t.Cleanup(upstream.Close)
	origin := strings.TrimPrefix(upstream.URL, "http://")
	d := lab.NewDoor(t)
	for _, host := range []string{"frames.test", "tampered.test"} {
		d.Site(host, origin)
	}
	b := lab.NewBrowser(t, d)
	b.Permit(t, "notifications")
	silent := tampered
	for try := 0; try < 10 && len(silent) > 0; try++ { // a busy machine does not do all in time
		visitTampered(d, b, "tampered.test", silent)
		silent = slices.DeleteFunc(slices.Clone(silent), func(v tamperedPage) bool { return unfollowed[v.name] || tamperedContact(d, v.name) != nil })
	}
	for _, v := range silent {
		t.Errorf("%s: no contact without the gateway: nothing is proven", v.name)
	}
	d.Site("hostile.test", lab.Gateway(t, origin, "consent", ""))
	d.Reset()
	visitTampered(d, b, "hostile.test", tampered)
	for range 10 { // some run against the guard, and do not always win
		held := slices.DeleteFunc(slices.Clone(tampered), func(v tamperedPage) bool {
			return beyondTheGuard[v.name] == "" || tamperedContact(d, v.name) != nil
		})
		if len(held) == 0 {
			break
		}
		visitTampered(d, b, "hostile.test", held)
	}
	var known []tamperedPage
	for _, v := range tampered {
		c, why := tamperedContact(d, v.name), beyondTheGuard[v.name]
		switch {
		case why != "":
			known = append(known, v)
			if c == nil {
				t.Errorf("%s: no contact any more: take it off the list of what is beyond the guard", v.name)
			}
		case c != nil:
			t.Errorf("%s: contact %s%s (%s)", v.name, c.Host, c.Path, c.Dest)
		}
	}
	d.Site("hostile.test", lab.Gateway(t, origin, "consent {\ncsp strict\n}", ""))
	d.Reset()
	visitTampered(d, b, "hostile.test", known)
	for _, c := range d.Contacts() {
		t.Errorf("with csp strict: contact %s%s (%s)", c.Host, c.Path, c.Dest)
	}
	t.Logf("%d ways, %d beyond the guard", len(tampered), len(known))
}

// serveTampered is a site with a page for each way.
func serveTampered(w http.ResponseWriter, r *http.Request) {
	kind, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch kind {
	case "s":
		w.Header().Set("Content-Type", "text/javascript")
		for _, v := range tampered {
			if v.name == name {
				_, _ = io.WriteString(w, "{const U='https://www.facebook.com/tr?id=1&v="+name+"';try{"+v.script+"}catch(e){console.log(e)}}")
			}
		}
	case "w":
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = io.WriteString(w, "import(location.search.slice(1)).catch(() => {})")
	case "f":
		w.Header().Set("Content-Type", "text/html")
		host, names, _ := strings.Cut(name, ",")
		for name := range strings.SplitSeq(names, ",") {
			_, _ = fmt.Fprintf(w, "<iframe src=https://%s/p/%s></iframe>", host, name)
		}
	case "sw.js":
		w.Header().Set("Content-Type", "text/javascript")
	case "p":
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, "<!DOCTYPE html><title>x</title><body><p>page</p><script src=/s/%s></script>", name)
	default:
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!DOCTYPE html><title>empty</title>")
	}
}

// visitTampered opens the pages in frames of another site's page, those that leave for elsewhere in the tab. Contacts tell
// whose they are.
func visitTampered(d *lab.Door, b *lab.Browser, host string, pages []tamperedPage) {
	leaves := func(v tamperedPage) bool { return leaving[v.name] }
	for batch := range slices.Chunk(slices.DeleteFunc(slices.Clone(pages), leaves), 40) {
		var names strings.Builder
		for _, v := range batch {
			names.WriteString("," + v.name)
		}
		b.Try("https://frames.test/f/"+host+names.String(), 20*time.Second)
		d.Quiet(300 * time.Millisecond)
	}
	for _, v := range pages {
		if leaves(v) {
			b.Try("https://"+host+"/p/"+v.name, 3*time.Second)
			d.Quiet(200 * time.Millisecond)
		}
	}
	b.Try("about:blank", 3*time.Second)
	d.Quiet(300 * time.Millisecond)
}

// tamperedContact returns a contact that a page made.
func tamperedContact(d *lab.Door, name string) *lab.Contact {
	for _, c := range d.Contacts() {
		_, v, _ := strings.Cut(c.Path, "&v=")
		if v, _, _ = strings.Cut(v, "&"); v == name {
			return &c
		}
	}
	return nil
}
