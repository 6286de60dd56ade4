package integration

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The two parts of the page that upstreams send: a tracker in the first, text in both.
const (
	firstPart  = "<!DOCTYPE html><html><head><title>t</title><script src=\"https://www.googletagmanager.com/gtag/js?id=G-1\"></script></head><body><p>first part</p>\n"
	secondPart = "<img src=\"https://www.facebook.com/tr?id=1&ev=PageView\" width=1 height=1><p>second part</p></body></html>\n"
)

// liveTracker are the forms in which the page's trackers would be contacted.
var liveTracker = []string{` src="https://www.googletagmanager.com`, ` src="https://www.facebook.com/tr`}

// codings are the content codings of upstreams, honest and otherwise.
var codings = []string{"identity", "gzip", "x-gzip", "deflate", "deflate raw", "br", "zstd", "gzip, gzip", "lying gzip", "lying br"}

// origin answers /CODING/FRAMING with the page.
type origin struct {
	t    testing.TB
	next chan struct{} // released when the second part may be sent
}

func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	coding, framing := r.URL.Query().Get("coding"), r.URL.Query().Get("framing")
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Etag", `"v1"`)
	h.Set("Last-Modified", "Wed, 01 Jan 2025 00:00:00 GMT")
	h.Set("Cache-Control", "public, max-age=600")
	h.Set("Accept-Ranges", "bytes")
	h.Set("Content-Digest", "sha-256=:AAAA:")
	h.Set("Vary", "X-Cookie-Banner")
	h.Add("Set-Cookie", "_ga=GA1.1.1.1; Path=/; Max-Age=63072000")
	h.Add("Set-Cookie", "session=1; Path=/; HttpOnly")
	if declared, _ := strings.CutPrefix(coding, "lying "); declared != "identity" {
		h.Set("Content-Encoding", strings.TrimSuffix(declared, " raw"))
	}
	switch framing {
	case "length":
		body := compressed(o.t, coding, firstPart+secondPart)
		h.Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	case "trailers":
		h.Set("Trailer", "X-Sum, Digest")
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(compressed(o.t, coding, firstPart+secondPart))
		h.Set("X-Sum", "42")
		h.Set("Digest", "sha-256=AAAA")
		h.Set(http.TrailerPrefix+"X-Late", "43")
	case "truncated":
		body := compressed(o.t, coding, firstPart+strings.Repeat("<p>filling "+strings.Repeat("abcdefgh", 100)+"\n", 100)+secondPart)
		_, _ = w.Write(body[:len(body)*2/3])
	default:
		z := compressor(o.t, coding, w)
		_, _ = io.WriteString(z, firstPart)
		_ = z.Flush()
		_ = http.NewResponseController(w).Flush()
		select {
		case <-o.next:
		case <-r.Context().Done():
			return
		}
		_, _ = io.WriteString(z, secondPart)
		_ = z.Close()
	}
}

func pageQuery(coding, framing string) string {
	return "/?coding=" + strings.ReplaceAll(strings.ReplaceAll(coding, " ", "%20"), ",", "%2C") + "&framing=" + framing
}

// TestContentCodings: whatever coding and framing an upstream uses, over whatever protocol, the page arrives whole, in
// order, without a live tracker, and with a header that is true of it.
func TestContentCodings(t *testing.T) {
	o := &origin{t: t, next: make(chan struct{}, 1)}
	g := newGateway(t, o, "consent\n\treverse_proxy {upstream}")
	for _, proto := range protocols {
		for _, coding := range codings {
			for _, framing := range []string{"length", "trailers"} {
				t.Run(proto+"/"+coding+"/"+framing, func(t *testing.T) {
					res, body := g.get(t, proto, pageQuery(coding, framing), asFetch(coding)...)
					checkPage(t, res, body)
					if framing == "trailers" {
						if res.Trailer.Get("X-Sum") != "42" || res.Trailer.Get("X-Late") != "43" {
							t.Errorf("trailers %v", res.Trailer)
						}
						if v := res.Trailer.Get("Digest"); v != "" {
							t.Errorf("the digest of other bytes came in the trailers: %s", v)
						}
					}
				})
			}
			t.Run(proto+"/"+coding+"/flush", func(t *testing.T) {
				started := time.Now()
				res := g.ask(t, proto, http.MethodGet, pageQuery(coding, "flush"), asFetch(coding)...)
				first := readUntil(t, res.Body, "first part</p>")
				took := time.Since(started)
				o.next <- struct{}{} // only now is there a second part
				rest, err := io.ReadAll(res.Body)
				if err != nil {
					t.Fatal(err)
				}
				checkPage(t, res, first+string(rest))
				if took > 10*time.Second {
					t.Errorf("the first part took %s", took)
				}
			})
		}
	}
}

// asFetch makes a request for a lying body one of fetch(): for a page, where the client takes no gzip, the gateway leaves
// it to Go's transport, which refuses a lie, as browsers do.
func asFetch(coding string) []string {
	if !strings.HasPrefix(coding, "lying") {
		return nil
	}
	return []string{"Sec-Fetch-Dest", "empty", "Sec-Fetch-Mode", "cors", "Accept-Encoding", "br"}
}

