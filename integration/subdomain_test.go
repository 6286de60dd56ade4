package integration

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// TestDeclaredSubdomain: a tracker that stands under a name of the site, and that the operator declared, is contacted neither by
// the page's markup nor by its scripts; what else stands under the site's names is.
func TestDeclaredSubdomain(t *testing.T) {
	t.Parallel()
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<!DOCTYPE html><title>t</title><script src="https://metrics.shop.test/a.js"></script><img src="https://img.shop.test/a.png">
			<script>new Image().src = 'https://metrics.shop.test/b.gif'; fetch('https://metrics.shop.test/c').catch(() => 0); new Image().src = 'https://img.shop.test/d.png'</script>`)
	}))
	t.Cleanup(up.Close)
	origin := strings.TrimPrefix(up.URL, "http://")
	vendor := filepath.Join(t.TempDir(), "metrics.json")
	err := os.WriteFile(vendor, []byte(`{"number": 65000, "name": "Our metrics", "org": "Shop", "purpose": "analytics", "category": "web-analytics",
		"hosts": ["metrics.shop.test"], "examples": {"urls": ["https://metrics.shop.test/a.js"]}, "benign": {"urls": ["https://shop.test/a.js"]}}`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	d := lab.NewDoor(t)
	visit := func(site string) []string {
		d.Site("www.shop.test", site)
		d.Reset()
		b := lab.NewBrowser(t, d)
		b.Open(t, "https://www.shop.test/")
		d.Quiet(500 * time.Millisecond)
		return d.Hosts()
	}
	if hosts := visit(origin); !slices.Contains(hosts, "metrics.shop.test") {
		t.Fatalf("without the gateway: %v", hosts)
	}
	hosts := visit(lab.Gateway(t, origin, "consent", "rules file "+vendor))
	if slices.Contains(hosts, "metrics.shop.test") || !slices.Contains(hosts, "img.shop.test") {
		t.Errorf("contacted: %v", hosts)
	}
}
