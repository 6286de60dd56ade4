// Command gateway compares Caddy as a plain reverse proxy with Caddy and the consent firewall, end to end: the same
// binary, upstream, page and assets, in turns. See ../README.md.
package main

import (
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	binary = flag.String("caddy", filepath.Join("..", "..", "caddy"), "the binary to measure")
	corpus = flag.String("corpus", filepath.Join("..", "..", "..", "shared", "corpus"), "folder with dev/pages/")
	rounds = flag.Int("rounds", 5, "how often each is measured; the median counts")
	turn   = flag.Duration("turn", time.Second, "how long a measurement is, whole seconds")
	only   = flag.String("only", "", "a regular expression: the rows to measure")
)

const connections = 16

// page is a real page of medium size, with trackers.
const page = "parser_fixtures_obamawhitehouse.archives.gov.html"

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// row is one comparison: what plain Caddy does, and what Caddy with consent does.
type row struct {
	name         string
	plain, gated question
}

// question is what is asked of which site of a Caddy.
type question struct {
	path   string
	encode bool // the site that has encode in front
	gzip   bool // the client takes gzip
}

func rows(kib int) []row {
	same := func(name string, q question) row { return row{name, q, q} }
	html := fmt.Sprintf("HTML, %d KiB", kib)
	return []row{
		same("asset, 1 KiB", question{path: "/small.png"}),
		same("asset, 64 KiB", question{path: "/large.png"}),
		same(html, question{path: "/"}),
		same(html+", whose length the upstream does not tell", question{path: "/streamed"}),
		same(html+", `encode gzip` outside", question{path: "/", encode: true, gzip: true}),
		same(html+", whose length the upstream does not tell, `encode gzip` outside", question{path: "/streamed", encode: true, gzip: true}),
		same(html+", compressed by the upstream, which plain Caddy passes on", question{path: "/compressed", gzip: true}),
		{
			html + ", compressed by the upstream, against `encode gzip` in plain Caddy",
			question{path: "/", encode: true, gzip: true}, question{path: "/compressed", gzip: true},
		},
		{
			html + ", compressed by the upstream and `encode gzip` outside, against `encode gzip` in plain Caddy",
			question{path: "/", encode: true, gzip: true}, question{path: "/compressed", encode: true, gzip: true},
		},
	}
}

func run() error {
	wanted, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	html, err := os.ReadFile(filepath.Join(*corpus, "dev", "pages", page))
	if err != nil {
		return err
	}
	upstream := httptest.NewServer(site(html))
	defer upstream.Close()
	plain, err := startCaddy(strings.TrimPrefix(upstream.URL, "http://"), "")
	if err != nil {
		return err
	}
	defer plain.stop()
	gated, err := startCaddy(strings.TrimPrefix(upstream.URL, "http://"), "consent")
	if err != nil {
		return err
	}
	defer gated.stop()
	fmt.Printf("\n### Gateway: through Caddy, %d connections (%s)\n\n", connections, loader())
	fmt.Println("| | µs of CPU a request, plain | consent | ratio | requests per second, plain | consent | ratio | KB sent, plain | consent |\n|---|---|---|---|---|---|---|---|---|")
	for _, r := range rows(len(html) >> 10) {
		if wanted.MatchString(r.name) {
			if err := r.measure(plain, gated); err != nil {
				return err
			}
		}
	}
	return nil
}

// measure prints the row. Ratios are those of neighbouring turns, of which the median is the most robust to what else the
// machine does.
func (r row) measure(plain, gated *caddy) error {
	var cost, rate [3][]float64 // plain, consent, ratio
	for range *rounds {
		a, err := plain.measure(r.plain)
		if err != nil {
			return err
		}
		b, err := gated.measure(r.gated)
		if err != nil {
			return err
		}
		for i, v := range [...]float64{a.cost, b.cost, b.cost / a.cost} {
			cost[i] = append(cost[i], v)
		}
		for i, v := range [...]float64{a.rate, b.rate, b.rate / a.rate} {
			rate[i] = append(rate[i], v)
		}
	}
	sent, err := plain.size(r.plain)
	if err != nil {
		return err
	}
	sentGated, err := gated.size(r.gated)
	if err != nil {
		return err
	}
	fmt.Printf("| %s | %.0f | %.0f | %.2f | %.0f | %.0f | %.2f | %.1f | %.1f |\n", r.name,
		median(cost[0]), median(cost[1]), median(cost[2]), median(rate[0]), median(rate[1]), median(rate[2]), sent/1000, sentGated/1000)
	return nil
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// site serves a page, as it is and compressed, and two assets.
func site(html []byte) http.Handler {
	large := make([]byte, 64<<10)
	var compressed bytes.Buffer
	w := gzip.NewWriter(&compressed)
	_, _ = w.Write(html)
	_ = w.Close() // a buffer takes all
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, kind := html, "text/html; charset=utf-8"
		switch r.URL.Path {
		case "/small.png":
			body, kind = large[:1<<10], "image/png"
		case "/large.png":
			body, kind = large, "image/png"
		case "/compressed":
			body = compressed.Bytes()
			w.Header().Set("Content-Encoding", "gzip")
		}
		w.Header().Set("Content-Type", kind)
		if r.URL.Path == "/streamed" { // as most apps do; reverse_proxy flushes each piece of it
			for piece := range slices.Chunk(body, 8<<10) {
				_, _ = w.Write(piece)
			}
			return
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	})
}
