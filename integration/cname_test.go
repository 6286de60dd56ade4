package integration

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// nameserver answers with chains of aliases, a while after it is asked.
type nameserver struct {
	addr  string
	mu    sync.Mutex
	asked map[string]int
}

func newNameserver(t *testing.T, delay time.Duration, chains map[string][]string) *nameserver {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	s := &nameserver{addr: conn.LocalAddr().String(), asked: map[string]int{}}
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(b[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			name := strings.TrimSuffix(m.Questions[0].Name.String(), ".")
			s.mu.Lock()
			s.asked[name]++
			s.mu.Unlock()
			time.AfterFunc(delay, func() { _, _ = conn.WriteTo(reply(&m, chains[name]), from) })
		}
	}()
	return s
}

// reply makes the answer to a question: aliases, and an address at their end.
func reply(m *dnsmessage.Message, chain []string) []byte {
	m.Response, m.RecursionAvailable = true, true
	name := m.Questions[0].Name
	for _, next := range chain {
		n := dnsmessage.MustNewName(next + ".")
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: 1},
			Body: &dnsmessage.CNAMEResource{CNAME: n}})
		name = n
	}
	m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: 1},
		Body: &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}}})
	m.Additionals = nil
	b, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return b
}

const aliasPage = `<!DOCTYPE html><title>t</title><script src="https://declared.site.example/b/ss/a.js"></script><script src="https://metrics.site.example/b/ss/x/s.js"></script><script src="https://cdn.site.example/a.js"></script>
<script src="https://site.example/own.js"></script><a href="https://metrics.site.example/">m</a>`

// TestAliases: with cname, a sub-domain of the site that stands for a tracker is gated from the page after the first on;
// no page waits for the DNS, few questions are asked, and without the option none.
func TestAliases(t *testing.T) {
	t.Parallel()
	dns := newNameserver(t, 300*time.Millisecond, map[string][]string{
		"metrics.site.example": {"site.example.ssl.d1.sc.omtrdc.net", "data.elsewhere.example"}, "cdn.site.example": {"d111111abcdef8.cloudfront.net"},
		"declared.site.example": {"site.example.ssl.d1.sc.omtrdc.net"},
	})
	app := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, aliasPage)
	})
	up := httptest.NewServer(app)
	t.Cleanup(up.Close)
	gateway := func(options string) string {
		return lab.Gateway(t, strings.TrimPrefix(up.URL, "http://"), "consent {\nallow declared.site.example\n}", options)
	}
	visit := func(g string) string {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+g+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header, r.Host = navigate(), "site.example"
		return body(t, r)
	}
	const tracker = `<script src="https://metrics.site.example`
	without := gateway("")
	if page := visit(without); !strings.Contains(page, tracker) {
		t.Fatalf("gated without the option: %s", page)
	}
	dns.mu.Lock()
	if len(dns.asked) > 0 {
		t.Errorf("asked without the option: %v", dns.asked)
	}
	dns.mu.Unlock()
	g := gateway("cname " + dns.addr)
	if page := visit(g); !strings.Contains(page, tracker) {
		t.Errorf("gated before anybody was asked: %s", page)
	}
	eventually(t, "the alias to be gated", func() bool { return !strings.Contains(visit(g), tracker) })
	page := visit(g)
	for _, want := range []string{`<script src="https://cdn.site.example/a.js">`, `<script src="https://site.example/own.js">`, `<script src="https://declared.site.example/b/ss/a.js">`,
		`<a href="https://metrics.site.example/">`} {
		if !strings.Contains(page, want) {
			t.Errorf("what is no tracker is touched: no %s in %s", want, page)
		}
	}
	for range 50 {
		visit(g)
	}
	dns.mu.Lock()
	defer dns.mu.Unlock()
	if n := dns.asked["metrics.site.example"]; n == 0 || n > 3 || dns.asked["cdn.site.example"] > 3 || dns.asked["site.example"] > 0 || dns.asked["declared.site.example"] > 0 {
		t.Errorf("asked: %v", dns.asked)
	}
}
