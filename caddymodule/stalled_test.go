package caddymodule

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// stalled is a client that takes a little of a response and then nothing more until it goes.
type stalled struct {
	header http.Header
	taken  int
	waits  *sync.WaitGroup // until all have stopped taking
	gone   chan struct{}
	once   sync.Once
}

func (c *stalled) Header() http.Header { return c.header }
func (c *stalled) WriteHeader(int)     {}

func (c *stalled) Write(p []byte) (int, error) {
	if c.taken += len(p); c.taken < 48<<10 {
		return len(p), nil
	}
	c.once.Do(c.waits.Done)
	<-c.gone
	return 0, errors.New("the client has gone")
}

// endlessPage writes HTML in pieces of 32 KiB, as reverse_proxy does, until nobody takes it.
func endlessPage(coding string) caddyhttp.HandlerFunc {
	random := make([]byte, 48<<10) // more than a window of gzip sees, so that it does not shrink to nothing
	_, _ = rand.NewChaCha8([32]byte{1}).Read(random)
	text := bytes.ReplaceAll([]byte(base64.StdEncoding.EncodeToString(random)), []byte("/"), []byte("</a><a href=\"/page\">"))
	if coding == "gzip" {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		for range 16 {
			_, _ = z.Write(text)
		}
		_ = z.Close()
		text = b.Bytes()
	}
	return func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if coding != "" {
			w.Header().Set("Content-Encoding", coding)
		}
		for {
			for r := bytes.NewReader(text); r.Len() > 0; {
				if _, err := io.CopyN(struct{ io.Writer }{w}, r, min(32<<10, int64(r.Len()))); err != nil {
					return err
				}
			}
		}
	}
}

// memory is what heap and stacks hold, and how many goroutines there are.
func memory() (bytes int64, goroutines int) {
	for range 2 { // what a sync.Pool holds goes with the second collection
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse), runtime.NumGoroutine()
}

// TestStalledClients: what a client does not take is not gathered. For each of 1,000 clients (100 with -race) that stopped taking,
// the handler holds at most 64 KiB, whatever the length of the page, and with a coding on both sides the decoder's window as
// well. When they have gone, nothing is left.
func TestStalledClients(t *testing.T) {
	clients := 1000
	if raceEnabled {
		clients = 100
	}
	s := newServed(t, true)
	hold := func(coding string, past bool) int64 {
		s.next = endlessPage(coding)
		before, goroutines := memory()
		var waits, running sync.WaitGroup
		waits.Add(clients)
		gone := make(chan struct{})
		for range clients {
			running.Go(func() {
				w := &stalled{header: http.Header{}, waits: &waits, gone: gone}
				r := httptest.NewRequest(http.MethodGet, "https://site.test/path", nil)
				r.Header.Set("Sec-Fetch-Dest", "document")
				r.Header.Set("Accept-Encoding", "gzip")
				r = caddyhttp.PrepareRequest(r, caddy.NewReplacer(), w, nil)
				if past {
					_ = s.next.ServeHTTP(w, r)
					return
				}
				defer func() { _ = recover() }() // http.ErrAbortHandler, by which net/http ends a connection
				_ = s.handler.ServeHTTP(w, r, s.next)
			})
		}
		waits.Wait()
		during, _ := memory()
		close(gone)
		running.Wait()
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			after, left := memory()
			if left <= goroutines && after < before+(4<<20) {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("all have gone: %d goroutines of %d before, %d KiB more", left, goroutines, (after-before)>>10)
			}
		}
		return (during - before) / int64(clients) >> 10
	}
	plain := hold("", true)
	page, coded := hold("", false)-plain, hold("gzip", false)-plain
	t.Logf("beside %d KiB without it, the handler holds %d KiB for a page, %d KiB for one in gzip", plain, page, coded)
	if page > 64 {
		t.Errorf("the handler holds %d KiB a stream, want at most 64", page)
	}
	if coded > 64+160 {
		t.Errorf("the handler holds %d KiB a stream in gzip, want at most 224", coded)
	}
}
