// Command gateway compares Caddy as a plain reverse proxy with Caddy and the consent firewall, end to end: the same
// upstream, the same page and asset, the same process, in turns. See ../README.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

var (
	caddy  = flag.String("caddy", filepath.Join("..", "..", "caddy"), "the binary to measure")
	corpus = flag.String("corpus", filepath.Join("..", "..", "..", "shared", "corpus"), "folder with dev/pages/")
	rounds = flag.Int("rounds", 5, "how often each is measured; the median counts")
	turn   = flag.Duration("turn", 2*time.Second, "how long a measurement is")
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

func run() error {
	html, err := os.ReadFile(filepath.Join(*corpus, "dev", "pages", page))
	if err != nil {
		return err
	}
	upstream := httptest.NewServer(site(html))
	defer upstream.Close()
	plain, gated, stop, err := startCaddy(strings.TrimPrefix(upstream.URL, "http://"))
	if err != nil {
		return err
	}
	defer stop()
	fmt.Printf("\n### Gateway: requests per second through Caddy, %d connections (%s)\n\n", connections, loader())
	fmt.Println("| | plain reverse_proxy | with consent | ratio |\n|---|---|---|---|")
	for _, c := range []struct{ name, path string }{
		{"asset, 1 KiB", "/small.png"}, {"asset, 64 KiB", "/large.png"}, {fmt.Sprintf("HTML, %d KiB", len(html)>>10), "/"},
	} {
		var without, with []float64
		for range *rounds {
			a, err := load(plain + c.path)
			if err != nil {
				return err
			}
			b, err := load(gated + c.path)
			if err != nil {
				return err
			}
			without, with = append(without, a), append(with, b)
		}
		a, b := median(without), median(with)
		fmt.Printf("| %s | %.0f | %.0f | %.2f |\n", c.name, a, b, b/a)
	}
	return nil
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// site serves a page and two assets.
func site(html []byte) http.Handler {
	large := make([]byte, 64<<10)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, kind := html, "text/html; charset=utf-8"
		switch r.URL.Path {
		case "/small.png":
			body, kind = large[:1<<10], "image/png"
		case "/large.png":
			body, kind = large, "image/png"
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	})
}

// startCaddy starts one Caddy with two sites in front of the upstream.
func startCaddy(upstream string) (plain, gated string, stop func(), err error) {
	folder, err := os.MkdirTemp("", "bench-gateway-")
	if err != nil {
		return "", "", nil, err
	}
	a, b := freeAddress(), freeAddress()
	config := fmt.Sprintf("{\n\tadmin off\n\tauto_https off\n\tstorage file_system %s\n\tlog {\n\t\tlevel ERROR\n\t}\n}\n"+
		"http://%s {\n\treverse_proxy %s\n}\nhttp://%s {\n\tconsent\n\treverse_proxy %s\n}\n", folder, a, upstream, b, upstream)
	file := filepath.Join(folder, "Caddyfile")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return "", "", nil, err
	}
	cmd := exec.Command(*caddy, "run", "--config", file, "--adapter", "caddyfile")
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+folder, "XDG_CONFIG_HOME="+folder)
	if err := cmd.Start(); err != nil {
		return "", "", nil, err
	}
	stop = func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		_ = os.RemoveAll(folder)
	}
	for range 100 {
		if c, err := net.Dial("tcp", b); err == nil {
			_ = c.Close()
			return "http://" + a, "http://" + b, stop, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	stop()
	return "", "", nil, fmt.Errorf("%s does not answer", *caddy)
}

func freeAddress() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func loader() string {
	if _, err := exec.LookPath("wrk"); err == nil {
		return "wrk"
	}
	return "a client in Go"
}

var rate = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)

// load returns how many requests per second the address answers, asked as a browser asks for a page or an image.
func load(url string) (float64, error) {
	dest := "document"
	if strings.HasSuffix(url, ".png") {
		dest = "image"
	}
	if loader() != "wrk" {
		return goLoad(url, dest)
	}
	out, err := exec.Command("wrk", "-t2", "-c", strconv.Itoa(connections), "-d", strconv.Itoa(max(1, int(turn.Seconds())))+"s",
		"-H", "Sec-Fetch-Dest: "+dest, "-H", "Sec-Fetch-Mode: navigate", url).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("wrk: %w: %s", err, out)
	}
	if strings.Contains(string(out), "Non-2xx") {
		return 0, fmt.Errorf("%s answers with errors:\n%s", url, out)
	}
	m := rate.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("wrk says no rate: %s", out)
	}
	return strconv.ParseFloat(string(m[1]), 64)
}

func goLoad(url, dest string) (float64, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true}}
	ctx, cancel := context.WithTimeout(context.Background(), *turn)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	answers := 0
	var failed error
	for range connections {
		wg.Go(func() {
			n, err := ask(ctx, client, url, dest)
			mu.Lock()
			defer mu.Unlock()
			answers += n
			if err != nil {
				failed = err
			}
		})
	}
	wg.Wait()
	return float64(answers) / turn.Seconds(), failed
}

// ask asks again and again until the context ends.
func ask(ctx context.Context, client *http.Client, url, dest string) (n int, err error) {
	for ctx.Err() == nil {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return n, err
		}
		req.Header.Set("Sec-Fetch-Dest", dest)
		resp, err := client.Do(req)
		if err != nil {
			return n, nil // the time is up
		}
		if _, err = io.Copy(io.Discard, resp.Body); err == nil {
			n++
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return n, fmt.Errorf("%s answers with %s", url, resp.Status)
		}
	}
	return n, nil
}
