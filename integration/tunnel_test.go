package integration

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// TestTunnelSetsNoCookie: the answer to CONNECT, by which browsers open WebSockets over HTTP/2 (RFC 8441), is a response whose
// cookies they keep. What follows it is no body and passes as it is.
func TestTunnelSetsNoCookie(t *testing.T) {
	t.Parallel()
	port := lab.FreePort(t)
	lab.Caddy(t, fmt.Sprintf(`{
	{global}
	consent {
		store bolt {store}
	}
}
http://:%d {
	route {
		consent
		header Set-Cookie "_ga=GA1.1.123456789.987654321; Max-Age=600"
		respond "<img src=https://www.google-analytics.com/collect>"
	}
}
`, port))
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, "CONNECT shop.example:80 HTTP/1.1\r\nHost: shop.example:80\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	frames, _ := io.ReadAll(io.LimitReader(res.Body, res.ContentLength))
	if cookie := res.Header.Get("Set-Cookie"); cookie != "" || res.Header.Get("Tk") == "" {
		t.Errorf("Set-Cookie: %s; Tk: %s", cookie, res.Header.Get("Tk"))
	}
	if !strings.Contains(string(frames), "https://www.google-analytics.com/collect") {
		t.Errorf("frames were changed: %s", frames)
	}
}
