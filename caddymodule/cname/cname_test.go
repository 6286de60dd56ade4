package cname

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/caddy-consent/caddy-consent/rewrite/header"
)

// TestAliasBounds: however many names pages make up, few are remembered, and nobody waits.
func TestAliasBounds(t *testing.T) {
	a, err := New("127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 * maxAliases {
		if got := a.Of(fmt.Appendf(nil, "n%d.site.example", n), false); got != nil {
			t.Fatal(got)
		}
	}
	if len(a.known) != maxAliases || len(a.asks) != maxAsked {
		t.Errorf("%d names are remembered, %d are to be looked up", len(a.known), len(a.asks))
	}
}

// TestInventedNames: whoever invents sub-domains neither keeps those that pages name from being looked up, nor makes the
// gateway forget what they stand for.
func TestInventedNames(t *testing.T) {
	a, err := New("127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	a.put("known.site.example", alias{targets: []string{"t.tracker.example"}, until: time.Now().Add(-time.Second)})
	sum := a.sum.Load()
	for n := range 3 * maxAliases {
		a.Of(fmt.Appendf(nil, "n%d.site.example", n), true)
		if n%2 == 0 && len(a.asks) > 1 { // answered meanwhile: with a wildcard, they all stand for something
			name := <-a.asks
			one := a.known[name]
			one.targets = []string{"shops.hoster.example"}
			a.put(name, one)
		}
	}
	if len(a.known) > maxAliases || len(a.asks) > maxAsked/2 {
		t.Errorf("%d names are remembered, %d are to be looked up", len(a.known), len(a.asks))
	}
	if got := a.Of([]byte("known.site.example"), false); len(got) != 1 {
		t.Error("what a name stands for is forgotten")
	}
	a.Of([]byte("new.site.example"), false)
	var last string
	for len(a.asks) > 0 {
		last = <-a.asks
	}
	if last != "new.site.example" {
		t.Error("a name in a page is not looked up")
	}
	for name := range a.known {
		if name != "known.site.example" {
			a.put(name, alias{})
		}
	}
	if a.sum.Load() != sum {
		t.Error("the sum is not that of what is known")
	}
}

// TestNameServerFails: while no name server answers, what is known counts, and is asked again soon.
func TestNameServerFails(t *testing.T) {
	a, err := New("127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	host := []byte("metrics.site.example")
	a.put(string(host), alias{targets: []string{"t.tracker.example"}, until: time.Now().Add(-time.Second)})
	a.Of(host, false)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	a.Run(ctx)
	if len(a.asks) > 0 {
		t.Fatal("not looked up")
	}
	one := a.known[string(host)]
	if left := time.Until(one.until); len(one.targets) != 1 || left > retry {
		t.Errorf("%v, for %s", one.targets, left)
	}
}

// TestForgedAnswer: an answer counts only under the number of the question (RFC 5452, 4.3).
func TestForgedAnswer(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(b[:n]) != nil {
				return
			}
			head := dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Class: dnsmessage.ClassINET, TTL: 300}
			answer := func(id uint16, body dnsmessage.ResourceBody) {
				a := dnsmessage.Message{Header: dnsmessage.Header{ID: id, Response: true, RecursionAvailable: true}, Questions: m.Questions,
					Answers: []dnsmessage.Resource{{Header: head, Body: body}}}
				if packed, err := a.Pack(); err == nil {
					_, _ = conn.WriteTo(packed, from)
				}
			}
			answer(m.ID+1, &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName("forged.example.")})
			answer(m.ID, &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}})
		}
	}()
	a, err := New(conn.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	if targets, _, ok := a.lookup(t.Context(), "cdn.site.example"); !ok || len(targets) > 0 {
		t.Errorf("%v %v", targets, ok)
	}
}

// FuzzAliasAnswer: no answer of a name server does harm.
func FuzzAliasAnswer(f *testing.F) {
	m := dnsmessage.Message{Answers: []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName("a.example."), Class: dnsmessage.ClassINET},
		Body: &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName("b.example.")}}}}
	b, err := m.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, message []byte) {
		var s answers
		s.note(message)
		for _, n := range s.names {
			if !header.IsHostSource([]byte(n)) {
				t.Errorf("%q", n)
			}
		}
	})
}
