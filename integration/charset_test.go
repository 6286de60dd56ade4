package integration

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// A browser takes a page for the same encoding behind the gateway as without it: where the page says so late, after the
// 1024 bytes that count (HTML, 13.2.3.2), or not at all, the gateway says nothing either.
func TestUndeclaredEncoding(t *testing.T) {
	t.Parallel()
	encode := func(s string, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	const tail = `<p>“Grüße” – naïve café, 12 €</p><img src="https://www.facebook.com/tr?id=1">`
	fill := "<script>/*" + strings.Repeat("filling. ", 200) + "*/</script>"
	russian := strings.Repeat("<p>Съешь же ещё этих мягких французских булок, да выпей чаю.</p>", 20)
	nihongo := strings.Repeat("<p>いろはにほへとちりぬるを、表示されるページの文字コード。</p>", 20)
	pages := map[string]string{
		"/early":        "<html><head><meta charset=utf-8><title>x</title>" + fill + tail,
		"/late":         "<html><head>" + fill + "<meta charset=utf-8><title>x</title>" + tail,
		"/late-latin2":  "<html><head>" + fill + "<meta charset=iso-8859-2><title>x</title>" + tail,
		"/late-in-body": "<html><head><iframe src='javascript:false'></iframe>" + fill + "<meta charset=utf-8><title>x</title>" + tail,
		"/later":        "<html><head>" + strings.Repeat(fill, 30) + "<meta charset=utf-8><title>x</title>" + tail,
		"/none":         "<html><head><title>x</title>" + fill + tail,
		"/none-russian": "<html><head><title>x</title>" + encode(charmap.Windows1251.NewEncoder().String(russian)),
		"/none-sjis":    "<html><head><title>x</title>" + encode(japanese.ShiftJIS.NewEncoder().String(nihongo)),
		"/late-sjis":    "<html><head>" + fill + "<meta charset=shift_jis><title>x</title>" + encode(japanese.ShiftJIS.NewEncoder().String(nihongo)),
	}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html>" + pages[r.URL.Path]))
	}))
	t.Cleanup(upstream.Close)
	door := lab.NewDoor(t)
	addr := strings.TrimPrefix(upstream.URL, "http://")
	door.Site("alone.test", addr)
	door.Site("gateway.test", lab.Gateway(t, addr, "consent", ""))
	b := lab.NewBrowser(t, door)
	for path := range pages {
		read := func(host string) string {
			b.Open(t, "https://"+host+path)
			return lab.Eval[string](t, b, "document.characterSet + ' ' + [...document.querySelectorAll('p')].map((p) => p.textContent).join(' ').slice(0, 60)")
		}
		alone := read("alone.test")
		if got := read("gateway.test"); got != alone {
			t.Errorf("%s: %q, without the gateway %q", path, got, alone)
		}
		t.Logf("%s: %s", path, alone)
	}
}
