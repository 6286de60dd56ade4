package integration

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/quic-go/quic-go/http3"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// protocols are the versions of HTTP that a visitor may speak to the gateway.
var protocols = []string{"h1", "h2", "h3"}

// gateway is a gateway with TLS before an upstream of the test's own.
type gateway struct {
	addr    string // localhost:port
	clients map[string]*http.Client
}

// newGateway runs a site with the given directives; "{upstream}" in them stands for the upstream's address. More options
// for all sites may follow.
func newGateway(t testing.TB, upstream http.Handler, directives string, options ...string) *gateway {
	t.Helper()
	up := httptest.NewServer(upstream)
	t.Cleanup(up.Close)
	g := &gateway{addr: "localhost:" + strconv.Itoa(lab.FreePort(t)), clients: map[string]*http.Client{}}
	lab.Caddy(t, strings.ReplaceAll(`{
	{global}
	auto_https disable_redirects
	skip_install_trust
	consent {
		store bolt {store}
		`+strings.Join(options, "\n")+`
	}
	log {
		level PANIC
	}
}
https://`+g.addr+` {
	tls internal
	`+directives+`
}
`, "{upstream}", strings.TrimPrefix(up.URL, "http://")))
	config := &tls.Config{InsecureSkipVerify: true, ServerName: "localhost"} //nolint:gosec // Caddy's own authority, made for this test
	h3 := &http3.Transport{TLSClientConfig: config.Clone(), DisableCompression: true}
	t.Cleanup(func() { _ = h3.Close() })
	h1 := &http.Transport{TLSClientConfig: config.Clone(), DisableCompression: true}
	h2 := &http.Transport{TLSClientConfig: config.Clone(), DisableCompression: true, ForceAttemptHTTP2: true}
	for name, transport := range map[string]http.RoundTripper{"h1": h1, "h2": h2, "h3": h3} {
		g.clients[name] = &http.Client{Transport: transport, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	t.Cleanup(h1.CloseIdleConnections)
	t.Cleanup(h2.CloseIdleConnections)
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		c, err := tls.Dial("tcp", g.addr, config) // Caddy's authority needs a moment for its first certificate
		if err == nil {
			_ = c.Close()
			return g
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// navigate are the request fields of a browser that opens a page.
func navigate() http.Header {
	return http.Header{
		"Accept": {"text/html,application/xhtml+xml"}, "Accept-Language": {"en"}, "Sec-Fetch-Dest": {"document"}, "Sec-Fetch-Mode": {"navigate"},
		"User-Agent": {"test"},
	}
}

// ask sends a request; fields come in pairs and replace those of a navigation, "" removes one.
func (g *gateway) ask(t testing.TB, proto, method, path string, fields ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "https://"+g.addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = navigate()
	for i := 0; i < len(fields); i += 2 {
		r.Header.Del(fields[i])
		if fields[i+1] != "" {
			r.Header[fields[i]] = []string{fields[i+1]}
		}
	}
	res, err := g.clients[proto].Do(r)
	if err != nil {
		t.Fatalf("%s %s %s: %v", proto, method, path, err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// get asks for a path and returns the answer with its whole body.
func (g *gateway) get(t testing.TB, proto, path string, fields ...string) (*http.Response, string) {
	t.Helper()
	res := g.ask(t, proto, http.MethodGet, path, fields...)
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s %s: reading the body: %v", proto, path, err)
	}
	return res, string(body)
}

// flusher is a compressor whose output can be brought out in between.
type flusher interface {
	io.WriteCloser
	Flush() error
}

// compressor returns a writer for one content coding; identity and made-up ones write plain bytes.
func compressor(t testing.TB, coding string, w io.Writer) flusher {
	switch coding {
	case "gzip", "x-gzip":
		return gzip.NewWriter(w)
	case "gzip, gzip":
		return &twice{outer: gzip.NewWriter(w)}
	case "deflate":
		return zlib.NewWriter(w)
	case "deflate raw":
		f, err := flate.NewWriter(w, 6)
		if err != nil {
			t.Error(err)
		}
		return f
	case "br":
		return brotli.NewWriter(w)
	case "zstd":
		z, err := zstd.NewWriter(w)
		if err != nil {
			t.Error(err)
		}
		return z
	}
	return plain{w}
}

type plain struct{ io.Writer }

func (plain) Flush() error { return nil }
func (plain) Close() error { return nil }

// twice applies gzip to gzip.
type twice struct{ outer, inner *gzip.Writer }

func (w *twice) Write(p []byte) (int, error) {
	if w.inner == nil {
		w.inner = gzip.NewWriter(w.outer)
	}
	return w.inner.Write(p)
}

func (w *twice) Flush() error {
	if err := w.inner.Flush(); err != nil {
		return err
	}
	return w.outer.Flush()
}

func (w *twice) Close() error {
	if err := w.inner.Close(); err != nil {
		return err
	}
	return w.outer.Close()
}

// compressed returns a text in a content coding.
func compressed(t testing.TB, coding, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := compressor(t, coding, &b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// answer sends a request and reads the answer to its end.
func answer(t testing.TB, req *http.Request) (*http.Response, []byte) {
	t.Helper()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, body
}
