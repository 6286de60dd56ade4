package anonymize

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/logging"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"

	"github.com/caddy-consent/caddy-consent/rewrite/ipmask"
)

func init() {
	caddy.RegisterModule(new(Encoder))
}

// Encoder is a log encoder that masks every IP address in the finished line of another encoder: in fields,
// messages, stacks and headers alike. Only the addresses of the store and of services that are asked, which the gateway itself
// names from its configuration when they fail, stay whole.
type Encoder struct {
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
func (*Encoder) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "caddy.logging.encoders.anonymize", New: func() caddy.Module { return new(Encoder) }}
}

// Provision sets up the wrapped encoder.
func (e *Encoder) Provision(ctx caddy.Context) (err error) {
	RedirectStdlib()
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
func (e *Encoder) ConfigureDefaultFormat(wo caddy.WriterOpener) error {
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
func (e *Encoder) Clone() zapcore.Encoder {
	return &Encoder{Encoder: e.Encoder.Clone(), masker: e.masker}
}

// EncodeEntry masks the finished line.
func (e *Encoder) EncodeEntry(entry zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
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
func (e *Encoder) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
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
	_ zapcore.Encoder                  = (*Encoder)(nil)
	_ caddy.ConfiguresFormatterDefault = (*Encoder)(nil)
	_ caddyfile.Unmarshaler            = (*Encoder)(nil)
)
