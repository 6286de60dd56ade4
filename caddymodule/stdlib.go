package caddymodule

import (
	"bytes"
	"log"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-consent/caddy-consent/rewrite/ipmask"
)

// redirectStdlib sends what is written through Go's own log package, and through slog while nobody gave it a handler of
// its own, into Caddy's default log, masked. Third-party modules and panics under HTTP/3 are written there, and Caddy
// leaves them on the logger of its start-up, whose encoder nobody can choose in a Caddyfile.
//
// Each module that promises masked logs calls it when it is provisioned: logs come before apps, so a configuration that
// only says "format anonymize" is covered, and a reload that made Caddy take the stream back is undone. The JSON option
// logging.sink has no effect beside it.
func redirectStdlib() {
	log.SetFlags(0)
	log.SetPrefix("")
	log.SetOutput(stdlibWriter{ipmask.Default})
}

// stdlibWriter writes each message of the standard library's logger to Caddy's default log. It asks for that log per
// message: one that was remembered would be closed by the next reload. It masks by itself, since the default log may be
// encoded by something else.
type stdlibWriter struct{ masker ipmask.Masker }

// Write logs one message; the log package calls it once for each.
func (w stdlibWriter) Write(message []byte) (int, error) {
	caddy.Log().Named("stdlib").Info(string(w.masker.Append(nil, bytes.TrimSpace(message))))
	return len(message), nil
}
