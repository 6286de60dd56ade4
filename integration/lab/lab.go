// Package lab is where the gateway is tried: a real Chromium to which every host name in the world resolves to one port on
// this machine, a door behind that port that tells the visited site from everybody else, and a sink that plays everybody
// else and logs each contact.
package lab

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Contact is one time that somebody other than the site was contacted.
type Contact struct {
	Host   string
	Path   string // with query; "" for a connection that carried no request
	Dest   string // Sec-Fetch-Dest
	Cookie string
}

// Door is the one port of the lab's world. Plain HTTP and TLS are told apart by the first byte.
type Door struct {
	Addr string

	mu       sync.Mutex
	sites    map[string]string
	open     map[net.Conn]string // connections to sites
	contacts []Contact
	bare     map[net.Conn]string // hosts of connections that have not carried a request
	arriving int                 // connections that have not told yet whom they are for
	answer   http.Handler
	listener net.Listener
	config   *tls.Config
}

// NewDoor opens a door; it closes when the test ends.
func NewDoor(t testing.TB) *Door {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &Door{Addr: l.Addr().String(), sites: map[string]string{}, open: map[net.Conn]string{}, bare: map[net.Conn]string{}, listener: l, config: selfSigned(t), answer: http.HandlerFunc(answer)}
	go d.accept()
	t.Cleanup(func() { _ = l.Close() })
	return d
}

// Site leads the host to a server at addr ("127.0.0.1:port"), where plain HTTP is spoken. Connections that lead it elsewhere
// end.
func (d *Door) Site(host, addr string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sites[host] = addr
	for conn, to := range d.open {
		if to == host {
			_ = conn.Close()
		}
	}
}

// Answer replaces what the sink answers; nil restores the usual answers.
func (d *Door) Answer(h http.Handler) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if h == nil {
		h = http.HandlerFunc(answer)
	}
	d.answer = h
}

// Contacts returns what was contacted since the last Reset.
func (d *Door) Contacts() []Contact {
	d.mu.Lock()
	defer d.mu.Unlock()
	contacts := slices.Clone(d.contacts)
	for _, host := range slices.Sorted(maps.Values(d.bare)) {
		contacts = append(contacts, Contact{Host: host})
	}
	return contacts
}

// Hosts returns the distinct hosts among Contacts in the order of their first contact.
func (d *Door) Hosts() []string {
	var hosts []string
	for _, c := range d.Contacts() {
		if !slices.Contains(hosts, c.Host) {
			hosts = append(hosts, c.Host)
		}
	}
	return hosts
}

// Asked reports whether a request has reached the host. A test that waits for a contact before it goes on waits for this: a
// connection may still send its request, which then counts as the next page's.
func (d *Door) Asked(host string) bool {
	return slices.ContainsFunc(d.Contacts(), func(c Contact) bool { return c.Host == host && c.Path != "" })
}

// Reset forgets all contacts.
func (d *Door) Reset() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.contacts = nil
	clear(d.bare)
}

