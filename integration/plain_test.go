package integration

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// TestPreferencesOverPlainHTTP: where there is no HTTPS, browsers send no Fetch Metadata, and an Origin of null where the
// page says no-referrer (Fetch, "append a request Origin header"): the preference centre's form is taken all the same.
func TestPreferencesOverPlainHTTP(t *testing.T) {
	t.Parallel()
	up := httptest.NewServer(http.HandlerFunc(pageHandler))
	t.Cleanup(up.Close)
	d := lab.NewDoor(t)
	d.Site("plain.test", lab.Gateway(t, strings.TrimPrefix(up.URL, "http://"), "consent", ""))
	b := lab.NewBrowser(t, d)
	b.Open(t, "http://plain.test/.consent/")
	b.Click(t, "name", "choice", "value", "accept")
	eventually(t, "the answer's cookie", func() bool { return len(b.Cookies(t)) > 0 })
}
