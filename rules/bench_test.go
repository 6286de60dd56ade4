package rules

import (
	"slices"
	"testing"
	"time"
)

// BenchmarkMatch judges the requests of real pages by the catalogue alone: one operation is one request.
func BenchmarkMatch(b *testing.B) {
	s := builtin(b, Options{})
	requests := pageRequests(b)
	b.ReportAllocs()
	i, gated := 0, 0
	report := cpuTime(b)
	for b.Loop() {
		if _, ok := s.Match(&requests[i].request, Context{}); ok {
			gated++
		}
		if i++; i == len(requests) {
			i = 0
		}
	}
	report()
	times := make([]time.Duration, len(requests))
	for i := range requests {
		start := time.Now()
		s.Match(&requests[i].request, Context{})
		times[i] = time.Since(start)
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)*99/100]), "p99-ns/op")
}

func BenchmarkCookie(b *testing.B) {
	s := builtin(b, Options{})
	names := [][]byte{[]byte("_ga"), []byte("PHPSESSID"), []byte("_hjSessionUser_123"), []byte("_pk_id.1.abcd"), []byte("theme")}
	b.ReportAllocs()
	defer cpuTime(b)()
	i := 0
	for b.Loop() {
		s.Cookie(names[i%len(names)])
		i++
	}
}

// BenchmarkScriptSeen judges a script that was judged before.
func BenchmarkScriptSeen(b *testing.B) {
	s := builtin(b, Options{})
	text := []byte(analyticsScript)
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, ok := s.Script(text, Context{}); !ok {
			b.Fatal("not recognised")
		}
	}
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	defer cpuTime(b)()
	for b.Loop() {
		builtin(b, Options{})
	}
}

func BenchmarkFirstParty(b *testing.B) {
	s := builtin(b, Options{})
	body := []byte(`{"items":[{"id":1,"name":"shirt"},{"id":2,"name":"hat"}],"total":"12.00","address":{"city":"Bonn"}}`)
	b.ReportAllocs()
	defer cpuTime(b)()
	for b.Loop() {
		s.FirstParty("POST", "/api/cart/update", "v=3&lang=de", "application/json", body)
	}
}
