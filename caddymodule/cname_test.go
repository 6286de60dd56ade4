package caddymodule

import (
	"fmt"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// TestAliasBounds: however many names pages make up, few are remembered, and nobody waits.
func TestAliasBounds(t *testing.T) {
	a, err := newAliases(&CNAME{Resolver: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 * maxAliases {
		if got := a.of(fmt.Appendf(nil, "n%d.site.example", n)); got != nil {
			t.Fatal(got)
		}
	}
	if len(a.known) != maxAliases || len(a.asks) != maxAsked {
		t.Errorf("%d names are remembered, %d are to be looked up", len(a.known), len(a.asks))
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
			if !sourceHost([]byte(n)) {
				t.Errorf("%q", n)
			}
		}
	})
}
