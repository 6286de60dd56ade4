package integration

import (
	"bufio"
	"compress/gzip"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

const wholePage = firstPart + secondPart

// pageHandler sends the page with an entity tag, and confirms it when asked with the right one.
func pageHandler(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Etag", `"v1"`)
	h.Set("Cache-Control", "public, max-age=600")
	h.Set("Content-Security-Policy", "script-src 'self'")
	if r.Header.Get("If-None-Match") == `"v1"` || r.Header.Get("If-Modified-Since") != "" {
		h.Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if r.Header.Get("Range") != "" {
		h.Set("Content-Range", fmt.Sprintf("bytes 0-9/%d", len(wholePage)))
		w.WriteHeader(http.StatusPartialContent)
		_, _ = io.WriteString(w, wholePage[:10])
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(wholePage)))
	_, _ = io.WriteString(w, wholePage)
}

// TestValidators: a page comes back as confirmed only to a visitor whose decision is the one it was rendered for.
func TestValidators(t *testing.T) {
	g := newGateway(t, http.HandlerFunc(pageHandler), "consent\n\treverse_proxy {upstream}")
	for _, proto := range protocols {
		t.Run(proto, func(t *testing.T) {
			first, _ := g.get(t, proto, "/")
			tag := first.Header.Get("Etag")
			again, _ := g.get(t, proto, "/", "If-None-Match", tag)
			if again.StatusCode != http.StatusNotModified || again.Header.Get("Etag") != tag {
				t.Errorf("the same visitor: %d %q, want 304 %q", again.StatusCode, again.Header.Get("Etag"), tag)
			}
			for _, name := range []string{"Cache-Control", "Content-Security-Policy", "Vary"} {
				if got, want := fmt.Sprint(again.Header[name]), fmt.Sprint(first.Header[name]); got != want {
					t.Errorf("304: %s %s replaces what came with the page, %s", name, got, want)
				}
			}
			for what, fields := range map[string][]string{
				"another decision": {"If-None-Match", tag, "Sec-Gpc", "1"},
				"another language": {"If-None-Match", tag, "Accept-Language", "de"},
				"fetch()":          {"If-None-Match", tag, "Sec-Fetch-Dest", "empty", "Sec-Fetch-Mode", "cors"},
				"the origin's tag": {"If-None-Match", `"v1"`},
				"a date":           {"If-Modified-Since", "Wed, 01 Jan 2025 00:00:00 GMT"},
				"any":              {"If-None-Match", "*"},
			} {
				if res, _ := g.get(t, proto, "/", fields...); res.StatusCode != http.StatusOK {
					t.Errorf("%s: %d, want the page anew", what, res.StatusCode)
				}
			}
			if res, body := g.get(t, proto, "/", "Range", "bytes=0-9", "If-Range", `"v1"`); res.StatusCode != http.StatusOK || !strings.Contains(body, "second part") {
				t.Errorf("range of a page: %d", res.StatusCode)
			}
			if res, body := g.get(t, proto, "/", "Range", "bytes=0-9", "Sec-Fetch-Dest", "image"); res.StatusCode != http.StatusPartialContent || body != wholePage[:10] {
				t.Errorf("range of something else: %d %q", res.StatusCode, body)
			}
		})
	}
}

// TestHead: HEAD says what GET would, and lies about no length.
func TestHead(t *testing.T) {
	g := newGateway(t, http.HandlerFunc(pageHandler), "handle /enc* {\n\tencode\n\tconsent\n\treverse_proxy {upstream}\n\t}\n\thandle {\n\tconsent\n\treverse_proxy {upstream}\n\t}")
	for _, proto := range protocols {
		for _, path := range []string{"/", "/enc"} {
			get, _ := g.get(t, proto, path)
			head := g.ask(t, proto, http.MethodHead, path)
			if v := head.Header.Get("Content-Length"); v != "" {
				t.Errorf("%s HEAD %s: Content-Length %s", proto, path, v)
			}
			for _, name := range []string{"Etag", "Cache-Control", "Vary", "Content-Type", "Tk", "Content-Security-Policy"} {
				if path == "/enc" && name == "Vary" {
					continue // encode adds its own only where a length tells that it would have compressed
				}
				if a, b := fmt.Sprint(head.Header[name]), fmt.Sprint(get.Header[name]); a != b {
					t.Errorf("%s HEAD %s: %s %s, GET has %s", proto, path, name, a, b)
				}
			}
		}
	}
}

// TestInterim: early hints come before the page, without those for trackers.
func TestInterim(t *testing.T) {
	g := newGateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Link", "</style.css>; rel=preload; as=style")
		w.Header().Add("Link", "<https://www.googletagmanager.com/gtag/js?id=G-1>; rel=preload; as=script")
		w.WriteHeader(http.StatusEarlyHints)
		pageHandler(w, r)
	}), "consent\n\treverse_proxy {upstream}")
	for _, proto := range protocols {
		var hints []string
		r, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			hints = append(hints, fmt.Sprint(code, h["Link"]))
			return nil
		}}), http.MethodGet, "https://"+g.addr+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = navigate()
		res, err := g.clients[proto].Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if got := strings.Join(hints, "|"); got != "103 [</style.css>; rel=preload; as=style]" {
			t.Errorf("%s: hints %s", proto, got)
		}
		if got := fmt.Sprint(res.Header["Link"]); got != "[</style.css>; rel=preload; as=style]" {
			t.Errorf("%s: Link %s", proto, got)
		}
		if res.StatusCode != http.StatusOK || !strings.Contains(string(body), "second part") {
			t.Errorf("%s: after the hints came %d %q", proto, res.StatusCode, body)
		}
	}
}

