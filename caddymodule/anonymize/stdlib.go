package anonymize

import (
	"bytes"
	"io"
	"log"
	"os"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-consent/caddy-consent/rewrite/ipmask"
)

// RedirectStdlib sends what is written through Go's own log package, and through slog while nobody gave it a handler of
// its own, into Caddy's default log, masked. Third-party modules and panics under HTTP/3 are written there, and Caddy
// leaves them on the logger of its start-up, whose encoder nobody can choose in a Caddyfile.
//
// Each module that promises masked logs calls it when it is provisioned: logs come before apps, so a configuration that
// only says "format anonymize" is covered, and a reload that made Caddy take the stream back is undone.
//
// Whoever else has taken the stream, as the JSON option logging.sink or a module does, keeps it: what goes there is masked on
// its way. Caddy 2.11 never gives it back: after a reload that ends a logging.sink its lines still go there, masked, to a
// writer that may be closed.
func RedirectStdlib() {
	switch w := log.Writer().(type) {
	case stdlibWriter, maskedWriter:
	default:
		if w != untaken && w != os.Stderr {
			log.SetOutput(maskedWriter{w, ipmask.Default})
			return
		}
		log.SetFlags(0)
		log.SetPrefix("")
		log.SetOutput(stdlibWriter{ipmask.Default})
	}
}

// untaken is what Caddy gives the stream when the process starts.
var untaken = log.Writer()

// maskedWriter masks what is on its way to whoever took the stream.
type maskedWriter struct {
	to     io.Writer
	masker ipmask.Masker
}

// Write passes one message on; the log package calls it once for each.
func (w maskedWriter) Write(message []byte) (int, error) {
	if _, err := w.to.Write(w.masker.Append(nil, message)); err != nil {
		return 0, err
	}
	return len(message), nil
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
