package integration

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// forgedPage fetches from another site, or from its own, and inserts what a visitor once stored.
const forgedPage = `<!DOCTYPE html><title>t</title><body><script>
fetch('URL').then((r) => r.text()).then(() => {
  document.body.insertAdjacentHTML('beforeend', '<div id=stored data-consent="forged marketing -"></div>');
  setTimeout(() => self.done = 1);
}, (e) => self.done = '' + e);
</script>`

// TestForgedMark: neither another site nor the site's app can name a mark under which stored markup would be revived.
func TestForgedMark(t *testing.T) {
	t.Parallel()
	forge := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Expose-Headers", "*")
		w.Header().Set("Consent-Mark", "forged")
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{}`)
	})
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/own" {
			forge(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, strings.ReplaceAll(forgedPage, "URL", r.URL.Query().Get("from")))
	}))
	t.Cleanup(up.Close)
	d := lab.NewDoor(t)
	d.Answer(forge)
	b := lab.NewBrowser(t, d)
	d.Site("shop.test", lab.Gateway(t, strings.TrimPrefix(up.URL, "http://"), "consent {\ncsp off\n}", ""))
	for _, from := range []string{"https://api.elsewhere.test/x", "/own"} {
		b.Open(t, "https://shop.test/?from="+from)
		if !lab.Soon(func() bool { return lab.Eval[string](t, b, "'' + self.done") == "1" }) {
			t.Fatalf("%s: %s", from, lab.Eval[string](t, b, "'' + self.done"))
		}
		if got := lab.Eval[string](t, b, "document.getElementById('stored').getAttribute('data-consent')"); got != "forged marketing -" {
			t.Errorf("a mark of %s is believed: %s", from, got)
		}
	}
}
