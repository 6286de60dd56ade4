package lab

import (
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/modules/standard" // the real Caddy, all of it

	_ "github.com/caddy-consent/caddy-consent/caddymodule" // the gateway
)

// FreePort returns a port that nobody listens on, over TCP or UDP, and that no other test, in this process or another, is
// given before this one ends: the port above it is held as a sign. Both lie below those that outgoing connections take.
func FreePort(t testing.TB) int {
	t.Helper()
	for range 1000 {
		port := 20_000 + 2*rand.IntN(5000)
		sign, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port+1))
		if err != nil {
			continue
		}
		if !free(":" + strconv.Itoa(port)) {
			_ = sign.Close()
			continue
		}
		t.Cleanup(func() { _ = sign.Close() })
		return port
	}
	t.Fatal("no port is free")
	return 0
}

func free(addr string) bool {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	_ = l.Close()
	p, err := net.ListenPacket("udp", addr)
	if err != nil {
		return false
	}
	return p.Close() == nil
}

// Caddy runs a Caddyfile in this process until the test ends, beside those of other tests: it does what caddy.Run does but
// for administration, and takes no other's place. In its text, "{store}" stands for a store path of its own, and the global
// options that a test needs go where "{global}" stands.
func Caddy(t testing.TB, text string) {
	t.Helper()
	dir := t.TempDir()
	text = strings.NewReplacer("{store}", filepath.Join(dir, "consent.db"), "{global}", "admin off\n\tpersist_config off\n\tstorage file_system "+dir).Replace(text)
	raw, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		t.Fatal(err)
	}
	var config caddy.Config
	if err := caddy.StrictUnmarshalJSON(raw, &config); err != nil {
		t.Fatal(err)
	}
	starting.Lock()
	defer starting.Unlock()
	ctx, err := caddy.ProvisionContext(&config)
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range caddy.GetModules("") {
		loaded, err := ctx.AppIfConfigured(string(module.ID))
		if err != nil {
			continue // not configured
		}
		app := loaded.(caddy.App)
		if err := app.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = app.Stop()
			if c, ok := app.(caddy.CleanerUpper); ok {
				starting.Lock()
				defer starting.Unlock()
				_ = c.Cleanup()
			}
		})
	}
}

// starting is held while a configuration starts, and while what it left is cleaned up: Caddy's certificates have defaults and a
// cache that are global, and the cache goes with the last of those that are known to use it.
var starting sync.Mutex

// Load runs a configuration in this process, in place of the one that runs, and returns once the old one takes no
// connection any more and no client of this process keeps one to it: Caddy ends its old servers in the background, and
// what waits in their listeners or idles is reset.
func Load(config []byte) error {
	if err := caddy.Load(config, true); err != nil {
		return err
	}
	for end := time.Now().Add(20 * time.Second); listensTwice() && time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
	}
	http.DefaultClient.CloseIdleConnections()
	return nil
}

// listensTwice reports whether this process has two sockets that listen on one address (SO_REUSEPORT), as during a reload.
// Where the system does not tell (proc(5)) it reports false.
func listensTwice() bool {
	own := map[string]bool{} // inodes
	links, _ := filepath.Glob("/proc/self/fd/*")
	for _, link := range links {
		if name, err := os.Readlink(link); err == nil && strings.HasPrefix(name, "socket:[") {
			own[strings.Trim(name, "socket:[]")] = true
		}
	}
	seen := map[string]bool{}
	for _, table := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		text, _ := os.ReadFile(table)
		for line := range strings.Lines(string(text)) {
			const local, state, inode, listening = 1, 3, 9, "0A"
			f := strings.Fields(line)
			if len(f) <= inode || f[state] != listening || !own[f[inode]] {
				continue
			}
			if seen[f[local]] {
				return true
			}
			seen[f[local]] = true
		}
	}
	return false
}

// Gateway puts the gateway in front of an upstream ("127.0.0.1:port") with the directive's text, such as "consent" or
// "consent strict", and returns its own address.
func Gateway(t testing.TB, upstream, directive, global string) string {
	t.Helper()
	addr := "127.0.0.1:" + strconv.Itoa(FreePort(t))
	Caddy(t, `{
	{global}
	consent {
		store bolt {store}
		`+global+`
	}
	log {
		level ERROR
	}
}
http://`+strings.Replace(addr, "127.0.0.1", "", 1)+` {
	encode
	`+directive+`
	reverse_proxy `+upstream+`
}
`)
	return addr
}