// readUntil reads until the text has come; the client's time limit ends a wait in vain.
func readUntil(t *testing.T, r io.Reader, text string) string {
	t.Helper()
	var b strings.Builder
	buf := make([]byte, 64<<10)
	for !strings.Contains(b.String(), text) {
		n, err := r.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			t.Fatalf("%v before %q came; so far %q", err, text, b.String())
		}
	}
	return b.String()
}

// checkPage checks what holds for every rewritten page.
func checkPage(t *testing.T, res *http.Response, body string) {
	t.Helper()
	h := res.Header
	if res.StatusCode != http.StatusOK {
		t.Errorf("status %d", res.StatusCode)
	}
	i, j := strings.Index(body, "first part"), strings.Index(body, "second part")
	if i < 0 || j < i || !strings.HasSuffix(body, "\n") {
		t.Errorf("the page is not whole: %q", body)
	}
	for _, live := range liveTracker {
		if strings.Contains(body, live) {
			t.Errorf("the page still has %s", live)
		}
	}
	for _, name := range []string{"Content-Encoding", "Last-Modified", "Content-Digest", "Accept-Ranges"} {
		if v := h.Get(name); v != "" {
			t.Errorf("%s: %s", name, v)
		}
	}
	if v := h.Get("Content-Length"); v != "" && v != strconv.Itoa(len(body)) {
		t.Errorf("Content-Length: %s, but the body has %d bytes", v, len(body))
	}
	if v := h.Get("Etag"); !strings.HasPrefix(v, `W/"v1-`) {
		t.Errorf("Etag: %s is not the page's own for this decision", v)
	}
	if v := h.Get("Cache-Control"); v != "private, no-cache" {
		t.Errorf("Cache-Control: %s", v)
	}
	for _, name := range []string{"Cookie", "Sec-GPC", "DNT", "X-Cookie-Banner"} {
		if !listHas(h["Vary"], name) {
			t.Errorf("Vary: %q lacks %s", h["Vary"], name)
		}
	}
	if h.Get("Tk") == "" {
		t.Error("no Tk")
	}
	if c := strings.Join(h["Set-Cookie"], "\n"); strings.Contains(c, "_ga") || !strings.Contains(c, "session=1") {
		t.Errorf("Set-Cookie: %q", c)
	}
}

// listHas reports whether a field that is a list has a member.
func listHas(values []string, member string) bool {
	for m := range strings.SplitSeq(strings.Join(values, ","), ",") {
		if strings.EqualFold(strings.TrimSpace(m), member) {
			return true
		}
	}
	return false
}

// TestBrokenBodies: a body that ends early must not look as if it were whole, whatever it was coded in.
func TestBrokenBodies(t *testing.T) {
	o := &origin{t: t, next: make(chan struct{}, 1)}
	g := newGateway(t, o, "consent\n\treverse_proxy {upstream}")
	for _, proto := range protocols {
		for _, coding := range []string{"gzip", "deflate", "br", "zstd", "gzip, gzip"} {
			t.Run(proto+"/"+coding, func(t *testing.T) {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+g.addr+pageQuery(coding, "truncated"), nil)
				if err != nil {
					t.Fatal(err)
				}
				r.Header = navigate()
				res, err := g.clients[proto].Do(r)
				if err != nil {
					return
				}
				defer func() { _ = res.Body.Close() }()
				body, err := io.ReadAll(res.Body)
				if err == nil && res.StatusCode < 500 {
					t.Errorf("a truncated body came as a whole one: status %d, %d bytes", res.StatusCode, len(body))
				}
			})
		}
	}
}

// TestUnknownCoding: what cannot be read is passed on or withheld, as the operator chose.
func TestUnknownCoding(t *testing.T) {
	o := &origin{t: t, next: make(chan struct{}, 1)}
	g := newGateway(t, o, `handle /block* {
		consent {
			on_unrewritable block
		}
		reverse_proxy {upstream}
	}
	handle {
		consent
		reverse_proxy {upstream}
	}`)
	for _, proto := range protocols {
		t.Run(proto, func(t *testing.T) {
			res, body := g.get(t, proto, pageQuery("compress", "length"))
			if body != firstPart+secondPart || res.Header.Get("Content-Encoding") != "compress" || res.Header.Get("Content-Length") != strconv.Itoa(len(body)) {
				t.Errorf("pass: %v %q", res.Header, body)
			}
			res, body = g.get(t, proto, "/block"+pageQuery("compress", "length"))
			if res.StatusCode != http.StatusBadGateway || strings.Contains(body, "first part") || res.Header.Get("Content-Encoding") != "" {
				t.Errorf("block: %d %v %q", res.StatusCode, res.Header, body)
			}
			if v := res.Header.Get("Cache-Control"); v != "no-store" {
				t.Errorf("block: the message may be cached: Cache-Control: %s", v)
			}
		})
	}
}
