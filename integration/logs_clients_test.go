package integration

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// telling are the fields of a request that hold addresses of the documentation ranges, each in a form of its own.
var telling = map[string]string{
	"X-Forwarded-For":     "203.0.113.77, 2001:db8:dead:beef::77",
	"Forwarded":           `for="[2001:db8:dead:beef::77]:4711";by=203.0.113.77;proto=https, for="_hidden", For="203.0.113.77:80"`,
	"X-Real-Ip":           "::ffff:203.0.113.77",
	"Cf-Connecting-Ip":    "203.0.113.77",
	"Cf-Connecting-Ipv6":  "2001:0DB8:DEAD:BEEF:0000:0000:0000:0077",
	"True-Client-Ip":      "203.0.113.77:55555",
	"Fastly-Client-Ip":    "[2001:db8:dead:beef::77]:443",
	"Fly-Client-Ip":       "fe80::dead:beef%eth0",
	"X-Client-Ip":         "203.000.113.077",
	"X-Cluster-Client-Ip": "::ffff:cb00:714d",
	"Via":                 "1.1 203.0.113.77, 2 [2001:db8:dead:beef::77]",
	"X-Note":              "visitor@203.0.113.77; abc203.0.113.77xyz",
	"Referer":             "http://203.0.113.77/?v6=2001%3Adb8%3Adead%3Abeef%3A%3A77",
	"User-Agent":          "probe/1.0 (203.0.113.77; 2001:db8:dead:beef::77)",
}

// tellingQuery does the same in the URI.
const tellingQuery = "?ip=203.0.113.77&v6=[2001:db8:dead:beef::77]&enc=2001%3Adb8%3Adead%3Abeef%3A%3A77&m=%3A%3Affff%3A203.0.113.77"

// visitors are clients that come from addresses of their own: 127.0.0.2, or ::1.
type visitors struct {
	ports  map[string]string
	bodies strings.Builder
	failed map[string]error // by request, for a look at what went wrong
}

// dial opens a TCP connection to the port, from 127.0.0.2 or from ::1.
func dial(ctx context.Context, port string, v6 bool) (net.Conn, error) {
	d, to := net.Dialer{Timeout: time.Minute, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}, "127.0.0.1"
	if v6 {
		d.LocalAddr, to = &net.TCPAddr{IP: net.IPv6loopback}, "::1"
	}
	return d.DialContext(ctx, "tcp", net.JoinHostPort(to, port))
}

// client speaks the protocol: "http", "h1" (over TLS), "h2" or "h3".
func (v *visitors) client(t *testing.T, protocol string, v6 bool) *http.Client {
	conf := &tls.Config{ServerName: "logs.test", InsecureSkipVerify: true} //nolint:gosec // the gateway's own authority, for a test
	c := &http.Client{Timeout: time.Minute}
	if protocol == "h3" {
		udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 2)})
		if err != nil {
			t.Fatal(err)
		}
		q := &quic.Transport{Conn: udp}
		tr := &http3.Transport{TLSClientConfig: conf, Dial: func(ctx context.Context, _ string, conf *tls.Config, qc *quic.Config) (*quic.Conn, error) {
			to, err := net.ResolveUDPAddr("udp", "127.0.0.1:"+v.ports["https"])
			if err != nil {
				return nil, err
			}
			return q.DialEarly(ctx, to, conf, qc)
		}}
		t.Cleanup(func() { _, _, _ = tr.Close(), q.Close(), udp.Close() })
		c.Transport = tr
		return c
	}
	port := v.ports["https"]
	if protocol == "http" {
		port = v.ports["http"]
	}
	conf.NextProtos = []string{"http/1.1"}
	tr := &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: conf,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, port, v6) },
	}
	if protocol == "h2" {
		conf.NextProtos, tr.ForceAttemptHTTP2 = nil, true
	}
	c.Transport = tr
	return c
}

