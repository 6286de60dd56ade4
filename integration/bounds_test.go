package integration

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// boundCodings are the content codings that the gateway undoes, and what encodes them. The window of zstd is the largest that
// browsers take (RFC 9659).
var boundCodings = map[string]func(io.Writer) io.WriteCloser{
	"":     func(w io.Writer) io.WriteCloser { return plainCoding{w} },
	"gzip": func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
	"br":   func(w io.Writer) io.WriteCloser { return brotli.NewWriterLevel(w, 5) },
	"zstd": func(w io.Writer) io.WriteCloser { return zstdWriter(w, 8<<20) },
}

type plainCoding struct{ io.Writer }

func (plainCoding) Close() error { return nil }

func zstdWriter(w io.Writer, window int) io.WriteCloser {
	e, err := zstd.NewWriter(w, zstd.WithWindowSize(window), zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err)
	}
	return e
}

// boundsGateway puts the gateway in front of a handler; no connection is kept that would count among the goroutines.
func boundsGateway(t *testing.T, h http.HandlerFunc) (get func() (*http.Response, error)) {
	t.Helper()
	upstream := httptest.NewUnstartedServer(h)
	upstream.Config.SetKeepAlivesEnabled(false)
	upstream.Start()
	t.Cleanup(upstream.Close)
	gateway := lab.Gateway(t, strings.TrimPrefix(upstream.URL, "http://"), "consent", "")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}
	return func() (*http.Response, error) {
		r, err := http.NewRequest(http.MethodGet, "http://"+gateway+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", "text/html")
		return client.Do(r)
	}
}

// settled waits until no more goroutines run than before.
func settled(t *testing.T, before int) {
	t.Helper()
	if !lab.Soon(func() bool { return runtime.NumGoroutine() <= before }) {
		stacks := make([]byte, 1<<20)
		t.Errorf("%d goroutines before, %d after\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
	}
}

// While one endless attribute passes, in any coding, the gateway holds no more than its window and 2 MiB; and when the
// visitor leaves in the middle of it, nothing of the exchange is left.
func TestBoundsWhenTheVisitorLeaves(t *testing.T) {
	size := 8 << 20
	if os.Getenv("REWRITE_HUGE") != "" {
		size = 64 << 20
	}
	sent := make(chan struct{})
	coding := ""
	var piece []byte // what stands for size bytes of the attribute
	get := boundsGateway(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if coding != "" {
			w.Header().Set("Content-Encoding", coding)
		}
		_, _ = w.Write(piece)
		_ = http.NewResponseController(w).Flush()
		sent <- struct{}{}
		<-r.Context().Done()
	})
	for name, encode := range boundCodings {
		t.Run("coding "+name, func(t *testing.T) {
			coding = name
			var doc bytes.Buffer
			e := encode(&doc)
			_, _ = io.WriteString(e, `<!DOCTYPE html><body><img alt="`)
			same := []byte(strings.Repeat("alternative ", 1<<10))
			for n := 0; n < size; n += len(same) {
				_, _ = e.Write(same)
			}
			if f, ok := e.(interface{ Flush() error }); ok {
				_ = f.Flush()
			}
			piece = doc.Bytes()
			goroutines := runtime.NumGoroutine()
			before := heap()
			res, err := get()
			if err != nil {
				t.Fatal(err)
			}
			read, rest := int64(0), io.Reader(res.Body)
			for read < int64(size) { // all that the upstream sent has come through
				n, err := io.CopyN(io.Discard, rest, 1<<16)
				if read += n; err != nil {
					t.Fatal(read, err)
				}
			}
			<-sent
			window := 0
			if name != "" {
				window = 8 << 20
			}
			if held := heap() - before; held > window+2<<20 {
				t.Errorf("%d bytes held", held)
			}
			_ = res.Body.Close()
			settled(t, goroutines)
		})
	}
}

// heap is what is in use, garbage aside.
func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// A page whose upstream goes away in the middle, and one that unfolds beyond all bounds, does not end as if it were
// whole, and leaves no goroutine.
func TestBoundsWhenTheUpstreamFails(t *testing.T) {
	coding, bomb, failing := "", []byte(nil), false
	get := boundsGateway(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if coding != "" {
			w.Header().Set("Content-Encoding", coding)
		}
		_, _ = w.Write(bomb)
		if failing {
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
	})
	try := func(t *testing.T) {
		t.Helper()
		goroutines := runtime.NumGoroutine()
		res, err := get()
		if err != nil {
			settled(t, goroutines)
			return // not even a header
		}
		n, err := io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if err == nil && res.StatusCode == http.StatusOK {
			t.Errorf("ended well after %d bytes", n)
		}
		if most := int64(8<<20 + 201*len(bomb) + 1<<20); n > most {
			t.Errorf("%d bytes came through, of %d", n, len(bomb))
		}
		settled(t, goroutines)
	}
	page := []byte("<!DOCTYPE html><body>" + strings.Repeat("<p>some text</p>", 10000))
	for name, encode := range boundCodings {
		t.Run("upstream gone, coding "+name, func(t *testing.T) {
			var doc bytes.Buffer
			e := encode(&doc)
			_, _ = e.Write(page)
			_ = e.Close()
			coding, bomb, failing = name, doc.Bytes()[:doc.Len()/2], true
			try(t)
		})
	}
	failing = false
	bombs := map[string]func(io.Writer) io.WriteCloser{"deflate": func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
		"gzip": boundCodings["gzip"], "br": boundCodings["br"], "zstd": boundCodings["zstd"],
		"zstd wide": func(w io.Writer) io.WriteCloser { return zstdWriter(w, 64<<20) }}
	for name, encode := range bombs {
		t.Run(fmt.Sprintf("bomb %q", name), func(t *testing.T) {
			var doc bytes.Buffer
			e := encode(&doc)
			same := bytes.Repeat([]byte("<b>"), 1<<18)
			for n := 0; n < 32<<20; n += len(same) {
				if _, err := e.Write(same); err != nil {
					t.Fatal(err)
				}
			}
			_ = e.Close()
			coding, bomb = strings.TrimSuffix(name, " wide"), doc.Bytes()
			try(t)
		})
	}
}
