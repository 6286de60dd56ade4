package integration

import (
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func init() {
	caddy.RegisterModule(careless{})
	httpcaddyfile.RegisterHandlerDirective("careless", func(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
		h.Next()
		return careless{}, nil
	})
	httpcaddyfile.RegisterDirectiveOrder("careless", httpcaddyfile.Before, "respond")
}

// careless is a third-party handler that writes the query's "ip" to Go's own loggers and then panics with it.
type careless struct{}

func (careless) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.careless", New: func() caddy.Module { return careless{} }}
}

func (careless) ServeHTTP(_ http.ResponseWriter, r *http.Request, _ caddyhttp.Handler) error {
	ip := r.URL.Query().Get("ip")
	log.Printf("careless: looking up %s", ip)
	slog.Error("careless: lookup failed", "remote", ip, "header", r.Header.Get("Referer"))
	panic("careless: no such visitor: " + ip)
}

// gatewayConfig names, in the environment, the Caddyfile that this test binary is to serve instead of testing.
const gatewayConfig = "LOGS_GATEWAY_CADDYFILE"

// TestLogsGatewayProcess is no test but the gateway of TestNoLogHoldsAnAddress: a process of its own, so that all that it
// ever writes, Go's run time included, can be read.
func TestLogsGatewayProcess(t *testing.T) {
	path := os.Getenv(gatewayConfig)
	if path == "" {
		return // only for the process that TestNoLogHoldsAnAddress starts
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt(text, map[string]any{"filename": path})
	if err != nil {
		t.Fatal(err)
	}
	if err := caddy.Load(config, true); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test closes it
	if err := caddy.Stop(); err != nil {
		t.Error(err)
	}
}

// logsCaddyfile has every sink of a log that Caddy knows. "{ours}", "{errors}", "{format}" and "{app}" are empty in the gateway that
// must leak.
const logsCaddyfile = `{
	admin 127.0.0.1:{admin}
	persist_config off
	skip_install_trust
	auto_https disable_redirects
	grace_period 1s
	storage file_system {dir}/caddy
	on_demand_tls {
		ask http://127.0.0.1:{upstream}/ask
	}
	servers {
		trusted_proxies static 0.0.0.0/0 ::/0
		client_ip_headers X-Forwarded-For X-Real-Ip
	}
	log {
		level DEBUG
		{format}
	}
	{app}
}
(site) {
	log_append appended {client_ip}
	log_append remote {remote_host}
	log_append forwarded {header.X-Forwarded-For}
	tracing /traced
	{ours}
	encode
	rewrite /old* /new{uri}
	handle /careless {
		careless
	}
	handle /dead {
		reverse_proxy 127.0.0.1:{dead}
	}
	handle /php {
		reverse_proxy 127.0.0.1:{dead} {
			transport fastcgi
		}
	}
	handle /auth {
		forward_auth 127.0.0.1:{upstream} {
			uri /ask?domain=logs.test
		}
		respond "authorised {client_ip}"
	}
	handle /template {
		templates
		header Content-Type text/plain
		respond "{{.RemoteIP}} {{.ClientIP}} {{.Req.RemoteAddr}}"
	}
	handle {
		reverse_proxy 127.0.0.1:{upstream}
	}
	handle_errors {
		{errors}
		respond "{err.status_code} {remote_host} {client_ip} {header.X-Forwarded-For}"
	}
}
http://:{http} {
	log
	import site
}
https://:{https} {
	tls {
		on_demand
		issuer internal
	}
	log {
		output file {dir}/tls.log
		level DEBUG
		{format}
	}
	import site
}
`

// upstream plays the legacy app, and the service that permits certificates. It keeps what it is told of the visitor in
// the fields that name one, and echoes that: apps do.
type upstream struct{ seen chan string }

// asked are the fields that the gateway passes on as they are: they hold what the visitor's browser says, not where it is.
var asked = []string{"Referer", "User-Agent", "X-Note", "X-Forwarded-Uri"}

func (u upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/ask" && r.Header.Get("X-Forwarded-For") == "" {
		if r.URL.Query().Get("domain") != "logs.test" {
			http.Error(w, "no", http.StatusForbidden)
		}
		return
	}
	h := r.Header.Clone()
	for _, name := range asked {
		h.Del(name)
	}
	var told strings.Builder
	_ = h.Write(&told)
	u.seen <- told.String()
	w.Header().Set("X-Your-Address", strings.Join(append(h["X-Forwarded-For"], h["Forwarded"]...), " / "))
	switch r.URL.Path {
	case "/abort":
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, "not a thousand bytes")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case "/slow":
		for range 20 {
			if _, err := io.WriteString(w, strings.Repeat("slow ", 20_000)); err != nil {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	case "/socket":
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Connection", "Upgrade")
		w.WriteHeader(http.StatusSwitchingProtocols)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = io.WriteString(conn, "frame")
			_ = conn.Close()
		}
	default:
		_, _ = io.WriteString(w, "hello "+told.String())
	}
}

// drain returns what was seen until now.
func (u upstream) drain() string {
	var all strings.Builder
	for {
		select {
		case s := <-u.seen:
			all.WriteString(s)
		default:
			return all.String()
		}
	}
}

// waitFor tries until the time is over.
func waitFor(ctx context.Context, try func() error) error {
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
