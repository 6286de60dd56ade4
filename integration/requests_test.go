package integration

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestRequests: the app sees the cookies that are permitted and the decision, which nobody outside can set.
func TestRequests(t *testing.T) {
	g := newGateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		for _, name := range []string{"Cookie", "Consent-Decision", "Consent_decision", "Consent-decision_", "Accept-Encoding", "Range", "If-Range"} {
			_, _ = fmt.Fprintf(w, "%s=%s\n", name, strings.Join(r.Header[name], "|"))
		}
	}), `handle /off {
		consent off
		reverse_proxy {upstream}
	}
	handle /report {
		consent report
		reverse_proxy {upstream}
	}
	handle {
		consent
		header >X-State "{http.consent.state} {http.consent.analytics} {http.consent.version}"
		reverse_proxy {upstream}
	}`)
	for _, proto := range protocols {
		res, body := g.get(t, proto, "/", "Cookie", "_ga=GA1.1.1.1; session=7; _fbp=fb.1.1", "Consent-Decision", "analytics=granted", "Consent_Decision", "analytics=granted")
		if !strings.Contains(body, "Cookie=session=7\n") || !strings.Contains(body, "analytics=undecided") || strings.Contains(body, "analytics=granted") {
			t.Errorf("%s: the app saw %q", proto, body)
		}
		if _, body := g.get(t, proto, "/", "Cookie", "_ga=GA1.1.1.1; _fbp=fb.1.1"); !strings.Contains(body, "Cookie=\n") {
			t.Errorf("%s: of tracking cookies alone the app saw %q", proto, body)
		}
		// A page is asked for whole and in what the gateway reads, whatever the visitor's browser takes.
		if _, body := g.get(t, proto, "/", "Accept-Encoding", "br, zstd", "Range", "bytes=0-9", "If-Range", `"x"`); !strings.Contains(body, "Accept-Encoding=gzip\nRange=\nIf-Range=\n") {
			t.Errorf("%s: of a page the app saw %q", proto, body)
		}
		// A command-line client that goes on with a download gets the rest of it.
		if _, body := g.get(t, proto, "/", "Sec-Fetch-Dest", "", "Accept-Language", "", "Accept", "*/*", "Range", "bytes=9-", "If-Range", `"x"`); !strings.Contains(body, "Accept-Encoding=\nRange=bytes=9-\nIf-Range=\"x\"\n") {
			t.Errorf("%s: of a download's rest the app saw %q", proto, body)
		}
		if v := res.Header.Get("X-State"); !strings.Contains(v, "analytics=undecided") || !strings.HasSuffix(v, " false 1") {
			t.Errorf("%s: placeholders %q", proto, v)
		}
		for _, path := range []string{"/off", "/report"} {
			_, body := g.get(t, proto, path, "Cookie", "_ga=GA1.1.1.1; session=7", "Consent-Decision", "analytics=granted", "CONSENT_DECISION", "analytics=granted")
			if !strings.Contains(body, "Cookie=_ga=GA1.1.1.1; session=7\n") || strings.Contains(body, "granted") {
				t.Errorf("%s %s: the app saw %q", proto, path, body)
			}
		}
	}
}

// TestReport: report mode changes no byte and no field, in no coding and framing, and still counts.
func TestReport(t *testing.T) {
	o := &origin{t: t, next: make(chan struct{}, 1)}
	g := newGateway(t, o, `handle /report* {
		consent report
		header >X-Gated "{http.consent.report.gated}"
		reverse_proxy {upstream}
	}
	handle {
		reverse_proxy {upstream}
	}`)
	for _, proto := range protocols {
		for _, coding := range append([]string{"rot13"}, codings...) {
			for _, framing := range []string{"length", "trailers"} {
				for _, fields := range [][]string{{"Accept-Encoding", "gzip"}, {"Accept-Encoding", "gzip", "If-None-Match", `"v1"`, "Range", "bytes=0-9"}} {
					plain, want := g.get(t, proto, pageQuery(coding, framing), fields...)
					seen, got := g.get(t, proto, "/report"+pageQuery(coding, framing), fields...)
					seen.Header.Del("X-Gated")
					plain.Header.Del("Date")
					seen.Header.Del("Date")
					if got != want || fmt.Sprint(seen.Header, seen.Trailer, seen.StatusCode) != fmt.Sprint(plain.Header, plain.Trailer, plain.StatusCode) {
						t.Errorf("%s %s %s: report mode changed\n%v %v into\n%v %v", proto, coding, framing, plain.Header, plain.Trailer, seen.Header, seen.Trailer)
					}
				}
			}
		}
	}
	if res, _ := g.get(t, "h1", "/report"+pageQuery("identity", "trailers")); res.Header.Get("X-Gated") == "" {
		t.Error("nothing is counted")
	}
}

// TestCharsets: pages in any encoding are gated and keep their text.
func TestCharsets(t *testing.T) {
	const word = "\u65e5\u672c"
	pages := map[string]struct{ contentType, body, want string }{
		"utf-8":        {"text/html; charset=utf-8", word, word},
		"shift_jis":    {"text/html; charset=Shift_JIS", "\x93\xfa\x96\x7b", "\x93\xfa\x96\x7b"},
		"windows-1252": {"text/html; charset=windows-1252", "caf\xe9 \x80", "caf\xe9 \x80"},
		"meta":         {"text/html", "<meta charset=shift_jis>\x93\xfa\x96\x7b", "\x93\xfa\x96\x7b"},
		"utf-16":       {"text/html", "", word},
		"xhtml":        {"application/xhtml+xml", word, word},
		"sniffed":      {"", word, word},
	}
	g := newGateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		p := pages[name]
		w.Header()["Content-Type"] = nil
		if p.contentType != "" {
			w.Header().Set("Content-Type", p.contentType)
		}
		body := `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>t</title><script src="https://www.googletagmanager.com/gtag/js?id=G-1"></script></head><body>` + p.body + `</body></html>`
		if name == "utf-16" {
			wide := []byte{0xff, 0xfe}
			for _, c := range strings.Replace(body, "<body>", "<body>"+word, 1) {
				wide = append(wide, byte(c), byte(c>>8))
			}
			body = string(wide)
		}
		_, _ = io.WriteString(w, body[:1])
		_ = http.NewResponseController(w).Flush() // one byte tells nothing yet
		_, _ = io.WriteString(w, body[1:])
	}), "consent\n\treverse_proxy {upstream}")
	for _, proto := range protocols {
		for name, p := range pages {
			res, body := g.get(t, proto, "/"+name)
			if !strings.Contains(body, p.want) || strings.Contains(body, liveTracker[0]) || !strings.Contains(body, "googletagmanager") {
				t.Errorf("%s %s: %v %q", proto, name, res.Header["Content-Type"], body)
			}
		}
	}
}