// get asks for a path; what comes back, headers and body, is a sink, too, unless it echoes the question.
func (v *visitors) get(t *testing.T, c *http.Client, protocol, path string) {
	scheme, port := "https", v.ports["https"]
	if protocol == "http" {
		scheme, port = "http", v.ports["http"]
	}
	r, err := http.NewRequest(http.MethodGet, scheme+"://logs.test:"+port+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range telling {
		if path != "/traced" || !slices.Contains(asked, name) {
			r.Header.Set(name, value)
		}
	}
	r.Header.Set("Accept", "text/html")
	resp, err := c.Do(r)
	if err != nil {
		v.failed[protocol+" "+path] = err
		return
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		v.failed[protocol+" "+path] = err
	}
	_ = resp.Header.Write(&v.bodies)
	v.bodies.Write(body)
}

// visitAll makes every request there is.
func (v *visitors) visitAll(t *testing.T) {
	for _, protocol := range []string{"http", "h1", "h2", "h3"} {
		for _, v6 := range []bool{false, true} {
			if v6 && protocol != "http" && protocol != "h1" {
				continue
			}
			c := v.client(t, protocol, v6)
			for _, path := range []string{"/", "/old", "/dead", "/php", "/auth", "/template", "/abort", "/careless"} {
				v.get(t, c, protocol, path+tellingQuery)
			}
			v.get(t, c, protocol, "/traced")
		}
	}
}

// misbehave does what no HTTP client does: leaves early, speaks plain HTTP to the TLS port, names a host that has no
// certificate, upgrades, and calls the admin API.
func (v *visitors) misbehave(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	raw := func(port string, v6 bool, text string, read int64) {
		conn, err := dial(ctx, v.ports[port], v6)
		if err != nil {
			v.failed[port+" "+text[:10]] = err
			return
		}
		defer func() { _ = conn.Close() }()
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		_, _ = io.WriteString(conn, text)
		_, _ = io.Copy(io.Discard, io.LimitReader(bufio.NewReader(conn), read))
	}
	var fields strings.Builder
	for name, value := range telling {
		fmt.Fprintf(&fields, "%s: %s\r\n", name, value)
	}
	for _, v6 := range []bool{false, true} {
		raw("http", v6, "GET /slow"+tellingQuery+" HTTP/1.1\r\nHost: logs.test\r\n"+fields.String()+"\r\n", 1000)
		raw("http", v6, "GET /socket"+tellingQuery+" HTTP/1.1\r\nHost: logs.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+fields.String()+"\r\n", 1<<20)
		raw("http", v6, "GET /\x00 HTTP/9.9\r\n\r\n", 1<<20)
		raw("https", v6, "GET / HTTP/1.1\r\nHost: logs.test\r\n"+fields.String()+"\r\n", 1<<20)
		raw("https", v6, "no protocol at all, only bytes\n\n", 1<<20)
		raw("admin", false, "GET /config/ HTTP/1.1\r\nHost: 127.0.0.1:"+v.ports["admin"]+"\r\nConnection: close\r\n"+fields.String()+"\r\n", 1<<20)
		raw("admin", false, "GET /nowhere"+tellingQuery+" HTTP/1.1\r\nHost: 203.0.113.77\r\nConnection: close\r\n"+fields.String()+"\r\n", 1<<20)
		conn, err := dial(ctx, v.ports["https"], v6)
		if err == nil {
			_ = tls.Client(conn, &tls.Config{ServerName: "unknown.test", InsecureSkipVerify: true}).HandshakeContext(ctx) //nolint:gosec // it must fail
			_ = conn.Close()
		}
	}
}

// reload loads the gateway's configuration anew through the admin API, from 127.0.0.2.
func (v *visitors) reload(t *testing.T, caddyfile string) {
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, v.ports["admin"], false) }}
	defer tr.CloseIdleConnections()
	r, err := http.NewRequest(http.MethodPost, "http://127.0.0.1:"+v.ports["admin"]+"/load", strings.NewReader(caddyfile))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "text/caddyfile")
	r.Header.Set("Cache-Control", "must-revalidate") // load it although nothing changed
	r.Header.Set("X-Forwarded-For", "203.0.113.77")
	resp, err := (&http.Client{Transport: tr, Timeout: time.Minute}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		t.Fatalf("reload: %s: %s", resp.Status, body)
	}
}
