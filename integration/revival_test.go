package integration

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// orderedPage holds scripts of gated vendors and of the site's own. Of those that must keep their order each notes its turn.
const orderedPage = `<!DOCTYPE html><title>ordered</title><script>ran = []</script>
<script src="https://connect.facebook.net/slow.js"></script>
<script>fbq('init', '1'); ran.push('inline')</script>
<script>ran.push('own')</script>
<script defer src="https://www.googletagmanager.com/gtag/js?id=G-deferred"></script>
<script src="https://static.hotjar.com/c/hotjar-quick.js"></script>
<script type=module src="https://cdn.segment.com/analytics.js/v1/module/analytics.min.js"></script>
<script src="https://s.adroll.com/last.js"></script>`

// Revived scripts run in the order that the document gives them, however long each takes: those without async or defer
// first, then the deferred ones and modules.
func TestRevivalKeepsOrder(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(orderedPage))
	}))
	defer upstream.Close()
	d := lab.NewDoor(t)
	d.Answer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "slow") {
			time.Sleep(400 * time.Millisecond)
		}
		host, _, _ := strings.Cut(r.Host, ":")
		w.Header().Set("Content-Type", "text/javascript")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		_, _ = fmt.Fprintf(w, "ran.push(%q); self.fbq = self.fbq || (() => {})", host)
	}))
	b := lab.NewBrowser(t, d)
	origin := strings.TrimPrefix(upstream.URL, "http://")
	want := []string{"connect.facebook.net", "inline", "own", "static.hotjar.com", "s.adroll.com", "www.googletagmanager.com", "cdn.segment.com"}
	ran := func(n int) (list []string) { // once as many ran
		d.Quiet(time.Second)
		lab.Soon(func() bool { list = lab.Eval[[]string](t, b, "ran"); return len(list) >= n })
		return list
	}

	d.Site("ordered.test", origin)
	b.Open(t, "https://ordered.test/")
	if got := ran(len(want)); !slices.Equal(got, want) {
		t.Fatalf("without the gateway: %v, want %v", got, want)
	}
	d.Site("ordered.test", lab.Gateway(t, origin, "consent", ""))
	b.Open(t, "https://ordered.test/?again")
	if got := ran(1); !slices.Equal(got, []string{"own"}) {
		t.Errorf("before any choice: %v", got)
	}
	(&shop{d, b, ""}).press(t, "accept")
	// The site's own script had its turn before the visitor chose.
	revived := slices.DeleteFunc(slices.Clone(want), func(s string) bool { return s == "own" })
	if got := ran(len(want)); !slices.Equal(got, slices.Insert(revived, 0, "own")) {
		t.Errorf("after acceptance: %v, want own, then %v", got, revived)
	}
}
