package integration

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestJSON: HTML in JSON is rewritten under the paths that the operator named, in any coding, and the page's guard is told
// the mark; speculation rules are always judged. Other JSON is left as it is.
func TestJSON(t *testing.T) {
	const text = `{"a":"<p>x</p>","html":"<p>1 < 2<img src=\"https://www.facebook.com/tr?id=1\"><\/p>","n":[1, 2]}`
	const rules = `{"prefetch":[{"urls":["https://www.facebook.com/tr?id=1","/own"]}]}`
	g := newGateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := text
		w.Header().Set("Content-Type", "application/json")
		switch {
		case strings.HasSuffix(r.URL.Path, "/rules"):
			w.Header().Set("Content-Type", "application/speculationrules+json; charset=utf-8")
			body = rules
		case strings.HasSuffix(r.URL.Path, "/large"):
			w.Header().Set("Content-Type", "application/speculationrules+json")
			body = rules + strings.Repeat(" ", 64<<10)
		}
		if coding := r.URL.Query().Get("coding"); coding != "" {
			w.Header().Set("Content-Encoding", coding)
			z := compressor(t, coding, w)
			_, _ = io.WriteString(z, body)
			_ = z.Close()
			return
		}
		_, _ = io.WriteString(w, body)
	}), "consent {\n\t\tjson /api/*\n\t}\n\treverse_proxy {upstream}")
	for _, proto := range protocols {
		for _, coding := range []string{"", "gzip", "br", "zstd"} {
			res, body := g.get(t, proto, "/api/x?coding="+coding, "Accept", "*/*", "Sec-Fetch-Dest", "empty", "Sec-Fetch-Mode", "cors", "Accept-Encoding", "br")
			mark := res.Header.Get("Consent-Mark")
			head, rest, _ := strings.Cut(text, `<img src=`)
			_, tail, _ := strings.Cut(rest, `>`)
			if !strings.HasPrefix(body, head) || !strings.HasSuffix(body, tail) || strings.Contains(body, ` src=`) || mark == "" || !strings.Contains(body, mark) {
				t.Errorf("%s %q: %s\n%v", proto, coding, body, res.Header)
			}
			if got := res.Header.Get("Cache-Control"); !strings.Contains(got, "private") {
				t.Errorf("%s: Cache-Control: %q", proto, got)
			}
			if coding == "" {
				if _, body := g.get(t, proto, "/other", "Sec-Fetch-Dest", "empty"); body != text {
					t.Errorf("%s: another path: %s", proto, body)
				}
			}
			_, body = g.get(t, proto, "/rules?coding="+coding, "Sec-Fetch-Dest", "speculationrules", "Accept-Encoding", "br")
			if want := strings.Replace(rules, "https://www.facebook.com/tr?id=1", "about:invalid", 1); body != want {
				t.Errorf("%s %q: rules %s, want %s", proto, coding, body, want)
			}
		}
		if _, body := g.get(t, proto, "/large", "Sec-Fetch-Dest", "speculationrules"); body != "{}" {
			t.Errorf("%s: too many rules: %.200s", proto, body)
		}
	}
}
