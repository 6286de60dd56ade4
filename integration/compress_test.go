package integration

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestCompressAgain: what came compressed leaves in gzip for a client that takes it, whole, in order and flushed; for one
// that does not, as it is. What came as it is leaves as it is.
func TestCompressAgain(t *testing.T) {
	o := &origin{t: t, next: make(chan struct{}, 1)}
	g := newGateway(t, o, "consent\n\treverse_proxy {upstream}")
	const browser = "gzip, deflate, br, zstd"
	for _, proto := range protocols {
		for _, coding := range codings {
			for _, framing := range []string{"length", "trailers", "flush"} {
				t.Run(proto+"/"+coding+"/"+framing, func(t *testing.T) {
					res := g.ask(t, proto, http.MethodGet, pageQuery(coding, framing), "Accept-Encoding", browser)
					want := "gzip"
					if coding == "identity" {
						want = ""
					} else if !listHas(res.Header["Vary"], "Accept-Encoding") {
						t.Errorf("Vary: %q", res.Header["Vary"])
					}
					if got := res.Header.Get("Content-Encoding"); got != want {
						t.Fatalf("Content-Encoding: %q, want %q", got, want)
					}
					res.Header.Del("Content-Encoding")
					body := io.Reader(res.Body)
					if want != "" {
						z, err := gzip.NewReader(res.Body)
						if err != nil {
							t.Fatal(err)
						}
						body = z
					}
					first := ""
					if framing == "flush" {
						first = readUntil(t, body, "first part</p>")
						o.next <- struct{}{}
					}
					rest, err := io.ReadAll(body)
					if err != nil {
						t.Fatal(err)
					}
					checkPage(t, res, first+string(rest))
				})
			}
		}
		for accept, want := range map[string]string{browser: "gzip", "br, gzip;q=0": "", "": ""} {
			res := g.ask(t, proto, http.MethodHead, pageQuery("gzip", "length"), "Accept-Encoding", accept)
			if got := res.Header.Get("Content-Encoding"); got != want || res.Header.Get("Content-Length") != "" || !listHas(res.Header["Vary"], "Accept-Encoding") {
				t.Errorf("%s HEAD, accepting %q: %v", proto, accept, res.Header)
			}
			res, body := g.get(t, proto, pageQuery("br", "length"), "Accept-Encoding", accept)
			if got := res.Header.Get("Content-Encoding"); got != want || !listHas(res.Header["Vary"], "Accept-Encoding") || (want == "") != strings.Contains(body, "second part") {
				t.Errorf("%s, accepting %q: Content-Encoding %q", proto, accept, got)
			}
		}
	}
}
