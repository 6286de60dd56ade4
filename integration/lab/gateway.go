package lab

import (
	"math/rand/v2"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

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
