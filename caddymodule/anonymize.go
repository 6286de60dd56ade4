package caddymodule

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/logging"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"

	"github.com/caddy-consent/caddy-consent/rewrite/ipmask"
)

func init() {
	caddy.RegisterModule(new(AnonymizeIP))
	caddy.RegisterModule(new(AnonymizeEncoder))
}

// AnonymizeIP masks the client's address before anything else sees the request: in the peer address, in Caddy's
// client_ip and in every forwarding header. Later matchers, rate limiters and the app behind see the masked address.
type AnonymizeIP struct {
	// V4 is how many leading bits of an IPv4 address are kept, at most 24. Default: 24.
	V4 int `json:"ipv4_bits,omitempty"`
	// V6 is how many leading bits of an IPv6 address are kept, at most 48. Default: 48.
	V6 int `json:"ipv6_bits,omitempty"`

	masker ipmask.Masker
}

// CaddyModule returns the handler's ID.
func (*AnonymizeIP) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.anonymize_ip", New: func() caddy.Module { return new(AnonymizeIP) }}
}

// Provision checks the bits.
func (a *AnonymizeIP) Provision(caddy.Context) (err error) {
	redirectStdlib()
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
func (a *AnonymizeIP) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
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

// maskHostPort masks "address:port" and sets the port to 0: with the prefix, it would tell connections apart.
func (a *AnonymizeIP) maskHostPort(s string) string {
	ap, err := netip.ParseAddrPort(s)
	if err != nil {
		return a.maskHost(s)
	}
	return netip.AddrPortFrom(a.masker.Mask(ap.Addr()), 0).String()
}

func (a *AnonymizeIP) maskHost(s string) string {
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return string(a.masker.Append(nil, []byte(s)))
	}
	return a.masker.Mask(addr).String()
}

// parseAnonymizeIP reads: anonymize_ip [matcher] [V4BITS [V6BITS]].
func parseAnonymizeIP(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	h.Next()
	a := new(AnonymizeIP)
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

// AnonymizeEncoder is a log encoder that masks every IP address in the finished line of another encoder: in fields,
// messages, stacks and headers alike. Only the addresses of the store and of services that are asked, which the gateway itself
// names from its configuration when they fail, stay whole.
type AnonymizeEncoder struct {
	// WrappedRaw is the encoder whose lines are masked. Default: json; console on a terminal.
	WrappedRaw json.RawMessage `json:"wrap,omitempty" caddy:"namespace=caddy.logging.encoders inline_key=format"`
	// V4 is how many leading bits of an IPv4 address are kept, at most 24. Default: 24.
	V4 int `json:"ipv4_bits,omitempty"`
	// V6 is how many leading bits of an IPv6 address are kept, at most 48. Default: 48.
	V6 int `json:"ipv6_bits,omitempty"`

	zapcore.Encoder `json:"-"`
	masker          ipmask.Masker
	ctx             caddy.Context
	named           bool // the wrapped encoder was named; WrappedRaw is empty once it was loaded
}

// CaddyModule returns the encoder's ID.
func (*AnonymizeEncoder) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "caddy.logging.encoders.anonymize", New: func() caddy.Module { return new(AnonymizeEncoder) }}
}

// Provision sets up the wrapped encoder.
func (e *AnonymizeEncoder) Provision(ctx caddy.Context) (err error) {
	redirectStdlib()
	e.ctx = ctx
	if e.masker, err = masker(e.V4, e.V6); err != nil {
		return err
	}
	if e.WrappedRaw == nil {
		j := new(logging.JSONEncoder)
		e.Encoder = j
		return j.Provision(ctx)
	}
	e.named = true
	mod, err := ctx.LoadModule(e, "WrappedRaw")
	if err != nil {
		return fmt.Errorf("loading the wrapped log encoder: %w", err)
	}
	e.Encoder = mod.(zapcore.Encoder)
	return nil
}

// ConfigureDefaultFormat takes the console encoder when the log goes to a terminal and no encoder was named.
func (e *AnonymizeEncoder) ConfigureDefaultFormat(wo caddy.WriterOpener) error {
	if e.named {
		if c, ok := e.Encoder.(caddy.ConfiguresFormatterDefault); ok {
			return c.ConfigureDefaultFormat(wo)
		}
		return nil
	}
	if !caddy.IsWriterStandardStream(wo) || !term.IsTerminal(int(os.Stderr.Fd())) {
		return nil
	}
	c := new(logging.ConsoleEncoder)
	e.Encoder = c
	return c.Provision(e.ctx)
}

// Clone keeps the masking around the wrapped encoder's clone: a logger's With would lose it otherwise.
func (e *AnonymizeEncoder) Clone() zapcore.Encoder {
	return &AnonymizeEncoder{Encoder: e.Encoder.Clone(), masker: e.masker}
}

// EncodeEntry masks the finished line.
func (e *AnonymizeEncoder) EncodeEntry(entry zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	fields, own := withOwnMarked(fields)
	line, err := e.Encoder.EncodeEntry(entry, fields)
	if err != nil {
		return nil, err
	}
	scratch := scratches.Get().(*[]byte)
	*scratch = e.masker.Append((*scratch)[:0], line.Bytes())
	line.Reset()
	line.AppendBytes(putOwn(*scratch, own))
	scratches.Put(scratch)
	return line, nil
}

var scratches = sync.Pool{New: func() any { return new([]byte) }}

// UnmarshalCaddyfile reads: format anonymize [V4BITS [V6BITS]] { wrap ENCODER }.
func (e *AnonymizeEncoder) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	if err := parseBits(d, &e.V4, &e.V6); err != nil {
		return err
	}
	for n := d.Nesting(); d.NextBlock(n); {
		if d.Val() != "wrap" || !d.NextArg() {
			return d.Errf("unknown option %q: format anonymize takes wrap ENCODER", d.Val())
		}
		name := d.Val()
		mod, err := caddyfile.UnmarshalModule(d, "caddy.logging.encoders."+name)
		if err != nil {
			return err
		}
		e.WrappedRaw = caddyconfig.JSONModuleObject(mod, "format", name, nil)
	}
	return nil
}

var (
	_ caddyhttp.MiddlewareHandler      = (*AnonymizeIP)(nil)
	_ caddy.Provisioner                = (*AnonymizeIP)(nil)
	_ zapcore.Encoder                  = (*AnonymizeEncoder)(nil)
	_ caddy.ConfiguresFormatterDefault = (*AnonymizeEncoder)(nil)
	_ caddyfile.Unmarshaler            = (*AnonymizeEncoder)(nil)
)
