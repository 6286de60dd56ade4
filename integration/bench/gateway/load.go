package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// figures are what one turn showed.
type figures struct {
	cost float64 // µs of CPU that Caddy used for a request
	rate float64 // requests per second
}

// measure asks the same again and again for a turn.
func (c *caddy) measure(q question) (figures, error) {
	before := c.spent()
	began := time.Now()
	n, err := load(c.url(q), q.header())
	if err == nil && n == 0 {
		err = fmt.Errorf("%s answered nothing", c.url(q))
	}
	if err != nil {
		return figures{}, err
	}
	return figures{(c.spent() - before) * 1e6 / float64(n), float64(n) / time.Since(began).Seconds()}, nil
}

func (c *caddy) url(q question) string {
	if q.encode {
		return c.encoding + q.path
	}
	return c.bare + q.path
}

// header is what a browser says that asks for a page or an image.
func (q question) header() http.Header {
	h := http.Header{"Sec-Fetch-Dest": {"document"}, "Sec-Fetch-Mode": {"navigate"}}
	if strings.HasSuffix(q.path, ".png") {
		h = http.Header{"Sec-Fetch-Dest": {"image"}, "Sec-Fetch-Mode": {"no-cors"}}
	}
	if q.gzip {
		h.Set("Accept-Encoding", "gzip")
	}
	return h
}

// size returns how many bytes of body one answer has on the wire.
func (c *caddy) size(q question) (float64, error) {
	n, err := ask(context.Background(), &http.Client{Transport: &http.Transport{DisableCompression: true}}, c.url(q), q.header())
	return float64(n), err
}

func loader() string {
	if _, err := exec.LookPath("wrk"); err == nil {
		return "wrk"
	}
	return "a client in Go"
}

var counted = regexp.MustCompile(`(\d+) requests in `)

// load returns how many requests were answered in a turn.
func load(url string, h http.Header) (int, error) {
	if loader() != "wrk" {
		return goLoad(url, h)
	}
	args := []string{"-t2", "-c", strconv.Itoa(connections), "-d", strconv.Itoa(max(1, int(turn.Seconds()))) + "s"}
	for name, values := range h {
		args = append(args, "-H", name+": "+values[0])
	}
	out, err := exec.Command("wrk", append(args, url)...).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("wrk: %w: %s", err, out)
	}
	if strings.Contains(string(out), "Non-2xx") {
		return 0, fmt.Errorf("%s answers with errors:\n%s", url, out)
	}
	m := counted.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("wrk says no count: %s", out)
	}
	return strconv.Atoi(string(m[1]))
}

func goLoad(url string, h http.Header) (int, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true}}
	ctx, cancel := context.WithTimeout(context.Background(), *turn)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	answers := 0
	var failed error
	for range connections {
		wg.Go(func() {
			n := 0
			for ctx.Err() == nil {
				if _, err := ask(ctx, client, url, h); err != nil && ctx.Err() == nil {
					mu.Lock()
					failed = err
					mu.Unlock()
					return
				}
				n++
			}
			mu.Lock()
			answers += n
			mu.Unlock()
		})
	}
	wg.Wait()
	return answers, failed
}

// ask takes one answer and returns how long its body is.
func ask(ctx context.Context, client *http.Client, url string, h http.Header) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	req.Header = h.Clone()
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%s answers with %s", url, resp.Status)
	}
	return io.Copy(io.Discard, resp.Body)
}