// TestEventStream: server-sent events pass untouched, one by one.
func TestEventStream(t *testing.T) {
	next := make(chan struct{}) // without room: what one protocol's handler has not taken must not wait for the next one's
	const event = "data: <script src=\"https://www.googletagmanager.com/gtag/js?id=G-1\"></script>\n\n"
	g := newGateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for range 3 {
			_, _ = io.WriteString(w, event)
			_ = http.NewResponseController(w).Flush()
			select {
			case <-next:
			case <-r.Context().Done():
				return
			}
		}
	}), "encode\n\tconsent\n\treverse_proxy {upstream}")
	for _, proto := range protocols {
		res := g.ask(t, proto, http.MethodGet, "/", "Sec-Fetch-Dest", "empty", "Sec-Fetch-Mode", "cors", "Accept", "text/event-stream")
		for i := range 3 {
			if got := readUntil(t, res.Body, "\n\n"); got != event {
				t.Errorf("%s: event %d is %q", proto, i, got)
			}
			next <- struct{}{}
		}
	}
}

// TestWebSocket: after 101 the connection is a tunnel; frames that look like markup pass, tracking cookies of the answer
// do not.
func TestWebSocket(t *testing.T) {
	g := newGateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Connection", "Upgrade")
		h.Set("Upgrade", "websocket")
		h.Set("Set-Cookie", "_ga=1")
		w.WriteHeader(http.StatusSwitchingProtocols)
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = c.Close() }()
		_, _ = io.Copy(c, rw) // an echo
	}), "encode\n\tconsent\n\treverse_proxy {upstream}")
	c, err := tls.Dial("tcp", g.addr, &tls.Config{InsecureSkipVerify: true, ServerName: "localhost"}) //nolint:gosec // as above
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	const frame = "<script src=\"https://www.googletagmanager.com/gtag/js?id=G-1\"></script>\n"
	_, _ = fmt.Fprintf(c, "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nCookie: _ga=1; session=2\r\n\r\n")
	in := bufio.NewReader(c)
	res, err := http.ReadResponse(in, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v %v", res, err)
	}
	if v := res.Header.Get("Set-Cookie"); v != "" {
		t.Errorf("the handshake set %s", v)
	}
	_, _ = io.WriteString(c, frame)
	if got, err := in.ReadString('\n'); got != frame {
		t.Errorf("the frame came back as %q (%v)", got, err)
	}
}