// Quiet waits until nothing was contacted for the given time, and nobody is about to be, at most ten times as long.
func (d *Door) Quiet(silence time.Duration) {
	last, since, end := -1, time.Now(), time.Now().Add(10*silence)
	for time.Now().Before(end) {
		if n := len(d.Contacts()); n != last || d.expects(0) {
			last, since = n, time.Now()
		}
		if time.Since(since) >= silence {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Soon waits until f holds, and reports whether it did within a minute: what is to come may take its time on a busy machine.
func Soon(f func() bool) bool { return Within(time.Minute, f) }

// Within waits until f holds, and reports whether it did in time.
func Within(limit time.Duration, f func() bool) bool {
	for end := time.Now().Add(limit); !f(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// expects adds to the connections that have begun to say whom they are for, and reports whether there are any.
func (d *Door) expects(n int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.arriving += n
	return d.arriving > 0
}

// log notes what a request contacts; the connection is not bare any more.
func (d *Door) log(conn net.Conn, c Contact) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.bare, conn)
	d.contacts = append(d.contacts, c)
}

func (d *Door) accept() {
	for {
		c, err := d.listener.Accept()
		if err != nil {
			return
		}
		go d.serve(c)
	}
}

// serve leads a connection to the site it asks for, or to the sink.
func (d *Door) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	in := bufio.NewReader(c)
	first, err := in.Peek(1)
	if err != nil {
		return
	}
	if first[0] == socksVersion {
		if socks(c, in) != nil {
			return
		}
		if first, err = in.Peek(1); err != nil {
			return
		}
	}
	d.expects(1)
	conn, in, name, err := d.meet(&peeked{Conn: c, in: in}, first[0] == handshake)
	d.mu.Lock()
	addr, site := d.sites[name]
	switch {
	case err != nil:
	case site:
		d.open[conn] = name
	case name != "" && !ownErrand(name):
		d.bare[conn] = name
	}
	d.mu.Unlock()
	d.expects(-1)
	if err != nil {
		return
	}
	if !site {
		d.sink(conn, in)
		return
	}
	pipe(conn, addr)
	d.mu.Lock()
	delete(d.open, conn)
	d.mu.Unlock()
}

// handshake is the first byte of a TLS connection. (RFC 8446, 5.1)
const handshake = 22

// meet returns what is spoken inside a connection, and the host it is for.
func (d *Door) meet(c *peeked, secure bool) (conn net.Conn, in *bufio.Reader, name string, err error) {
	conn, in = c, c.in
	if secure {
		inner := tls.Server(c, d.config)
		if err := inner.Handshake(); err != nil {
			return nil, nil, "", err
		}
		in, name = bufio.NewReader(inner), inner.ConnectionState().ServerName
		conn = &peeked{Conn: inner, in: in}
	}
	if name == "" {
		name = peekHost(in)
	}
	return conn, in, name, nil
}

// sink answers requests one after the other.
func (d *Door) sink(conn net.Conn, in *bufio.Reader) {
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		host, _, _ := strings.Cut(r.Host, ":")
		if !ownErrand(host) {
			d.log(conn, Contact{Host: host, Path: r.URL.RequestURI(), Dest: r.Header.Get("Sec-Fetch-Dest"), Cookie: r.Header.Get("Cookie")})
		}
		_, _ = io.Copy(io.Discard, r.Body)
		d.mu.Lock()
		h := d.answer
		d.mu.Unlock()
		w := &recorder{header: http.Header{}, status: http.StatusOK}
		h.ServeHTTP(w, r)
		if w.write(conn) != nil || r.Close {
			return
		}
	}
}

// ownErrand reports whether the browser itself, not a page, asks for the host.
func ownErrand(host string) bool {
	return strings.HasSuffix(host, ".mozilla.com") || strings.HasSuffix(host, ".mozilla.org") || slices.Contains([]string{"accounts.google.com", "update.googleapis.com", "clients2.google.com", "clientservices.googleapis.com",
		"content-autofill.googleapis.com", "optimizationguide-pa.googleapis.com", "edgedl.me.gvt1.com", "android.clients.google.com",
		"safebrowsing.googleapis.com", "redirector.gvt1.com"}, host)
}

// answer is what the sink says: a script that marks that it ran and fires a pixel, a page, or an image with a cookie.
func answer(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	switch r.Header.Get("Sec-Fetch-Dest") {
	case "script", "worker", "sharedworker", "serviceworker":
		h.Set("Content-Type", "text/javascript")
		host, _, _ := strings.Cut(r.Host, ":")
		fmt.Fprintf(w, `(globalThis.labRan=globalThis.labRan||[]).push(%q);try{document.cookie="_lab_%s=1;path=/;max-age=9999";new Image().src="https://%s/lab-pixel?from="+encodeURIComponent(%q)}catch(e){}`,
			host+r.URL.Path, strings.ReplaceAll(host, ".", "_"), host, r.URL.Path)
	case "document", "iframe", "frame":
		h.Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!DOCTYPE html><title>third party</title><p>third party</p>")
	case "style":
		h.Set("Content-Type", "text/css")
	case "empty":
		h.Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "{}")
	default:
		h.Set("Content-Type", "image/gif")
		h.Set("Set-Cookie", "lab=1; Path=/; Max-Age=9999; Secure; SameSite=None")
		_, _ = io.WriteString(w, "GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")
	}
}

func pipe(conn net.Conn, addr string) {
	up, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(up, conn)
		_ = up.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(conn, up)
	_ = up.Close()
}

// peekHost finds the Host field of the first request without consuming it.
func peekHost(in *bufio.Reader) string {
	for n := 64; n <= in.Size(); n *= 2 {
		head, err := in.Peek(n)
		if buffered := in.Buffered(); buffered > len(head) {
			head, _ = in.Peek(buffered)
		}
		lower := strings.ToLower(string(head))
		if i := strings.Index(lower, "\r\nhost:"); i >= 0 {
			if line, _, ok := strings.Cut(lower[i+len("\r\nhost:"):], "\r\n"); ok {
				host, _, _ := strings.Cut(strings.TrimSpace(line), ":")
				return host
			}
		}
		if err != nil {
			return ""
		}
	}
	return ""
}

type peeked struct {
	net.Conn
	in *bufio.Reader
}

func (p *peeked) Read(b []byte) (int, error) { return p.in.Read(b) }

// recorder is a response that is sent in one piece.
type recorder struct {
	header http.Header
	status int
	body   []byte
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { r.body = append(r.body, p...); return len(p), nil }

func (r *recorder) write(w io.Writer) error {
	res := &http.Response{StatusCode: r.status, ProtoMajor: 1, ProtoMinor: 1, Header: r.header, ContentLength: int64(len(r.body)),
		Body: io.NopCloser(strings.NewReader(string(r.body)))}
	return res.Write(w)
}

func selfSigned(t testing.TB) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "lab"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12}
}
