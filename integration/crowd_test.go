package integration

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// TestCrowd: while many visitors open pages and the configuration changes again and again, each page that is answered is
// whole and gated, and afterwards there are no more goroutines than before and no configuration of before in memory.
// CONSENT_CROWD=2000 is the full size: so many visitors, twenty reloads, one a second. (Of so many more connections are lost
// than of a few, without this module as well: every sixth.)
func TestCrowd(t *testing.T) {
	visitors, reloads, pause := 100, 3, 200*time.Millisecond
	if n, err := strconv.Atoi(os.Getenv("CONSENT_CROWD")); err == nil {
		visitors, reloads, pause = n, 20, time.Second
	}
	page, load := reloadable(t, "1s")
	c := crowd{t: t, page: page + "/", visitors: visitors}
	settle := func() (goroutines int, heap int64) { return runtime.NumGoroutine(), heapInUse() }
	c.run(func() { time.Sleep(pause); load(1) }) // what the runtime and Caddy keep of so many visitors stays
	time.Sleep(2 * time.Second)                  // after which the upstream's connections are closed
	goroutinesBefore, heapBefore := settle()
	c.pages.Store(0)
	c.run(func() {
		for version := range reloads {
			time.Sleep(pause)
			load(version + 2)
		}
	})
	var goroutines int
	var heap int64
	if !lab.Soon(func() bool {
		goroutines, heap = settle()
		goroutines, heap = goroutines-goroutinesBefore, heap-heapBefore
		return goroutines <= 10 && heap < maxGrowth
	}) {
		stacks := make([]byte, 1<<20)
		t.Errorf("after %d reloads %d goroutines and %d KiB more than before:\n%s", reloads, goroutines, heap>>10, stacks[:runtime.Stack(stacks, true)])
	}
	t.Logf("%d visitors opened %d pages over %d reloads; %d connections lost; %d goroutines and %d KiB more than before", visitors, c.pages.Load(), reloads, c.lost.Load(), goroutines, heap>>10)
}

// reloadable runs a gateway whose connections to its upstream are kept as told, and returns its address and what loads it
// again with a policy version.
func reloadable(t *testing.T, keepalive string) (base string, load func(version int)) {
	t.Helper()
	up := httptest.NewServer(http.HandlerFunc(pageHandler))
	t.Cleanup(up.Close)
	dir := t.TempDir()
	t.Setenv("XDG_DATA_HOME", dir)
	caddy.DefaultStorage.Path = dir
	port := strconv.Itoa(lab.FreePort(t))
	load = func(version int) {
		text := fmt.Sprintf("{\n\tadmin off\n\tpersist_config off\n\tgrace_period 10s\n\tconsent {\n\t\tstore bolt %s/consent.db\n\t\tpolicy_version %d\n\t}\n\tlog {\n\t\tlevel PANIC\n\t}\n}\nhttp://:%s {\n\tconsent\n\treverse_proxy %s {\n\t\ttransport http {\n\t\t\tkeepalive %s\n\t\t}\n\t}\n}\n",
			dir, version, port, up.Listener.Addr(), keepalive)
		config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": "Caddyfile"})
		if err == nil {
			err = caddy.Load(config, true)
		}
		if err != nil {
			t.Error(err)
		}
	}
	load(0)
	t.Cleanup(func() { _ = caddy.Stop() })
	return "http://127.0.0.1:" + port, load
}

// crowd is many visitors who open a page again and again.
type crowd struct {
	t           *testing.T
	page        string
	visitors    int
	pages, lost atomic.Int64
}

// run lets the crowd visit while f runs.
func (c *crowd) run(f func()) {
	transport := &http.Transport{MaxIdleConnsPerHost: c.visitors}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: time.Minute}
	var visiting sync.WaitGroup
	stop := make(chan struct{})
	for range c.visitors {
		visiting.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := c.visit(client); err != nil {
					c.t.Error(err)
					return
				}
			}
		})
	}
	f()
	close(stop)
	visiting.Wait()
}

// visit opens the page. A connection that is lost while Caddy hands its listeners over is counted (TestReloadUnderLoad).
func (c *crowd) visit(client *http.Client) error {
	res, err := client.Get(c.page)
	if err != nil {
		c.lost.Add(1)
		return nil //nolint:nilerr // it is counted
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		return fmt.Errorf("a page with status %d ended early: %w", res.StatusCode, err)
	}
	if res.StatusCode != http.StatusOK || !gatedPage(string(body)) {
		return fmt.Errorf("a page got %d, or is not gated: %d bytes", res.StatusCode, len(body))
	}
	c.pages.Add(1)
	return nil
}
