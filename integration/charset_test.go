package integration

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

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
		got := read("gateway.test")
		for n := 0; n < 4 && got != alone; n++ { // where nothing is declared, Chromium guesses from the bytes that have come by then
			got = read("gateway.test")
		}
		if got != alone {
			t.Errorf("%s: %q, without the gateway %q", path, got, alone)
		}
		t.Logf("%s: %s", path, alone)
	}
}

// A script may read what it fetches in another encoding than the answer declares: text() always reads UTF-8 (Fetch, 5.3
// "body mixin"), an XMLHttpRequest what it was told to. What it makes markup of is gated in the page, and where the
// declared encoding is one whose ASCII means what it says, in the bytes too, for whoever gets by the guard.
func TestFetchedText(t *testing.T) {
	t.Parallel()
	const fetched = `fetch('/part').then((r) => r.text())`
	const told = `new Promise((done) => { const x = new XMLHttpRequest(); x.open('GET', '/part'); x.overrideMimeType('text/plain;charset=utf-8');` +
		`x.onload = () => done(x.responseText); x.send() })`
	cases := []struct {
		name, read, charset, part string
		inBytes                   bool
	}{
		{"wide letters", fetched, "windows-1252", `<img src="https://www.ｆacebook.com/tr?id=1&ev=PageView">`, true},
		{"overridden", told, "iso-8859-15", `<img src="https://www.ｆacebook.com/tr?id=1&ev=PageView">`, true},
		{"in a style", fetched, "windows-1251", `<style>p{background:url(https://www.ｆacebook.com/tr?id=1&ev=PageView)}</style><p>x</p>`, true},
		{"bold letters", fetched, "gbk", `<img src="https://www.𝐟acebook.com/tr?id=1&ev=PageView">`, false},
	}
	var part atomic.Int32
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := cases[part.Load()]
		if r.URL.Path == "/part" {
			w.Header().Set("Content-Type", "text/html; charset="+c.charset)
			_, _ = w.Write([]byte(c.part))
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<!doctype html><title>x</title><div id=box></div><script>" + c.read +
			".then((text) => { box.innerHTML = text + '<i id=end></i>' })</script>"))
	}))
	t.Cleanup(upstream.Close)
	door := lab.NewDoor(t)
	addr := strings.TrimPrefix(upstream.URL, "http://")
	gateway := lab.Gateway(t, addr, "consent", "")
	door.Site("alone.test", addr)
	door.Site("bytes.test", withoutGuard(t, gateway))
	door.Site("gateway.test", gateway)
	b := lab.NewBrowser(t, door)
	for i, c := range cases {
		part.Store(int32(i))
		for host, leaks := range map[string]bool{"alone.test": true, "bytes.test": !c.inBytes, "gateway.test": false} {
			door.Reset()
			b.Open(t, "https://"+host+"/"+strconv.Itoa(i))
			if !lab.Soon(func() bool { return lab.Eval[bool](t, b, "!!document.getElementById('end')") }) {
				t.Fatalf("%s, %s: nothing was fetched", c.name, host)
			}
			if leaks {
				lab.Soon(func() bool { return door.Asked("www.facebook.com") })
			} else {
				door.Quiet(300 * time.Millisecond)
			}
			if contacted := len(door.Contacts()) > 0; contacted != leaks {
				t.Errorf("%s, %s: contacts %v, want one of the tracker: %v", c.name, host, door.Hosts(), leaks)
			}
		}
	}
}

// TestBannerInOtherEncodings: what the gateway adds to a page reads as it should in whatever encoding the page is.
func TestBannerInOtherEncodings(t *testing.T) {
	t.Parallel()
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind, charset, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		w.Header().Set("Content-Type", map[string]string{"html": "text/html", "xhtml": "application/xhtml+xml"}[kind])
		if charset != "" {
			w.Header().Set("Content-Type", w.Header().Get("Content-Type")+"; charset="+charset)
		}
		_, _ = w.Write([]byte(`<html xmlns="http://www.w3.org/1999/xhtml"><head><title>t</title></head><body><iframe src="https://www.youtube.com/embed/a"></iframe></body></html>`))
	}))
	t.Cleanup(up.Close)
	base := "http://" + lab.Gateway(t, strings.TrimPrefix(up.URL, "http://"), "consent", "")
	for page, ascii := range map[string]bool{
		"/html/utf-8": false, "/xhtml/utf-8": false, "/xhtml": false,
		"/html/iso-8859-1": true, "/html/koi8-r": true, "/html": true, "/xhtml/iso-8859-1": true,
	} {
		_, body := follow(t, base+page, "Sec-Fetch-Dest", "document", "Accept-Language", "de")
		_, banner, found := strings.Cut(body, "<consent-banner")
		banner, frame, _ := strings.Cut(banner, "</consent-banner>")
		for reference, text := range map[string]string{"ausw&#228;hlen": banner, "&amp;#": frame} {
			isASCII := !strings.ContainsFunc(text, func(r rune) bool { return r > 0x7e })
			if !found || isASCII != ascii || strings.Contains(text, reference) != ascii {
				t.Errorf("%s: without characters beyond ASCII: %v, want %v; with %s: %v", page, isASCII, ascii, reference, !ascii)
			}
		}
	}
}
