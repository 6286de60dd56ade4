package caddymodule

import (
	"fmt"
	"net"
	"net/http"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
)

// TestAdminAfterFailedReload: Caddy's admin API belongs to the configuration that was tried last, even to one that could not
// be provisioned or started; what it tells and does is about the one that runs.
func TestAdminAfterFailedReload(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	admin := free.Addr().String()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	_ = free.Close()
	load := func(global, listen string) error {
		text := fmt.Sprintf("{\n\tadmin %s\n\tpersist_config off\n\tconsent {\n%s\n\t}\n}\nhttp://%s {\n\tconsent {\n\t\tsite shop\n\t}\n}\n", admin, global, listen)
		config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": "Caddyfile"})
		if err != nil {
			t.Fatal(err)
		}
		return caddy.Load(config, true)
	}
	status := func() int {
		res, err := http.Get("http://" + admin + "/consent/status") //nolint:noctx // a test
		for range 20 {                                              // a listener that closes resets who waits at it
			if err == nil {
				break
			}
			res, err = http.Get("http://" + admin + "/consent/status") //nolint:noctx // a test
		}
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		return res.StatusCode
	}
	if err := load("", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = caddy.Stop() }()
	for what, try := range map[string]func() error{
		"not provisioned": func() error { return load("rules list /no/such/list.txt", "127.0.0.1:0") },
		"not started":     func() error { return load("", taken.Addr().String()) },
	} {
		if err := try(); err == nil {
			t.Fatalf("%s: the configuration was loaded", what)
		}
		if code := status(); code != http.StatusOK {
			t.Errorf("%s: the admin API answers %d", what, code)
		}
	}
	if err := load("", "127.0.0.1:0"); err != nil || status() != http.StatusOK {
		t.Errorf("reload: %v, %d", err, status())
	}
}
