package integration

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// debugPage loads four vendors: by the catalogue, by a list, by an inline script, and one that passes.
const debugPage = `<!DOCTYPE html><title>t</title>
<script src="https://www.google-analytics.com/analytics.js"></script>
<script src="https://www.google-analytics.com/analytics.js"></script>
<script>fbq('init', '1'); fbq('track', 'PageView')</script>
<img src="https://px.listed.example/a.gif?q=%22&amp;x=1">
<script src="https://cdn.harmless.example/a.js"></script>`

// TestDebugHeader: who may ask is told what was gated, by whom and which rule, and what would let it pass; others see no
// difference, and the app no question.
func TestDebugHeader(t *testing.T) {
	list := filepath.Join(t.TempDir(), "own.txt")
	writeFile(t, list, "! own\n||px.listed.example^\n")
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		if r.Header.Get("Sec-Gpc") != "" && (r.Header.Get("Consent-Debug") != "" || r.Header.Get("If-None-Match") != "") {
			t.Errorf("the app sees %v", r.Header)
		}
		h.Set("Cache-Control", "public, max-age=600")
		h.Set("Etag", `"1"`)
		h.Add("Set-Cookie", "_ga=GA1.1.1.1; Max-Age=9999999")
		switch r.URL.Path {
		case "/":
			h.Set("Content-Type", "text/html")
			for _, part := range strings.SplitAfter(debugPage, "\n") {
				_, _ = io.WriteString(w, part)
				_ = http.NewResponseController(w).Flush()
			}
		case "/many":
			h.Set("Content-Type", "text/html")
			for n := range 5000 {
				fmt.Fprintf(w, `<img src="https://www.google-analytics.com/collect?n=%d&é=%s">`, n, strings.Repeat("x", 200))
			}
		case "/long":
			h.Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, debugPage+strings.Repeat("<p>text</p>\n", 1<<19))
		case "/events":
			h.Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, "data: 1\n\n")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		case "/missing":
			http.NotFound(w, r)
		}
	})
	site := func(debug, before string) *gateway {
		return newGateway(t, app, before+"\nencode\nconsent {\n"+debug+"\n}\nreverse_proxy {upstream}", "rules list "+list+" {\npurpose analytics\n}")
	}
	trusted := site("debug 198.51.100.7 private_ranges", "")
	plain, body := trusted.get(t, "h1", "/", "If-None-Match", "")
	for _, proto := range protocols {
		res, got := trusted.get(t, proto, "/", "Consent-Debug", "1", "If-None-Match", `"1"`, "Sec-Gpc", "1")
		h := res.Header
		reasons := strings.Join(h["Consent-Gated"], "\n")
		for _, want := range []string{
			`"https://www.google-analytics.com/analytics.js";kind="resource";vendor="google-analytics";purpose="analytics";rule=".google-analytics.com/";list="catalogue";passes-with="consent analytics, or allow www.google-analytics.com"`,
			`"https://px.listed.example/a.gif?q=%22&x=1";kind="resource";purpose="analytics";rule="||px.listed.example^";list="` + list + `";line=2;`,
			`"inline script: fbq('init', '1')`, `vendor="meta-pixel";purpose="marketing"`, `"_ga";kind="cookie";vendor="google-analytics"`,
		} {
			if !strings.Contains(reasons, want) {
				t.Errorf("%s: the reasons lack %s:\n%s", proto, want, reasons)
			}
		}
		if strings.Contains(reasons, "harmless") || strings.Count(reasons, "analytics.js") != 1 {
			t.Errorf("%s: %s", proto, reasons)
		}
		if res.StatusCode != http.StatusOK || h.Get("Cache-Control") != "no-store" || !strings.Contains(h.Get("Consent-Decision"), "analytics=denied;by=gpc") ||
			h.Get("Consent-Debug") != `mode=enforce, regime="opt-in", region="", signals="GPC", version="1", gated=5, listed=4` {
			t.Errorf("%s: %d %v", proto, res.StatusCode, h)
		}
		if strings.Count(got, "<script") != strings.Count(body, "<script") {
			t.Errorf("%s: the page differs", proto)
		}
	}
	res, _ := trusted.get(t, "h1", "/many", "Consent-Debug", "1")
	size := 0
	for _, one := range res.Header["Consent-Gated"] {
		size += len(one)
		if len(one) > 1<<10 || strings.ContainsFunc(one, func(c rune) bool { return c < ' ' || c > '~' }) {
			t.Errorf("%q", one)
		}
	}
	if size == 0 || size > 10<<10 || !strings.Contains(res.Header.Get("Consent-Debug"), "gated=5001") {
		t.Errorf("%d bytes of reasons, %s", size, res.Header.Get("Consent-Debug"))
	}
	if res, got := trusted.get(t, "h1", "/long", "Consent-Debug", "1"); !strings.Contains(res.Header.Get("Consent-Debug"), "gated=5") || len(got) < 6<<20 {
		t.Errorf("a long page: %s, %d bytes", res.Header.Get("Consent-Debug"), len(got))
	}
	if res, _ := trusted.get(t, "h1", "/missing", "Consent-Debug", "1"); res.StatusCode != http.StatusNotFound || res.Header.Get("Consent-Debug") == "" {
		t.Errorf("an error: %d %v", res.StatusCode, res.Header)
	}
	stream := trusted.ask(t, "h1", http.MethodGet, "/events", "Consent-Debug", "1")
	if b := make([]byte, 9); stream.Header.Get("Consent-Debug") == "" {
		t.Error("a stream says nothing")
	} else if _, err := io.ReadFull(stream.Body, b); err != nil || string(b) != "data: 1\n\n" {
		t.Errorf("a stream does not flow: %q, %v", b, err)
	}
	for _, c := range []struct{ what, debug, before, field, value string }{
		{"nobody asks", "debug 127.0.0.1", "", "X", ""}, {"not trusted", "debug 198.51.100.7", "", "X", ""},
		{"pretends", "debug 198.51.100.7", "", "X-Forwarded-For", "198.51.100.7"}, {"masked too far", "debug 127.0.0.0", "anonymize_ip", "X", ""},
		{"nobody is trusted", "", "", "X", ""},
	} {
		asks := "1"
		if c.what == "nobody asks" {
			asks = ""
		}
		res, _ := site(c.debug, c.before).get(t, "h1", "/", "Consent-Debug", asks, c.field, c.value)
		for name := range res.Header {
			if strings.HasPrefix(name, "Consent-") {
				t.Errorf("%s: %s %q", c.what, name, res.Header[name])
			}
		}
		if res.Header.Get("Cache-Control") != plain.Header.Get("Cache-Control") {
			t.Errorf("%s: Cache-Control %q", c.what, res.Header.Get("Cache-Control"))
		}
	}
	if res, _ := site("debug 127.0.0.0/8", "anonymize_ip").get(t, "h1", "/", "Consent-Debug", "1"); res.Header.Get("Consent-Gated") == "" {
		t.Error("behind anonymize_ip nothing is said to a range that is known")
	}
}
