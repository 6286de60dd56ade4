// Package anonymize keeps visitors' addresses out of logs and away from whatever comes behind: the handler anonymize_ip, the
// log encoder anonymize, and the stream of Go's own loggers.
//
// It works without the consent app. An address is masked wherever it stands in a finished line, whoever wrote it; only what
// Own marks, an address of the operator's own, stays whole.
package anonymize

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-consent/caddy-consent/rewrite/ipmask"
)

func init() {
	caddy.RegisterModule(new(IP))
	httpcaddyfile.RegisterHandlerDirective("anonymize_ip", parseAnonymizeIP)
	httpcaddyfile.RegisterDirectiveOrder("anonymize_ip", httpcaddyfile.Before, "tracing")
}

// IP masks the client's address before anything else sees the request: in the peer address, in Caddy's
// client_ip and in every forwarding header. Later matchers, rate limiters and the app behind see the masked address.
type IP struct {
	// V4 is how many leading bits of an IPv4 address are kept, at most 24. Default: 24.
	V4 int `json:"ipv4_bits,omitempty"`
	// V6 is how many leading bits of an IPv6 address are kept, at most 48. Default: 48.
	V6 int `json:"ipv6_bits,omitempty"`

	masker ipmask.Masker
}

// CaddyModule returns the handler's ID.
func (*IP) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.anonymize_ip", New: func() caddy.Module { return new(IP) }}
}

// Provision checks the bits.
func (a *IP) Provision(caddy.Context) (err error) {
	RedirectStdlib()
	a.masker, err = masker(a.V4, a.V6)
	return err
}

// Bits that are kept of addresses unless fewer are asked for.
const (
	defaultV4 = 24
	defaultV6 = 48
)

// masker returns a Masker that keeps so many bits, 0 meaning the default. Keeping more than the default would leave an
// address that tells one household from another.
func masker(v4, v6 int) (ipmask.Masker, error) {
	v4, v6 = cmp.Or(v4, defaultV4), cmp.Or(v6, defaultV6)
	if v4 < 0 || v4 > 24 || v6 < 0 || v6 > 48 {
		return ipmask.Masker{}, fmt.Errorf("%d and %d bits do not anonymize: keep 1 to 24 bits of IPv4 and 1 to 48 bits of IPv6 addresses", v4, v6)
	}
	return ipmask.New(v4, v6)
}

// ServeHTTP masks and passes on.
func (a *IP) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	r.RemoteAddr = a.maskHostPort(r.RemoteAddr)
	// Before error routes, Caddy puts back the address it remembered when the request came in.
	if orig, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request); ok {
		orig.RemoteAddr = r.RemoteAddr
		*r = *r.WithContext(context.WithValue(r.Context(), caddyhttp.OriginalRequestCtxKey, orig))
	}
	if ip, ok := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string); ok {
		caddyhttp.SetVar(r.Context(), caddyhttp.ClientIPVarKey, a.maskHost(ip))
	}
	ipmask.Headers(r.Header, a.masker)
	caddyhttp.SetVar(r.Context(), keptVar, [2]int{cmp.Or(a.V4, defaultV4), cmp.Or(a.V6, defaultV6)})
	return next.ServeHTTP(w, r)
}

// keptVar is the request variable in which anonymize_ip says how much of the address it left: [2]int, of IPv4 and IPv6.
const keptVar = "http.consent.kept_bits"

// KeptBits returns how many leading bits of the client's address are its own: all, or what anonymize_ip left.
func KeptBits(r *http.Request, addr netip.Addr) int {
	kept, ok := caddyhttp.GetVar(r.Context(), keptVar).([2]int)
	switch {
	case !ok:
		return addr.BitLen()
	case addr.Is6():
		return kept[1]
	}
	return kept[0]
}

// maskHostPort masks "address:port" and sets the port to 0: with the prefix, it would tell connections apart.
func (a *IP) maskHostPort(s string) string {
	ap, err := netip.ParseAddrPort(s)
	if err != nil {
		return a.maskHost(s)
	}
	return netip.AddrPortFrom(a.masker.Mask(ap.Addr()), 0).String()
}

func (a *IP) maskHost(s string) string {
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return string(a.masker.Append(nil, []byte(s)))
	}
	return a.masker.Mask(addr).String()
}

// parseAnonymizeIP reads: anonymize_ip [matcher] [V4BITS [V6BITS]].
func parseAnonymizeIP(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	h.Next()
	a := new(IP)
	if err := parseBits(h.Dispenser, &a.V4, &a.V6); err != nil {
		return nil, err
	}
	if h.NextBlock(0) {
		return nil, h.Errf("anonymize_ip takes no block, and so no option %q", h.Val())
	}
	return a, nil
}

func parseBits(d *caddyfile.Dispenser, v4, v6 *int) error {
	args := d.RemainingArgs()
	for i, to := range []*int{v4, v6} {
		if i >= len(args) {
			break
		}
		n, err := strconv.Atoi(args[i])
		if err != nil || n < 1 {
			return d.Errf("%q is no number of bits: anonymize_ip 24 48 keeps 24 bits of IPv4 and 48 of IPv6 addresses", args[i])
		}
		*to = n
	}
	if len(args) > 2 {
		return d.Errf("%q is one argument too many: give the bits to keep of IPv4 and of IPv6 addresses", args[2])
	}
	if _, err := masker(*v4, *v6); err != nil {
		return d.Err(err.Error())
	}
	return nil
}

var (
	_ caddyhttp.MiddlewareHandler = (*IP)(nil)
	_ caddy.Provisioner           = (*IP)(nil)
)