// TestAbort: an upstream that breaks off is no clean end, and leaves nothing running.
func TestAbort(t *testing.T) {
	g := newGateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if r.URL.Path == "/gzip" {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, firstPart)
			_ = z.Flush()
		} else {
			_, _ = io.WriteString(w, firstPart)
		}
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}), "consent\n\treverse_proxy {upstream}")
	abort := func(proto, path string) {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+g.addr+path, nil)
		r.Header = navigate()
		r.Header.Set("Accept-Encoding", "gzip")
		r.Header.Set("Sec-Fetch-Mode", "cors")
		r.Header.Set("Sec-Fetch-Dest", "empty") // so that the gateway decodes, not Go's transport
		res, err := g.clients[proto].Do(r)
		if err != nil {
			return
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err == nil && res.StatusCode < 500 {
			t.Errorf("%s %s: a clean end after %q", proto, path, body)
		}
	}
	for _, proto := range protocols {
		abort(proto, "/gzip")
	}
	for range 15 {
		for _, proto := range protocols {
			abort(proto, "/")
			abort(proto, "/gzip")
		}
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		stacks := make([]byte, 4<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		left := strings.Count(string(stacks), "caddymodule.(*Handler).ServeHTTP(") + strings.Count(string(stacks), "rewrite/encoding.")
		if left == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d goroutines of the gateway are left after 90 aborts", left)
		}
	}
}

// TestHandlers: whatever handler of Caddy answers, the page is rewritten; with encode outside it is compressed again.
func TestHandlers(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string][]byte{
		"page.html": []byte(wholePage), "page.html.gz": compressed(t, "gzip", wholePage), "app.html": []byte(wholePage),
		"t.html": []byte(strings.Replace(wholePage, "first", `{{"first"}}`, 1)),
		"a.js":   []byte(strings.Repeat("/* https://www.googletagmanager.com/gtag/js */\n", 50)),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	g := newGateway(t, http.HandlerFunc(pageHandler), `
	root * `+dir+`
	handle /page.html {
		consent
		file_server {
			precompressed gzip
		}
	}
	handle /a.js {
		consent
		file_server
	}
	handle /t.html {
		encode
		consent
		templates
		file_server
	}
	handle /respond {
		consent
		header Content-Type text/html
		respond `+"`"+wholePage+"`"+`
	}
	handle /inside {
		route {
			consent
			encode
			reverse_proxy {upstream}
		}
	}
	handle /outside {
		encode
		consent
		reverse_proxy {upstream}
	}
	handle /twice {
		consent
		route {
			consent
			reverse_proxy {upstream}
		}
	}
	handle /nosuch {
		consent
		file_server
	}
	handle {
		try_files {path} /app.html
		consent
		file_server
	}
	handle_errors {
		consent
		header Content-Type text/html
		respond `+"`"+wholePage+"`"+` 404
	}`)
	for _, proto := range protocols {
		for _, path := range []string{"/page.html", "/t.html", "/respond", "/inside", "/outside", "/twice", "/spa/route"} {
			for _, accept := range []string{"", "gzip"} {
				res, body := g.get(t, proto, path, "Accept-Encoding", accept)
				coding := res.Header.Get("Content-Encoding")
				if coding == "gzip" {
					z, err := gzip.NewReader(strings.NewReader(body))
					if err != nil {
						t.Fatal(err)
					}
					plain, err := io.ReadAll(z)
					if err != nil {
						t.Fatal(err)
					}
					body = string(plain)
				}
				// encode compresses, or what came compressed, from a file beside the page, is compressed again.
				if want := path == "/outside" || path == "/t.html" || path == "/page.html"; (coding == "gzip") != (want && accept == "gzip") {
					t.Errorf("%s %s, accepting %q: Content-Encoding %q", proto, path, accept, coding)
				}
				if res.StatusCode != http.StatusOK || !gatedPage(body) || strings.Count(body, "<consent-banner") != 1 {
					t.Errorf("%s %s: %d, %d banners: %q", proto, path, res.StatusCode, strings.Count(body, "<consent-banner"), body)
				}
			}
		}
		if res, body := g.get(t, proto, "/nosuch"); res.StatusCode != http.StatusNotFound || !gatedPage(body) {
			t.Errorf("%s error page: %d %q", proto, res.StatusCode, body)
		}
		if _, body := g.get(t, proto, "/a.js", "Sec-Fetch-Dest", "script"); strings.Count(body, "googletagmanager") != 50 {
			t.Errorf("%s: a script file was changed", proto)
		}
		if res, body := g.get(t, proto, "/.consent/state"); res.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: behind try_files the endpoints are %s %q", proto, res.Header.Get("Content-Type"), body)
		}
	}
}

// gatedPage reports whether a body is the whole page without live trackers.
func gatedPage(body string) bool {
	return strings.Contains(body, "first part") && strings.Contains(body, "second part") && !strings.Contains(body, liveTracker[0]) && !strings.Contains(body, liveTracker[1])
}
