package command

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/spf13/cobra"

	"github.com/caddy-consent/caddy-consent/caddymodule/demo"
)

// proxyFlags are the flags of `caddy consent proxy`.
type proxyFlags struct {
	from, to, data, mode, admin string
	shop                        bool // no site was named: the demonstration
}

func newProxy() *cobra.Command {
	var f proxyFlags
	var show bool
	cmd := newCommand("proxy [--from ADDR] [--to URL]", "Put the gateway in front of a site, without a configuration file",
		`Serves the site named by --to with the consent firewall in front. Without --to it serves a built-in demonstration: a
small shop full of trackers, and the gateway in front of it.`,
		func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 { // not the demonstration, which --to is missing for
				return UsageError("proxy takes no argument %q: name the site with --to", args[0])
			}
			if f.from != "" && strings.Trim(f.from, "0123456789") == "" {
				f.from = ":" + f.from // a port, no host of that name
			}
			if show {
				if f.shop = f.to == ""; f.shop {
					f.to = "127.0.0.1:9000" // the demonstration takes a free port
				}
				text, err := f.caddyfile()
				_, _ = io.WriteString(cmd.OutOrStdout(), text)
				return err
			}
			return f.run(cmd.OutOrStdout())
		})
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", ":8080", "address to listen on; a host name turns on automatic HTTPS")
	flags.StringVar(&f.to, "to", "", "the site: http://host:port, https://host or host:port (default: the demonstration)")
	flags.StringVar(&f.data, "data", "consent-data", "folder for the records of consent")
	flags.StringVar(&f.mode, "mode", "enforce", "enforce, report or strict")
	flags.StringVar(&f.admin, "admin", "", "address of the admin API, which records and report use; off for none (default localhost:2019, if it is free)")
	flags.BoolVar(&show, "print", false, "print the Caddyfile that the flags stand for, and end")
	return cmd
}

// run serves until the process ends.
func (f proxyFlags) run(out io.Writer) error {
	if f.shop = f.to == ""; f.shop {
		addr, err := serveDemo()
		if err != nil {
			return fmt.Errorf("starting the demonstration shop: %w", err)
		}
		f.to = "http://" + addr
	}
	f.admin = f.adminAddress()
	text, err := f.caddyfile()
	if err != nil {
		return err
	}
	cfg, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		return err
	}
	if err := caddy.Load(cfg, true); err != nil {
		return err
	}
	f.summary(out)
	if f.shop {
		_, _ = io.WriteString(out, `
  Look at both with the browser's network panel open. Behind the gateway no tracker is contacted and no tracking cookie
  is set until you agree; the video, the map and the social buttons have a placeholder; the chat and the counters are
  silent. Agree, and all of them load in place, without a reload. /checkout keeps its payment form throughout.
`)
	}
	_, _ = io.WriteString(out, "\n  Stop with Ctrl-C.\n\n")
	select {}
}

// summary tells where everything is.
func (f proxyFlags) summary(out io.Writer) {
	at := f.address()
	to, _, _ := f.upstream()
	admin := f.admin + ", for the commands records, report and link"
	if f.admin == adminOff {
		admin = "off, and so are the commands records, report and link; name a free address with --admin localhost:2020"
	}
	fmt.Fprintf(out, "\n  gateway            %s\n  the site behind it %s\n  preference centre  %s/.consent/\n  records            %s\n  admin API          %s\n", at, to, at, f.data, admin)
}

// caddyfile returns the configuration that the flags stand for.
func (f proxyFlags) caddyfile() (string, error) {
	if !slices.Contains([]string{"enforce", "report", "strict"}, f.mode) {
		return "", UsageError("--mode %q: use enforce, report or strict", f.mode)
	}
	to, external, err := f.upstream()
	if err != nil {
		return "", err
	}
	store, err := filepath.Abs(filepath.Join(f.data, "consent.db"))
	if err != nil {
		return "", err
	}
	host := ""
	if external {
		host = " {\n\t\theader_up Host {upstream_hostport}\n\t}"
	}
	return fmt.Sprintf(`{
	admin %s
	persist_config off
	consent {
		store bolt %q
	}
	log {
		level WARN
		format anonymize
	}%s
}
%s {
	anonymize_ip
	encode
	consent %s
	reverse_proxy %s%s
}
`, f.adminAddress(), store, f.protocols(), f.siteAddress(), f.mode, to, host), nil
}

// protocols says that a server without a certificate speaks HTTP/1.1 alone, which Caddy would warn of otherwise.
func (f proxyFlags) protocols() string {
	if !strings.HasPrefix(f.siteAddress(), "http://") {
		return ""
	}
	return "\n\tservers {\n\t\tprotocols h1\n\t}"
}

// adminOff is what a Caddyfile says where there is to be no admin API.
const adminOff = "off"

// adminAddress is where the admin API listens. The default one may be another Caddy's: then there is none here.
func (f proxyFlags) adminAddress() string {
	if f.admin != "" {
		return f.admin
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", caddy.DefaultAdminListen)
	if err != nil {
		return adminOff
	}
	_ = l.Close()
	return caddy.DefaultAdminListen
}

// upstream returns the address to forward to, and whether the site is to be asked for under its own name.
func (f proxyFlags) upstream() (to string, external bool, err error) {
	raw := f.to
	if !strings.Contains(raw, "://") {
		raw = "http://" + raw
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Path != "" && u.Path != "/" || u.RawQuery != "" {
		return "", false, UsageError("--to %q is no address of a site: use http://host:port or https://host", f.to)
	}
	return u.Scheme + "://" + u.Host, u.Scheme == "https", nil
}

// siteAddress is what a Caddyfile takes: without a host name there is no certificate, so it is plain HTTP.
func (f proxyFlags) siteAddress() string {
	a, err := httpcaddyfile.ParseAddress(f.from)
	if err == nil && a.Scheme == "" && (a.Host == "" || net.ParseIP(a.Host) != nil) {
		return "http://" + f.from
	}
	return f.from
}

// address is what a browser on this machine takes.
func (f proxyFlags) address() string {
	return strings.Replace(f.siteAddress(), "http://:", "http://localhost:", 1)
}

// serveDemo serves the built-in shop on a free port of the loopback interface and returns its address.
func serveDemo() (string, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	srv := &http.Server{Handler: demo.Handler(), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = srv.Serve(l) }()
	return l.Addr().String(), nil
}
