package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"runtime"

	"github.com/caddy-consent/caddy-consent/rewrite/header"
	"github.com/caddy-consent/caddy-consent/rewrite/html"
)

// small measures what a response costs apart from its bytes: header, memory, the wait for the first byte.
func small(pages [][]byte, all *policy) error {
	fmt.Print("\n### Per response\n\n| | |\n|---|---|\n")
	edit := editTime(all)
	fmt.Printf("| header.Edit of 17 fields | %.2f µs, %.1f allocations |\n", edit.ns/1e3, edit.allocs)
	keep, peak := streamMemory(pages, all)
	fmt.Printf("| memory of a new rewriter that has read every page | %.1f KiB (with its policy's share) |\n", keep/1024)
	fmt.Printf("| the same after a page of 64 MiB | %.1f KiB |\n", peak/1024)
	n, err := firstChunk(pages, all)
	if err != nil {
		return err
	}
	fmt.Printf("| of the first 32 KiB, sent on before the second chunk is in | %.1f %% |\n", n*100)
	return nil
}

// typical is the header of a page of a shop.
func typical() http.Header {
	return http.Header{
		"Content-Type": {"text/html; charset=utf-8"}, "Cache-Control": {"max-age=0, private"}, "Server": {"nginx"},
		"Date": {"Tue, 05 May 2026 10:00:00 GMT"}, "Etag": {`W/"0123456789abcdef"`}, "Vary": {"Accept-Encoding, Cookie"},
		"X-Frame-Options": {"SAMEORIGIN"}, "X-Content-Type-Options": {"nosniff"}, "Referrer-Policy": {"strict-origin-when-cross-origin"},
		"Strict-Transport-Security": {"max-age=31536000"}, "X-Request-Id": {"b3c9e1"}, "X-Runtime": {"0.04"},
		"Link":                    {`</assets/app.css>; rel=preload; as=style, <https://cdn.example>; rel=preconnect`},
		"Set-Cookie":              {"session=0123456789; Path=/; HttpOnly; SameSite=Lax", "csrf=abcdef; Path=/"},
		"Content-Security-Policy": {"default-src 'self' https:; img-src * data:; script-src 'self' 'unsafe-inline' https://cdn.example"},
		"Report-To":               {`{"group":"default","max_age":86400,"endpoints":[{"url":"https://site.example/reports"}]}`},
		"Nel":                     {`{"report_to":"default","max_age":86400}`},
	}
}

type cost struct{ ns, allocs float64 }

func editTime(all *policy) (c cost) {
	h := typical()
	o := &header.Options{Policy: all, Resolve: base().Resolve}
	const edits = 2000
	e := &contender{pages: 1, read: func(int) {
		for range edits {
			header.Edit(h, o)
		}
	}}
	for range *rounds {
		_ = e.take(*turn / 4)
	}
	return cost{float64(e.sum) / edits, e.alloc / edits}
}

// streamMemory is the heap that one rewriter holds on to, after real pages and after a huge one.
func streamMemory(pages [][]byte, all *policy) (real, huge float64) {
	o := html.Options{Policy: all, Base: base(), Mark: mark}
	warm := html.NewRewriter(io.Discard, o) // what the policy keeps for all streams is there before
	read := func(r *html.Rewriter) {
		for _, p := range pages {
			r.Reset(io.Discard, o)
			stream(r, p)
			_ = r.Close()
		}
	}
	read(warm)
	before := heap()
	r := html.NewRewriter(io.Discard, o)
	read(r)
	real = heap() - before
	paragraph := bytes.Repeat([]byte(`<p class="text"><a href="/x">link</a> <img src="/i.png" alt=""> words and words </p>`+"\n"), 400)
	r.Reset(io.Discard, o)
	for n := 0; n < 64<<20; n += len(paragraph) {
		_, _ = r.Write(paragraph)
	}
	_ = r.Close()
	huge = heap() - before
	runtime.KeepAlive(r)
	runtime.KeepAlive(warm)
	return real, huge
}

func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// counter counts what it is given.
type counter struct{ n int }

func (c *counter) Write(p []byte) (int, error) { c.n += len(p); return len(p), nil }

// firstChunk returns which part of the first chunks has left the rewriter when nothing more has come.
func firstChunk(pages [][]byte, all *policy) (float64, error) {
	in, out := 0, 0
	for _, p := range pages {
		if len(p) <= chunk {
			continue
		}
		var c counter
		r := html.NewRewriter(&c, html.Options{Policy: all, Base: base(), Mark: mark})
		if _, err := r.Write(p[:chunk]); err != nil {
			return 0, err
		}
		in, out = in+chunk, out+min(c.n, chunk)
	}
	return float64(out) / float64(max(in, 1)), nil
}
